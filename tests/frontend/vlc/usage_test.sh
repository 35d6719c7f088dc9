#!/usr/bin/env bash
# The command line of vlc: exit statuses, near misses, help.
. "$(dirname "$0")/../../head.sh"
cd "$root/tests/frontend/cases" || exit 2
# expect STATUS TEXT ARGUMENTS...: the status, and a text among all output.
expect() {
    outcome "$1" "$2" "$vlc" "${@:3}"
}
expect 2 "usage: vlc <command>"
expect 0 "usage: vlc <command>" --help
expect 2 "did you mean 'compile'?" compiel x.vg
expect 0 "vlc 0." --version
expect 2 "vlc: unknown option '--versoin'; did you mean '--version'?" --versoin
expect 2 "vlc: unknown command 'xyzzy'; 'vlc --help' lists them" xyzzy
expect 2 "unknown option '--xyz'; 'vlc check --help' lists them" check --xyz whole_module.vg
expect 2 "vlc check: found '', expected FILE.vg" check ""
expect 2 "--output: found '', expected FILE" compile -o "" whole_module.vg
expect 2 "did you mean 'lower'?" dump --after lowr whole_module.vg
expect 2 "did you mean 'all'?" compile --dump-after al whole_module.vg
expect 2 "expected FILE.vg" check
expect 2 "unexpected argument 'b.vg'" check a.vg b.vg
expect 2 "did you mean '--set'?" check --sett a=1 whole_module.vg
expect 2 "a value must follow '--set'" check whole_module.vg --set
expect 2 "takes no value" compile whole_module.vg --stats=1
expect 2 "vlc dump: --after: found 'fuze'; did you mean 'fuse'?" dump --after fuze whole_module.vg
expect 2 "did you mean 'freeze'?" opt --passes attach,freze whole_module.vg
expect 2 "expected text, tsv or json" params --format xml whole_module.vg
expect 2 "several files go with --summary" params whole_module.vg share_all.vg
expect 2 "expected FILE..." compare
expect 2 "expected FILE.vg" constants
expect 2 "unexpected argument 'b.vg'" constants a.vg b.vg
expect 2 "expected text, tsv or json" constants --format xml whole_module.vg
expect 1 "expected a <model>" constants lib/net.vg
expect 1 "lowered.vir: error: expected a .vg file" constants lowered.vir
expect 2 "a value must follow '--expand'" check whole_module.vg --expand
expect 1 "--expand needs a .vg file" check lowered.vir --expand net
expect 1 "expected a <model>" check lib/net.vg --expand net
expect 2 "expected FILE.vg|-..." fmt
expect 2 "did you mean '--check'?" fmt --chek whole_module.vg
expect 1 "missing.vg: error: cannot be read" fmt missing.vg
expect 1 "lib: error: cannot be read: it is a directory" fmt lib
expect 1 "hostile/nesting.vg:" fmt --check hostile/nesting.vg
expect 2 "did you mean '--lengths'?" compare --length text=5 whole_module.vg
expect 2 "expected text, tsv or json" compare --format xml whole_module.vg
for lengths in '' text text= text=0 text=5, =5 text=5x text=99999999999; do
    expect 2 "--lengths: found '$lengths', expected axes" compare --lengths "$lengths" whole_module.vg
done
for sequences in '' 0 2.5 99999999999; do
    expect 2 "--sequences: found '$sequences', expected a number from 1 to 2147483647" \
        compare --sequences "$sequences" whole_module.vg
done
for rate in '' 0 1x inf nan; do
    expect 2 "--gflops: found '$rate', expected a number above 0" \
        compare --gflops "$rate" whole_module.vg
done
expect 2 "--bandwidth: found '-1', expected a number above 0" compare --bandwidth -1 whole_module.vg
expect 1 "no model among the files" params --summary lib/net.vg lib/seq.vg
expect 1 "expected a <model>" params lib/net.vg
expect 2 "--memory-budget: found '1k', expected a number of 0 or more" compile --memory-budget 1k whole_module.vg
expect 1 "missing.vg: error: cannot be read: No such file or directory" check missing.vg
expect 1 "did you mean 'whole_module.vg'?" check whole_modul.vg
expect 1 "did you mean 'lib/net.vg'?" params lib/net
expect 1 "did you mean 'lowered.vir'?" dump lowerd.vir
expect 1 "lib/none/net.vg: error: cannot be read: No such file or directory" check lib/none/net.vg
expect 1 "lib.vg/: error: cannot be read" check lib.vg/
expect 1 "lib: error: cannot be read: it is a directory" check lib
expect 1 "lowered.vir: error: expected a .vg file" compile lowered.vir
expect 1 "what was decided is known while a model is compiled" explain lowered.vir
expect 1 "did you mean 'one.train'?" dump --after lower --graph one.trian whole_module.vg
expect 1 "--set needs a .vg file" params --set a=1 error_axis.expected
bart=../../../models/vlbart_tiny_adapter.vg
expect 1 "models/vlbart.vg:" compile "$bart" --set tasks=vqa --set longest_text=400 -o /dev/null
expect 1 "its table 'model.encoder.embed_positions.weight' has 130 rows" \
    check "$bart" --set tasks=vqa --set longest_text=400
expect 0 "" check "$bart" --set tasks=vqa --set longest_text=128
expect 1 "index may be 130 (position on axis 'text', of 129 rows at most)" \
    check "$bart" --set tasks=vqa --set longest_text=129
expect 0 "group 2" opt plans/interleaved_groups.vir
expect 1 "illegal_group.fused.vir:30:3: error: @t.train %14 = matmul: no kernel runs group 2" \
    opt plans/illegal_group.fused.vir
for command in opt dump check; do
    expect 1 "lr_too_wide.planned.vir:15:3: error: @t.train %0 = input: input 'lr'" \
        $command plans/lr_too_wide.planned.vir
    expect 1 "planned.vir:19:3: error: @t.train %3 = scatter_add: index may be 1000007" \
        $command plans/position_out_of_table.planned.vir
    expect 1 "planned.vir:20:3: error: @t.evaluate %4 = gather: index may be 4095" \
        $command plans/argmax_out_of_table.planned.vir
done
expect 0 "digraph \"one.train\"" dump --after lower --graph one.train --format dot whole_module.vg
expect 0 "\"trained\": 56," params --format=json whole_module.vg
expect 0 "matmul(a, b)" ops
expect 0 "peak learning rate" ops --settings
expect 0 "<repeat var! count!>" ops --elements
expect 0 "reverse mode" passes
expect 0 "skipped: only what later passes need is done" passes
expect 1 "pass 'autodiff' cannot be skipped: no plan can train without gradients" \
    dump whole_module.vg --skip save,autodiff
expect 0 "</grammar>" schema
for command in compile check dump opt params compare explain ops passes schema; do
    expect 0 "usage: vlc $command" $command --help
done
