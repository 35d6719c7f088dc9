#!/usr/bin/env bash
# The models that ship: the counts that papers report, and text that comes back.
. "$(dirname "$0")/../head.sh"
cd "$root" || exit 2
expect() {
    expected=$1
    shift
    found=$("$vlc" params "$@" | tail -n 1)
    [ "$found" = "$expected" ] && return
    echo "vlc params $*: found '$found', expected '$expected'"
    failed=1
}
expect "trained 19,333,632 of 242,292,480 = 7.9795 %" models/vlt5_adapter.vg
expect "trained 10,480,512 of 233,439,360 = 4.4896 %" models/vlt5_adapter.vg --set reduction=8
expect "trained 224,540,160 of 224,540,160 = 100.0000 %" models/vlt5_full.vg

# The paper's other way of counting sets: one adapter per task.
expect "trained 72,590,592 of 295,549,440 = 24.5612 %" models/vlt5_adapter.vg --set "shared=''"
expect "trained 45,910,272 of 268,869,120 = 17.0753 %" models/vlt5_adapter.vg --set "shared='up_sampler.**'"

for lowered in models/*.vg; do
    grep -q '<model ' "$lowered" || continue
    text=$("$vlc" dump --after lower "$lowered") || failed=1
    again=$(printf '%s\n' "$text" | "$vlc" opt -) || failed=1
    [ "$text" = "$again" ] || { echo "$lowered: text does not come back"; failed=1; }
done
