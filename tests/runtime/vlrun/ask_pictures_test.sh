#!/usr/bin/env bash
# A run that was trained on pictures is asked about pictures: those of its data by their names or paths, and new
# ones; it answers as `generate` does, and the page shows them.
set -euo pipefail
. "$(dirname "$0")/../../head.sh"

cd "$work"
"$root/examples/own_vqa/make_pictures" data --pictures 20
cp -r "$models" "$work/models"
own_recipe pictures 4 10 >models/own.vg
"$vlc" compile models/own.vg -o own.bin
"$vlc" compile models/extract_patches.vg -o patches.bin
"$vlrun" train own.bin --data data --weights models/shapes/vlt5_tiny.safetensors --tokenizer models/shapes --eval-every 0 \
    --out run --encoder patches.bin >log 2>&1 || fail "$(cat log)"

# Lines of the test split as they are: names of pictures in the data's folder.
"$vlrun" generate run >generated 2>said || fail "$(cat said)"
"$vlrun" ask run --json <data/pictures/test.jsonl >asked 2>said || fail "$(cat said)"
"$python" - generated asked <<'END' || fail "other answers than generate: $(cat asked)"
import json, sys
generated, asked = ([json.loads(line) for line in open(path)] for path in sys.argv[1:])
assert len(asked) > 2 and [line["answer"] for line in asked] == [line["text"] for line in generated]
END

# The same picture elsewhere, with its path: the same answer and confidence.
name=$("$python" -c 'import json; print(json.loads(open("data/pictures/test.jsonl").readline())["image"])')
question=$("$python" -c 'import json; print(json.loads(open("data/pictures/test.jsonl").readline())["question"])')
cp "data/pictures/$name" "else where.png"
"$vlrun" ask run --image "$name" "$question" >named 2>said || fail "$(cat said)"
"$vlrun" ask run --image "else where.png" "$question" "$question" >elsewhere 2>said || fail "$(cat said)"
[ "$(cat named named)" = "$(cat elsewhere)" ] || fail "$(cat named) is not $(cat elsewhere)"
mv data gone
outcome 0 "$(cut -f1 named)" "$vlrun" ask run --image "else where.png" "$question" --tokenizer models/shapes
mv gone data

echo "no picture" >bad.png
outcome 1 "bad.png" "$vlrun" ask run --image bad.png "$question"
outcome 1 "there is no such file" "$vlrun" ask run --image none.png "$question"

# The page has them.
"$vlrun" generate run --html page.html --limit 3 2>said || fail "$(cat said)"
[ "$(grep -o 'src="data:image/[a-z]*;base64,' page.html | wc -l)" -eq 3 ] || fail "the page shows no pictures"
echo "asked about pictures: passed"
