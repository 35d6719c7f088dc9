#!/usr/bin/env bash
# The best checkpoint by validation is kept beside the last ones, and a run that becomes no better ends; killed and resumed,
# however often, it keeps the same bits and ends at the same step.
set -euo pipefail
. "$(dirname "$0")/../../head.sh"

cd "$work"
"$vlrun" make-data shapes data --size 40 >log 2>&1
"$vlc" compile "$models/vlt5_tiny_adapter.vg" -o plan.bin --set tasks=gqa --set sequences=24 --set steps=60 --set lr=1e-2
given=(plan.bin --data data --weights "$models/shapes/vlt5_tiny.safetensors" --checkpoint-every 4
    --processor x86-64-v2) # which all machines can, alike
best=(--eval-every 3 --keep-best gqa --patience 3 --keep 3)

outcome 0 "saved in whole" "$vlrun" train "${given[@]}" "${best[@]}" --out whole
grep -q "^ended after step [0-9]* of 60: no better gqa in 3 validations$" <<<"$out" || fail "not ended: $out"
grep -q "^best gqa: [0-9.]*, after step [0-9]*; used by --best$" <<<"$out" || fail "no best: $out"

# -- what is kept is what the scores say ----------------------------------------------------------
cat >check.py <<'END'
import json, os, struct, sys
directory = sys.argv[1]
lines = [json.loads(line) for line in open(directory + "/metrics.jsonl")]
scores = [(line["step"], line["score"]) for line in lines
          if line.get("split") == "valid" and line["task"] == "gqa" and line["main"]]
end = lines[-1]
best = max(score for _, score in scores)
step = next(step for step, score in scores if score == best)
assert len({score for _, score in scores}) > 1, scores
assert (end["best_by"], end["best_step"], end["best_score"], end["ended_early"]) == ("gqa", step, best, True), end
assert [at for at, _ in scores] == list(range(3, end["step"] + 1, 3)), scores
assert end["step"] == step + 9, end  # and no earlier: three misses in a row
last = [step_ for step_, _ in scores if step_ > step]
assert len(last) == 3, scores

def step_of(name):
    with open(os.path.join(directory, name), "rb") as file:
        header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
    return int(header["__metadata__"]["step"])

assert step_of("best.safetensors") == step, step
kept = sorted(int(name.split("-")[1].split(".")[0]) for name in os.listdir(directory) if name.startswith("checkpoint-"))
assert len(kept) == 3 and kept[-1] == end["step"], kept
assert all(step_of(f"checkpoint-{at}.safetensors") == at for at in kept), kept
END
"$python" check.py whole || fail "the best of 'whole'"

# -- killed and resumed ----------------------------------------------------------------------------
killed=0
resume=()
for round in 1 2 3 4; do
    "$vlrun" train "${given[@]}" "${best[@]}" --out broken "${resume[@]}" >broken.log 2>&1 &
    process=$!
    while [ ! -e broken/checkpoint.safetensors ] && kill -0 "$process" 2>/dev/null; do sleep 0.01; done
    sleep "0.$((RANDOM % 60 + 10))"
    kill -KILL "$process" 2>/dev/null || true
    wait "$process" 2>/dev/null || killed=$((killed + 1))
    resume=(--resume)
done
[ "$killed" -ge 1 ] || fail "no run was killed before its end"
outcome 0 "saved in broken" "$vlrun" train --resume broken
"$python" check.py broken || fail "the best of 'broken'"
for file in checkpoint best; do
    cmp "whole/$file.safetensors" "broken/$file.safetensors" || fail "another $file"
done
outcome 0 "no better gqa in 3 validations" "$vlrun" train --resume broken # once more: it stays ended
cmp whole/checkpoint.safetensors broken/checkpoint.safetensors || fail "an ended run went on"

# Its second name was lost with the process: it gets it again.
cp -r whole renamed
step=$("$python" -c 'import json; print([json.loads(l) for l in open("whole/metrics.jsonl")][-1]["best_step"])')
cp whole/best.safetensors renamed/checkpoint.safetensors
rm renamed/best.safetensors
outcome 0 "saved in renamed" "$vlrun" train --resume renamed
cmp whole/best.safetensors renamed/best.safetensors || fail "not made up for"

# -- who uses it -------------------------------------------------------------------------------------
for which in "" --best; do
    outcome 0 accuracy "$vlrun" eval whole $which --format json
    scores[${#which}]=$out
done
[ "${scores[0]}" != "${scores[6]}" ] || cmp whole/best.safetensors whole/checkpoint.safetensors 2>/dev/null ||
    echo "the best scores as the last"
outcome 0 accuracy "$vlrun" eval plan.bin --from whole/best.safetensors --format json
[ "$out" = "${scores[6]}" ] || fail "--best is not best.safetensors"
kept=$(ls whole/checkpoint-*.safetensors | tail -1)
outcome 0 accuracy "$vlrun" eval plan.bin --from "$kept" --format json
[ "$out" = "${scores[0]}" ] || fail "$kept is not the last"
outcome 0 accuracy "$vlrun" eval plan.bin --from whole --best --format json
[ "$out" = "${scores[6]}" ] || fail "--from RUN --best is not best.safetensors"
outcome 0 "" "$vlrun" export whole --best -o best.safetensors
outcome 0 "" "$vlrun" export whole -o last.safetensors
! cmp -s best.safetensors last.safetensors || fail "export --best is not the best"
outcome 0 '"task": "gqa"' "$vlrun" generate whole --best --limit 1
outcome 1 "--best goes with a run, not with a file" "$vlrun" eval plan.bin --from whole/best.safetensors --best
outcome 1 "--best goes with a run" "$vlrun" eval plan.bin --best --data data --random-weights

# -- a run that replaces it gives all of it back, or leaves nothing of it ------------------------------
ls whole >before
"$vlrun" train "${given[@]}" --out whole --overwrite --checkpoint-every 0 --tensorboard >log 2>&1 &
process=$!
while [ ! -e whole/metrics.jsonl ] || [ ! -e whole/previous ]; do
    kill -0 "$process" 2>/dev/null || fail "ended: $(cat log)"
    sleep 0.01
done
kill -KILL "$process"
wait "$process" 2>/dev/null || true
outcome 1 "has been put back" "$vlrun" train --resume whole
ls whole | diff before - || fail "not all was put back"
"$python" check.py whole || fail "what was put back"
outcome 0 "saved in whole" "$vlrun" train "${given[@]}" --out whole --overwrite --set steps=2 --eval-every 0
[ "$(ls -A whole | sort | tr '\n' ' ')" = "checkpoint.safetensors lock metrics.jsonl plan.bin run.json " ] ||
    fail "left over: $(ls -A whole)"
outcome 1 "only a run with --keep-best has one" "$vlrun" eval whole --best
outcome 1 "begun without, which stays" "$vlrun" train --resume whole --keep-best gqa
outcome 1 "begun with gqa, which stays" "$vlrun" train --resume broken --keep-best mean
ln -sf ../best.safetensors broken/best.safetensors
outcome 1 "best.safetensors: error: is a link" "$vlrun" train --resume broken

# -- what is refused before the first step --------------------------------------------------------
refused() { # TEXT OPTIONS...
    local text=$1
    shift
    outcome 1 "$text" "$vlrun" train "${given[@]}" --out none "$@"
    [ ! -e none ] || fail "$*: left a directory"
}
refused "did you mean 'gqa'?" --keep-best gq
refused "it has gqa.accuracy" --keep-best gqa.cider
refused "did you mean 'gqa.accuracy'?" --keep-best gqa.acuracy
refused "--patience needs a score" --patience 2
refused "needs a validation within the 60 steps" --keep-best gqa --eval-every 0
refused "needs a validation within the 60 steps" --keep-best mean --eval-every 61
echo "the best is kept, after $killed kills, too"
