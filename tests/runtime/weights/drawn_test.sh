#!/usr/bin/env bash
# Buffers with random initial values are nobody's to give: they are drawn once, and stay with what was
# trained over them, in checkpoints and exports, whatever seed a plan has.
set -euo pipefail
. "$(dirname "$0")/../../head.sh"

backbone=$models/shapes/vlt5_tiny.safetensors
compile() { # file, seed
    "$vlc" compile "$models/vlt5_vera.vg" -o "$1" --set size=tiny --set rank=16 --set steps=40 --set sequences=8 \
        --set dropout=0 --set lr=0.05 --set "tasks=nlvr" --set "seed=$2"
}
run() {
    "$vlrun" "$@" >"$work/out" 2>"$work/log" || fail "$* $(cat "$work/log")"
}
scores() { # plan, options
    "$vlrun" eval "$1" --data "$work/data" --format json "${@:2}" 2>>"$work/log"
}
difference() { # files: whether their drawn buffers are the "same" or "other"
    "$python" - "$1" "$2" <<'END'
import json, sys

def tensors(path):
    with open(path, "rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
        rest = file.read()
    return {name: rest[slice(*tensor["data_offsets"])]
            for name, tensor in header.items() if name != "__metadata__"}
a, b = map(tensors, sys.argv[1:])
drawn = [name for name in a if name.startswith("vera.")]
assert len(drawn) == 2, drawn
print("same" if all(a[name] == b[name] for name in drawn) else "other")
END
}

run make-data shapes "$work/data" --size 60
compile "$work/plan.bin" 7
compile "$work/other.bin" 8
train() { # directory, options; where the shell is a process of its own, it becomes the run's
    exec "$vlrun" train "$work/plan.bin" --data "$work/data" --weights "$backbone" --eval-every 0 \
        --out "$@" >"$work/train.log" 2>&1
}
(train "$work/run") || fail "$(cat "$work/train.log")"
run export "$work/plan.bin" --from "$work/run" -o "$work/trained.safetensors"
run export "$work/plan.bin" --from "$work/run" --merge -o "$work/whole.safetensors"
scores "$work/plan.bin" --from "$work/run" >"$work/expected"
grep -q '"accuracy"' "$work/expected" || fail "no scores: $(cat "$work/expected")"

# Another plan would draw others, and takes these.
run train "$work/other.bin" --data "$work/data" --weights "$backbone" --eval-every 0 --out "$work/run_of_other"
[ "$(difference "$work/trained.safetensors" "$work/run_of_other/checkpoint.safetensors")" = other ] ||
    fail "two seeds drew the same"
for file in trained whole; do
    scores "$work/other.bin" --from "$work/$file.safetensors" --weights "$backbone" | cmp - "$work/expected" ||
        fail "$file.safetensors scores otherwise under another seed"
done
scores "$work/other.bin" --weights "$work/whole.safetensors" | cmp - "$work/expected" ||
    fail "as weights, the whole model scores otherwise"

# A run that goes on has them, too: all of its checkpoint is that of one that never stopped.
train "$work/parts" --checkpoint-every 1 &
process=$!
until [ -e "$work/parts/checkpoint.safetensors" ]; do
    kill -0 "$process" || fail "ended without a checkpoint: $(cat "$work/train.log")"
    sleep 0.005
done
kill -9 "$process" || true
wait "$process" || true
run train --resume "$work/parts"
cmp "$work/run/checkpoint.safetensors" "$work/parts/checkpoint.safetensors" || fail "resumed otherwise"

# An export without them is refused by name.
"$python" - "$work/trained.safetensors" "$work/without.safetensors" <<'END'
import json, sys

with open(sys.argv[1], "rb") as file:
    header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
    rest = file.read()
renamed = {("x" + name if name.endswith(".A") else name): value for name, value in header.items()}
text = json.dumps(renamed).encode()
text += b" " * (-len(text) % 8)
with open(sys.argv[2], "wb") as file:
    file.write(len(text).to_bytes(8, "little") + text + rest)
END
if scores "$work/plan.bin" --from "$work/without.safetensors" --weights "$backbone" >"$work/out"; then
    fail "taken without its buffer"
fi
grep -q "has no buffer 'vera.96_16_96.A'" "$work/log" || fail "should name the buffer: $(cat "$work/log")"
echo "drawn once, and kept"
