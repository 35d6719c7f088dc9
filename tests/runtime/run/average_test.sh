#!/usr/bin/env bash
# Averages of what runs have trained: of runs, checkpoints, exports and files of others.
. "$(dirname "$0")/../../head.sh"

weights=$models/shapes/vlt5_tiny.safetensors plan=$work/plan.bin
"$vlc" compile "$models/vlt5_tiny_adapter.vg" -o "$plan" --set tasks=vqa || exit 1
"$vlc" compile "$models/vlt5_lora.vg" -o "$work/lora.bin" --set tasks=vqa --set size=tiny || exit 1
"$vlrun" make-data shapes "$work/data" --size 20 >/dev/null || exit 1
few="--data $work/data --eval-every 0 --progress quiet"

# expect STATUS TEXT ARGUMENTS...: of average, to out.safetensors.
expect() {
    rm -f "$work/out.safetensors"
    outcome "$1" "$2" "$vlrun" average "${@:3}" -o "$work/out.safetensors"
    [ "$1" -eq 0 ] || [ ! -e "$work/out.safetensors" ] || fail "a refused average was written: $*"
}
# is_average C,C.. FILE...: of the files' numbers, what is in out.safetensors.
is_average() {
    "$python" - "$work/out.safetensors" "$@" <<'END' || fail "no average of $*"
import json, struct, sys
def read(path):
    data = open(path, "rb").read()
    size = struct.unpack("<Q", data[:8])[0]
    head = json.loads(data[8:8 + size])
    head.pop("__metadata__", None)
    return {name: struct.unpack(f"<{(e['data_offsets'][1] - e['data_offsets'][0]) // 4}f",
                                data[8 + size:][slice(*e["data_offsets"])]) for name, e in head.items()}
out, parts = read(sys.argv[1]), [float(c) for c in sys.argv[2].split(",")]
inputs = [read(path) for path in sys.argv[3:]]
assert out.keys() == inputs[0].keys() and out
for name, numbers in out.items():
    for i, number in enumerate(numbers):
        expected = sum(c * file[name][i] for c, file in zip(parts, inputs)) / sum(parts)
        assert abs(number - expected) <= 1e-6 * (abs(expected) + 1e-3), (name, i, number, expected)
END
}

for seed in 1 2 3; do
    outcome 0 "" "$vlrun" train "$plan" $few --weights "$weights" --steps 2 --checkpoint-every 1 --keep 2 \
        --set "seed=$seed" --out "$work/run$seed"
    outcome 0 "" "$vlrun" export "$work/run$seed" -o "$work/export$seed.safetensors"
done
expect 0 "" "$work/run1" "$work/run2" "$work/run3"
is_average 1,1,1 "$work"/export{1,2,3}.safetensors
cp "$work/out.safetensors" "$work/runs.safetensors"
expect 0 "" "$work/export1.safetensors" "$work/run2/checkpoint.safetensors" "$work/run3"
cmp "$work/out.safetensors" "$work/runs.safetensors" || fail "exports and runs have two averages"
expect 0 "" "$work/run1" "$work/run2" --coefficients 3,1
is_average 3,1 "$work"/export{1,2}.safetensors
expect 0 "" "$work"/run1/checkpoint-*.safetensors
[ "$(ls "$work"/run1/checkpoint-*.safetensors | wc -l)" -eq 2 ] || fail "two checkpoints should be kept"

# What comes out scores, exports and begins runs.
outcome 0 "accuracy" "$vlrun" eval "$plan" --from "$work/out.safetensors" --weights "$weights" --data "$work/data" \
    --limit 2
outcome 1 "that must be given, too" "$vlrun" eval "$plan" --from "$work/out.safetensors" --data "$work/data"
outcome 0 "47 parameters to begin with" "$vlrun" train "$plan" $few --weights "$weights" --steps 1 \
    --init-from "$work/out.safetensors" --out "$work/next"

# What does not belong together.
outcome 0 "" "$vlrun" train "$work/lora.bin" $few --weights "$weights" --steps 1 --out "$work/lora"
expect 1 "has no 'decoder.block.0.layer.0.SelfAttention" "$work/run1" "$work/lora"
outcome 0 "" "$vlrun" train "$plan" $few --random-weights --steps 1 --out "$work/random"
expect 1 "was trained over other weights than" "$work/run1" "$work/random"
cp "$work/run1/checkpoint.safetensors" "$work/alone.safetensors"
rm "$work/plan.bin"
expect 1 "needs its plan beside it" "$work/alone.safetensors" "$work/run2"
expect 1 "cannot be read" "$work/run1" "$work/nothing"
expect 1 "only a run with --keep-best" --best "$work/run1" "$work/run2"
expect 2 "as many numbers above 0" "$work/run1" "$work/run2" --coefficients 1
expect 2 "as many numbers above 0" "$work/run1" "$work/run2" --coefficients 1,-1
expect 2 "as many numbers above 0" "$work/run1" "$work/run2" --coefficients 1e308,1e308
outcome 2 "" "$vlrun" average "$work/run1" -o "$work/out.safetensors"
outcome 2 "-o PATH is needed" "$vlrun" average "$work/run1" "$work/run2"

# A run's own files are not written over, whatever writes.
for command in average export report metrics; do
    others=("$work/run1")
    [ $command != average ] || others+=("$work/run2")
    for file in checkpoint.safetensors metrics.jsonl run.json; do
        cp "$work/run1/$file" "$work/before"
        outcome 1 "$work/run1/$file: error: is a file of a run" "$vlrun" $command "${others[@]}" -o "$work/run1/$file"
        cmp "$work/before" "$work/run1/$file" || fail "$command: wrote $file"
    done
    outcome 1 "run.json: error: is a file of a run" env -C "$work/run1" "$vlrun" $command "${others[@]}" -o run.json
done
for command in generate check-data; do
    outcome 1 "run.json: error: is a file of a run" "$vlrun" $command "$work/run1" --html "$work/run1/run.json"
done
outcome 1 "$work/run2: error: is a run" "$vlrun" export "$work/run1" --format onnx -o "$work/run2"

# Files of others: counts must be equal, numbers that are not finite are refused.
"$python" - "$work" <<'END'
import json, struct, sys
def write(name, numbers, count, shape=None):
    head = json.dumps({"n": {"dtype": "I64", "shape": [1], "data_offsets": [0, 8]},
                       "w": {"dtype": "F32", "shape": shape or [2], "data_offsets": [8, 16]}}).encode()
    open(f"{sys.argv[1]}/{name}.safetensors", "wb").write(
        struct.pack("<Q", len(head)) + head + struct.pack("<q2f", count, *numbers))
write("a", (1, 2), 7)
write("b", (3, 4), 7)
write("count", (3, 4), 8)
write("shape", (3, 4), 7, [1, 2])
write("wrong", (3, float("nan")), 7)
END
expect 0 "" "$work/a.safetensors" "$work/b.safetensors"
expect 1 "'n', which is not trained, has other numbers" "$work/a.safetensors" "$work/count.safetensors"
expect 1 "'w' has another shape" "$work/a.safetensors" "$work/shape.safetensors"
expect 3 "element 1 of 'w' would be nan" "$work/a.safetensors" "$work/wrong.safetensors"
