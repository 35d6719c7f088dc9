#!/usr/bin/env bash
# What is installed: programs that find their models, and of every command and option a word in its help,
# its manual page and the completion of both shells.
. "$(dirname "$0")/head.sh"
for tool in groff zsh; do
    command -v $tool >/dev/null || { echo "$tool is missing" && exit 77; }
done
"$python" -c "import cffi, numpy" || exit 77
cmake --install "$build" --prefix "$work/usr" >/dev/null || exit 1
man=$work/usr/share/man/man1

# options WORDS...: the options in what the help of that command says.
options() {
    "$@" --help | sed -n 's/^  \(-[a-z], \)\?\(--[a-z-]*\).*/\2/p'
}
# plain PAGE: as people read it, in one line.
plain() {
    groff -man -Tascii -P-c -P-b -P-u "$1" | tr -s '\n ' ' '
}
# completions WORDS...: what bash offers for the last of them.
completions() {
    COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
    "_$1"
    printf '%s\n' "${COMPREPLY[@]}"
}

for program in vlc vlrun; do
    run=$work/usr/bin/$program
    zsh_file=$work/usr/share/zsh/vendor-completions/_$program
    . "$work/usr/share/bash-completion/completions/$program"
    zsh -n "$zsh_file" || fail "zsh cannot read $zsh_file"
    commands=$("$run" --help | sed -n 's/^  \([a-z][a-z-]*\) .*/\1/p')
    [ "$(wc -w <<<"$commands")" -ge 10 ] || fail "$program --help lists: $commands"
    [ "$commands" = "$(completions $program '')" ] || fail "bash does not offer the commands of $program"
    for command in "" $commands; do
        page=$man/$program${command:+-$command}.1
        warnings=$(groff -man -ww -z "$page" 2>&1)
        [ -s "$page" ] && [ -z "$warnings" ] || fail "$page: $warnings"
        text=$(plain "$page")
        known=$(options "$run" $command)
        [ -n "$known" ] || fail "no options in $program $command --help"
        for option in $known; do
            [[ $text == *" $option "* ]] || fail "$page: no $option"
            completions $program $command - | grep -qx -e "$option" ||
                fail "bash does not offer $program $command $option"
            # In the words that the script gives to _arguments for this command.
            zsh -f -c 'compdef() { :; }
                _arguments() { [[ $1 == -C ]] && state=argument
                    [[ $1 == -C && -n $name ]] || print -rl -- "$@"; }
                _files() { }; _describe() { }
                name=$2 words=($2); source $1; _$3' zsh "$zsh_file" "$command" $program | grep -q -e "^\*\?$option[=[]" ||
                fail "zsh does not offer $program $command $option"
        done
    done
    [ "$(zsh -f -c 'fpath=($1 $fpath); autoload -U compinit; compinit -u -D; print $_comps[$2]' \
        zsh "${zsh_file%/*}" $program)" = _$program ] || fail "zsh does not find the completion of $program"
    [ "$(zsh -f -c 'autoload -U compinit; compinit -u -D; source $1; print $_comps[$2]' \
        zsh "$zsh_file" $program)" = _$program ] || fail "sourced, zsh's completion of $program completes nothing"
done

is() {
    [ "$1" = "$2" ] || fail "found '$1', expected '$2'"
}
is "$(completions vlc compi)" compile
is "$(completions vlc dump --format '' | tr '\n' ' ')" "text dot "
is "$(completions vlc dump --format = d)" dot
is "$(completions vlc compile --dump-after al)" all
is "$(completions vlrun eval --split v)" valid
is "$(completions vlrun train --steps '')" ""
mkdir "$work/place" && cd "$work/place" && mkdir -p folder runs/mine runs/empty && touch file mine.vg plan.bin
echo '{"step": 1, "task": "gqa", "loss": 1}' >runs/mine/metrics.jsonl
touch runs/mine/run.json
vlc() {
    "$work/usr/bin/vlc" "$@"
}
is "$(completions vlc check f | tr '\n' ' ')" "folder "
is "$(completions vlc check m)" mine.vg
is "$(completions vlc compile vlt5_tiny_a)" vlt5_tiny_adapter
is "$(completions vlc dump f | tr '\n' ' ')" "file folder "
is "$(completions vlrun train p)" plan.bin
is "$(completions vlrun eval runs/ | tr '\n' ' ')" "runs/empty runs/mine "
is "$(completions vlrun eval r | tr '\n' ' ')" "runs runs/mine "
is "$(completions vlrun export plan.bin --from f | tr '\n' ' ')" "file folder "
is "$(completions vlrun eval runs/mine --task '')" gqa
is "$(completions vlrun train --data f)" folder
is "$(completions vlc compile -o fi)" file

# A tokenizer that stands nowhere else.
echo "not the one of the source" >"$work/usr/share/vlgraph/models/shapes/spiece.model"
"$work/usr/bin/vlrun" make-data shapes "$work/data" --size 1 2>/dev/null || fail "make-data: exit $?"
cmp "$work/usr/share/vlgraph/models/shapes/spiece.model" "$work/data/spiece.model" || fail "other models are taken"
cp "$models/shapes/spiece.model" "$work/usr/share/vlgraph/models/shapes" # built-in data may be made with it
"$work/usr/bin/vlc" compile vlt5_tiny_adapter -o plan.bin || fail "installed models"
[[ $("$work/usr/bin/vlc" models --paths) == *" $work/usr/share/vlgraph/models/vlt5_adapter.vg"* ]] || fail "other models are listed"

# The library, as a program of others finds it.
lib=$work/usr/lib
export PKG_CONFIG_PATH=$lib/pkgconfig LD_LIBRARY_PATH=$lib
cd "$work" || exit 1
cc -std=c17 -Wall -Wextra -Werror "$root/examples/c/train.c" $(pkg-config --cflags --libs vlgraph) -o train ||
    fail "the example does not build"
said=$(./train usr/share/vlgraph/models/shapes/vlt5_tiny.safetensors adapters.safetensors) || fail "the example: exit $?"
[[ $said == *"step 60: loss "* && $said == *"gqa: "* ]] || fail "the example says $said"
outcome 1 "/nowhere: error: cannot be read" ./train /nowhere adapters.safetensors
[ "$(nm -D --defined-only "$lib/libvlgraph.so" | awk '$2 != "A" { print $3 }' | sed 's/@.*//' | grep -v ^vlg_)" = "" ] ||
    fail "the library shows more than its header"
diff <(nm -D --defined-only "$lib/libvlgraph.so" | sed -n 's/.* T \(vlg_[a-z_]*\).*/\1/p' | sort) \
    <(grep -o 'vlg_[a-z_]*(' "$work/usr/include/vlgraph.h" | tr -d '(' | sort -u) || fail "the header and the library differ"
# Python's module beside it.
PYTHONPATH=$lib/python3/dist-packages "$python" -c 'import vlgraph; vlgraph.compile("vlt5_tiny_adapter")' ||
    fail "the module for Python: exit $?"
for program in vlc vlrun; do
    [[ $("$work/usr/bin/$program" --version) =~ ^$program\ [0-9.]+\ \([0-9a-f]{7}(-dirty)?\) ]] || fail "$program --version"
done
