#!/usr/bin/env bash
# Pictures and videos that records name become features, once: what is killed goes on where it stopped,
# another encoder or a changed picture is never mistaken, and what cannot be read is named.
set -euo pipefail
. "$(dirname "$0")/../../head.sh"

cp -r "$models" "$work/models"
cd "$work"
"$root/examples/own_vqa/make_pictures" data --pictures 20
own_recipe pictures 4 10 >models/own.vg
"$vlc" compile models/own.vg -o own.bin
"$vlc" compile models/extract_patches.vg -o patches.bin
given=(--data data --weights models/shapes/vlt5_tiny.safetensors --tokenizer models/shapes)
train=(train own.bin "${given[@]}" --eval-every 0 --out)
features() { # every file of features, with its bytes' sum
    find "$1" -name '*.npz' -exec sha256sum {} + | sort -k 2
}
folder() { # of the features of a directory of data
    echo "$1"/pictures/features/extract_patches-????????????????
}

# -- once, and in the run's record ---------------------------------------------------------------
outcome 1 "--encoder PLAN makes features of the pictures" "$vlrun" "${train[@]}" none
outcome 0 "extracting features of 22 of 22 images" "$vlrun" "${train[@]}" run --encoder patches.bin
first=$(features data)
[ "$(wc -l <<<"$first")" -eq 22 ] || fail "not all features are there: $first"
"$python" -c '
import json, sys
note = json.load(open(sys.argv[1]))
assert (note["encoder"], note["of"], note["width"]) == ("extract_patches", "images", 48), note
' "$(folder data)/encoder.json"
rm patches.bin
outcome 0 "pictures" "$vlrun" eval run
[[ $out != *extracting* ]] || fail "extracts again: $out"
outcome 0 '"task": "pictures"' "$vlrun" generate run --limit 2
outcome 0 "saved in run/" "$vlrun" train --resume run
"$vlc" compile models/extract_patches.vg -o patches.bin
outcome 0 "pictures" "$vlrun" eval own.bin --from run --encoder patches.bin

# -- another encoder ---------------------------------------------------------------------------
sed 's/mean="0.5 0.5 0.5"/mean="0.4 0.4 0.4"/' models/extract_patches.vg >models/bright.vg
"$vlc" compile models/bright.vg -o bright.bin
outcome 1 "is not the run's" "$vlrun" eval run --encoder bright.bin
outcome 0 "extracting features of 2 of 2 images" "$vlrun" eval run --encoder bright.bin --other-data
[ "$(features data | wc -l)" -eq 24 ] || fail "features of two encoders are mixed: $(features data)"
outcome 0 "pictures" "$vlrun" eval run
sed 's/kernel=2, stride=2/kernel=4, stride=2, padding=1/' models/extract_patches.vg >models/wide.vg
"$vlc" compile models/wide.vg -o wide.bin
outcome 1 "wide.bin: error: the encoder makes features that are 192 wide, task 'pictures' takes 48" \
    "$vlrun" "${train[@]}" wide --encoder wide.bin
"$vlc" compile models/extract_patches.vg -o long.bin --set side=14
outcome 1 "the encoder makes 196 rows of features of an image, task 'pictures' takes at most 49" \
    "$vlrun" "${train[@]}" long --encoder long.bin
outcome 1 "was to be the encoder of pictures" "$vlrun" "${train[@]}" none --encoder own.bin
outcome 1 "weights of an encoder that is not named" \
    "$vlrun" "${train[@]}" none --encoder-weights models/shapes/vlt5_tiny.safetensors

# -- killed at any moment ----------------------------------------------------------------------
for pause in 0.02 0.05 0.1 0.2 0.4; do
    rm -rf data/pictures/features
    "$vlrun" "${train[@]}" killed --overwrite --encoder patches.bin >log 2>&1 &
    killed=$!
    while [ ! -e "$(folder data)/encoder.json" ] && kill -0 $killed 2>/dev/null; do sleep 0.005; done
    sleep $pause
    kill -KILL $killed 2>/dev/null || true
    wait $killed 2>/dev/null || true
    outcome 0 "saved in killed/" "$vlrun" "${train[@]}" killed --overwrite --encoder patches.bin
    [ "$(features data)" = "$first" ] || fail "after $pause s: other features"
done
[ -z "$(find data -name '*.part')" ] || fail "leaves files: $(find data -name '*.part')"

# Two at once do the work once.
rm -rf data/pictures/features
"$vlrun" "${train[@]}" one --encoder patches.bin >log.one 2>&1 &
"$vlrun" "${train[@]}" two --encoder patches.bin >log.two 2>&1 || fail "two: $(cat log.two)"
wait $! || fail "one: $(cat log.one)"
[ "$(features data)" = "$first" ] || fail "two at once: other features"

# What is said goes where --progress has it.
for how in quiet json plain; do
    rm -r data/pictures/features
    "$vlrun" "${train[@]}" run --overwrite --encoder patches.bin --progress $how >$how.out 2>$how.err ||
        fail "$(cat $how.err)"
done
[[ $(cat quiet.out quiet.err) != *extract* ]] || fail "quiet says: $(cat quiet.out quiet.err)"
[[ $(cat json.err) == *extracting* && $(cat json.out) != *extract* ]] || fail "json: $(cat json.err)"
[[ $(cat plain.out) == *extracting*extracted* && $(cat plain.err) != *extract* ]] || fail "plain: $(cat plain.err)"

# -- pictures that change, go, and are damaged --------------------------------------------------
image=data/pictures/images/train
cp $image/1.png $image/0.png
outcome 0 "extracting features of 1 of 22 images" "$vlrun" "${train[@]}" run --overwrite --encoder patches.bin
rm $image/0.png
outcome 0 "saved in run/" "$vlrun" "${train[@]}" run --overwrite --encoder patches.bin
rm "$(folder data)/images/train/0.png.npz"
outcome 1 "images/train/0.png: error: cannot open: No such file or directory" \
    "$vlrun" "${train[@]}" run --overwrite --encoder patches.bin
[[ $out == *"task 'pictures' wants it for example '1'"* ]] || fail "names no example: $out"
cp $image/1.png $image/0.jpg
outcome 1 "did you mean '0.jpg'?" "$vlrun" "${train[@]}" run --overwrite --encoder patches.bin
outcome 0 "were skipped" "$vlrun" "${train[@]}" run --overwrite --encoder patches.bin --skip-bad
head -c 100 $image/1.png >$image/0.png
outcome 1 "images/train/0.png: error: " "$vlrun" "${train[@]}" run --overwrite --encoder patches.bin
outcome 0 "were skipped" "$vlrun" "${train[@]}" run --overwrite --encoder patches.bin --skip-bad
cp $image/1.png $image/0.png

# One name in two folders, and with another ending; two folders with one name.
mkdir data/pictures/other
cp $image/2.png data/pictures/other/1.png
cp $image/3.png data/pictures/other/1.jpg
for name in other/1.png ./other/1.jpg images/train/1.png; do
    echo "{\"image\": \"$name\", \"question\": \"what?\", \"answer\": \"red\"}"
done >data/pictures/test.jsonl
outcome 0 "extracting features of 2 of 3 images" \
    "$vlrun" eval own.bin --from run "${given[@]}" --encoder patches.bin --other-data
cmp "$(folder data)/other/1.png.npz" "$(folder data)/images/train/2.png.npz" || fail "other/1.png"
cmp "$(folder data)/other/1.jpg.npz" "$(folder data)/images/train/3.png.npz" || fail "other/1.jpg"
for name in ../pictures/other/1.png /etc/passwd other//1.png other/..; do
    echo "{\"image\": \"$name\", \"question\": \"what?\", \"answer\": \"red\"}" >data/pictures/test.jsonl
    outcome 1 "cannot be the name of a file below 'pictures': '$name'" \
        "$vlrun" eval own.bin --from run "${given[@]}" --encoder patches.bin --other-data
done

# Where nothing can be written, features that are there serve; others are refused.
cp -r data full
rm -r data/pictures/features
touch data/pictures/features
echo '{"image": "other/1.png", "question": "what?", "answer": "red"}' >data/pictures/test.jsonl
outcome 1 "data/pictures/features" "$vlrun" eval own.bin --from run "${given[@]}" \
    --encoder patches.bin --other-data
[[ $out == *"kept beside the data"* ]] || fail "says not what for: $out"

# In a directory of their own they are those of this directory of data, and the run knows where that is.
cp data/pictures/test.jsonl full/pictures/test.jsonl
outcome 1 "features of an encoder that is not named: --encoder PLAN" "$vlrun" "${train[@]}" none --feature-cache kept
outcome 0 "extracting features of 21 of 21 images to kept/data-" \
    "$vlrun" "${train[@]}" elsewhere --encoder patches.bin --feature-cache kept
cmp kept/data-*/pictures/features/*/images/train/7.png.npz "$(folder full)/images/train/7.png.npz" ||
    fail "other features than beside the data"
grep -q '"feature_cache": "'"$(realpath kept)"'"' elsewhere/run.json || fail "run.json: $(cat elsewhere/run.json)"
mkdir other
(cd other && outcome 0 '"task": "pictures"' "$vlrun" generate ../elsewhere && [[ $out != *extracting* ]]) ||
    fail "extracts again, from another directory"
outcome 0 "extracting features of 1 of 1 images to $work/kept/full-" \
    "$vlrun" eval elsewhere --data full --other-data --tokenizer models/shapes
outcome 0 "features" "$vlrun" check-data elsewhere
outcome 1 "features of an encoder that is not named" "$vlrun" check-data own.bin --data data --feature-cache kept
[ "$(cat data/pictures/features)" = "" ] || fail "writes beside the data"
touch file
outcome 1 "file/kept" "$vlrun" "${train[@]}" none --encoder patches.bin --feature-cache file/kept

# -- two pictures to a question, and videos -------------------------------------------------------
rm -r data/pictures/features
mkdir data/pairs data/films
echo '{"a": "x/0.png", "b": "x/1.png", "question": "are both red?", "answer": "no"}' >data/pairs/train.jsonl
cp data/pairs/train.jsonl data/pairs/test.jsonl
ln -s ../pictures/images/train data/pairs/x
cp "$root/tests/runtime/media/videos/slides.mp4" data/films/film.mp4
echo '{"film": "film.mp4", "question": "what?", "answer": "red"}' >data/films/train.jsonl
cp data/films/train.jsonl data/films/test.jsonl
cat >models/two.vg <<'END'
<model name="two" extends="own.vg" xmlns="urn:vlgraph:1">
  <task name="pairs" records="jsonl" prompt="{question}" answer="{answer}" images="{a} {b}">
    <const images="2"/>
    <loss><let loss="token_mean(token_loss)"/></loss>
  </task>
  <task name="films" records="jsonl" prompt="{question}" answer="{answer}" video="{film}">
    <data interval="10" boxes="4"/>
    <loss><let loss="token_mean(token_loss)"/></loss>
  </task>
</model>
END
"$vlc" compile models/two.vg -o pairs.bin --set tasks=pairs
outcome 0 "extracting features of 2 of 2 images to data/pairs/features" \
    "$vlrun" train pairs.bin "${given[@]}" --eval-every 0 --out pairs --encoder patches.bin
"$vlc" compile models/two.vg -o films.bin --set tasks=films
outcome 1 "the encoder makes 49 rows of features of a picture; task 'films' has videos" \
    "$vlrun" train films.bin "${given[@]}" --eval-every 0 --out films --encoder patches.bin
"$vlc" compile models/extract_patches.vg -o frame.bin --set side=1 --set image_size=8
outcome 0 "extracting features of 1 of 1 videos to data/films/features" \
    "$vlrun" train films.bin "${given[@]}" --eval-every 0 --out films --encoder frame.bin
[ -e data/films/features/*/film.mp4.npz ] || fail "no features of a video"

# Who asks about it shows the model what it was trained on: a row each ten seconds.
ask() { # how likely the answer is
    "$vlrun" ask films.bin --random-weights --encoder frame.bin "${given[@]}" "$@" "what?" 2>said.log | cut -f 2 ||
        fail "$(cat said.log)"
}
asked=$(ask --video data/films/film.mp4)
[ "$asked" = "$(ask --features data/films/features/*/film.mp4.npz)" ] || fail "asks of other features"
"$vlrun" extract frame.bin --video data/films/film.mp4 --out usual >said.log 2>&1 || fail "$(cat said.log)"
[ "$asked" != "$(ask --features usual/film.npz)" ] || fail "this film shows no interval"
