#!/usr/bin/env bash
# Generation of small models, with and without caches (of one, see generate_tiny_test.sh), and the command.
set -euo pipefail
. "$(dirname "$0")/../../head.sh"
test=$build/tests/runtime/exec/generate_test

"$vlc" compile "$models/vlt5_tiny_adapter.vg" -o "$work/plan.bin" --set trace=1
"$vlc" compile "$models/vlbart_adapter.vg" -o "$work/bart.bin" --set size=tiny \
    --set d_model=64 --set layers=4 --set trace=1 --set sequences=40 --set tokens=512
"$test" "$work/bart.bin"
for recipe in vlt5_ladder vlbart_ladder; do # two decoders side by side
    "$vlc" compile "$models/$recipe.vg" -o "$work/ladder.bin" --set size=tiny \
        --set trace=1 --set sequences=40 --set tokens=512
    "$test" "$work/ladder.bin"
done
for recipe in vlt5_attention_adapter vlbart_attention_adapter; do # rows that methods cache
    "$vlc" compile "$models/$recipe.vg" -o "$work/attention.bin" --set size=tiny \
        --set trace=1 --set sequences=40 --set tokens=512
    "$test" "$work/attention.bin"
done

# The command: a line per example, the same for any number of threads.
for threads in 1 2 3 8; do
    "$vlrun" generate "$work/plan.bin" --random-weights --limit 3 --beams 3 \
        --threads "$threads" >"$work/of_$threads"
    cmp "$work/of_1" "$work/of_$threads"
    "$vlrun" generate "$work/plan.bin" --random-weights --limit 1 --beams 1 \
        --threads "$threads" >"$work/one_of_$threads"
    cmp "$work/one_of_1" "$work/one_of_$threads"
done
[ "$(wc -l <"$work/of_1")" -eq 12 ]
"$python" -c '
import json, sys
for line in open(sys.argv[1]):
    answer = json.loads(line)
    assert answer["ids"][0] == 0 and answer["score"] < 0 and "text" in answer, answer
' "$work/of_1"

# What the model reads of an example, whichever others are beside it.
"$vlrun" generate "$work/plan.bin" --random-weights --task nlvr --limit 3 --beams 1 --inputs >"$work/inputs"
"$vlrun" generate "$work/plan.bin" --random-weights --task nlvr --limit 1 --beams 1 --inputs >"$work/first"
"$python" -c '
import json, sys
three = [json.loads(line) for line in open(sys.argv[1])]
for answer in three:
    inputs = answer["inputs"]
    assert set(inputs) == {"input_ids", "features", "boxes"}, list(inputs)
    assert all(isinstance(token, int) for token in inputs["input_ids"]) and inputs["input_ids"][-1] == 1, inputs
    assert len(inputs["features"]) == len(inputs["boxes"]) == 98, len(inputs["features"])
    assert {len(row) for row in inputs["features"]} == {48} and {len(row) for row in inputs["boxes"]} == {5}
assert json.load(open(sys.argv[2])) == three[0] and three[0]["inputs"] != three[1]["inputs"]
' "$work/inputs" "$work/first"

# What makes no sense is refused.
refused() {
    local code=$1 word=$2
    shift 2
    local got=0
    "$vlrun" generate "$work/plan.bin" --random-weights "$@" >"$work/out" 2>"$work/err" || got=$?
    [ "$got" -eq "$code" ] || { echo "exit $got, expected $code: $*"; exit 1; }
    grep -q "$word" "$work/err" || { echo "no '$word': $*"; cat "$work/err"; exit 1; }
}
refused 2 "did you mean 'test'?" --split tset
refused 2 "inputs is of the lines of --format jsonl" --format leaderboard --out "$work/out" --inputs
refused 2 "found 'xml', expected jsonl or leaderboard" --format xml
refused 1 "no task 'vqo'; did you mean 'vqa'?" --task vqo
refused 1 "number of beams is 0" --beams 0
refused 1 "number of beams is 9999999" --beams 9999999
refused 1 "room for 41" --max-length 50
refused 1 "longest length is 0" --max-length 0
refused 1 "end id" --end-id 99999
refused 2 "found '9999999999', expected a number from 0 to 2147483647" --start-id 9999999999
echo "generate: passed"
