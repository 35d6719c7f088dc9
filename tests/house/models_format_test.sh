#!/usr/bin/env bash
# Every model is in the form of vlc fmt. To mend: vlc fmt FILE.
. "$(dirname "$0")/../head.sh"
mapfile -t files < <(find "$models" -name '*.vg')
[ "${#files[@]}" -gt 50 ] || fail "only ${#files[@]} files"
"$vlc" fmt --check "${files[@]}" || fail "the files above have another form"

# One that has not is noticed.
sed 's/^  *</</' "${files[0]}" >"$work/flat.vg"
outcome 1 "flat.vg" "$vlc" fmt --check "$work/flat.vg"
