#!/usr/bin/env bash
# Answers to read: as text, and as a page with pictures of the data, in which nothing of the data is markup;
# what is marked as right is what evaluation counts.
set -euo pipefail
. "$(dirname "$0")/../../head.sh"

weights=$models/shapes/vlt5_tiny.safetensors
"$vlrun" make-data shapes "$work/data" --size 60 >/dev/null
"$vlc" compile "$models/vlt5_tiny_adapter.vg" -o "$work/plan.bin" --set tasks="vqa nlvr caption"
model=("$work/plan.bin" --weights "$weights" --random-weights --data "$work/data")

"$vlrun" generate "${model[@]}" --show >"$work/shown" 2>"$work/said" || fail "$(cat "$work/said")"
grep -A4 '^vqa 22 ' "$work/shown" >"$work/block"
grep -qx "vqa 22  vqa_test_000001" "$work/block" && grep -qx "  question   vqa: what shape is blue" "$work/block" &&
    grep -qx "  reference  circle (10 times)" "$work/block" &&
    grep -qxE "  answer     circle \(0\.[0-9]+\)  right" "$work/block" || fail "shows: $(cat "$work/shown")"
grep -qx "  question   caption: " "$work/shown" || fail "shows no caption"
! grep -A3 '^caption' "$work/shown" | grep -qE "right|wrong" || fail "judges a caption"

# Of vqa and nlvr, right and wrong are what eval counts.
"$vlrun" eval "${model[@]}" --format json >"$work/scores" 2>/dev/null
"$python" - "$work/shown" "$work/scores" <<'END' || fail "judges otherwise than eval: $(cat "$work/shown")"
import json, sys
scores = {(score["task"], score["metric"]): score["value"] for score in json.load(open(sys.argv[2]))}
for task in ("vqa", "nlvr"):
    marks = [block.strip().rsplit("  ", 1)[1] for block in open(sys.argv[1]).read().split("\n\n")
             if block.startswith(task + " ")]
    share = 100 * marks.count("right") / len(marks)
    assert abs(share - scores[task, "accuracy"]) < 0.06, (task, share, scores)
END

# A page: pictures where there are some, and nothing of a record becomes markup.
mkdir "$work/pictures"
"$python" - "$work/pictures/vqa_test_000000.png" <<'END'
import struct, sys, zlib
def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
rows = b"".join(b"\0" + bytes((200, 60, 10)) * 8 for _ in range(6))
open(sys.argv[1], "wb").write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 8, 6, 8, 2, 0, 0, 0)) +
                              chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))
END
echo "no picture" >"$work/pictures/vqa_test_000001.jpg"
sed -i '0,/"sent": "[^"]*"/s//"sent": "<script>alert(1)<\/script>"/' "$work/data/vqa/karpathy_test.json"
"$vlrun" generate "${model[@]}" --task vqa --limit 3 --html "$work/page.html" --pictures "$work/pictures" \
    >"$work/out" 2>"$work/said" || fail "$(cat "$work/said")"
[ ! -s "$work/out" ] || fail "prints beside the page: $(cat "$work/out")"
"$python" - "$work/page.html" <<'END' || fail "page: $(cat "$work/page.html")"
import html.parser, sys
class Page(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.images, self.scripts, self.text = [], 0, ""
    def handle_starttag(self, tag, attributes):
        self.scripts += tag == "script"
        self.images += [dict(attributes)["src"]] if tag == "img" else []
    def handle_data(self, data):
        self.text += data + "\n"
page = Page()
page.feed(open(sys.argv[1]).read())
assert len(page.images) == 1 and page.images[0].startswith("data:image/png;base64,"), page.images
assert page.scripts == 1 and "<script>alert(1)</script>" in page.text
assert "what shape is blue" in page.text and "circle (0." in page.text and "vqa_test_000002" in page.text
assert "of 3 answers are right" in page.text
END

# An old page stays where the new one cannot be.
cp "$work/page.html" "$work/before.html"
rm "$work/data/COCO/clip_features/data_clip_RN101_att/vqa_test_000002.h5"
outcome 1 "vqa_test_000002" "$vlrun" generate "${model[@]}" --task vqa --html "$work/page.html"
cmp "$work/page.html" "$work/before.html" || fail "a page was lost"
outcome 2 "go together" "$vlrun" generate "${model[@]}" --format leaderboard --show
outcome 2 "neither --show nor --html" "$vlrun" generate "${model[@]}" --format leaderboard --out "$work/o" --show
outcome 2 "goes with --html" "$vlrun" generate "${model[@]}" --pictures "$work"
outcome 1 "did you mean 'caption'?" "$vlrun" generate "${model[@]}" --task captoin
echo "shown: passed"
