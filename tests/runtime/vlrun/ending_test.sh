#!/usr/bin/env bash
# How programs end: standard output that cannot be written, signals, output files that are
# no regular files or links, directories that hold something already.
. "$(dirname "$0")/../../head.sh"

export XDG_CACHE_HOME="$work/cache"
# says STATUS TEXT COMMAND...: the status, and a text among the messages.
says() {
    local status=$1 text=$2 out code=0
    shift 2
    out=$("$@" 2>&1 >/dev/null </dev/null) || code=$?
    [[ $code -eq $status && $out == *"$text"* ]] ||
        fail "$*: exit $code, expected $status and '$text': $out"
}
model=$models/vlt5_tiny_adapter.vg weights=$models/shapes/vlt5_tiny.safetensors
plan=$work/plan.bin data=$work/data run=$work/run
"$vlc" compile "$model" -o "$plan" --set tasks=caption || exit 1
"$vlrun" make-data shapes "$data" --size 20 2>/dev/null || exit 1
"$vlrun" train "$plan" --data "$data" --weights "$weights" --steps 1 --out "$run" >/dev/null || exit 1

# -- nothing is lost in silence ---------------------------------------------------------
# unwritable COMMAND...: what it prints cannot be written.
unwritable() {
    local code=0 out
    out=$("$@" 2>&1 >/dev/full </dev/null) || code=$?
    [[ $code -eq 1 && $out == *"standard output cannot be written"* ]] ||
        fail "$* >/dev/full: exit $code: $out"
    code=0
    out=$("$@" 2>&1 >&- </dev/null) || code=$?
    [[ $code -eq 1 && $out == *"standard output cannot be written"* ]] ||
        fail "$* >&-: exit $code: $out"
}
unwritable "$vlc" --help
unwritable "$vlrun" --help
for command in compile check dump opt params compare explain ops passes schema; do
    unwritable "$vlc" $command --help
done
for command in train eval generate tokens score export extract profile make-data bench cache verify; do
    unwritable "$vlrun" $command --help
done
for command in ops passes schema; do
    unwritable "$vlc" $command
done
for command in dump params compare explain; do
    unwritable "$vlc" $command "$model"
done
"$vlc" dump "$plan" >"$work/plan.vir"
unwritable "$vlc" opt "$work/plan.vir"
unwritable "$vlrun" cache
unwritable "$vlrun" bench "$plan" --sequences 1 --lanes 1 --rounds 1
unwritable "$vlrun" profile "$plan" --data "$data" --weights "$weights" --steps 1
unwritable "$vlrun" eval "$plan" --data "$data" --from "$run" --limit 2
unwritable "$vlrun" generate "$plan" --data "$data" --from "$run" --limit 2
"$vlrun" export "$plan" --from "$run" -o "$work/full.safetensors" >&- || fail "an export prints nothing"
[ "$(find "$work" -name '*.part' | wc -l)" -eq 0 ] || fail "files are left behind"

# -- links and what is no file ----------------------------------------------------------
# outputs COMMAND...: with "OUT" for the file that it writes.
outputs() {
    local out=$work/out
    mkfifo "$out.fifo"
    mkdir "$out.directory"
    ln -s "$out.target" "$out.link"
    ln -s "$out.link" "$out.further"
    ln -s "$out.fifo" "$out.to-fifo"
    ln -s "$out.loop" "$out.loop"
    for at in /dev/null /dev/full "$out.fifo" "$out.to-fifo" "$out.directory" "$out.loop" "$out.none/file"; do
        says 1 "cannot be written" timeout 60 "${@//OUT/$at}"
    done
    [ -c /dev/null ] && [ -p "$out.fifo" ] || fail "$*: a device or a pipe is replaced"
    for content in none old; do
        [ $content = none ] || echo old >"$out.target"
        says 0 "" "${@//OUT/$out.further}"
        [ -L "$out.link" ] && [ -L "$out.further" ] || fail "$*: a link is replaced"
        [ -f "$out.target" ] && ! grep -qx old "$out.target" || fail "$*: the target stays as it was"
    done
    rm -rf "$out".*
}
outputs "$vlc" compile "$model" -o OUT
outputs "$vlrun" export "$plan" --from "$run" -o OUT
outputs "$vlrun" profile "$plan" --sequences 2 --steps 1 --trace OUT

# A file for a leaderboard in a directory: the same.
"$vlc" compile "$model" -o "$work/vqa.bin" --set tasks=vqa || exit 1
"$vlrun" train "$work/vqa.bin" --data "$data" --weights "$weights" --steps 1 --out "$work/vqa" >/dev/null || exit 1
dump() {
    "$vlrun" generate "$work/vqa.bin" --data "$data" --from "$work/vqa" --limit 2 --format leaderboard --out "$1"
}
dump "$work/board" || fail "no leaderboard file"
board=$(ls "$work/board")
[ -n "$board" ] || fail "no leaderboard file"
mv "$work/board/$board" "$work/kept" && ln -s "$work/kept" "$work/board/$board" && echo old >"$work/kept"
dump "$work/board" || fail "no leaderboard file through a link"
[ -L "$work/board/$board" ] && grep -q answer "$work/kept" || fail "the leaderboard's link is replaced"
rm "$work/board/$board" && mkfifo "$work/board/$board"
says 1 "cannot be written" dump "$work/board"

# Files of features: the same.
"$vlc" compile "$models/extract_rn50.vg" -o "$work/images.bin" --set size=tiny || exit 1
echo iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAIAAAD91JpzAAAAEElEQVR42mNQcEgAIgYIBQAUDgMBMCd5lwAAAABJRU5ErkJggg== | base64 -d >"$work/image.png"
extract() {
    "$vlrun" extract "$work/images.bin" --images "$work/image.png" --out "$work/features" --random-weights --overwrite
}
mkdir "$work/features"
ln -s "$work/far.h5" "$work/features/image.h5"
extract >/dev/null || fail "no features through a link"
[ -L "$work/features/image.h5" ] && [ -s "$work/far.h5" ] || fail "the link of features is replaced"
rm "$work/features/image.h5" && mkfifo "$work/features/image.h5"
says 1 "cannot be written" extract
[ "$(ls -A "$work/features")" = image.h5 ] || fail "files are left behind: $(ls -A "$work/features")"

# A path that is no text: written, not "out of memory".
odd=$work/$(printf 'p\351').safetensors
"$vlrun" export "$plan" --from "$run" -o "$odd" || fail "a name that is not UTF-8 cannot be written"
cp "$weights" "$work/$(printf 'w\351').safetensors"
out=$("$vlrun" train "$plan" --data "$data" --weights "$work/$(printf 'w\351').safetensors" \
    --steps 1 --out "$work/odd" 2>&1)
[[ $out == *"out of memory"* ]] && fail "weights whose name is not UTF-8: $out"

# -- directories ------------------------------------------------------------------------
mkdir "$work/mine" "$work/empty"
echo precious >"$work/mine/notes"
says 1 "is not empty" "$vlrun" make-data shapes "$work/mine" --size 2
[ "$(ls "$work/mine")" = notes ] || fail "make-data wrote into a directory that is not empty"
says 0 "" "$vlrun" make-data shapes "$work/empty" --size 2
says 0 "" "$vlrun" make-data shapes "$work/mine" --size 2 --overwrite
[ "$(cat "$work/mine/notes")" = precious ] || fail "--overwrite took what is not its own"
echo old >"$work/kept"
ln -sf "$work/kept" "$work/mine/spiece.model"
says 1 "is no regular file" "$vlrun" make-data shapes "$work/mine" --size 2 --overwrite
[ "$(cat "$work/kept")" = old ] || fail "make-data wrote through a link"

# -- signals ----------------------------------------------------------------------------
# interrupted SIGNAL FILE COMMAND...: sends it once the file is there.
interrupted() {
    local signal=$1 file=$2 code=0 wanted process
    wanted=$((128 + $(kill -l "$1")))
    shift 2
    "$@" >"$work/log" 2>&1 &
    process=$!
    while kill -0 $process 2>/dev/null &&
        { [ "$(cat /proc/$process/comm)" != vlrun ] || ! compgen -G "$file" >/dev/null; }; do
        sleep 0.01
    done
    kill -"$signal" $process
    wait $process || code=$?
    [ $code -eq $wanted ] || fail "$* after SIG$signal: exit $code: $(cat "$work/log")"
}
halves() {
    find "$XDG_CACHE_HOME" -maxdepth 2 -name '*.half-*' | wc -l
}
for signal in INT TERM; do
    interrupted $signal "$work/cut-$signal/COCO" "$vlrun" make-data shapes "$work/cut-$signal" --size 100000
    interrupted $signal "$XDG_CACHE_HOME/vlgraph/shapes-*.half-*/COCO" \
        "$vlrun" train "$plan" --weights "$weights" --out "$work/never"
    [ "$(halves)" -eq 0 ] || fail "half of the built-in data is left in the cache"
    "$vlrun" cache --clear >/dev/null
    interrupted $signal "$XDG_CACHE_HOME/vlgraph/kernel_*" "$vlrun" bench "$plan" --rounds 1000000
    interrupted $signal "$work/$signal/checkpoint.safetensors" \
        "$vlrun" train "$plan" --data "$data" --weights "$weights" --steps 1000000 --checkpoint-every 1 --out "$work/$signal"
done
# Killed, it leaves its half to the next one, which removes it.
"$vlrun" train "$plan" --weights "$weights" --out "$work/never" >"$work/log" 2>&1 &
process=$!
while kill -0 $process 2>/dev/null && ! compgen -G "$XDG_CACHE_HOME/vlgraph/shapes-*.half-*/COCO" >/dev/null; do
    sleep 0.01
done
kill -KILL $process
wait $process 2>/dev/null
[ "$(halves)" -eq 1 ] || fail "nothing is left of a killed writer: $(cat "$work/log")"
"$vlrun" train "$plan" --weights "$weights" --steps 0 --out "$work/whole" >"$work/whole.log" 2>&1 ||
    fail "after a killed writer: $(cat "$work/whole.log")"
[ "$(halves)" -eq 0 ] || fail "half of the built-in data is left in the cache"
for command in eval generate; do
    "$vlrun" cache --clear >/dev/null
    interrupted INT "$XDG_CACHE_HOME/vlgraph/kernel_*" "$vlrun" $command "$plan" --from "$run" --data shapes --other-data
done
grep -q "files$" "$work/whole.log" || fail "no progress: $(cat "$work/whole.log")"
