#!/usr/bin/env bash
# Generation of one tiny model, with and without caches. It is short enough for the thread sanitizer, too:
# lanes compute each step of it together.
set -euo pipefail
. "$(dirname "$0")/../../head.sh"

"$vlc" compile "$models/vlt5_tiny_adapter.vg" -o "$work/plan.bin" --set trace=1
"$build/tests/runtime/exec/generate_test" "$work/plan.bin" --varied
echo "generate_tiny: passed"
