#!/usr/bin/env bash
# Recorded cases of the reference implementation, through vlc and vlrun: those kept here, some that
# tests/reference made, the small vectors, and a larger collection if VLG_CASES names one or it lies
# beside the project.
#
# usage: tests/cases_test.sh BUILD_DIR
set -euo pipefail
build=$(cd "$1" && pwd)
cd "$(dirname "$0")/.."
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

tests/verify_cases tests/cases --build "$build"
tests/verify_cases tests/cases/made --build "$build"
for backbone in vlt5 vlbart; do
    tests/convert_vectors "tests/vectors/${backbone}_tiny.json" tests/vectors/param_names.json \
        "$scratch"
done
tests/verify_cases "$scratch" --build "$build"
more=${VLG_CASES:-../shared/golden}
if [ -d "$more" ]; then
    others=$scratch/others
    mkdir "$others"
    for case in "$more"/*.safetensors; do # but those that are kept here
        name=$(basename "$case" .safetensors)
        [ -f "tests/cases/$name.json" ] || ln -s "$(realpath "$more")/$name".* "$others"
    done
    if [ -n "$(ls "$others")" ]; then
        tests/verify_cases "$others" --build "$build"
    fi
fi
