#!/usr/bin/env bash
# What `vlrun eval` says of a model that has learnt a little is what another program makes of its
# answers and the files of the data; files for leaderboards are what leaderboards take.
set -euo pipefail
. "$(dirname "$0")/../../../head.sh"

here=$(cd "$(dirname "$0")" && pwd)

refuses() { # exit code, what the message must hold, command
    local code=$1 word=$2 got=0
    shift 2
    "$vlrun" "$@" >"$work/out" 2>"$work/err" || got=$?
    [ "$got" -eq "$code" ] || fail "exit $got, expected $code: $*: $(cat "$work/err")"
    grep -qF -- "$word" "$work/err" || fail "should say '$word': $* says $(cat "$work/err")"
}

"$vlrun" make-data shapes "$work/data" --size 300 >/dev/null 2>&1
cp -r "$models" "$work/models"
sed -i 's/<tasks use="[^"]*"/<tasks use="vqa gqa nlvr"/' "$work/models/vlt5_tiny_pretrain.vg"
"$vlc" compile "$work/models/vlt5_tiny_pretrain.vg" -o "$work/plan.bin" --set steps=60 \
    --set sequences=24
"$vlrun" train "$work/plan.bin" --data "$work/data" --out "$work/run" --eval-every 40 \
    >"$work/log" 2>&1 || fail "$(cat "$work/log")"
grep -q '^after step 40:' "$work/log" || fail "does not validate: $(cat "$work/log")"
"$python" "$here/evaluate_scores.py" metrics "$work/run/metrics.jsonl"

# The same answers, scored twice.
model=("$work/plan.bin" --from "$work/run" --data "$work/data")
for split in valid test; do
    "$vlrun" generate "${model[@]}" --split "$split" >"$work/answers"
    "$vlrun" eval "${model[@]}" --split "$split" --format json --threads 1 >"$work/scores"
    "$python" "$here/evaluate_scores.py" scores "$work/data" "$split" "$work/answers" "$work/scores"
done
"$vlrun" eval "${model[@]}" --format json --threads 2 >"$work/again"
cmp "$work/scores" "$work/again" || fail "scores depend on the number of threads"
"$vlrun" eval "${model[@]}" --task gqa --limit 7 >"$work/table"
"$vlrun" eval "${model[@]}" --task vqa --split train --limit 5 >"$work/train"
grep -qE '^vqa +top-k score +5 ' "$work/train" || fail "training: $(cat "$work/train")"
grep -qE '^gqa +accuracy +7 ' "$work/table" || fail "not seven examples: $(cat "$work/table")"

# A plan that cannot generate is scored place by place.
sed -i '/<cache /d' "$work/models/vlt5.vg"
"$vlc" compile "$work/models/vlt5_tiny_pretrain.vg" -o "$work/plain.bin"
"$vlrun" export "$work/plan.bin" --from "$work/run" --merge -o "$work/learnt.safetensors" >/dev/null
"$vlrun" eval "$work/plain.bin" --weights "$work/learnt.safetensors" --data "$work/data" \
    --tokenizer "$work/data/spiece.model" --format json >"$work/plain" 2>"$work/err" ||
    fail "cannot score: $(cat "$work/err")"
"$python" "$here/evaluate_scores.py" places "$work/scores" "$work/plain"

# Files for leaderboards.
"$vlc" compile "$models/vlt5_tiny_adapter.vg" -o "$work/image.bin"
"$vlc" compile "$models/vlt5_tiny_video.vg" -o "$work/video.bin"
for kind in image video; do
    "$vlrun" generate "$work/$kind.bin" --data "$work/data" --format leaderboard --limit 40 \
        --random-weights --beams 1 --out "$work/answers of/$kind" >"$work/out" 2>&1 || fail "$(cat "$work/out")"
    [ ! -s "$work/out" ] || fail "talks: $(cat "$work/out")"
done
"$python" "$here/evaluate_scores.py" files "$work/data" "$work/answers of"

# What makes no sense is refused.
plan=("$work/plan.bin" --random-weights)
refuses 2 "did you mean 'valid'?" eval "${plan[@]}" --split vali
refuses 2 "found 'xml', expected table or json" eval "${plan[@]}" --format xml
refuses 2 "limit" eval "${plan[@]}" --limit -3
refuses 1 "no task 'vqo'; did you mean 'vqa'?" eval "${plan[@]}" --data "$work/data" --task vqo
refuses 1 "$work/none" eval "${plan[@]}" --data "$work/none"
refuses 2 "go together" generate "${plan[@]}" --format leaderboard
refuses 2 "go together" generate "${plan[@]}" --out "$work/out"
refuses 1 "no leaderboard takes answers to task 'gqa'" generate "${plan[@]}" --data "$work/data" \
    --task gqa --format leaderboard --out "$work/dump"
refuses 1 "$work/data/vqa/karpathy_val.json/dump" generate "${plan[@]}" --data "$work/data" \
    --format leaderboard --out "$work/data/vqa/karpathy_val.json/dump"
echo "evaluate: passed"
