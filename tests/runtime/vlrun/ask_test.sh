#!/usr/bin/env bash
# A model is asked as people ask: with options, lines, columns and objects, by tasks of one picture, two
# pictures, none to ask and choices. It answers as it does when it is evaluated, says how sure it is by a
# number that agrees with the loss of training, and a bad question does not stop the others.
set -euo pipefail
. "$(dirname "$0")/../../head.sh"

weights=$models/shapes/vlt5_tiny.safetensors run=$work/run
"$vlrun" make-data shapes "$work/data" --size 60 >/dev/null
"$vlc" compile "$models/vlt5_tiny_adapter.vg" -o "$work/plan.bin" --set steps=2
"$vlrun" train "$work/plan.bin" --data "$work/data" --weights "$weights" --out "$run" --eval-every 0 \
    >"$work/log" 2>&1 || fail "$(cat "$work/log")"

ask() { # options; what is printed without what the model says of its weights
    "$vlrun" ask "$run" "$@" 2>"$work/said"
}

said() { # expected output, options
    local expected=$1 got
    shift
    got=$(ask "$@") || fail "ask $*: exit $?: $(cat "$work/said")"
    [[ $got =~ ^$expected$ ]] || fail "ask $*: expected $expected, got: $got"
}

refused() { # status, text, options
    local status=$1 text=$2 code=0
    shift 2
    ask "$@" </dev/null >"$work/out" || code=$?
    [ $code -eq "$status" ] || fail "ask $*: exit $code, expected $status: $(cat "$work/said")"
    grep -qF -- "$text" "$work/said" || fail "ask $*: should say '$text': $(cat "$work/said")"
}

# One question, several, the best answers.
picture=vqa_test_000001
said $'circle\t0\.[0-9]+' --image $picture --task vqa "what shape is blue"
said $'circle\t0\.9[0-9]+\ntriangle\t[0-9.e-]+\n.*\t[0-9.e-]+' --image $picture --task vqa --answers 3 \
    "what shape is blue"
said $'circle\t0\.[0-9]+\n[a-z]+\t0\.[0-9]+' --image $picture.jpg --task vqa "what shape is blue" \
    "is there a green star"
said $'[a-z ]+\t0\.[0-9]+' --task caption --image caption_test_000000
said $'circle\t0\.[0-9]+' --image $picture "what shape is blue"
grep -q "this asks task 'vqa'; --task would ask gqa" "$work/said" || fail "does not say which task it is"

# Two pictures: true or false, and both make one.
said $'(true|false)\t0\.[0-9]+\n(true|false)\t0\.[0-9]+' --image dev-0-0-img0 --image dev-0-0-img1 --answers 2 \
    "there are two circles"
ask --image dev-0-0-img0 --image dev-0-0-img1 --answers 2 "there are two circles" |
    awk '{ sum += $2 } END { exit !(sum > 0.9995 && sum < 1.0005) }' || fail "choices do not make one"

# Features of one's own, in place of what the data set has.
features=$work/data/COCO/clip_features/data_clip_RN101_att/$picture.h5
cp "$features" "$work/$picture.h5"
said $'circle\t0\.[0-9]+' --features "$work/$picture.h5" --task vqa "what shape is blue"
mv "$work/data/COCO" "$work/data/gone"
said $'circle\t0\.[0-9]+' --features "$work/$picture.h5" --task vqa "what shape is blue"
mv "$work/data/gone" "$work/data/COCO"

# All questions of a split, as lines of the data set's own file: the answers of `generate`.
for task in vqa caption; do
    "$vlrun" generate "$run" --task $task --limit 20 >"$work/generated" 2>/dev/null
    case $task in
    vqa) grep '^{' "$work/data/vqa/karpathy_test.json" | sed 's/,$//' | head -20 ;;
    caption) seq -f 'caption_test_%06.0f' 0 5 ;;
    esac >"$work/lines"
    ask --task $task --json <"$work/lines" >"$work/answers" || fail "$task: $(cat "$work/said")"
    "$python" - "$work/generated" "$work/answers" <<'END' || fail "$task: other answers than generate"
import json, sys
generated, asked = ([json.loads(line) for line in open(path)] for path in sys.argv[1:])
by_text = [line["text"] for line in generated][:len(asked)]
assert len(asked) > 3 and [line["answer"] for line in asked] == by_text, (asked, by_text)
assert all(0 < line["confidence"] <= 1 for line in asked)
END
done

# Bad questions among good ones.
code=0
printf '%s\n' 'what shape is blue' '' "vqa_test_000002"$'\t''is there a star' '{"image": "vqa_test_0003", "question": "what"}' \
    '{"image": "vqa_test_000003", "question": "what shape is red", "id": "seven"}' '{"qestion": "what"}' '{bad' \
    '{"task": "caption"}' '{"task": "captoin"}' |
    ask --image $picture --task vqa --json >"$work/out" || code=$?
[ $code -eq 1 ] || fail "bad questions: exit $code"
"$python" - "$work/out" <<'END' || fail "bad questions: $(cat "$work/out")"
import json, sys
lines = [json.loads(line) for line in open(sys.argv[1])]
wanted = [None, "the line is empty", None, "nor features of that name", None,
          'reads "question", which is not given; did you mean that by "qestion"', "no JSON", None,
          "did you mean 'caption'?"]
assert len(lines) == len(wanted)
for number, (line, error) in enumerate(zip(lines, wanted), 1):
    assert ("error" in line) == (error is not None), line
    assert error is None or (error in line["error"] and line["line"] == number), line
assert lines[4]["id"] == "seven" and lines[4]["prompt"] == "vqa: what shape is red"
assert lines[2]["images"] == ["vqa_test_000002"] and lines[7]["task"] == "caption"
END

refused 1 "did you mean 'vqa'?" --task vqaa --image $picture "what"
refused 1 "task 'nlvr' shows 2 images; 1 is given" --task nlvr --image $picture "a circle"
refused 1 "does not take 'what' beside what is given" --task caption --image $picture "what"
refused 1 'shows "image", which is not given' --task vqa "what shape is blue"
refused 1 "reads no field 'qestion'; did you mean 'question'?" --task vqa --image $picture --field qestion=what
refused 1 "no question" --task vqa --image $picture
refused 1 "There are vqa (question; 1 image)" "what shape is blue"
refused 1 "nothing turns it to features" --task vqa --image "$work/log" "what shape is blue"
refused 1 "column 2 is empty" --task vqa "$picture"$'\t'
refused 2 "do not go together" --image a --video b "what"
refused 2 "expected NAME=TEXT" --field question --image $picture
refused 2 "end in .h5 or .npz" --features a.jpg "what"

# A pseudo-terminal: a prompt, an empty line that is none, and an end.
printf 'what shape is blue\n\n' |
    script -qec "$vlrun ask $run --image $picture --task vqa" /dev/null >"$work/out" 2>&1 || fail "terminal: $?"
grep -q "^> " "$work/out" && grep -qP "circle\t0\." "$work/out" || fail "terminal: $(cat "$work/out")"

# Videos and choices: a line of the data set, with what was said in it.
"$vlc" compile "$models/vlt5_tiny_video.vg" -o "$work/video.bin"
head -3 "$work/data/video/ann/tvqa/tvqa_val.jsonl" | "$vlrun" ask "$work/video.bin" --random-weights \
    --data "$work/data" --task tvqa --field "subtitles=so it goes" --answers 5 --json >"$work/out" 2>"$work/said" ||
    fail "tvqa: $(cat "$work/said")"
"$python" - "$work/out" <<'END' || fail "tvqa: $(cat "$work/out")"
import json, sys
for line in open(sys.argv[1]):
    said = json.loads(line)
    best = said["best"]
    assert {answer["answer"] for answer in best} == {"a0", "a1", "a2", "a3", "a4"}, best
    assert abs(sum(answer["confidence"] for answer in best) - 1) < 1e-4, best
    assert [answer["confidence"] for answer in best] == sorted((a["confidence"] for a in best), reverse=True)
    assert said["prompt"].startswith("[Subs] so it goes [Q] w"), said["prompt"]
END

# A task of one's own, with choices of its own and no picture.
cp -r "$models" "$work/models"
cat >"$work/models/own.vg" <<'END'
<model name="own" xmlns="urn:vlgraph:1">
  <import href="vlt5.vg"/>
  <import href="tasks/image_text.vg"/>
  <import href="optimizers/adamw.vg"/>
  <backbone use="vlt5" size="tiny"/>
  <task name="mine" records="jsonl" prompt="{ask.it}" answer="{right}" images="{left}.jpg" metric="choice"
        choices="{choices}">
    <loss><sequence_mean out="loss" token_loss="token_loss"/></loss>
  </task>
  <tasks use="mine"/>
  <train params="**"/>
  <optimizer use="adamw" lr="3e-3" weight_decay="0.01"/>
  <schedule steps="12"/>
  <batch sequences="10" tokens="512"/>
</model>
END
"$vlc" compile "$work/models/own.vg" -o "$work/own.bin"
mkdir "$work/mine"
own() { # options; asks the plan of one's own
    "$vlrun" ask "$work/own.bin" --random-weights --tokenizer "$models/shapes" --data "$work/mine" "$@" 2>"$work/said"
}
own --features "$work/$picture.h5" --answers 3 --field 'choices=["a circle", "a star", "red"]' "what is it" >"$work/out" ||
    fail "choices: $(cat "$work/said")"
[ "$(cut -f1 "$work/out" | sort | tr '\n' ,)" = "a circle,a star,red," ] || fail "choices: $(cat "$work/out")"
awk -F'\t' '{ sum += $2 } END { exit !(sum > 0.999 && sum < 1.001) }' "$work/out" || fail "choices: $(cat "$work/out")"
code=0
own --features "$work/$picture.h5" "what is it" >"$work/out" || code=$?
[ $code -eq 1 ] && grep -q 'chooses from "choices", which is not given' "$work/said" || fail "choices: $(cat "$work/said")"

# The confidence is that of the loss that training computes of the same answer, by another graph.
mkdir -p "$work/one/vqa"
ln -s "$work/data/COCO" "$work/one/COCO"
cp "$work/data/spiece.model" "$work/one"
for split in train val test; do
    echo '[{"img_id": "vqa_test_000001", "sent": "what shape is blue", "question_id": 22,' \
        '"label": {"circle": 1.0}}]' >"$work/one/vqa/karpathy_$split.json"
done
echo '{"annotations": [{"question_id": 22, "answers": [{"answer": "circle"}]}]}' \
    >"$work/one/vqa/v2_mscoco_train2014_annotations.json"
echo '{"annotations": []}' >"$work/one/vqa/v2_mscoco_val2014_annotations.json"
"$vlc" compile "$models/vlt5_tiny_adapter.vg" -o "$work/one.bin" --set tasks=vqa --set steps=1 --set dropout=0
"$vlrun" train "$work/one.bin" --data "$work/one" --weights "$weights" --out "$work/one/run" --eval-every 0 \
    >"$work/log" 2>&1 || fail "$(cat "$work/log")"
"$vlrun" ask "$work/one.bin" --data "$work/one" --weights "$weights" --random-weights --image $picture --json \
    "what shape is blue" >"$work/out" 2>"$work/said" || fail "$(cat "$work/said")"
"$python" - "$work/one/run/metrics.jsonl" "$work/out" <<'END' || fail "another confidence than the loss"
import json, math, sys
loss = next(json.loads(line)["loss"] for line in open(sys.argv[1]) if '"loss"' in line)
asked = json.load(open(sys.argv[2]))
tokens = 2  # circle, and the end
assert asked["answer"] == "circle", asked
assert abs(asked["confidence"] - math.exp(-tokens * loss)) < 1e-4, (asked["confidence"], loss)
END
echo "asked: passed"
sed 's/{ask.it}/{ask.it} {choices}/' "$work/models/own.vg" >"$work/models/two.vg"
"$vlc" compile "$work/models/two.vg" -o "$work/own.bin"
code=0
own --features "$work/$picture.h5" "what is it" >"$work/out" || code=$?
[ $code -eq 1 ] && grep -q "each is named: --field NAME=TEXT" "$work/said" || fail "two fields: $(cat "$work/said")"
