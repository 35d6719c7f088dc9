#!/usr/bin/env bash
# A program that is not linked with the emulator runs AMX's instructions with it.
. "$(dirname "$0")/../head.sh"
grep -q avx2 /proc/cpuinfo || exit 77
program=$build/tests/support/amx_program

emulating_amx "$program" || fail "with the emulator: $?"
code=0
"$program" || code=$?
[ $code -eq 0 ] || [ $code -eq 3 ] || fail "without the emulator: $code"
