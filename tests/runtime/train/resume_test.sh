#!/usr/bin/env bash
# A run that is killed and resumed ends, bit for bit, where an undisturbed one does, whatever the
# number of threads: parameters, optimizer states and all.
set -euo pipefail
. "$(dirname "$0")/../../head.sh"

steps=48

train() { # directory, options
    local directory=$1
    shift
    "$vlrun" train "$work/plan.bin" --data "$work/data" --out "$directory" --checkpoint-every 4 --random-weights "$@"
}

# In the background, where the shell's process becomes the run's: signals reach it.
start() { # directory, options
    local directory=$1
    shift
    exec "$vlrun" train "$work/plan.bin" --data "$work/data" --out "$directory" --checkpoint-every 4 --random-weights "$@"
}

# Kills the run in the background once its checkpoint has changed, at an arbitrary moment after.
kill_after_checkpoint() { # process, directory, signal
    local before after
    before=$(stat -c %Y%i "$2/checkpoint.safetensors" 2>/dev/null || true)
    while kill -0 "$1" 2>/dev/null; do
        after=$(stat -c %Y%i "$2/checkpoint.safetensors" 2>/dev/null || true)
        if [ "$after" != "$before" ]; then
            sleep "0.0$((RANDOM % 90 + 10))"
            kill "-$3" "$1" 2>/dev/null || true
            return
        fi
        sleep 0.005
    done
}

"$vlc" compile "$models/vlt5_tiny_adapter.vg" -o "$work/plan.bin" \
    --set "steps=$steps" --set sequences=24 --set dropout=0.1

"$vlrun" make-data shapes "$work/data" --size 100 >/dev/null
train "$work/whole" --threads 2 >"$work/whole.log" || fail "the undisturbed run failed"

grep -Eq '^all +mean .* [0-9.]+ %  +[0-9.]+  +[1-9][0-9]* MiB$' "$work/whole.log" ||
    fail "no closing row: $(cat "$work/whole.log")"
grep -q '"event": "end", "step": 48, .*"peak_resident_bytes": [1-9]' "$work/whole/metrics.jsonl" ||
    fail "the metrics do not say what the run cost"

# The lines of steps, without the seconds they took: one for each, however often it was killed.
steps_of() { # directory
    grep '"loss"' "$1/metrics.jsonl" | sed 's/, "seconds": [^}]*//'
}
steps_of "$work/whole" >"$work/steps"
[ "$(wc -l <"$work/steps")" -eq $steps ] || fail "not a line for every step"

killed=0
resume=()
for threads in 1 3 2 1; do
    start "$work/broken" --threads "$threads" "${resume[@]}" >>"$work/broken.log" 2>&1 &
    process=$!
    kill_after_checkpoint "$process" "$work/broken" KILL
    wait "$process" 2>/dev/null || killed=$((killed + 1))
    [ -f "$work/broken/checkpoint.safetensors" ] || fail "no checkpoint: $(cat "$work/broken.log")"
    resume=(--resume)
    step=$(head -c 4000 "$work/broken/checkpoint.safetensors" | grep -ao '"step": *"[0-9]*"' | grep -o '[0-9]*')
    [ "$(steps_of "$work/broken" | grep -c .)" -ge "$step" ] ||
        fail "the checkpoint counts $step steps, the metrics fewer"
done
[ "$killed" -ge 1 ] || fail "no run was killed before its end"

# A polite end: saved, exit code 128 and the signal, unless it came too late.
for signal in TERM INT; do
    start "$work/$signal" --threads 2 >"$work/$signal.log" 2>&1 &
    process=$!
    kill_after_checkpoint "$process" "$work/$signal" "$signal"
    code=0
    wait "$process" || code=$?
    if grep -q -- "go on with --resume\|trained, not scored" "$work/$signal.log"; then
        [ "$code" -eq $((128 + $(kill -l "$signal"))) ] || fail "SIG$signal: exit code $code"
    else
        grep -q "^saved in" "$work/$signal.log" || fail "SIG$signal: $code: $(cat "$work/$signal.log")"
    fi
done

for run in broken TERM INT; do
    train "$work/$run" --threads 1 --resume >>"$work/$run.log" 2>&1 ||
        fail "cannot resume: $(cat "$work/$run.log")"
    cmp "$work/whole/checkpoint.safetensors" "$work/$run/checkpoint.safetensors" ||
        fail "the $run run ended elsewhere"
    steps_of "$work/$run" | cmp - "$work/steps" || fail "the metrics of the $run run differ"
done

# What must be refused.
if train "$work/whole" >"$work/again.log" 2>&1; then
    fail "a run was overwritten"
fi
if train "$work/whole" --resume --steps 99 >"$work/again.log" 2>&1; then
    fail "a run went on with another number of steps"
fi
cp -r "$work/whole" "$work/damaged"
printf '\001' | dd of="$work/damaged/checkpoint.safetensors" bs=1 conv=notrunc \
    seek=$(($(stat -c %s "$work/damaged/checkpoint.safetensors") - 9)) 2>/dev/null
if train "$work/damaged" --resume >"$work/again.log" 2>&1; then
    fail "a damaged checkpoint was taken"
fi
grep -q 'checksum' "$work/again.log" || fail "damage: $(cat "$work/again.log")"
echo "resumed after $killed kills, a SIGTERM and a SIGINT: bit-identical"
