#!/usr/bin/env bash
# What computes is chosen, said and recorded; --processor and the user's own setting are obeyed.
. "$(dirname "$0")/../../head.sh"

unset OPENBLAS_CORETYPE OPENBLAS_NUM_THREADS
"$vlc" compile "$models/vlt5_tiny_pretrain.vg" -o "$work/plan.bin" || exit 1

# bench ARGUMENTS...: its output, and what OpenBLAS says itself.
bench() {
    OPENBLAS_VERBOSE=2 "$vlrun" bench "$work/plan.bin" --rounds 1 --sequences 2 --lanes 1 \
        --gemm openblas "$@" 2>&1
}
"$vlrun" bench "$work/plan.bin" --rounds 1 --sequences 2 --lanes 1 |
    grep -q '^on .* floats in a vector; products by [a-z0-9 -]*$' ||
    fail "bench does not say by what it multiplies"
out=$(bench)
said=$(echo "$out" | sed -n 's/^Core: //p')
echo "$out" | grep -q "^on .* floats in a vector; OpenBLAS .*, kernel $said\$" ||
    fail "bench does not say what it ran on: $out"
if grep -q avx2 /proc/cpuinfo; then
    case $said in
    SkylakeX | Cooperlake | SapphireRapids | Haswell | Zen) ;;
    *) fail "the kernel $said on a processor with AVX2" ;;
    esac
    bench --processor x86-64-v3 | grep -q "^on x86-64-v3, 8 floats in a vector; .*, kernel Haswell\$" ||
        fail "--processor x86-64-v3 does not decide"
fi
OPENBLAS_CORETYPE=Nehalem bench | grep -q ", kernel Nehalem\$" ||
    fail "the user's own kernel is not taken"
bench --processor x86-64-v9 | grep -q "no processor 'x86-64-v9'; did you mean 'x86-64-v" ||
    fail "a processor that does not exist"
grep -q avx512f /proc/cpuinfo || bench --processor x86-64-v4 | grep -q "it lacks avx512" ||
    fail "a processor that this one is not"

# refused NAME FEATURE: --processor NAME on a processor without FEATURE.
refused() {
    outcome 1 "this processor is no $1: it lacks $2" "$vlrun" bench "$work/plan.bin" --processor "$1"
}
# runs WIDTH KERNEL NAME [COMMAND...]: vectors of WIDTH floats, through COMMAND.
runs() {
    local width=$1 kernel=$2 name=$3
    shift 3
    "$@" bench --processor "$name" | grep -q "^on $name, $width floats in a vector; .*, kernel $kernel\$" ||
        fail "--processor $name does not decide"
}
flags=" $(grep -m1 '^flags' /proc/cpuinfo | cut -d: -f2) "
if [[ $flags == *" fma "* ]]; then runs 8 Haswell haswell; else refused haswell avx2; fi
if [[ $flags == *" avx512bw "* ]]; then
    runs 16 SkylakeX skylake-avx512
else
    refused skylake-avx512 avx512f
fi
if [[ $flags == *" avx512_bf16 "* ]]; then
    runs 16 SkylakeX cooperlake
    runs 16 SkylakeX sapphirerapids emulating_amx
    emulating_amx "$vlrun" bench "$work/plan.bin" --rounds 1 --sequences 2 --lanes 1 \
        --processor sapphirerapids | grep -q '^on sapphirerapids, .*; products by tiles of bf16$' ||
        fail "tiles do not multiply on a processor that has them"
    "$vlrun" bench "$work/plan.bin" --rounds 1 --sequences 2 --lanes 1 --processor znver4 |
        grep -q '^on znver4, .*; products by multiply-adds, at medium by dot products of bf16$' ||
        fail "bench does not say what multiplies at another precision"
else
    refused cooperlake avx512
fi
if [[ $flags == *" amx_bf16 "* ]]; then
    runs 16 SkylakeX sapphirerapids
elif [[ $flags == *" avx512_bf16 "* ]]; then
    refused sapphirerapids amx-tile
fi

"$vlrun" make-data shapes "$work/data" --size 20 >/dev/null || exit 1
"$vlrun" train "$work/plan.bin" --data "$work/data" --steps 1 --eval-every 0 --out "$work/run" \
    --gemm openblas --processor x86-64-v2 >"$work/out" 2>&1 || fail "train: $(cat "$work/out")"
grep -q "^computed on x86-64-v2, 4 floats in a vector; OpenBLAS .*, kernel Nehalem\$" "$work/out" ||
    fail "train does not say what it ran on: $(cat "$work/out")"
grep -q '"event": "start", "step": 0, "processor": "x86-64-v2, 4 .*"' "$work/run/metrics.jsonl" ||
    fail "the metrics do not say what the run was computed on"
