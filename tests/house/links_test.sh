#!/usr/bin/env bash
# Which libraries tests link shows which rooms need them: tests of words and data know no LLVM,
# those of text alone know no HDF5 either.
. "$(dirname "$0")/../head.sh"
cd "$build/tests" || exit 2

# without LIBRARY DIRECTORY...: no test program there links it, and there are some.
without() {
    local library=$1 program found=0
    shift
    while IFS= read -r program; do
        found=$((found + 1))
        if readelf --dynamic "$program" | grep -q "NEEDED.*\[$library"; then
            fail "tests/$program links $library"
        fi
    done < <(find "$@" -name '*_test' -type f -executable)
    [ "$found" -gt 0 ] || fail "no tests in $*"
}
without libLLVM ir passes frontend runtime/{isolate,lanes,weights,data,media}
without libhdf5 ir passes frontend runtime/{isolate,lanes,weights,media} runtime/data/{text,tokenizer,metrics}
without libsentencepiece ir passes frontend runtime/{isolate,lanes,weights,media} runtime/data/{text,metrics,features}
without libxml2 ir passes runtime
# What the check looks for is there to be found.
readelf --dynamic codegen/loops_test | grep -q 'NEEDED.*\[libLLVM' ||
    fail "no libLLVM in codegen/loops_test"
