#!/usr/bin/env bash
# vlrun score: every task's metrics over predictions in every layout; what generate prints scores
# as eval does; predictions that are missing, unknown or said twice.
. "$(dirname "$0")/../../../head.sh"

# score TASK PREDICTIONS REFERENCES VALUE: of the first metric, with a decimal place
score() {
    out=$("$vlrun" score --task "$1" "$work/$2" "$work/$3" 2>&1) || fail "$1 $2: $out"
    found=$(echo "$out" | awk 'NR == 2 { print $NF == "%" ? $(NF - 1) : $NF }')
    [ "$found" = "$4" ] || fail "$1 $2 $3: '$found', not '$4': $out"
}
# refused STATUS TEXT ARGUMENTS...
refused() {
    status=$1 text=$2
    shift 2
    out=$("$vlrun" score "$@" 2>&1)
    found=$?
    case $out in
    *"$text"*) [ $found -eq "$status" ] && return ;;
    esac
    fail "score $*: exit $found, expected $status and '$text'; output: $out"
}
file() {
    cat >"$work/$1"
}

file gqa.json <<'END'
[{"question_id": "201", "img_id": "n1", "sent": "what?", "label": {"red": 1.0, "pink": 0.5}},
 {"question_id": "202", "img_id": "n1", "sent": "where?", "label": {"left": 1.0}}]
END
echo '[{"questionId": "201", "prediction": "pink"}, {"questionId": "202", "prediction": "left"}]' |
    file gqa_said.json
score gqa gqa_said.json gqa.json 75.0
printf '{"task": "gqa", "id": "201", "text": "red"}\n{"task": "vqa", "id": "9", "text": "x"}\n{"task": "gqa", "id": "202", "text": "Left"}\n' |
    file gqa_lines.jsonl
score gqa gqa_lines.jsonl gqa.json 50.0

file nlvr.json <<'END'
[{"identifier": "t-1-0-0", "sent": "a", "img0": "x", "img1": "y", "label": 1},
 {"identifier": "t-1-1-0", "sent": "b", "img0": "x", "img1": "y", "label": 0}]
END
printf 't-1-0-0,True\r\nt-1-1-0,True\n' | file nlvr.csv
score nlvr nlvr.csv nlvr.json 50.0

printf '{"qid": 1, "answer_idx": 2, "show_name": "A"}\n{"qid": 2, "answer_idx": "0"}\n' |
    file tvqa.jsonl
echo '{"1": 2, "2": 1}' | file tvqa_said.json
score tvqa tvqa_said.json tvqa.jsonl 50.0
printf '{"id": "1", "text": "a2"}\n{"id": "2", "text": "a0"}\n' | file tvqa_lines.json
score tvqa tvqa_lines.json tvqa.jsonl 100.0

file coco.json <<'END'
{"info": {}, "images": [{"id": 7, "file_name": "x.jpg"}],
 "annotations": [{"image_id": 7, "id": 1, "caption": "A grey cat on a mat."},
                 {"image_id": 8, "id": 2, "caption": "Two dogs run over green grass."}]}
END
file karpathy.json <<'END'
{"images": [{"filename": "COCO_val2014_000000000007.jpg", "cocoid": 7, "split": "test",
             "sentences": [{"raw": "A grey cat on a mat."}]},
            {"filename": "COCO_val2014_000000000008.jpg", "cocoid": 8, "split": "test",
             "sentences": [{"raw": "Two dogs run over green grass."}]},
            {"filename": "other.jpg", "split": "val", "sentences": [{"raw": "x"}]}]}
END
echo '[{"image_id": 7, "caption": "a gray cat on a mat"}, {"image_id": 8, "caption": "two dogs run over green grass"}]' |
    file caption_said.json
score caption caption_said.json coco.json 1000.0
score caption caption_said.json karpathy.json 1000.0

echo '{"clip_id": 5, "vid_name": "v", "descs": [{"desc": "a man walks in the rain"}, {"desc": "someone gets wet there today"}]}' |
    file tvc.jsonl
echo '{"vid_name": "v", "clip_id": 5, "ts": [0, 1], "descs": [{"desc": "a man walks in the rain"}]}' |
    file tvc_said.jsonl
"$vlrun" score --task tvc "$work/tvc_said.jsonl" "$work/tvc.jsonl" |
    grep -q 'BLEU-1 *2 *50.0 %' || fail 'tvc: half of the words of two descriptions'

file vqa.json <<'END'
{"annotations": [{"question_id": 1, "answers": [{"answer": "yes"}, {"answer": "yes"}, {"answer": "yes"}, {"answer": "yes"}]}]}
END
echo '[{"question_id": 1, "answer": "yes"}]' | file vqa_said.json
score vqa vqa_said.json vqa.json 100.0

# What is not right.
refused 2 'expected PREDICTIONS REFERENCES' --task gqa "$work/gqa.json"
refused 2 '--task NAME is missing' "$work/gqa_said.json" "$work/gqa.json"
refused 1 "did you mean 'gqa'" --task gqaa "$work/gqa_said.json" "$work/gqa.json"
refused 2 "found 'xml', expected table or json" --task gqa --format xml "$work/gqa_said.json" "$work/gqa.json"
refused 2 "found 'tset'; did you mean 'test'?" --task gqa --split tset "$work/gqa_said.json" "$work/gqa.json"
refused 1 'absent.json' --task gqa "$work/absent.json" "$work/gqa.json"
refused 1 'absent.json' --task gqa "$work/gqa_said.json" "$work/absent.json"
echo '[{"questionId": "201", "prediction": "pink"}]' | file few.json
refused 1 '1 of 2 references have no prediction: 202' --task gqa "$work/few.json" "$work/gqa.json"
echo '[{"questionId": "203", "prediction": "pink"}]' | file unknown.json
refused 1 "there is no '203' among the 2 references" --task gqa "$work/unknown.json" "$work/gqa.json"
printf '{"id": "201", "text": "a"}\n{"id": "201", "text": "b"}\n' | file twice.jsonl
refused 1 "twice.jsonl:2: error: this is a second and other prediction of '201'" --task gqa \
    "$work/twice.jsonl" "$work/gqa.json"
printf '{"201": "a", "201": "b"}' | file keys.json
refused 1 'duplicate' --task gqa "$work/keys.json" "$work/gqa.json"
awk 'BEGIN { printf "201,"; for (i = 0; i < 33000; i++) printf "a "; print "" }' | file long.csv
refused 1 "more than 65536 bytes are predicted of '201'" --task gqa "$work/long.csv" "$work/gqa.json"
printf '{"id": "201"}\n' | file textless.jsonl
refused 1 'there is no text in the prediction of' --task gqa "$work/textless.jsonl" "$work/gqa.json"
printf 't-1-0-0,maybe\n' | file maybe.csv
refused 1 "True or False, not 'maybe'" --task nlvr "$work/maybe.csv" "$work/nlvr.json"
printf '[{"questionId": "201", "prediction": ' | file cut.json
refused 1 'cut.json:1:' --task gqa "$work/cut.json" "$work/gqa.json"
echo '[{"question_id": "201", "label": {"red": 1.5}}]' | file wrong.json
refused 1 "the score of answer 'red' is not in 0..1" --task gqa "$work/gqa_said.json" "$work/wrong.json"
echo '[]' | file empty.json
refused 1 "has no answers to task 'gqa'" --task gqa "$work/gqa_said.json" "$work/empty.json"
if [ -w /dev/full ]; then
    "$vlrun" score --task gqa "$work/gqa_said.json" "$work/gqa.json" >/dev/full 2>/dev/null
    [ $? -eq 1 ] || fail 'a full device'
fi

# What a plan generates scores as eval says.
"$vlrun" make-data shapes "$work/data" --size 40 >/dev/null || fail 'make-data'
"$vlc" compile "$models/vlt5_tiny_adapter.vg" -o "$work/plan.bin" || fail 'compile'
set -- --data "$work/data" --weights "$models/shapes/vlt5_tiny.safetensors" --random-weights
"$vlrun" generate "$work/plan.bin" "$@" >"$work/said.jsonl" 2>"$work/log" &&
    "$vlrun" generate "$work/plan.bin" "$@" --task nlvr --format leaderboard --out "$work/board" \
        2>>"$work/log" || fail "generate: $(cat "$work/log")"
"$vlrun" eval "$work/plan.bin" "$@" 2>/dev/null | grep -v '^mean\|^task' >"$work/eval"
for task in vqa gqa nlvr caption; do
    said=$work/said.jsonl
    [ $task = nlvr ] && said=$work/board/nlvr_submit.csv
    "$vlrun" score --task $task "$said" "$work/data" | grep -v '^task' || fail "score $task"
done >"$work/scored"
[ -s "$work/eval" ] || fail 'eval says nothing'
diff "$work/eval" "$work/scored" || fail 'eval and score differ'
