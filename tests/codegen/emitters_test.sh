#!/bin/sh
# Objects in the cache are of one version of the emitters: every file that an emitter is
# compiled from is hashed, and a change of any file changes the hash.
#
#   usage: emitters_test.sh SOURCE_DIR BINARY_DIR CMAKE CC [FLAG...]
set -eu
source=$1 binary=$2 cmake=$3
shift 3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
files=$binary/emitter_files.txt

"$@" -MM -D_GNU_SOURCE -I"$source" -I"$binary" "$source"/codegen/*.c | tr -d '\\' | tr ' ' '\n' |
    grep "^$source/" | grep -v "^$binary/" | sort -u >"$work/read"
[ "$(wc -l <"$work/read")" -gt 30 ] || { echo "emitters are compiled from nothing"; exit 1; }
sort -u "$files" >"$work/hashed"
missing=$(comm -23 "$work/read" "$work/hashed")
[ -z "$missing" ] || { echo "not part of the version: $missing"; exit 1; }

hash() { # of copies of the files in $work/copy
    "$cmake" -DOUT="$work/out" -DCOMPILER=any "-DFILES=$(cd "$work/copy" && ls | tr '\n' ';')" \
        -P "$source/codegen/hash_sources.cmake" && cat "$work/out"
}
mkdir "$work/copy"
cp "$source/codegen/program.h" "$source/codegen/math.c" "$source/ir/ops.def" "$work/copy"
cd "$work/copy"
before=$(hash)
[ "$(hash)" = "$before" ] || { echo "the hash is no function of the files"; exit 1; }
for file in *; do
    cp "$file" "$work/kept"
    echo "/* changed */" >>"$file"
    [ "$(hash)" != "$before" ] || { echo "$file may change unnoticed"; exit 1; }
    cp "$work/kept" "$file"
done
