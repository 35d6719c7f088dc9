#!/usr/bin/env bash
# Every C and C++ file is as .clang-format says. Skips (77) without clang-format 19: other versions
# lay out otherwise. To mend: clang-format-19 -i FILE.
#
#   format_test.sh SOURCE_DIR
set -euo pipefail
cd "$1"
command -v clang-format-19 >/dev/null || { echo "skipped: needs clang-format-19"; exit 77; }

mapfile -t files < <(find ir frontend passes codegen runtime tests -name '*.[ch]' -o -name '*.cc')
[ "${#files[@]}" -gt 300 ] || { echo "format_test: only ${#files[@]} files" >&2; exit 1; }
clang-format-19 --dry-run -Werror "${files[@]}"
