#!/usr/bin/env bash
# Gradients of small models against finite differences: methods that are more than a layer.
set -euo pipefail
. "$(dirname "$0")/../../head.sh"

check() { # recipe, task, options
    local recipe=$1 task=$2
    shift 2
    echo "$recipe"
    "$vlc" compile "$models/$recipe.vg" -o "$work/plan.bin" --set size=golden \
        --set dropout=0 "$@"
    "$build/tests/runtime/check/slopes_test" "$work/plan.bin" "$task"
}
check vlt5_ladder nlvr
check vlbart_ladder vqa --set ladder_every=2
check vlt5_mixed nlvr
check vlt5_dora nlvr --set constant_norm=0 --set rank=6
check vlbart_dora vqa --set constant_norm=0 --set rank=6
widths=(--set encoder_bottleneck=6 --set gate_bottleneck=5 --set decoder_bottleneck=4)
check vlbart_vl_pet vqa "${widths[@]}"
check vlt5_vl_pet nlvr "${widths[@]}" --set granularity=small
check vlt5_vera nlvr --set rank=24
check vlbart_task_adapter vqa --set task_width=8
check vlt5_attention_adapter nlvr
norms=(--set add_layer_norm_before_adapter=1 --set add_layer_norm_after_adapter=1)
check vlt5_hyperformer vqa "${norms[@]}" --set task_width=32 --set layer_width=32
check vlbart_compacter vqa "${norms[@]}" --set factorized_phm_rule=1 --set shared_phm_rule=1
