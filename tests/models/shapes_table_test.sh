#!/usr/bin/env bash
# The table of all methods, in a few steps on a little data: its rows and columns, what they hold,
# and that finished rows are kept for as long as their settings stay.
set -euo pipefail
. "$(dirname "$0")/../head.sh"

"$vlrun" make-data shapes "$work/data" --size 40 >/dev/null 2>&1
make_table() {
    "$python" "$models/shapes_table" --build "$build" --data "$work/data" --out "$work/out" "$@" >"$work/log" 2>&1
}

make_table --steps 3 --methods none adapter || fail "$(cat "$work/log")"
[ "$(grep -c '^| vl' "$work/out/table.md")" -eq 4 ] || fail "rows: $(cat "$work/out/table.md")"
[ "$(awk -F'|' '{ print NF }' "$work/out/table.md" | sort -u)" = 14 ] ||
    fail "columns: $(cat "$work/out/table.md")"

# What vlrun says of the same run, and what follows from other columns.
"$vlrun" eval "$work/out/vlbart_adapter/plan.bin" --data "$work/data" \
    --from "$work/out/vlbart_adapter/run" --split test --format json >"$work/scores" 2>/dev/null
"$python" - "$work/out/table.tsv" "$work/scores" <<'END' || fail "$(cat "$work/out/table.tsv")"
import csv
import json
import sys

with open(sys.argv[1], encoding="utf-8") as file:
    rows = list(csv.DictReader(file, delimiter="\t"))
tasks = ["vqa", "gqa", "nlvr", "caption"]
for row in rows:
    average = sum(float(row[task]) for task in tasks) / 4
    assert abs(average - float(row["average"])) < 1e-3, row
    percent = 100 * int(row["trained"]) / int(row["total"])
    assert abs(percent - float(row["percent"])) < 1e-3, row
    assert float(row["peak_mb"]) > 1 and float(row["seconds"]) > 0, row
assert [row["trained"] for row in rows] == ["0", "52944", "0", "32280"], rows
assert [row["samples_per_second"] == "" for row in rows] == [True, False] * 2, rows
with open(sys.argv[2], encoding="utf-8") as file:
    scores = json.load(file)
found = {task: float(rows[3][task]) for task in tasks}
found["caption"] *= 10
for score in scores:
    if score["main"]:
        assert abs(score["value"] - found.pop(score["task"])) < 1e-2, (score, rows[3])
assert not found, found
END

mv "$work/out/table.tsv" "$work/first.tsv"
make_table --steps 3 --methods none adapter || fail "$(cat "$work/log")"
[ "$(grep -c '(kept)$' "$work/log")" -eq 4 ] || fail "rows are not kept: $(cat "$work/log")"
cmp "$work/first.tsv" "$work/out/table.tsv" || fail "kept rows differ"
make_table --steps 2 --methods adapter --backbones vlt5 || fail "$(cat "$work/log")"
! grep -q '(kept)' "$work/log" || fail "keeps a row of other settings: $(cat "$work/log")"

refuses() { # exit code, what the message must hold, options
    local code=$1 word=$2 got=0
    shift 2
    make_table "$@" || got=$?
    [ "$got" -eq "$code" ] || fail "exit $got, expected $code: $*: $(cat "$work/log")"
    grep -qF -- "$word" "$work/log" || fail "should say '$word': $* says $(cat "$work/log")"
}
refuses 2 "invalid choice: 'adaptor'" --methods adaptor
refuses 2 "expected 1 or more" --steps 0
rm -r "$work/data/vqa"
refuses 1 "$work/data/vqa" --methods adapter --backbones vlbart --steps 1
