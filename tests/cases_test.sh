#!/usr/bin/env bash
# Recorded cases of the reference implementation, through vlc and vlrun: those kept here, some that
# tests/reference made, the small vectors, and a larger collection if VLG_CASES names one or it lies
# beside the project.
set -euo pipefail
. "$(dirname "$0")/head.sh"
cd "$root"

"$python" tests/verify_cases tests/cases --build "$build"
"$python" tests/verify_cases tests/cases/made --build "$build"
for backbone in vlt5 vlbart; do
    "$python" tests/convert_vectors "tests/vectors/${backbone}_tiny.json" tests/vectors/param_names.json \
        "$work"
done
"$python" tests/verify_cases "$work" --build "$build"
more=${VLG_CASES:-../shared/golden}
if [ -d "$more" ]; then
    others=$work/others
    mkdir "$others"
    for case in "$more"/*.safetensors; do # but those that are kept here
        name=$(basename "$case" .safetensors)
        [ -f "tests/cases/$name.json" ] || ln -s "$(realpath "$more")/$name".* "$others"
    done
    if [ -n "$(ls "$others")" ]; then
        "$python" tests/verify_cases "$others" --build "$build"
    fi
fi
