#!/usr/bin/env bash
# Models by name: those that come with VLGraph, and files here.
. "$(dirname "$0")/../../head.sh"
cd "$work" || exit 1

outcome 0 "" "$vlc" models
[[ $out == *$'\nvlt5_adapter '* ]] || fail "vlc models lists: $out"
! grep -q '^vlt5 ' <<<"$out" || fail "a library is among: $out"
! grep -vq '^[a-z0-9_]* \+[A-Z]' <<<"$out" || fail "a model without a sentence is among: $out"
for name in $(cut -d' ' -f1 <<<"$out"); do
    [ -f "$models/$name.vg" ] || fail "no model: $name"
done
outcome 0 "/models/vlt5_adapter.vg" "$vlc" models --paths

# graphs PLAN: what it says, but for where it was compiled from.
graphs() {
    "$vlc" dump "$1" | sed 's|"[^"]*/models/|"|g' | sha256sum
}
# With or without its ending, as by its path.
"$vlc" compile "$models/vlt5_tiny_adapter.vg" -o by_path.bin || fail "by path"
for name in vlt5_tiny_adapter vlt5_tiny_adapter.vg; do
    outcome 0 "" "$vlc" compile $name -o by_name.bin
    [ "$(graphs by_name.bin)" = "$(graphs by_path.bin)" ] || fail "$name: another plan"
done
for command in check params constants explain compare; do
    outcome 0 "" "$vlc" $command vlt5_tiny_adapter $([ $command != compare ] || echo vlt5_tiny_pretrain)
done
outcome 0 "block adapter" "$vlc" check vlt5_tiny_adapter --expand adapter

# Another program's name for the same file, through links and from anywhere.
ln -s "$vlc" link
outcome 0 "" ./link compile vlt5_tiny_adapter

# What is here comes first; a path is only itself.
sed 's/name="vlt5_tiny_adapter"/name="mine"/' "$models/vlt5_tiny_adapter.vg" >vlt5_tiny_adapter.vg
ln -s "$models"/{bases,methods,tasks,optimizers,nn.vg,vl.vg,vlt5.vg} .
outcome 0 "" "$vlc" compile vlt5_tiny_adapter
outcome 0 'module "mine"' "$vlc" dump vlt5_tiny_adapter
mkdir vlt5_lora && outcome 0 "" "$vlc" compile vlt5_lora
outcome 1 "cannot be read" "$vlc" compile ./vlt5_tiny_pretrain

outcome 1 "a model of the name 'vlt5_adapter' comes with VLGraph" "$vlc" compile vlt5_adaptr
outcome 1 "a model of the name 'vlt5_adapter' comes with VLGraph" "$vlc" compile vlt5_adaptr.vg
outcome 1 "a library holds definitions only" "$vlc" compile vlbart

# A recipe anywhere extends and imports by name; what is beside it comes first.
recipe() { # NAME EXTENDS IMPORT
    printf '%s\n' "<model name=\"$1\" extends=\"$2\" xmlns=\"urn:vlgraph:1\">" \
        "  <import href=\"$3\"/>" '  <method use="lora" rank="4"/>' '</model>'
}
mkdir -p elsewhere/vlt5_tiny_adapter
recipe own vlt5_tiny_adapter methods/lora.vg >elsewhere/own.vg
outcome 0 'module "own"' "$vlc" dump elsewhere/own.vg
recipe own vlt5_tiny_adapter.vg methods/lora >elsewhere/own.vg
outcome 0 'module "own"' "$vlc" dump elsewhere/own.vg
recipe own ./vlt5_tiny_adapter.vg methods/lora.vg >elsewhere/own.vg
outcome 1 "cannot read 'elsewhere/./vlt5_tiny_adapter.vg'" "$vlc" dump elsewhere/own.vg
recipe own vlt5_tiny_adaptr methods/lora.vg >elsewhere/own.vg
outcome 1 "a model of the name 'vlt5_tiny_adapter' comes with VLGraph" "$vlc" dump elsewhere/own.vg
sed 's/dropout="0"/dropout="0.25"/' "$models/vlt5_tiny_adapter.vg" >elsewhere/vlt5_tiny_adapter.vg
recipe own vlt5_tiny_adapter methods/lora.vg >elsewhere/own.vg
outcome 0 "0.25" "$vlc" constants elsewhere/own.vg
