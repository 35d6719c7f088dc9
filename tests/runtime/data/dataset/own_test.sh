#!/usr/bin/env bash
# Plain records and a published layout under another name, from a .vg file alone: the same examples
# say the same, whatever they are read from; what a task asks for in vain is named where it asks.
set -euo pipefail
. "$(dirname "$0")/../../../head.sh"

"$vlrun" make-data shapes "$work/data" --size 60 >/dev/null
mkdir "$work/data/mine" "$work/data/other"
for split in train:train val:valid test:test; do
    grep '^{' "$work/data/vqa/karpathy_${split%:*}.json" | sed 's/,$//' \
        >"$work/data/mine/${split#*:}.jsonl"
done
cp "$work/data"/vqa/*.json "$work/data/other"
ln -s ../COCO/clip_features "$work/data/mine/clip_features"
ln -s ../COCO/clip_features "$work/data/other/clip_features"
cp -r "$models" "$work/models"
cat >"$work/models/own.vg" <<'END'
<model name="own" xmlns="urn:vlgraph:1">
  <import href="vlt5.vg"/>
  <import href="tasks/image_text.vg"/>
  <import href="optimizers/adamw.vg"/>
  <const name="dropout" value="0"/>
  <const name="asked" value="'about {it}: '"/>
  <backbone use="vlt5" size="tiny"/>
  <task name="published" records="vqa" prompt="{$asked}{question}" metric="exact_match">
    <loss><sequence_mean out="loss" token_loss="token_loss"/></loss>
  </task>
  <task name="other" records="vqa" folder="other" prompt="{$asked}{question}" metric="exact_match">
    <loss><sequence_mean out="loss" token_loss="token_loss"/></loss>
  </task>
  <task name="mine" records="jsonl" prompt="{$asked}{sent}" answer="{label}" images="{img_id}"
        id="{question_id}">
    <data key="input_tokens" value="20"/>
    <data key="target_tokens" value="10"/>
    <loss><sequence_mean out="loss" token_loss="token_loss"/></loss>
  </task>
  <tasks use="mine"/>
  <train params="**"/>
  <optimizer use="adamw" lr="3e-3" weight_decay="0.01"/>
  <schedule steps="12"/>
  <batch sequences="10" tokens="512"/>
</model>
END

for task in published other mine; do
    "$vlc" compile "$work/models/own.vg" -o "$work/$task.bin" --set "tasks=$task"
    "$vlrun" train "$work/$task.bin" --data "$work/data" --out "$work/$task" --random-weights \
        >"$work/log" 2>&1 || fail "$task: $(cat "$work/log")"
    [ -e "$work/parameters" ] || "$vlrun" export "$work/published" --merge -o "$work/parameters" >/dev/null
    # Answers are drawn otherwise for each task: parameters of one, for all.
    model=("$work/$task.bin" --from "$work/parameters" --data "$work/data" --split test)
    "$vlrun" generate "${model[@]}" >"$work/$task.said" 2>"$work/log" ||
        fail "$task: $(cat "$work/log")"
    "$vlrun" eval "${model[@]}" 2>/dev/null | grep accuracy >"$work/$task.score"
    sed -i "s/$task/T/; s/  */ /g" "$work/$task.said" "$work/$task.score"
done
[ "$(wc -l <"$work/mine.said")" -gt 3 ] || fail "generates nothing: $(cat "$work/mine.said")"
for task in other mine; do
    cmp "$work/published.said" "$work/$task.said" || fail "$task says something else"
    cmp "$work/published.score" "$work/$task.score" || fail "$task has another score"
done

mkdir "$work/answers"
for task in published other; do
    "$vlrun" generate "$work/$task.bin" --from "$work/parameters" --data "$work/data" \
        --format leaderboard --out "$work/answers" 2>/dev/null
done
cmp "$work/answers/published_karpathy_test_predict.json" \
    "$work/answers/other_karpathy_test_predict.json" || fail "answers of two tasks differ"

refuses() { # change of the model's text, message
    sed "$1" "$work/models/own.vg" >"$work/models/bad.vg"
    if "$vlc" compile "$work/models/bad.vg" -o "$work/bad.bin" >"$work/log" 2>&1 &&
        "$vlrun" train "$work/bad.bin" --data "$work/data" --out "$work/bad" --overwrite \
            --random-weights >"$work/log" 2>&1; then
        fail "trained where it should say '$2'"
    fi
    grep -qF -- "$2" "$work/log" || fail "should say '$2': $(cat "$work/log")"
}
refuses 's/{sent}/{snt}/' 'mine/train.jsonl:1: error: record 1 (question_id 10): has no "snt"; did you mean "sent"?'
refuses 's/{sent}/{snt}/' "models/bad.vg:14:37: note: task 'mine' asks for it in"
refuses 's/records="jsonl"/records="jsnl"/' "models/bad.vg:14:21: error: there are no records 'jsnl'; did you mean 'jsonl'?"
refuses 's/{img_id}/{question_id}/' '0.h5: error: cannot be read'
