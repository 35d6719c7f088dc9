#!/usr/bin/env bash
# What is installed: programs that find their models, and of every command and option a word in its help,
# its manual page and the completion of both shells.
. "$(dirname "$0")/head.sh"
for tool in groff zsh; do
    command -v $tool >/dev/null || { echo "$tool is missing" && exit 77; }
done
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
    zsh_file=$work/usr/share/zsh/site-functions/_$program
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
mkdir "$work/place" && cd "$work/place" && mkdir folder && touch file
is "$(completions vlc check f | sort | tr '\n' ' ')" "file folder "
is "$(completions vlrun train --data f)" folder
is "$(completions vlc compile -o fi)" file

# A tokenizer that stands nowhere else.
echo "not the one of the source" >"$work/usr/share/vlgraph/models/shapes/spiece.model"
"$work/usr/bin/vlrun" make-data shapes "$work/data" --size 1 2>/dev/null || fail "make-data: exit $?"
cmp "$work/usr/share/vlgraph/models/shapes/spiece.model" "$work/data/spiece.model" || fail "other models are taken"
"$work/usr/bin/vlc" compile vlt5_tiny_adapter -o plan.bin || fail "installed models"
[[ $("$work/usr/bin/vlc" models --paths) == *" $work/usr/share/vlgraph/models/vlt5_adapter.vg"* ]] || fail "other models are listed"
