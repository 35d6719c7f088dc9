#!/usr/bin/env bash
# Data sets written by another program, with h5py, numpy and SentencePiece's own trainer, load
# unchanged; a missing or damaged file names itself and the example that wanted it.
set -euo pipefail
. "$(dirname "$0")/../../../head.sh"

if ! "$python" -c 'import h5py, numpy, sentencepiece' 2>/dev/null; then
    echo "skipped: needs python3-h5py, python3-numpy and python3-sentencepiece"
    exit 77
fi

refuses() { # what the message must hold
    if "$vlrun" train "$work/image.bin" --data "$work/data" --out "$work/run" --overwrite --random-weights \
        >"$work/log" 2>&1; then
        fail "trained where it should say '$*'"
    fi
    grep -qF -- "$*" "$work/log" || fail "should say '$*': $(cat "$work/log")"
}

"$python" "$(dirname "$0")/write_layout.py" "$work/data"
"$vlc" compile "$models/vlt5_tiny_adapter.vg" -o "$work/image.bin" --set steps=4 \
    --set sequences=6 --set vocab=400
"$vlc" compile "$models/vlt5_tiny_video.vg" -o "$work/video.bin" --set steps=4 \
    --set sequences=3 --set vocab=400
for kind in image video; do
    "$vlrun" train "$work/$kind.bin" --data "$work/data" --out "$work/$kind" \
        --random-weights >"$work/log" 2>&1 ||
        fail "$kind: $(cat "$work/log")"
    [ -f "$work/$kind/checkpoint.safetensors" ] || fail "$kind: no checkpoint"
done

features=$work/data/COCO/clip_features/data_clip_RN101_att
mv "$features/coco train 3.h5" "$work/kept.h5"
refuses "$features/coco train 3.h5"
refuses "wanted it for example '3"
"$vlrun" train "$work/image.bin" --data "$work/data" --out "$work/run" --overwrite --skip-bad \
    --random-weights >"$work/log" 2>&1 || fail "does not skip: $(cat "$work/log")"
grep -q 'were skipped' "$work/log" || fail "skips without a word: $(cat "$work/log")"
head -c 1000 "$work/kept.h5" >"$features/coco train 3.h5"
refuses "$features/coco train 3.h5"
mv "$work/kept.h5" "$features/coco train 3.h5"
head -c 700 "$work/data/nlvr/train.json" >"$work/cut" && mv "$work/cut" "$work/data/nlvr/train.json"
refuses "nlvr/train.json"
