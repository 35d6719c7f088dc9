#!/usr/bin/env bash
# Cases of three tasks each, made anew by the reference implementation, through vlc and vlrun; and the
# reference itself against the recorded cases kept here. Skips (77) where Python has no PyTorch.
set -euo pipefail
. "$(dirname "$0")/../head.sh"
cd "$root"
export PYTHONDONTWRITEBYTECODE=1
"$python" -c 'import torch' || { echo "skipped: needs python3-torch"; exit 77; }

"$python" tests/reference/check_cases tests/cases
"$python" tests/reference/make_cases "$work" --small --beams --seed 1 --only t5_half_shared_up_b \
    --only t5_multiple_prompts_b --only bart_hyperformer_b --only bart_single_dora_b \
    --only t5_single_dora_a --only bart_vl_pet_large_b --only t5_vl_pet_small_b --only t5_task_adapter_b
"$python" tests/verify_cases "$work" --build "$build"
