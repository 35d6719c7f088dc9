#!/usr/bin/env bash
# The cache of compiled kernels as users meet it: `vlrun cache`, a directory that is not
# theirs alone, the limit.
. "$(dirname "$0")/../../head.sh"

export XDG_CACHE_HOME="$work/cache"
cache=$XDG_CACHE_HOME/vlgraph
plan=$work/plan.bin
"$vlc" compile "$models/vlt5_tiny_adapter.vg" -o "$plan" --set tasks=caption || exit 1

# expect STATUS TEXT ARGUMENTS...: the status, and a text among all output.
expect() {
    outcome "$1" "$2" "$vlrun" "${@:3}"
}
# shown NAME: what `vlrun cache` says of it.
shown() {
    "$vlrun" cache | awk -v name="$1" '$1 == name { print $2 }'
}
is() {
    [ "$1" = "$2" ] || { echo "$3: $1, expected $2"; failed=1; }
}
run() {
    "$vlrun" bench "$plan" --sequences 1 --lanes 1 --rounds 1 >"$work/out" 2>"$work/err" || { cat "$work/err"; failed=1; }
}

is "$(shown path)" "$cache" path
is "$(shown limit)" 512.0 limit
is "$(shown kernels)" 0 kernels
run
kernels=$(shown kernels)
[ "$kernels" -gt 10 ] || { echo "$kernels kernels"; failed=1; }
is "$(shown hits)" 0 hits
is "$(shown misses)" "$kernels" misses
run
is "$(shown hits)" "$kernels" "hits of the second run"
is "$(shown misses)" "$kernels" "misses of the second run"

VLGRAPH_CACHE_LIMIT=20K "$vlrun" cache | grep -q "limit    0.0 MiB" || { echo no limit from the environment; failed=1; }
expect 0 "limit    0.1 MiB" cache --limit 100K
[ "$(du -sk "$cache" | cut -f1)" -le 130 ] || { echo "it takes $(du -sk "$cache")"; failed=1; }
[ "$(shown kernels)" -lt "$kernels" ] && [ "$(shown kernels)" -gt 0 ] || { echo "$(shown kernels) kernels stay"; failed=1; }
run
[ "$(du -sk "$cache" | cut -f1)" -le 130 ] || { echo "it takes $(du -sk "$cache")"; failed=1; }
expect 0 "limit    1024.0 MiB" cache --limit 1G
run
expect 0 "kernels  0" cache --clear
is "$(shown hits)" 0 "hits after clearing"
is "$(find "$cache" -name '*.o' | wc -l)" 0 "objects after clearing"
expect 2 "takes a size such as 512M" cache --limit much
expect 2 "unexpected argument 'this'" cache this

# What others may write in is not used; the work is done all the same.
chmod 777 "$cache"
run
grep -q "warning: .*others may write in it (mode 0777)" "$work/err" || { echo "no warning:"; cat "$work/err"; failed=1; }
is "$(find "$cache" -name '*.o' | wc -l)" 0 "objects in a directory that others may write in"
expect 1 "others may write in it" cache
chmod 700 "$cache"
mv "$cache" "$work/elsewhere"
ln -s "$work/elsewhere" "$cache"
run
grep -q "warning: .*symbolic link" "$work/err" || { echo "no warning:"; cat "$work/err"; failed=1; }
expect 1 "symbolic link" cache
rm "$cache"
unset XDG_CACHE_HOME
HOME=relative expect 1 "there is no cache" cache
