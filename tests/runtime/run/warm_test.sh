#!/usr/bin/env bash
# Runs that begin with what another run, an export or a file has trained.
. "$(dirname "$0")/../../head.sh"

weights=$models/shapes/vlt5_tiny.safetensors plan=$work/plan.bin wide=$work/wide.bin
"$vlc" compile "$models/vlt5_tiny_adapter.vg" -o "$plan" --set tasks=vqa || exit 1
ln -s "$models"/* "$work"
sed 's/reduction="4"/reduction="2"/' "$models/vlt5_tiny_adapter.vg" >"$work/wide_adapter.vg"
"$vlc" compile "$work/wide_adapter.vg" -o "$wide" --set tasks=vqa || exit 1
"$vlrun" make-data shapes "$work/data" --size 20 >/dev/null || exit 1
few="--data $work/data --weights $weights --steps 2 --eval-every 0"

# train STATUS TEXT OUT ARGUMENTS...
train() {
    outcome "$1" "$2" "$vlrun" train "${@:4}" $few --out "$work/$3"
}
# numbers FILE NAME: the first number of a tensor.
number() {
    "$python" - "$@" <<'END'
import json, struct, sys
data = open(sys.argv[1], "rb").read()
size = struct.unpack("<Q", data[:8])[0]
begin = json.loads(data[8:8 + size])[sys.argv[2]]["data_offsets"][0]
print(*struct.unpack("<f", data[8 + size + begin:][:4]))
END
}

train 0 "" first "$plan"
outcome 0 "" "$vlrun" export "$work/first" -o "$work/first.safetensors"
first=$(number "$work/first.safetensors" encoder.visual_embedding.feat_embedding.0.weight)

# All of it, from the run, its checkpoint and its export: the same run to the bit.
for from in first first/checkpoint.safetensors first.safetensors; do
    train 0 "47 parameters to begin with" second "$plan" --init-from "$work/$from" --overwrite
    sed -n 2,3p "$work/second/metrics.jsonl" | sed 's/, "seconds.*//' >"$work/steps_$(basename "$from")"
done
cmp "$work/steps_first" "$work/steps_first.safetensors" || fail "a run and its export begin otherwise"
cmp "$work/steps_first" "$work/steps_checkpoint.safetensors" || fail "a run and its checkpoint begin otherwise"
grep -q "\"init_from\": \"$work/first.safetensors\"" "$work/second/run.json" || fail "run.json does not say so"
outcome 0 "" "$vlrun" train --resume "$work/second"
outcome 2 "no --init-from" "$vlrun" train --resume "$work/second" --init-from "$work/first"

# No step changes nothing: what is skipped has its initial values.
rate="--set lr=1e-30 --set epochs=1 --overwrite"
begin="--init-from $work/first $rate"
few="--data $work/data --weights $weights --eval-every 0"
train 0 "" third "$plan" $begin
outcome 0 "" "$vlrun" export "$work/third" -o "$work/third.safetensors"
[ "$(number "$work/third.safetensors" encoder.visual_embedding.feat_embedding.0.weight)" = "$first" ] ||
    fail "did not begin where the run ended"
train 0 "7 skipped" third "$plan" $begin --skip-weights 'encoder.visual_embedding.*'
outcome 0 "" "$vlrun" export "$work/third" -o "$work/third.safetensors"
[ "$(number "$work/third.safetensors" encoder.visual_embedding.feat_embedding.0.weight)" != "$first" ] ||
    fail "a parameter was not skipped"
train 1 "'encoder.visul_*' is no pattern of a trained parameter" third "$plan" $begin --skip-weights 'encoder.visul_*'

# Another width: an error that names the first; or each keeps its initial values.
train 1 "has shape [24, 96], the parameter" fourth "$wide" $begin
train 0 "of another shape" fourth "$wide" $begin --ignore-mismatched
[ "$(grep -c "it keeps its initial values" <<<"$out")" -gt 10 ] || fail "not each is named: $out"
grep -q '"ignore_mismatched": true' "$work/fourth/run.json" || fail "run.json does not tell what was ignored"

# Files of another model, of nothing, of other weights.
train 0 "7 parameters to begin with; 40 trained ones are not there; 1 frozen ones are left" other "$plan" $rate \
    --init-from "$models/shapes/vlbart_tiny.safetensors"
train 1 "has no trained parameter of model 'vlt5_tiny_adapter' that is taken" fifth "$plan" $begin --skip-weights '*'
train 1 "cannot be read" fifth "$plan" $rate --init-from "$work/nothing"
outcome 0 "was trained over other weights" "$vlrun" train "$plan" --data "$work/data" --random-weights $rate \
    --eval-every 0 --init-from "$work/first.safetensors" --out "$work/sixth"
[ ! -e "$work/fifth/run.json" ] || fail "a refused run was begun"
