#!/usr/bin/env bash
# Every C and C++ file is as .clang-format says. Skips (77) without clang-format 19: other versions
# lay out otherwise. To mend: clang-format-19 -i FILE.
set -euo pipefail
. "$(dirname "$0")/../head.sh"
cd "$root"
command -v clang-format-19 >/dev/null || { echo "skipped: needs clang-format-19"; exit 77; }

mapfile -t files < <(find ir frontend passes codegen runtime library examples tests -name '*.[ch]' -o -name '*.cc')
[ "${#files[@]}" -gt 300 ] || fail "only ${#files[@]} files"
clang-format-19 --dry-run -Werror "${files[@]}"
# It leaves comments and strings alone, so their lines are measured here.
awk 'length > 90 { print FILENAME ":" FNR ": " length " columns"; long = 1 } END { exit long }' "${files[@]}"
