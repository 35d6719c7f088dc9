#!/usr/bin/env bash
# Cases of three tasks each, made anew by the reference implementation, through vlc and vlrun; and the
# reference itself against the recorded cases kept here. Skips (77) where no Python has PyTorch.
#
# usage: tests/reference/reference_test.sh BUILD_DIR
set -euo pipefail
build=$(cd "$1" && pwd)
cd "$(dirname "$0")/../.."
export PYTHONDONTWRITEBYTECODE=1
for python in python3 /usr/bin/python3 ""; do
    [ -n "$python" ] || { echo "skipped: no python3 has PyTorch (Debian: python3-torch)"; exit 77; }
    "$python" -c 'import torch' 2>/dev/null && break
done
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

"$python" tests/reference/check_cases tests/cases
"$python" tests/reference/make_cases "$scratch" --small --beams --seed 1 --only t5_half_shared_up_b \
    --only t5_multiple_prompts_b --only bart_hyperformer_b
tests/verify_cases "$scratch" --build "$build"
