#!/usr/bin/env bash
# bench/products: what it prints, and what it refuses. Nothing is asked of the times.
. "$(dirname "$0")/../head.sh"

products=$build/bench/products
outcome 0 "usage: products [options] [M,N,K,FORM...]" "$products" --help
outcome 0 "    17      5     40 nt" "$products" --rounds 1 17,5,40,nt 40,1,3,tn
[ "$(grep -c ' [0-9]*[.][0-9][0-9]$' <<<"$out")" -eq 2 ] || fail "not a line for each size: $out"
outcome 0 "     1      1      1 nn" "$products" --rounds 1 --precision medium --processor native 1,1,1,nn

outcome 2 "products: unknown option '--round'; did you mean '--rounds'?" "$products" --round 3
outcome 2 "--rounds: found '0'" "$products" --rounds 0 1,1,1,nn
outcome 2 "did you mean 'high'" "$products" --precision hihg 1,1,1,nn
outcome 1 "no processor 'x86-64-v9'" "$products" --processor x86-64-v9 1,1,1,nn
for size in 0,1,1,nn 1,-1,1,nn 1,1,99999999999,nn 1,1,nn 1,1,1 1,1,1,tt 1,1,1,nnn 1,1,1,n '1,,1,nn'; do
    outcome 2 "found '$size', expected M,N,K,FORM" "$products" "$size"
done
outcome 1 "tensor is too large" "$products" 16777216,16777216,1,nn
