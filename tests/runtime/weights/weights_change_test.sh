#!/usr/bin/env bash
# Weights that change while a run uses them end it, with the last checkpoint kept.
set -euo pipefail
. "$(dirname "$0")/../../head.sh"

weights=$work/weights.safetensors run=$work/run

"$vlc" compile "$models/vlt5_tiny_adapter.vg" -o "$work/plan.bin" --set tasks=vqa

# A run that does not end by itself, until its first checkpoint.
begin() {
    cp "$models/shapes/vlt5_tiny.safetensors" "$weights"
    "$vlrun" train "$work/plan.bin" --weights "$weights" --out "$run" --overwrite \
        --steps 1000000 --eval-every 0 --checkpoint-every 5 >"$work/out" 2>"$work/err" &
    for _ in $(seq 6000); do
        if [ -e "$run/checkpoint.safetensors" ]; then return; fi
        kill -0 $! 2>/dev/null || fail "ended: $(cat "$work/err")"
        sleep 0.05
    done
    fail "no checkpoint: $(cat "$work/err")"
}

# ends STATUS TEXT: the run ends so within two minutes, and what it saved can be read.
ends() {
    local status=$1 text=$2 found=0
    ( sleep 120 && kill -KILL "$process" ) >/dev/null 2>&1 &
    local guard=$!
    wait "$process" || found=$?
    kill $guard 2>/dev/null || true
    [[ $found =~ ^($status)$ ]] || fail "exit $found, expected $status: $(cat "$work/err")"
    grep -qF -- "$text" "$work/err" || fail "should say '$text': $(cat "$work/err")"
    "$vlrun" export "$work/plan.bin" --from "$run/checkpoint.safetensors" \
        --weights "$models/shapes/vlt5_tiny.safetensors" -o "$work/kept.safetensors" \
        >"$work/out" 2>&1 || fail "the checkpoint cannot be read: $(cat "$work/out")"
    rm -rf "$run"
}

begin
process=$!
truncate -s 4096 "$weights"
ends 1 "$weights: error: the file was cut short"

begin
process=$!
printf '\001\002\003\004' | dd of="$weights" bs=1 seek=100000 conv=notrunc status=none
ends 1 "$weights: error: the file has changed"

# The same bytes at another time, and another file under the same name, do no harm.
begin
process=$!
touch "$weights"
cp "$weights" "$work/other" && mv "$work/other" "$weights"
before=$(stat -c %i "$run/checkpoint.safetensors")
for _ in $(seq 6000); do
    if [ "$(stat -c %i "$run/checkpoint.safetensors" 2>/dev/null || echo "$before")" != "$before" ] &&
        grep -q "moved or replaced" "$work/err"; then break; fi
    kill -0 $process 2>/dev/null || break
    sleep 0.05
done
kill -TERM $process
ends "0|130|143" "was moved or replaced"
