#!/usr/bin/env bash
# Over parameters that nobody gave, numbers mean nothing: refused, unless asked for.
. "$(dirname "$0")/../../head.sh"

# expect STATUS TEXT ARGUMENTS...: the status, and a text among all output.
expect() {
    outcome "$1" "$2" "$vlrun" "${@:3}"
}
adapter=$work/adapter.bin scratch=$work/scratch.bin images=$work/images.bin run=$work/run
vlt5=$models/shapes/vlt5_tiny.safetensors vlbart=$models/shapes/vlbart_tiny.safetensors
"$vlc" compile "$models/vlt5_tiny_adapter.vg" -o "$adapter" || exit 1
"$vlc" compile "$models/vlbart_tiny_pretrain.vg" -o "$scratch" || exit 1
"$vlc" compile "$models/extract_rn50.vg" -o "$images" --set size=tiny || exit 1
"$vlrun" make-data shapes "$work/data" --size 20 >/dev/null || exit 1
few="--data $work/data" # scored at the end: the built-in data are many
short="$few --steps 1 --eval-every 0 --overwrite --out $run"

expect 1 "47 of 47 frozen parameters keep their initial values" train "$adapter" $short
expect 1 "'shared.weight' is one of them" train "$adapter" $short
expect 1 "46 of 47 frozen parameters" train "$adapter" $short --weights "$vlbart"
expect 1 "weights of the model 'vlbart_tiny_pretrain', the plan is of 'vlt5_tiny_adapter'" \
    train "$adapter" $short --weights "$vlbart"
for left in checkpoint.safetensors metrics.jsonl run.json; do
    [ ! -e "$run/$left" ] || { echo "a refused run has left $run/$left"; failed=1; }
done
for command in eval generate; do
    expect 1 "47 of 47 frozen" $command "$adapter" $few
    expect 1 "46 of 47 frozen" $command "$adapter" $few --weights "$vlbart"
    expect 1 "what they compute is noise" $command "$scratch" $few
    expect 0 "" $command "$adapter" $few --random-weights --limit 1 --task vqa
done
expect 1 "frozen parameters keep" extract "$images" --images "$work" --out "$work/out"
expect 0 "54 parameters read" train "$adapter" $short --weights "$vlt5"
expect 0 "trained (100.00 %)" train "$scratch" $few --steps 1 --eval-every 0 --out "$work/pretrain"
expect 1 "of the model's" train "$scratch" $few --steps 1 --out "$work/other" --weights "$vlt5"

# What a run was let go on with, its resumption and scores are over, too.
expect 0 "" train "$adapter" $short --random-weights
expect 0 "" eval "$adapter" $few --from "$run" --limit 1 --task vqa
expect 0 "" export "$adapter" --from "$run" -o "$work/trained.safetensors"
expect 1 "47 of 47 frozen" eval "$adapter" $few --from "$work/trained.safetensors"
expect 1 "47 of 47 frozen" export "$adapter" --from "$work/trained.safetensors" --merge \
    -o "$work/merged.safetensors"
[ ! -e "$work/merged.safetensors" ] || { echo "noise was exported"; failed=1; }
