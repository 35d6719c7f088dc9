#!/usr/bin/env bash
# Runs that are killed between two names of their files: one that is set aside or put back loses nothing, and what is
# kept is what an undisturbed run keeps.
set -euo pipefail
. "$(dirname "$0")/../../head.sh"

cd "$work"
"$vlrun" make-data shapes data --size 40 >log 2>&1
"$vlc" compile "$models/vlt5_tiny_adapter.vg" -o plan.bin --set tasks=gqa --set sequences=24 --set steps=8 --set lr=1e-2
given=(plan.bin --data data --weights "$models/shapes/vlt5_tiny.safetensors" --checkpoint-every 2 --eval-every 3
    --keep-best gqa --keep 3 --tensorboard)
outcome 0 "saved in whole" "$vlrun" train "${given[@]}" --out whole
rm whole/lock

# same DIRECTORY WHAT: all files of the run 'whole', as they were.
same() {
    rm -f "$1/lock"
    diff -r whole "$1" >difference || fail "$2: $(cat difference)"
}

# -- a run that is to be replaced -------------------------------------------------------------------
for name in checkpoint.safetensors plan.bin previous run.json; do
    count=1
    [ $name != run.json ] || count=2 # the new run's, after the old one's
    rm -rf run
    cp -r whole run
    killed_after $name $count "$vlrun" train "${given[@]}" --out run --overwrite
    case $name in
    plan.bin) killed_after checkpoint-6.safetensors 1 "$vlrun" train --resume run ;;
    previous) killed_after plan.bin 1 "$vlrun" train --resume run ;;
    run.json) killed_after previous.part 1 "$vlrun" train --resume run ;;
    esac
    outcome 1 "has been put back" "$vlrun" train --resume run
    same run "killed after $name"
done
mkdir run/previous
touch run/previous/notes # another's, which stays
killed_after checkpoint.safetensors 1 "$vlrun" train "${given[@]}" --out run --overwrite
outcome 1 "has been put back" "$vlrun" train --resume run
[ "$(ls run/previous)" = notes ] || fail "notes: $(ls run run/previous)"
outcome 0 "saved in run" "$vlrun" train "${given[@]}" --out run --overwrite
[ "$(ls run/previous)" = notes ] || fail "notes: $(ls run run/previous)"

# -- what is kept -----------------------------------------------------------------------------------
for count in 1 2 3 4; do
    rm -rf run
    killed_after checkpoint.safetensors $count "$vlrun" train "${given[@]}" --out run
    outcome 0 "saved in run" "$vlrun" train --resume run
    (cd whole && ls) >wanted
    (cd run && ls) | grep -v lock | diff wanted - || fail "killed after checkpoint $count: other files"
    for file in whole/*.safetensors; do
        cmp "$file" "run/${file#*/}" || fail "killed after checkpoint $count: another ${file#*/}"
    done
done
