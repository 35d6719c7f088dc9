#!/usr/bin/env bash
# What of a plan is set when a run begins counts as if the plan had been made so, stays with the run, and is refused where it
# is none that a plan can have.
set -euo pipefail
. "$(dirname "$0")/../../head.sh"

cd "$work"
"$vlrun" make-data shapes data --size 24 >log 2>&1
compile() { # FILE SETS...
    local file=$1
    shift
    "$vlc" compile "$models/vlt5_tiny_adapter.vg" -o "$file" --set tasks="vqa nlvr" --set sequences=6 "$@"
}
compile plan.bin --set steps=6
compile made.bin --set steps=0 --set epochs=1 --set lr=0.02 --set seed=3 --set decay=constant
given=(--data data --random-weights --eval-every 0 --progress quiet)
sets=(--set epochs=1 --set lr=2e-2 --set seed=3 --set decay=constant)

# -- as if the plan had been made so, and with the run from then on -----------------------------
outcome 0 "saved in made" "$vlrun" train made.bin "${given[@]}" --out made
outcome 0 "saved in set" "$vlrun" train plan.bin "${given[@]}" --out set "${sets[@]}"
cmp made/checkpoint.safetensors set/checkpoint.safetensors || fail "--set does not count as the plan does"
cmp made/plan.bin set/plan.bin || fail "the run keeps another plan"
"$python" - set/run.json <<'END'
import json, sys
run = json.load(open(sys.argv[1]))
assert run["set"] == {"epochs": "1", "lr": "2e-2", "seed": "3", "decay": "constant"}, run["set"]
assert run["settings"]["lr"] == 0.02 and run["settings"]["steps"] == 0 and run["settings"]["epochs"] == 1, run["settings"]
END
outcome 0 "goes on after" "$vlrun" train --resume set
outcome 0 "goes on after" "$vlrun" train --resume set --set lr=0.02
outcome 0 "goes on after" "$vlrun" train plan.bin --resume --out set --data data
outcome 0 "accuracy" "$vlrun" eval plan.bin --from set --limit 1
outcome 1 "--set lr=1e-3: the run was begun with another value" "$vlrun" train --resume set --set lr=1e-3
outcome 1 "--set epochs=2: the run was begun with another value" "$vlrun" train --resume set --set epochs=2

# A run of a version that knew nothing of these goes on; what cannot be is refused.
change() { # DIRECTORY STATEMENT
    "$python" -c 'import json, sys
path = sys.argv[1] + "/run.json"
run = json.load(open(path))
exec(sys.argv[2])
json.dump(run, open(path, "w"))' "$1" "$2"
}
outcome 0 "saved in old" "$vlrun" train plan.bin "${given[@]}" --out old --set steps=3
cp -r old odd
change old '[run.pop(name) for name in ("keep_best", "patience", "keep", "tensorboard", "settings")]'
outcome 0 "goes on after" "$vlrun" train --resume old
change old 'run.pop("set")'
outcome 0 "accuracy" "$vlrun" eval old --limit 1
change odd 'run["set"] = {"lr": 1}'
outcome 1 'run.json: error: "set" is not what a run says there' "$vlrun" train --resume odd
change odd 'run["set"] = {"lrr": "1"}'
outcome 1 "did you mean 'lr'?" "$vlrun" train plan.bin --resume --out odd

# -- batches: of all tasks by one factor, or of one; larger than any that the plan was made for ---
outcome 0 "saved in batch" "$vlrun" train plan.bin "${given[@]}" --out batch --set sequences=24 --set nlvr.sequences=5 --set steps=4
"$python" - batch/metrics.jsonl <<'END'
import json, sys
steps = [line for line in map(json.loads, open(sys.argv[1])) if "event" not in line]
assert len(steps) == 4 and {(s["task"], s["sequences"]) for s in steps} == {("vqa", 24), ("nlvr", 5)}, steps
END

# -- what is refused -------------------------------------------------------------------------------
refused() { # SETTING TEXT
    outcome 1 "$2" "$vlrun" train plan.bin --set "$1" --out none
    [ ! -e none ] || fail "--set $1 leaves a directory"
}
refused lrr=1 "--set lrr=1: error: a plan has no setting 'lrr'; did you mean 'lr'?"
refused batch_size=4 "did you mean 'sequences'?"
refused vqa.sequence=3 "did you mean 'vqa.sequences'?"
refused dropout=0.1 "vlc compile vlt5_tiny_adapter --set dropout=0.1 -o plan.bin"
refused clip_norm=1 "it counts when the plan is made"
refused tokens=100 "it counts when the plan is made"
refused lr=fast "'lr' is 'fast', expected a number"
refused lr=1e-50 "expected a number that is not 0 in f32"
refused lr=1001 "'lr' is '1001', expected 0 to 1000"
refused lr=nan "expected a number"
refused lr=1e-400 "expected a number that is not 0 in f32"
refused seed=1.5 "expected a whole number"
refused sequences=0 "expected 1 to 2147483647"
refused seed=99999999999999999999 "expected 0 to 9007199254740992"
refused decay=cos "expected one of linear, cosine, constant"
refused lr "expected NAME=VALUE"
refused =1 "expected NAME=VALUE"
outcome 1 "exclude each other" "$vlrun" train plan.bin --set steps=1 --set epochs=1
outcome 2 "exclude each other" "$vlrun" train plan.bin --set steps=1 --steps 1

# -- what can be set is listed, with what it is ------------------------------------------------------
outcome 0 "nlvr.sequences        2" "$vlrun" train --settings plan.bin
outcome 0 "lr                    0.25  " "$vlrun" train --settings plan.bin --set lr=0.25
outcome 0 "lr                    0.02  " "$vlrun" train --settings set
[ "$failed" -eq 0 ] && echo "set as if the plan had been made so"
