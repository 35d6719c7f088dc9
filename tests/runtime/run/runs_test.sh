#!/usr/bin/env bash
# The directory of a run is all that a later command needs, and what such a command is given must
# agree with it; one run at a time works in it; a run that replaces another keeps it until then.
set -euo pipefail
. "$(dirname "$0")/../../head.sh"

cd "$work"

# expect STATUS TEXT ARGUMENTS...
expect() {
    local status=$1 text=$2 found=0
    shift 2
    "$vlrun" "$@" >out 2>err </dev/null || found=$?
    cat out err >log
    [ "$found" -eq "$status" ] && { [ -z "$text" ] || grep -qF -- "$text" log; } ||
        fail "vlrun $*: exit $found, expected $status and '$text': $(cat log)"
}

same() { # files
    cmp "$1" "$2" || fail "$1 and $2 differ"
}

"$vlrun" make-data shapes data --size 40 >log 2>&1
cp "$models/shapes/vlt5_tiny.safetensors" weights.safetensors
cp data/spiece.model words.model
"$vlc" compile "$models/vlt5_tiny_adapter.vg" -o plan.bin --set tasks=nlvr --set steps=10
"$vlc" compile "$models/vlt5_tiny_adapter.vg" -o other.bin --set tasks=nlvr --set steps=10 --set lr=0.01
given=(--data data --weights weights.safetensors --tokenizer words.model)
train=(train plan.bin "${given[@]}" --checkpoint-every 2)

# -- a directory is enough, from wherever it is named ------------------------------------------
expect 0 "saved in whole/" "${train[@]}" --out whole
expect 0 "" eval plan.bin "${given[@]}" --from whole --format json
cp out expected
mkdir elsewhere
(cd elsewhere && "$vlrun" eval ../whole --format json >../out 2>../log) || fail "eval RUN: $(cat log)"
same out expected
expect 0 "" eval plan.bin --from whole --format json
same out expected
expect 0 "" eval plan.bin --from whole/checkpoint.safetensors --format json
same out expected
expect 0 '"task": "nlvr"' generate whole --limit 1
expect 0 "" export whole -o whole.safetensors
expect 0 "" export plan.bin --from whole -o again.safetensors
same whole.safetensors again.safetensors
expect 0 "matmul" profile whole --steps 1
expect 1 "--from goes with a plan only" eval whole --from whole
expect 1 "has no run.json" eval elsewhere
expect 1 "--resume goes on with a run" train whole

# A run that was stopped goes on, by its directory alone, to the same bits.
stop_after_checkpoint() { # process, directory, signal
    while [ ! -e "$2/checkpoint.safetensors" ] && kill -0 "$1" 2>/dev/null; do sleep 0.01; done
    kill "-$3" "$1" 2>/dev/null || true
    wait "$1" 2>/dev/null || true
}
"$vlrun" "${train[@]}" --out broken >log 2>&1 &
stop_after_checkpoint $! broken KILL
touch broken/.checkpoint.safetensors.0123456789abcdef.part broken/mine.part # half written; not ours
expect 0 "saved in broken/" train --resume broken
[ ! -e broken/.checkpoint.safetensors.0123456789abcdef.part ] || fail "half a checkpoint is left"
[ -e broken/mine.part ] || fail "another's file is gone"
same whole/checkpoint.safetensors broken/checkpoint.safetensors

# -- what is given anew must agree --------------------------------------------------------------
expect 1 "belongs to another plan" eval other.bin --from whole
expect 1 "belongs to another plan" train other.bin --out whole --resume
expect 0 "is not the plan of the run" eval other.bin --from whole --other-plan
expect 1 "started for 10 steps, not 11" train --resume whole --steps 11
printf '\001' | dd of=weights.safetensors bs=1 conv=notrunc status=none \
    seek=$(($(stat -c %s weights.safetensors) - 3))
expect 1 "not the weights that the run started from" eval whole
expect 1 "not the weights that the run started from" train --resume whole
expect 0 "not the weights that the run started from" eval whole --other-weights
cp "$models/shapes/vlt5_tiny.safetensors" weights.safetensors
mv words.model moved.model
expect 1 "words.model" eval whole
mv moved.model words.model

"$vlrun" make-data shapes larger --size 50 >log 2>&1
expect 1 "not the data of the run" eval whole --data larger
expect 1 "not the data of the run" eval plan.bin --from whole --data larger
expect 1 "not the data of the run" train --resume whole --data larger
expect 1 "not the data of the run" train plan.bin --out whole --resume --data shapes
expect 0 "warning: these are not the data of the run" eval whole --data larger --other-data
mv data moved
expect 1 "$work/data" eval whole
expect 0 "" eval whole --data moved --format json
same out expected
cp -r moved data
echo >>data/nlvr/train.json
expect 1 "'nlvr/train.json' differs" train --resume whole
cp moved/nlvr/train.json data/nlvr/train.json
rm data/nlvr/train.json
expect 0 "nlvr" eval whole # of which nothing is read
cp moved/nlvr/train.json data/nlvr/train.json
expect 0 "goes on after step 10" train --resume whole
same whole/checkpoint.safetensors broken/checkpoint.safetensors

# -- directories that do not tell ---------------------------------------------------------------
cp -r whole old
rm old/run.json
expect 1 "has no run.json" eval old
expect 1 "cannot tell on which data" eval plan.bin --from old
expect 1 "cannot tell on which data" train plan.bin --out old --resume
expect 0 "nlvr" eval plan.bin --from old --data data --tokenizer words.model
expect 0 "goes on after step 10" train plan.bin "${given[@]}" --out old --resume
expect 0 "nlvr" eval old
cp -r whole mixed
expect 0 "" train other.bin "${given[@]}" --out second --score-first
cp second/checkpoint.safetensors mixed/
expect 1 "not that of the run in run.json" eval mixed
expect 1 "not that of the run in run.json" train --resume mixed
head -c 300 whole/run.json >mixed/run.json
expect 1 "mixed/run.json:" eval mixed
sed '/"steps"/d' whole/run.json >mixed/run.json
expect 1 'has no "steps"' eval mixed
sed 's/"steps": .*/"steps": "x",/' whole/run.json >mixed/run.json
expect 1 '"steps" is not' eval mixed
sed 's/"gemm": .*/"gemm": "opnblas",/' whole/run.json >mixed/run.json
expect 1 '"gemm" is not' eval mixed
sed '/"gemm"/d' whole/run.json >mixed/run.json # of a run that is older than the choice
cp whole/checkpoint.safetensors mixed/
expect 0 "OpenBLAS" profile mixed --steps 1 --data data
sed 's/"steps": .*/"steps": 11,/' whole/run.json >mixed/run.json
expect 1 "not that of the run in run.json" train --resume mixed
sed 's/"data": .*/"data": null,/' whole/run.json >mixed/run.json
expect 1 '"data" is not' eval mixed

# -- one at a time ------------------------------------------------------------------------------
"$vlc" compile "$models/vlt5_tiny_adapter.vg" -o long.bin --set tasks=nlvr --set steps=100000
"$vlrun" train long.bin "${given[@]}" --out busy --checkpoint-every 2 --eval-every 0 >busy.log 2>&1 &
busy=$!
while [ ! -e busy/checkpoint.safetensors ]; do
    kill -0 $busy || fail "the long run: $(cat busy.log)"
    sleep 0.05
done
expect 1 "another run is at work here: process $busy on " train long.bin "${given[@]}" --out busy
expect 1 "another run is at work here: process $busy on " train --resume busy
expect 1 "another run is at work here" "${train[@]}" --out busy --overwrite
expect 0 "nlvr" eval busy
expect 0 "" export busy -o busy.safetensors
kill -TERM $busy
status=0
wait $busy || status=$?
[ $status -eq 143 ] || fail "the long run: exit $status: $(cat busy.log)" # 128 and SIGTERM
grep -q "go on with --resume busy" busy.log || fail "the long run: $(cat busy.log)"

# -- a run that replaces another ----------------------------------------------------------------
# Killed before its first checkpoint: the old one is back, and nobody takes it for the new one.
replace=(train other.bin "${given[@]}" --out whole --overwrite --score-first)
"$vlrun" "${replace[@]}" >log 2>&1 &
killed=$!
while [ ! -e whole/previous/run.json ] && kill -0 $killed 2>/dev/null; do sleep 0.002; done
kill -KILL $killed
wait $killed 2>/dev/null || true
if [ -e whole/checkpoint.safetensors ]; then fail "the run to be killed saved too early"; fi
expect 1 "the one before is in 'whole/previous'" eval plan.bin --from whole --data data
expect 0 "" eval whole/previous --format json
expect 1 "has been put back" train --resume whole
expect 0 "" train --resume whole
same whole/checkpoint.safetensors broken/checkpoint.safetensors
[ ! -e whole/previous ] || fail "something is left aside"

# Else the old one goes when the new one has a checkpoint.
expect 0 "saved in whole/" "${replace[@]}"
expect 0 "nlvr" eval whole
[ ! -e whole/previous ] || fail "the replaced run is still there"
same whole/checkpoint.safetensors second/checkpoint.safetensors
expect 1 "is to overwrite" train plan.bin --data data --weights whole/checkpoint.safetensors \
    --out whole --overwrite --random-weights
same whole/checkpoint.safetensors second/checkpoint.safetensors

# -- the processor is part of the result --------------------------------------------------------
if [ "$(uname -m)" = x86_64 ]; then
    expect 0 "computed on x86-64-v2" "${train[@]}" --out level --processor x86-64-v2
    expect 0 "computed on x86-64-v2" train --resume level
    if grep -q "now goes on" log; then fail "a warning on the same processor"; fi
    cp -r level levels
    expect 0 "so far, and now goes on on" train --resume levels --processor x86-64-v3
    grep -q '"processor": "x86-64-v3"' levels/run.json || fail "the new processor is not recorded"
fi

# -- said at the start --------------------------------------------------------------------------
name=$(printf 'w\377.safetensors')
cp weights.safetensors "$name"
expect 1 "not UTF-8" train plan.bin --data data --weights "$name" --out bytes
[ ! -e bytes/checkpoint.safetensors ] || fail "a run began that could not be saved"
expect 1 "nowhere" train plan.bin --data nowhere --weights weights.safetensors --out unborn
[ ! -e unborn ] || fail "a refused run has left its directory"
mkdir unborn
expect 1 "nowhere" train plan.bin --data nowhere --weights weights.safetensors --out unborn
[ -d unborn ] || fail "a directory that was there is gone"

early() { # text, options: refused before the first step, and the run that is there stays
    expect 1 "$1" "${@:2}" --overwrite
    if grep -q '^step ' log; then fail "steps were trained: $(cat log)"; fi
    same whole/checkpoint.safetensors second/checkpoint.safetensors
}
"$vlc" compile "$models/vlt5_tiny_adapter.vg" -o short.bin --set tasks=caption --set longest_target=2
early "the plan has room for" train short.bin "${given[@]}" --out whole
head -c 100 moved/nlvr/test.json >data/nlvr/test.json
early "nlvr/test.json" "${train[@]}" --out whole
cp moved/nlvr/test.json data/nlvr/test.json
(ulimit -f 300 && early "a checkpoint has" "${train[@]}" --out whole)
expect 1 "/proc" "${train[@]}" --out /proc/nowhere
mkdir taken taken/metrics.jsonl
expect 1 "taken/metrics.jsonl" "${train[@]}" --out taken
rmdir taken/metrics.jsonl
mkfifo taken/metrics.jsonl
expect 1 "taken/metrics.jsonl: error: is no regular file" "${train[@]}" --out taken
rm taken/metrics.jsonl
rm -f taken/lock
mkfifo taken/lock
expect 1 "taken/lock: error: is no regular file" "${train[@]}" --out taken
for file in metrics.jsonl run.json plan.bin checkpoint.safetensors best.safetensors checkpoint-12.safetensors events.out.tfevents.vlgraph previous lock; do
    rm -rf taken
    mkdir taken
    echo precious >mine
    ln -s ../mine "taken/$file"
    expect 1 "taken/$file: error: is a link" "${train[@]}" --out taken --overwrite
    [ "$(cat mine)" = precious ] || fail "$file was followed"
done
echo "a directory tells all, and is defended"
