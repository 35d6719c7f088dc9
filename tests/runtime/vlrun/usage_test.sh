#!/usr/bin/env bash
# The command line of vlrun: exit codes, near misses, help; every kernel of the small models
# against the interpreter; numbers that are not finite, with their place in the model.
. "$(dirname "$0")/../../head.sh"

# expect STATUS TEXT ARGUMENTS...: the status, and a text among all output.
expect() {
    outcome "$1" "$2" "$vlrun" "${@:3}"
}
plan=$work/plan.bin
"$vlc" compile "$models/vlt5_tiny_adapter.vg" -o "$plan" --set dropout=0.1 || exit 1

expect 2 "usage: vlrun <command>"
expect 0 "usage: vlrun <command>" --help
for command in train eval generate tokens score export extract profile bench cache verify make-data; do
    expect 0 "usage: vlrun $command" $command --help
done
expect 2 "did you mean 'train'?" trian "$plan"
expect 2 "did you mean '--threads'?" train "$plan" --thread 2
expect 2 "vlrun train: --threads: found 'x', expected a number of 0 or more" train "$plan" --threads x
expect 2 "vlrun train: unexpected argument 'more'" train "$plan" more
expect 2 "--sequences: found '0', expected a number of 1 or more" bench "$plan" --sequences 0
expect 2 "--size: found '0', expected a number from 1 to" make-data shapes "$work/none" --size 0
expect 2 "expected a number from 0 to 2147483647" generate "$plan" --end-id 2147483648
expect 2 "found '', expected RUN" eval "$plan" --from ""
expect 0 "vlrun 0." --version
expect 0 "products   by " --version
expect 2 "either --case FILE or --nodes" verify "$plan"
expect 1 "cannot be read" train "$work/missing.bin"
expect 1 "'vlc compile' makes a plan of" train "$models/vlt5_tiny_adapter.vg"
expect 1 "neither a plan nor text" train "$vlc"
head -c 1000 "$plan" >"$work/cut.bin"
expect 1 "damaged plan" train "$work/cut.bin"
expect 1 "did you mean 'text'?" bench "$plan" --lengths txet=4
expect 1 "rows on axis text, which is declared with at most" bench "$plan" --sequences 2 \
    --lengths text=400,grid=49,dec=5
expect 1 "rows on axis dec, which is declared with at most" bench "$plan" --sequences 2 \
    --lengths text=4,grid=49,dec=500
expect 1 "2147483647 rows on axis text, which is declared with at most" bench "$plan" \
    --sequences 1000 --lengths text=2147483647,grid=49,dec=5
expect 1 "the rows of axis grid are not 1 square grids" bench "$plan" --sequences 2 \
    --lengths text=4,grid=42,dec=5
expect 2 "either --data DIR or --serve FILE, not both" bench "$plan" --data shapes --serve "$plan"
expect 2 "with --serve, --lanes takes one number, not '1,2'" bench "$plan" --serve "$plan" --lanes 1,2
expect 2 "--lengths is of random batches; --data has its own" bench "$plan" --data shapes --lengths text=4
expect 2 "--sequences is of random batches; --data has its own" profile "$plan" --data shapes --sequences 4
expect 2 "--sequences is of random batches; --serve has its own" bench "$plan" --serve "$plan" --sequences 4
expect 2 "did you mean 'layer'?" profile "$plan" --tables class,layr
expect 1 "did you mean 'text'?" profile "$plan" --lengths txet=4
expect 1 "--lengths takes axes and rows like text=20,dec=5" profile "$plan" --lengths text=0
expect 1 "rows on axis text, which is declared with at most" profile "$plan" --lengths text=400,grid=49,dec=5
expect 1 "the plan trains no task 'vqaa'; did you mean vqa" profile "$plan" --task vqaa
expect 1 "threads are too many" profile "$plan" --lanes 5000
expect 1 "no checkpoint to go on from" train "$plan" --out "$work/run" --resume
expect 0 "0 beyond" verify "$plan" --nodes

# Another program asks for steps: what it is told is what a training would be.
"$vlc" compile "$models/vlt5_adapter.vg" -o "$work/served.bin" --set size=golden --set dropout=0 || exit 1
served=("$vlrun" bench "$work/served.bin" --serve "$root/tests/cases/t5_single_adapter_a.safetensors" --lanes 1)
printf 'step\nstep\ngenerate 1 4' | "${served[@]}" >"$work/served" || fail "bench --serve: exit $?"
awk '{ ok += NF == (NR < 3 ? 2 : 10) } NR == 1 { first = $2 } NR == 2 { ok += $2 < first }
     END { exit !(NR == 3 && ok == 4) }' "$work/served" || fail "bench --serve: $(cat "$work/served")"
for line in leap 'generate 1' 'generate 0 4' 'generate 1 4 5'; do
    outcome 1 "found '$line'" bash -c '"${@:2}" <<<"$1"' - "$line" "${served[@]}"
done

# A plan without a loss computes results, and nothing else.
"$vlc" compile "$models/extract_rn50.vg" -o "$work/images.bin" --set size=tiny || exit 1
expect 1 "task 'images' has no <loss>" train "$work/images.bin" --out "$work/none"
expect 0 "0 beyond" verify "$work/images.bin" --nodes
expect 2 "--weights goes with --case" verify "$plan" --nodes --weights "$plan"

# A rate that no training survives; what it leaves behind cannot be scored either.
"$vlc" compile "$models/vlt5_tiny_adapter.vg" -o "$plan" --set lr=1000 || exit 1
"$vlrun" make-data shapes "$work/data" --size 40 >/dev/null || exit 1
noise="--steps 40 --random-weights --data $work/data"
expect 3 "nn.vg:" train "$plan" --out "$work/run" $noise --checkpoint-every 1
expect 3 "the first such number is made here" train "$plan" --out "$work/other" $noise
expect 3 "while scoring task" eval "$plan" --from "$work/run" --data "$work/data" --limit 2
