#!/usr/bin/env bash
# Trained parameters leave as safetensors and come back: over the weights they were trained over
# they score as the run does, and a merged export needs nothing else.
set -euo pipefail
. "$(dirname "$0")/../../head.sh"

plan=$work/plan.bin backbone=$models/shapes/vlt5_tiny.safetensors

scores() { # options
    "$vlrun" eval "$plan" --data "$work/data" --task nlvr --format json "$@" 2>>"$work/log"
}

refuses() { # text, options
    local text=$1
    shift
    if "$vlrun" eval "$plan" --data "$work/data" "$@" >"$work/refused" 2>&1; then
        fail "taken: $*"
    fi
    grep -qF -- "$text" "$work/refused" || fail "should say '$text': $(cat "$work/refused")"
}

"$vlrun" make-data shapes "$work/data" --size 100 >"$work/log"
"$vlc" compile "$models/vlt5_tiny_adapter.vg" -o "$plan" --set steps=12
"$vlrun" train "$plan" --data "$work/data" --weights "$backbone" --out "$work/run" \
    --eval-every 0 >>"$work/log" 2>&1 || fail "$(cat "$work/log")"
"$vlrun" export "$plan" --from "$work/run" -o "$work/trained.safetensors" 2>>"$work/log"
"$vlrun" export "$plan" --from "$work/run" --merge -o "$work/whole.safetensors" 2>>"$work/log"

scores --from "$work/run" >"$work/expected"
grep -q '"accuracy"' "$work/expected" || fail "no scores: $(cat "$work/expected")"
scores --from "$work/trained.safetensors" --weights "$backbone" | cmp - "$work/expected" ||
    fail "the export scores differently"
scores --from "$work/whole.safetensors" | cmp - "$work/expected" ||
    fail "the whole model scores differently"
scores --weights "$work/whole.safetensors" | cmp - "$work/expected" ||
    fail "as weights, the whole model scores differently"
"$vlrun" export "$plan" --from "$work/trained.safetensors" --weights "$backbone" \
    -o "$work/again.safetensors" 2>>"$work/log"
cmp "$work/trained.safetensors" "$work/again.safetensors" || fail "another export of an export"

refuses "must be given, too: --weights" --from "$work/trained.safetensors"
refuses "not the weights over which" --from "$work/trained.safetensors" \
    --weights "$work/whole.safetensors"
refuses "has no trained parameter" --from "$backbone"
head -c 5000 "$work/trained.safetensors" >"$work/cut.safetensors"
refuses "cut.safetensors" --from "$work/cut.safetensors"
if "$vlrun" eval "$plan" --from "$work/whole.safetensors" >"$work/refused" 2>&1; then
    fail "scored on data that nobody named"
fi
grep -q "cannot tell on which data" "$work/refused" || fail "data: $(cat "$work/refused")"
echo "exported, read again and refused as it should be"
