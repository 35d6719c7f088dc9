#!/usr/bin/env bash
# What is not finite is never kept: it replaces no good checkpoint, and is not exported.
set -euo pipefail
. "$(dirname "$0")/../../head.sh"

# expect STATUS TEXT ARGUMENTS...
expect() {
    local status=$1 text=$2 found=0
    shift 2
    "$vlrun" "$@" >"$work/log" 2>&1 || found=$?
    [ "$found" -eq "$status" ] && { [ -z "$text" ] || grep -qF -- "$text" "$work/log"; } ||
        fail "vlrun $*: exit $found, expected $status and '$text': $(cat "$work/log")"
}

# An optimizer whose third update overflows; the losses and gradients before it are finite.
cat >"$work/overflow.vg" <<'END'
<?xml version="1.0"?>
<library xmlns="urn:vlgraph:1">
  <optimizer name="overflow">
    <state name="power" shape="1" init="1e-20"/>
    <mul out="next" a="power" b="1e20"/>
    <maximum out="factor" a="next" b="1e25"/>
    <mul out="factor" a="factor" b="1e-30"/>
    <mul out="change" a="gradient" b="factor"/>
    <sub out="updated" a="param" b="change"/>
    <assign to="param" value="updated"/>
    <assign to="power" value="next"/>
  </optimizer>
</library>
END
ln -s "$(realpath "$models")" "$work/models"
cat >"$work/model.vg" <<'END'
<?xml version="1.0"?>
<model name="overflow" extends="models/vlt5_tiny_adapter.vg" xmlns="urn:vlgraph:1">
  <import href="overflow.vg"/>
  <optimizer use="overflow"/>
</model>
END
"$vlc" compile "$work/model.vg" -o "$work/plan.bin" --set tasks=vqa --set steps=12 ||
    fail "cannot compile"
run=$work/run
"$vlrun" make-data shapes "$work/data" --size 40 >/dev/null

expect 3 "is kept: $run/checkpoint.safetensors" train "$work/plan.bin" --data "$work/data" --out "$run" --random-weights \
    --checkpoint-every 1
grep -q "not saved: element .* of \(parameter\|state\) '" "$work/log" ||
    fail "no parameter named: $(cat "$work/log")"
head -c 2000 "$run/checkpoint.safetensors" | grep -aq '"step": *"2"' ||
    fail "the kept checkpoint is not that of step 2"
expect 0 "" export "$work/plan.bin" --from "$run" -o "$work/good.safetensors"

# Nothing that an earlier run left is called this run's; it is put back.
cp "$run/checkpoint.safetensors" "$run/run.json" "$work"
expect 3 "not saved" train "$work/plan.bin" --data "$work/data" --out "$run" --random-weights --overwrite --checkpoint-every 3
if grep -q "is kept" "$work/log"; then fail "another run's checkpoint is kept"; fi
grep -q "has been put back" "$work/log" || fail "not put back: $(cat "$work/log")"
for file in checkpoint.safetensors run.json; do
    cmp "$work/$file" "$run/$file" || fail "the run before lost its $file"
done
[ ! -e "$run/previous" ] || fail "something is left aside"

# One number of a good export, made NaN.
head -c -4 "$work/good.safetensors" >"$work/bad.safetensors"
printf '\000\000\300\177' >>"$work/bad.safetensors"
expect 3 "not written: element" export "$work/plan.bin" --from "$work/bad.safetensors" \
    -o "$work/worse.safetensors"
[ ! -e "$work/worse.safetensors" ] || fail "an export that is not finite was written"
# A frozen weight that is NaN: nothing is scored, said or trained, and it is named.
"$python" - "$models/shapes/vlt5_tiny.safetensors" "$work/nan.safetensors" <<'END'
import json, struct, sys
data = bytearray(open(sys.argv[1], "rb").read())
start = 8 + struct.unpack("<Q", data[:8])[0]
for name, tensor in json.loads(data[8:start]).items():
    if name.endswith("wi.weight"):
        begin, end = (start + offset for offset in tensor["data_offsets"])
        data[begin:end] = struct.pack("<f", float("nan")) * ((end - begin) // 4)
open(sys.argv[2], "wb").write(data)
END
"$vlc" compile "$models/vlt5_tiny_adapter.vg" -o "$work/caption.bin" --set tasks=caption
for command in eval "generate --limit 2" "train --out $work/nan"; do
    # shellcheck disable=SC2086
    expect 3 "wi.weight' itself holds numbers that are not finite" $command \
        "$work/caption.bin" --data "$work/data" --weights "$work/nan.safetensors"
    grep -q 'nn.vg:[0-9]*:[0-9]*: note: the first such number is made here' "$work/log" ||
        fail "no line of the model is named: $(cat "$work/log")"
done
# One of several products of a step that overflows is the one that is named.
"$python" - "$models/shapes/vlt5_tiny.safetensors" "$work/huge.safetensors" <<'END'
import json, struct, sys
data = bytearray(open(sys.argv[1], "rb").read())
start = 8 + struct.unpack("<Q", data[:8])[0]
begin = start + json.loads(data[8:start])["encoder.block.0.layer.0.SelfAttention.q.weight"]["data_offsets"][0]
data[begin:begin + 384] = struct.pack("<f", 3e38) * 96
open(sys.argv[2], "wb").write(data)
END
expect 3 "made here, by matmul with 'encoder.block.0.layer.0.SelfAttention.q.weight'" eval \
    "$work/caption.bin" --data "$work/data" --weights "$work/huge.safetensors"
echo "what is not finite was not kept"
