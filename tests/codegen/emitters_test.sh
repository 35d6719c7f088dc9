#!/usr/bin/env bash
# Objects in the cache are of one version of the emitters: every file that an emitter is
# compiled from is hashed, and a change of any file changes the hash.
#
#   emitters_test.sh BUILD_DIR CMAKE CC [FLAG...]
set -euo pipefail
. "$(dirname "$0")/../head.sh"
binary=$build/codegen cmake=$2
shift 2
files=$binary/emitter_files.txt

"$@" -MM -D_GNU_SOURCE -I"$root" -I"$binary" "$root"/codegen/*.c | tr -d '\\' | tr ' ' '\n' |
    grep "^$root/" | grep -v "^$binary/" | sort -u >"$work/read"
[ "$(wc -l <"$work/read")" -gt 30 ] || { echo "emitters are compiled from nothing"; exit 1; }
sort -u "$files" >"$work/hashed"
missing=$(comm -23 "$work/read" "$work/hashed")
[ -z "$missing" ] || { echo "not part of the version: $missing"; exit 1; }

hash() { # of copies of the files in $work/copy
    "$cmake" -DOUT="$work/out" -DCOMPILER=any "-DFILES=$(cd "$work/copy" && ls | tr '\n' ';')" \
        -P "$root/codegen/hash_sources.cmake" && cat "$work/out"
}
mkdir "$work/copy"
cp "$root/codegen/program.h" "$root/codegen/math.c" "$root/ir/ops.def" "$work/copy"
cd "$work/copy"
before=$(hash)
[ "$(hash)" = "$before" ] || { echo "the hash is no function of the files"; exit 1; }
for file in *; do
    cp "$file" "$work/kept"
    echo "/* changed */" >>"$file"
    [ "$(hash)" != "$before" ] || { echo "$file may change unnoticed"; exit 1; }
    cp "$work/kept" "$file"
done
