#!/usr/bin/env bash
# --dump-kernels: every command that compiles has it; all kernels of a plan, for the processor chosen;
# what cannot be written is said before the long work.
. "$(dirname "$0")/../../head.sh"

for command in train eval generate bench profile verify extract; do
    outcome 0 "--dump-kernels DIR" "$vlrun" "$command" --help
done

"$vlc" compile "$models/vlt5_tiny_pretrain.vg" -o "$work/plan.bin" || exit 1
dump=$work/dump
outcome 0 "0 beyond" "$vlrun" verify --nodes "$work/plan.bin" --dump-kernels "$dump" --processor x86-64-v2
kernels=$(($(wc -l <"$dump/kernels.tsv") - 1))
[ "$kernels" -gt 40 ] || fail "only $kernels kernels"
for ending in vir ll opt.ll s; do
    count=$(find "$dump" -name "*.$ending" ! -name "*.opt.$ending" | wc -l)
    [ "$count" -eq "$kernels" ] || fail "$count files .$ending of $kernels kernels"
done
grep -q '"target-cpu"="x86-64-v2"' "$dump/0000_move.ll" || fail "not for the processor that was chosen"
for class in rows move attention vocab; do
    # each value written has a name, in the node's line, in LLVM's text and in the index
    read -r stem node < <(awk -F'\t' -v class="_$class" '$1 ~ class {
        split($6, calls, " "); split(calls[1], call, "%"); print $1, call[2]; exit }' "$dump/kernels.tsv")
    grep -q "^  %$node = " "$dump/$stem.vir" || fail "$stem.vir has no %$node"
    grep -q "%v$node[.]at = load ptr" "$dump/$stem.opt.ll" || fail "$stem.opt.ll has no address of %$node"
done

touch "$dump/mine"
outcome 1 "holds 'mine', which is not of an earlier dump of kernels" "$vlrun" train "$work/plan.bin" \
    --data "$work/none" --random-weights --out "$work/run" --dump-kernels "$dump"
[ ! -e "$work/run" ] || fail "a dump that cannot be written ends the training after its beginning"
outcome 1 "cannot make the directory" "$vlrun" bench "$work/plan.bin" --dump-kernels "$work/plan.bin"
