#!/usr/bin/env bash
# A run whose data hold one bad file or record ends with exit code 1 and its name; with --skip-bad
# it goes on without it.
set -euo pipefail
. "$(dirname "$0")/../../../head.sh"

here=$(cd "$(dirname "$0")" && pwd)

"$vlrun" make-data shapes "$work/data" --size 10 >/dev/null 2>&1
cp -r "$models" "$work/models"
sed -i 's/<tasks use="[^"]*"/<tasks use="nlvr"/' "$work/models/vlt5_tiny_pretrain.vg"
"$vlc" compile "$work/models/vlt5_tiny_pretrain.vg" -o "$work/plan.bin" --set steps=2 \
    --set sequences=60 >/dev/null

train() { # options
    timeout 300 "$vlrun" train "$work/plan.bin" --data "$work/data" --out "$work/run" \
        --overwrite --threads 1 --eval-every 0 "$@" >"$work/out" 2>"$work/err"
}

check() { # what is wrong, what the message must hold
    local code=0
    train || code=$?
    [ $code -eq 1 ] || fail "$1: exit $code, expected 1: $(cat "$work/err")"
    grep -qF -- "$2" "$work/err" || fail "$1: should say '$2': $(cat "$work/err")"
    train --skip-bad || fail "$1: --skip-bad ends: $(cat "$work/err")"
    grep -qF -- "$2" "$work/err" || fail "$1: --skip-bad hides it: $(cat "$work/err")"
}

train || fail "whole data: $(cat "$work/err")"

# A feature file, in the place of the first example's.
folder=$work/data/nlvr/clip_features/data_clip_RN101_att
name=$("$python" -c 'import json, sys; print(json.load(open(sys.argv[1]))[0]["img0"])' \
    "$work/data/nlvr/train.json")
file=$folder/$name.h5
[ -f "$file" ] || fail "no $file"
mv "$file" "$work/whole.h5"
check "a missing file" "$name.h5: error: cannot be read: No such file"
mkfifo "$file"
check "a pipe" "$name.h5: error: cannot be read: it is a pipe"
rm "$file"
printf 'version https://git-lfs.github.com/spec/v1\n' >"$file"
check "a pointer" "$name.h5: error: is no HDF5 file, but a git-lfs pointer"
head -c 1500 "$work/whole.h5" >"$file"
check "a cut file" "$name.h5: error: is cut"
cp "$work/whole.h5" "$file"
# The last number, in half precision, is made one that is not finite.
"$python" - "$file" "$name" <<'END'
import sys
bytes = bytearray(open(sys.argv[1], "rb").read())
bytes[-2:] = b"\x00\x7e"
open(sys.argv[1], "wb").write(bytes)
END
check "not a number" "of the features is not a number"
grep -q "wanted it for example" "$work/err" || fail "names no example: $(cat "$work/err")"
# Files that crash the library when it opens them.
"$python" - "$work/whole.h5" "$file" "$name" <<'END'
import sys
bytes = bytearray(open(sys.argv[1], "rb").read())
at = bytes.index(b"TREE")
for i in range(at + 4, at + 24):
    bytes[i] ^= 0xff
open(sys.argv[2], "wb").write(bytes)
END
check "a damaged file" "$name.h5: error: "
cp "$work/whole.h5" "$file"

# A record without its answer.
sed -i '0,/"label"/s//"lable"/' "$work/data/nlvr/train.json"
check "a misspelt member" 'has no "label"; did you mean that by "lable"?'
sed -i 's/"lable"/"label"/' "$work/data/nlvr/train.json"

# All examples of a batch: each is a batch of its own.
"$vlc" compile "$work/models/vlt5_tiny_pretrain.vg" -o "$work/single.bin" --set steps=12 \
    --set sequences=3 >/dev/null
mv "$work/single.bin" "$work/plan.bin"
rm "$file"
check "a batch of one" "$name.h5: error: cannot be read"
rm "$folder"/train-*
code=0
train --skip-bad || code=$?
[ $code -eq 1 ] || fail "nothing to train on: exit $code"
grep -q "no example of the training split can be read" "$work/err" || fail "$(cat "$work/err")"
