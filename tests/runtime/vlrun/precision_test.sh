#!/usr/bin/env bash
# How accurate a plan's products are: said by what computes them, part of what a run is held to, and settable only
# while compiling.
. "$(dirname "$0")/../../head.sh"

model=$models/vlt5_tiny_adapter.vg weights=$models/shapes/vlt5_tiny.safetensors
"$vlc" compile "$model" -o "$work/highest.bin" || exit 1
"$vlc" compile "$model" --matmul-precision medium -o "$work/medium.bin" || exit 1
"$vlc" compile "$model" --matmul-precision medium --skip precision -o "$work/skipped.bin" || exit 1
"$vlrun" make-data shapes "$work/data" --size 20 >/dev/null || exit 1

cmp -s "$work/highest.bin" "$work/medium.bin" && fail "the plan does not have the precision"
cmp -s "$work/highest.bin" "$work/skipped.bin" || fail "--skip precision leaves a precision"
[ "$("$vlc" dump "$work/highest.bin" | grep -c ' precision=')" -eq 0 ] || fail "highest is written down"
[ "$("$vlc" dump "$work/medium.bin" | grep -c 'matmul .* precision=medium ')" -gt 0 ] || fail "medium is not written down"
"$vlc" dump "$work/medium.bin" | sed -n '/^graph .* update/,/^}/p' | grep -q ' precision=' &&
    fail "updates are less accurate"

bench=("$vlrun" bench --rounds 1 --sequences 2 --lanes 1)
outcome 0 "products: medium 100.0 % of FLOPs" "${bench[@]}" "$work/medium.bin"
outcome 0 "task vqa" "${bench[@]}" "$work/highest.bin"
[[ $out != *products:* ]] || fail "bench tells of products that are all highest: $out"

# train PLAN ARGUMENTS...
train() {
    "$vlrun" train "$work/$1" --data "$work/data" --weights "$weights" --eval-every 0 "${@:2}"
}
outcome 0 "products: medium 100.0 % of FLOPs" train medium.bin --steps 1 --out "$work/run"
outcome 1 "this run belongs to another plan than '$work/highest.bin'" train highest.bin --steps 1 --resume --out "$work/run"

outcome 1 "--matmul-precision needs a .vg file" "$vlc" dump "$work/medium.bin" --matmul-precision high
outcome 1 "--matmul-precision needs a .vg file" "$vlc" compare "$work/medium.bin" --matmul-precision high
outcome 2 "did you mean 'high'" "$vlc" compile "$model" --matmul-precision hihg -o "$work/none.bin"
[ ! -e "$work/none.bin" ] || fail "a plan in spite of a mistake"
