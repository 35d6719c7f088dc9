#!/usr/bin/env bash
# Plans whose frozen weights are integers: what they hold and say, what computes them, and that nothing of a weight
# that is no number is lost.
. "$(dirname "$0")/../../head.sh"

model=$models/vlt5_tiny_adapter.vg weights=$models/shapes/vlt5_tiny.safetensors
"$vlc" compile "$model" -o "$work/f32.bin" || exit 1
"$vlc" compile "$model" --frozen int8 -o "$work/int8.bin" || exit 1
"$vlrun" make-data shapes "$work/data" --size 20 >/dev/null || exit 1

"$vlc" compile "$model" --frozen f32 -o "$work/same.bin" || exit 1
cmp -s "$work/f32.bin" "$work/same.bin" || fail "--frozen f32 is not the preset"
"$vlc" dump "$work/int8.bin" >"$work/int8.vir"
grep -q 'matmul .* precision=int8 ' "$work/int8.vir" || fail "int8 is not written down"
grep 'matmul .* precision=int8 ' "$work/int8.vir" | grep -q 'transpose_a=1' && fail "gradients of weights are integers"
"$vlc" dump "$work/int8.vir" | cmp -s - "$work/int8.vir" || fail "the text does not come back as it was"

# A recipe can ask for it, and the option decides.
ln -s "$(realpath "$models")" "$work/models"
cat >"$work/recipe.vg" <<'END'
<model name="recipe" extends="models/vlt5_tiny_adapter.vg" xmlns="urn:vlgraph:1"><precision is="int8"/></model>
END
"$vlc" dump "$work/recipe.vg" | grep -q ' precision=int8 ' || fail "the recipe is not heard"
"$vlc" dump "$work/recipe.vg" --frozen f32 | grep -q ' precision=int8 ' && fail "--frozen f32 is not heard"

for processor in native x86-64-v3 x86-64-v2; do
    outcome 0 ", 0 beyond" "$vlrun" verify --nodes "$work/int8.bin" --processor "$processor"
done
outcome 0 "% of FLOPs" "$vlrun" bench --rounds 1 --sequences 2 --lanes 1 "$work/int8.bin"
[[ $out =~ products:\ highest\ [0-9.]*\ %,\ int8\ [0-9.]*\ %\ of ]] || fail "bench tells nothing of integers: $out"

# train NAME ARGUMENTS...
train() {
    "$vlrun" train "$work/int8.bin" --data "$work/data" --eval-every 0 --steps 3 --out "$work/$1" "${@:2}"
}
for lanes in 1 2; do
    outcome 0 "saved" train "lanes$lanes" --weights "$weights" --threads "$lanes"
done
cmp "$work"/lanes{1,2}/checkpoint.safetensors || fail "the number of lanes changes the result"

"$python" - "$weights" "$work/bad.safetensors" <<'END' || exit 1
import json, struct, sys
with open(sys.argv[1], "rb") as file:
    data = bytearray(file.read())
length = struct.unpack("<Q", data[:8])[0]
names = json.loads(data[8:8 + length])
start = 8 + length + names["encoder.block.0.layer.0.SelfAttention.q.weight"]["data_offsets"][0]
data[start + 400:start + 404] = struct.pack("<f", float("nan"))
with open(sys.argv[2], "wb") as file:
    file.write(data)
END
outcome 3 "not finite" train bad --weights "$work/bad.safetensors"

outcome 1 "--frozen needs a .vg file" "$vlc" dump "$work/int8.bin" --frozen f32
outcome 1 "--frozen needs a .vg file" "$vlc" compare "$work/int8.bin" --frozen int8
"$vlc" compile "$models/vlt5_full.vg" --set size=tiny --frozen int8 -o "$work/full.bin" 2>"$work/full.err" ||
    fail "--frozen int8 of a model without frozen weights is refused"
grep -q 'vlt5_full.vg: warning: --frozen int8: found no product' "$work/full.err" ||
    fail "it does not say that nothing is frozen: $(cat "$work/full.err")"
outcome 2 "found 'INT8'; did you mean 'int8'?" "$vlc" compile "$model" --frozen INT8 -o "$work/none.bin"
outcome 2 "found 'int9'; did you mean 'int8'?" "$vlc" compile "$model" --frozen int9 -o "$work/none.bin"
[ ! -e "$work/none.bin" ] || fail "a plan in spite of a mistake"
outcome 2 "found 'int8'" "$vlc" compile "$model" --matmul-precision int8 -o "$work/none.bin"
