# What tests written for the shell share. Each is given the build directory, and begins:
#
#   . "$(dirname "$0")/../../head.sh"
#
# That sets the programs $vlc, $vlrun and $python; $build, $root and $models; and $work, a directory that
# goes away. A test fails where `fail` is called: there under set -e, else at its end.
set -u
build=$(realpath "$1")
root=$(realpath "$(dirname "${BASH_SOURCE[0]}")/..")
models=$root/models
vlc=$build/frontend/vlc vlrun=$build/runtime/vlrun python=${VLG_PYTHON:-/usr/bin/python3}
work=$(mktemp -d)
failed=0

end_test() {
    local code=$?
    kill $(jobs -p) 2>/dev/null || true
    rm -rf "$work"
    [ $failed -eq 0 ] || code=1
    exit $code
}
trap end_test EXIT

fail() {
    echo "${0##*/}: $*" >&2
    failed=1
    [[ $- != *e* ]] || exit 1
}

# outcome STATUS TEXT COMMAND...: the exit status, and the text among all that is printed, left in $out.
outcome() {
    local status=$1 text=$2 code=0
    shift 2
    out=$("$@" 2>&1 </dev/null) || code=$?
    [[ $code -eq $status && $out == *"$text"* ]] ||
        fail "$*: exit $code, expected $status and '$text'; output: $out"
}

# own_recipe TASK STEPS SEQUENCES: a recipe beside the models, of a task of one's own over pictures.
own_recipe() {
    cat <<END
<model name="own" extends="bases/vlt5_image.vg" xmlns="urn:vlgraph:1">
  <const dropout="0"/>
  <backbone size="tiny"/>
  <task name="$1" records="jsonl" prompt="{question}" answer="{answer}">
    <loss><let loss="token_mean(token_loss)"/></loss>
  </task>
  <tasks use="$1"/>
  <train params="**"/>
  <schedule steps="$2"/>
  <batch sequences="$3" tokens="512"/>
</model>
END
}

# emulating_amx COMMAND...: with AMX's instructions for tiles, whether the processor has them or not
# (tests/support/amx_emulator.h).
emulating_amx() {
    LD_PRELOAD=$build/tests/support/libamx_preload.so \
        ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}verify_asan_link_order=0 "$@"
}

# killed_after NAME COUNT COMMAND...: ends by SIGKILL after the COUNT-th time that it has renamed something to NAME.
killed_after() {
    local name=$1 count=$2 code=0
    shift 2
    (
        export VLG_KILL_AFTER=$name VLG_KILL_COUNT=$count LD_PRELOAD=$build/tests/support/libkill_preload.so
        ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}verify_asan_link_order=0 exec "$@"
    ) >/dev/null 2>&1 || code=$?
    [ $code -eq 137 ] || fail "$*: exit $code, not killed after $name $count"
}
