#!/usr/bin/env bash
# Data with every kind of fault: all of them are found at once, named and counted; what would be trained
# on passes, and what check-data refuses, train refuses, too.
set -euo pipefail
. "$(dirname "$0")/../../head.sh"

cp -r "$models" "$work/models"
cd "$work"
"$vlrun" make-data shapes published --size 30 >/dev/null
own_recipe mine 2 4 >models/own.vg
"$vlc" compile models/own.vg -o own.bin
"$vlc" compile models/vlt5_tiny_adapter.vg -o image.bin --set steps=2
"$vlc" compile models/vlt5_tiny_video.vg -o video.bin --set steps=2
own=(own.bin --data data --tokenizer models/shapes)

report= # of the last check, as JSON
check() { # exit code, arguments
    local status=$1 code=0
    shift
    report=$("$vlrun" check-data "$@" --format json 2>log) || code=$?
    [ $code -eq "$status" ] || fail "check-data $*: exit $code, not $status: ${report::1500} $(cat log)"
}
says() { # an expression of Python over `split(task, name)`, `found(text)` and `data`
    "$python" -c '
import json, sys
data = json.loads(sys.argv[1])
def split(task, name):
    of = next(t for t in data["tasks"] if t["task"] == task)
    return next(s for s in of["splits"] if s["split"] == name)
def found(text):
    return sum(f["count"] for f in data["findings"] if any(text in s["text"] for s in f["shown"]))
sys.exit(not eval(sys.argv[2]))' "$report" "$1" || fail "not so: $1: ${report::1500}"
}

# -- data without a fault -----------------------------------------------------------------------
check 0 image.bin --data published
says 'data["errors"] == 0 and data["warnings"] == 0 and len(data["tasks"]) == 4'
says 'split("vqa", "train")["examples"] == 30 and split("vqa", "train")["rows_least"] == 49'
says 'split("vqa", "train")["text_limit"] == 20 and split("vqa", "train")["text_cut"] == 0'
says 'split("nlvr", "train")["pictures"] == 60 and split("nlvr", "train")["shown_read"] == 30'
says '"most_share" not in split("caption", "train")'
check 0 video.bin --data published --task tvqa --split valid
says '[s["split"] for s in data["tasks"][0]["splits"]] == ["valid"] and "leaked" not in split("tvqa", "valid")'
check 0 image.bin --data published --task vqa --features none
says '"shown_read" not in split("vqa", "train") and split("vqa", "train")["pictures"] == 30'
outcome 0 "0 errors, 0 warnings" "$vlrun" check-data image.bin --data published
outcome 1 "did you mean 'vqa'?" "$vlrun" check-data image.bin --data published --task vqq
outcome 1 "is no directory of data sets" "$vlrun" check-data image.bin --data nowhere
outcome 2 "--pictures goes with --html" "$vlrun" check-data image.bin --data published --pictures x
outcome 1 "name one with --tokenizer" "$vlrun" check-data own.bin --data models

# -- records ----------------------------------------------------------------------------------
mkdir -p data/mine
ln -s ../../published/COCO/clip_features data/mine/clip_features
line() { # number of the picture, question and what comes after it
    echo "{\"image\": \"vqa_train_00000$1.jpg\", \"question\": \"$2\", $3}"
}
{
    line 0 "what is red" '"answer": "star", "id": "a"'
    line 1 "what is red" '"answer": "star", "id": "a"'
    line 2 "" '"answer": "star"'
    line 3 "what is blue" '"answer": {"star": 1.5}'
    line 3 "what is blue" '"answer": {"star": -1}'
    line 4 "what is zyzzyva" '"answer": {"star": 1, "circle": 0.3}'
    echo '{"image": "nowhere.jpg", "question": "what is red", "answer": "circle"}'
    echo '{"image": "nowhere.jpg", "question": "what is blue", "answer": "circle"}'
    line 5 "what is blue" '"answer": "circle"'
    line 5 "what is blue" '"answer": "circle"'
    line 5 "what is blue" '"answer": "star"'
    line 6 "what" '"answr": "star"'
    echo '{"image": "x.jpg", "question": {"a": 1}, "answer": "star"}'
    echo '{"image": "x.jpg", "question": [{"a": 1}], "answer": "star"}'
    echo '{"image": "../x.jpg", "question": "what", "answer": "star"}'
    echo
    line 7 "what is blue" '"answer": "yes"'
    echo '{"image": "x.jpg", "question":'
    echo '["no", "object"]'
} >data/mine/train.jsonl
{
    line 5 "what is blue" '"answer": "circle"'
    line 8 "what is blue" '"answer": "square"'
    line 9 "what is blue" '"image2": "x"'
} >data/mine/valid.jsonl
check 1 "${own[@]}"
says "found(\"is called 'a', as that of line 1\") == 1"
says "found('\"question\" is empty') == 1 and found('is not in 0..1') == 2"
says "found('did you mean \"answr\"?') == 1 and found('neither text nor a number') == 2"
says "found('cannot be the name of a file') == 1 and found('line is empty') == 1"
says 'found("nowhere.h5: cannot be read: No such file") == 1'
says 'split("mine", "train")["examples"] == 8 and split("mine", "train")["pictures_missing"] == 1'
says 'split("mine", "train")["repeated"] == 1 and split("mine", "train")["contradicted"] == 1'
says 'split("mine", "train")["pictures"] == 5 and split("mine", "train")["per_picture_most"] == 3'
says 'split("mine", "train")["most_frequent"][0] == {"text": "circle", "count": 4}'
says 'split("mine", "train")["answers"] == 9 and split("mine", "train")["most_share"] == 50'
says 'split("mine", "valid")["leaked"] == 1 and found("in the training split, too") == 1'
says 'split("mine", "valid")["untold"] == 1 and split("mine", "valid")["trivial"] == 50'
says 'split("mine", "valid")["unseen_share"] == 50 and split("mine", "valid")["pictures_leaked"] == 1'
says 'not split("mine", "test")["is_there"] and found("no file of the test split") == 1'
says 'split("mine", "train")["samples"][0]["text"] == "what is red"'
outcome 1 "these data would be refused" "$vlrun" check-data "${own[@]}"
[[ $out == *"data/mine/train.jsonl:2: record 2: is called 'a'"* ]] || fail "names no place: $out"
outcome 1 "error:" "$vlrun" train own.bin --data data --tokenizer models/shapes --random-weights --out run

# -- lengths and words ------------------------------------------------------------------------
for i in 1 2 3 4; do line $i "is there a star left of the blue circle" '"answer": "yes"'; done >data/mine/train.jsonl
line 5 "is there" '"answer": "no"' >data/mine/valid.jsonl
cp data/mine/valid.jsonl data/mine/test.jsonl
check 0 "${own[@]}"
says 'data["errors"] == 0 and data["warnings"] == 0'
sed -i 's/is there a star/žluťoučký kůň/' data/mine/train.jsonl
sed 's|answer="{answer}">|&<data input_tokens="5"/>|' models/own.vg >models/short.vg
"$vlc" compile models/short.vg -o short.bin
check 0 short.bin "${own[@]:1}"
says 'split("mine", "train")["text_cut"] == 4 and found("longer than 5 tokens and are cut") == 1'
says 'split("mine", "train")["text_unknown"] > 2 and found("tokenizer does not know") == 1'
says '{"text": "kůň", "count": 4} in split("mine", "train")["unknown_words"]'
outcome 0 "cut from" "$vlrun" check-data short.bin "${own[@]:1}"

# -- files of features --------------------------------------------------------------------------
features=published/video/vis_features/tv/clip-vit
"$python" - $features <<'END'
import io, sys, zipfile
import numpy
def write(name, rows):
    data = io.BytesIO()
    numpy.save(data, rows)
    with zipfile.ZipFile(f'{sys.argv[1]}/{name}.npz', 'w') as out:
        out.writestr('features.npy', data.getvalue())
rows = numpy.zeros((30, 48), numpy.float32)
rows[3, 4] = numpy.inf
write('tvqa_train_000001', rows)
write('tvqa_train_000002', numpy.zeros((30, 47), numpy.float32))
END
head -c 1000 $features/tvqa_train_000000.npz >$features/tvqa_train_000003.npz
rm $features/tvqa_train_00000{4,5,6,7,8,9}.npz
check 1 video.bin --data published --task tvqa
says 'split("tvqa", "train")["shown_bad"] == 3 and split("tvqa", "train")["shown_read"] == 24'
says 'split("tvqa", "train")["pictures_missing"] == 6 and found("cannot be read: No such file") == 6'
says 'found("number 4 of row 3 of the features is infinite") == 1 and found("47 wide, the model wants 48") == 1'
check 1 video.bin --data published --task tvqa --features none
says 'split("tvqa", "train")["pictures_missing"] == 6 and data["errors"] == 6'
rm published/vqa/karpathy_val.json
check 1 image.bin --data published
says 'found("karpathy_val.json: cannot be read") == 1 and split("gqa", "valid")["examples"] == 3'

# -- pictures for an encoder, and a page --------------------------------------------------------
"$root/examples/own_vqa/make_pictures" made --pictures 20
sed 's/"mine"/"pictures"/' models/own.vg >models/pictures.vg
"$vlc" compile models/pictures.vg -o pictures.bin
"$vlc" compile models/extract_patches.vg -o patches.bin
made=(pictures.bin --data made --tokenizer models/shapes)
check 1 "${made[@]}"
grep -q -- "--encoder PLAN makes features of the pictures" <<<"$report" || fail "hints at no encoder"
image=made/pictures/images/train
check 0 "${made[@]}" --encoder patches.bin
says 'split("pictures", "train")["shown_read"] == split("pictures", "train")["pictures"] > 0'
[ ! -e made/pictures/features ] || fail "writes features"
head -c 100 $image/1.png >$image/0.png
rm $image/2.png
check 1 "${made[@]}" --encoder patches.bin --html page.html
says 'split("pictures", "train")["shown_bad"] == 1 and split("pictures", "train")["pictures_missing"] == 1'
for text in "images/train/2.png: cannot be read" "Lengths of texts" "data:image/png" "</html>"; do
    grep -qF "$text" page.html || fail "the page lacks '$text'"
done
sed 's/kernel=2, stride=2/kernel=4, stride=2, padding=1/' models/extract_patches.vg >models/wide.vg
"$vlc" compile models/wide.vg -o wide.bin
check 1 "${made[@]}" --encoder wide.bin
says 'found("features that are 192 wide") > 0'

# -- a run ----------------------------------------------------------------------------------------
"$vlrun" train own.bin --data data --tokenizer models/shapes --random-weights --eval-every 0 --out run >log 2>&1 ||
    fail "$(cat log)"
check 0 run
says 'data["tasks"][0]["task"] == "mine"'
line 6 "is there" '"answer": "no"' >>data/mine/train.jsonl
outcome 1 "these are not the data of the run" "$vlrun" check-data run
check 0 run --other-data
