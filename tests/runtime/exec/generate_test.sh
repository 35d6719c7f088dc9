#!/usr/bin/env bash
# Generation of small models, with and without caches.
#
# usage: tests/runtime/exec/generate_test.sh VLC VLRUN GENERATE_TEST MODELS
set -euo pipefail
vlc=$1 vlrun=$2 test=$3 models=$4
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

"$vlc" compile "$models/vlt5_tiny_adapter.vg" -o "$scratch/plan.bin" --set trace=1
"$test" "$scratch/plan.bin" --varied
"$vlc" compile "$models/vlbart_adapter.vg" -o "$scratch/bart.bin" --set size=tiny \
    --set d_model=64 --set layers=4 --set trace=1 --set sequences=40 --set tokens=512
"$test" "$scratch/bart.bin"
for recipe in vlt5_ladder vlbart_ladder; do # two decoders side by side
    "$vlc" compile "$models/$recipe.vg" -o "$scratch/ladder.bin" --set size=tiny \
        --set trace=1 --set sequences=40 --set tokens=512
    "$test" "$scratch/ladder.bin"
done

# The command: a line per example, the same for any number of threads.
"$vlrun" generate "$scratch/plan.bin" --random-weights --limit 3 --beams 3 --threads 1 >"$scratch/one"
"$vlrun" generate "$scratch/plan.bin" --random-weights --limit 3 --beams 3 --threads 2 >"$scratch/two"
cmp "$scratch/one" "$scratch/two"
[ "$(wc -l <"$scratch/one")" -eq 12 ]
python3 -c '
import json, sys
for line in open(sys.argv[1]):
    answer = json.loads(line)
    assert answer["ids"][0] == 0 and answer["score"] < 0 and "text" in answer, answer
' "$scratch/one"

# What makes no sense is refused.
refused() {
    local code=$1 word=$2
    shift 2
    local got=0
    "$vlrun" generate "$scratch/plan.bin" --random-weights "$@" >"$scratch/out" 2>"$scratch/err" || got=$?
    [ "$got" -eq "$code" ] || { echo "exit $got, expected $code: $*"; exit 1; }
    grep -q "$word" "$scratch/err" || { echo "no '$word': $*"; cat "$scratch/err"; exit 1; }
}
refused 2 "did you mean test" --split tset
refused 2 "no format" --format xml
refused 1 "no task 'vqo'" --task vqo
refused 1 "number of beams is 0" --beams 0
refused 1 "number of beams is 9999999" --beams 9999999
refused 1 "room for 41" --max-length 50
refused 1 "longest length is 0" --max-length 0
refused 1 "end id" --end-id 99999
refused 1 "start id" --start-id 9999999999
echo "generate: passed"
