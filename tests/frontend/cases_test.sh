#!/usr/bin/env bash
# Runs vlc on every .vg file of a directory that has an .expected file beside it, and
# compares all output and the exit status. The command is in the file, as an instruction:
# <?vlc dump --after lower?>; "check" if there is none. With --bless, writes the
# .expected files instead: of all files that
# have one or say what to run.
. "$(dirname "$0")/../head.sh"
cd "$root/tests/frontend/cases" || exit 2
bless=${2:-}
passed=0
out=$work/out
for source in $(find . -name '*.vg' | sed 's|^\./||' | LC_ALL=C sort); do
    expected="${source%.vg}.expected"
    command=$(LC_ALL=C sed -n 's/.*<?vlc \(.*\)?>.*/\1/p' "$source" | head -n 1)
    [ -e "$expected" ] || { [ -n "$bless" ] && [ -n "$command" ]; } || continue
    status=0
    eval "timeout 60 \"$vlc\" ${command:-check} $source" >"$out" 2>&1 </dev/null || status=$?
    echo "exit $status" >>"$out"
    if [ -n "$bless" ]; then
        cp "$out" "$expected"
    elif diff -u "$expected" "$out"; then
        passed=$((passed + 1))
    else
        echo "failed: $source"
        failed=$((failed + 1))
    fi
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && { [ "$passed" -gt 0 ] || [ -n "$bless" ]; }
