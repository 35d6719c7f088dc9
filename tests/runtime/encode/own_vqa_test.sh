#!/usr/bin/env bash
# The commands of examples/own_vqa/README.md as they stand there, but with fewer pictures and steps: from
# nothing to answers, and better ones than without having learned.
set -euo pipefail
. "$(dirname "$0")/../../head.sh"

ln -s "$root/examples" "$models" "$work"
cd "$work"
PATH=$build/frontend:$build/runtime:$PATH
sed -n 's/^    //p' "$root/examples/own_vqa/README.md" |
    sed '/make_pictures/s/$/ --pictures 200/; /vlrun train/s/$/ --steps 200 --eval-every 0/' >commands
[ "$(wc -l <commands)" -eq 5 ] || fail "README.md has other commands: $(cat commands)"
bash -euo pipefail commands >log 2>&1 || fail "$(cat log)"
tail -1 log | grep -qE '^[a-z0-9 ]+	0[.][0-9]+$' || fail "does not answer: $(tail -3 log)"
vlrun eval runs/own_vqa --format json >scores 2>log || fail "$(cat log)"
"$python" -c '
import json, sys
score = json.load(open(sys.argv[1]))[0]
sys.exit(score["value"] < 35)
' scores || fail "has learned nothing: $(cat scores)"
vlrun report runs/own_vqa --samples 2 -o page.html >log 2>&1 || fail "$(cat log)"
[ "$(grep -c "data:image/png" page.html)" -ge 2 ] || fail "a report shows no pictures"
