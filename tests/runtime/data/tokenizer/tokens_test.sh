#!/usr/bin/env bash
# vlrun tokens: what the files of a tokenizer's directory add, contradictions between them,
# words of captions, exit codes.
. "$(dirname "$0")/../../../head.sh"
model=$models/shapes/spiece.model source=$root/tests/runtime/data/text

# fresh: an empty directory for a tokenizer's files, with the vocabulary of the shapes: 143 ids
fresh() {
    rm -rf "$work/t"
    mkdir "$work/t"
    cp "$model" "$work/t/spiece.model"
}
# ids TEXT IDS: of the tokenizer in $work/t
ids() {
    found=$(printf '%s' "$1" | "$vlrun" tokens --tokenizer "$work/t" | cut -f1)
    [ "$found" = "$2" ] || fail "'$1': '$found', not '$2'"
}
# refused FILE CONTENT MESSAGE
refused() {
    fresh
    printf '%s' "$2" >"$work/t/$1"
    out=$("$vlrun" tokens --tokenizer "$work/t" </dev/null 2>&1)
    status=$?
    case $out in
    *"$1"*"$3"*) [ $status -eq 1 ] && return ;;
    esac
    fail "$1 '$2': exit $status, expected 1 and '$3'; output: $out"
}

# Without files: 100 sentinels, then 100 visual ids.
fresh
ids 'red <extra_id_99><extra_id_0> <vis_extra_id_99>' '48 143 242 243 1'

# Tokens of files are found as they stand, of two the longer, and visual ids follow them.
printf '{"[LOC]": 243, "{box}": 244, "[LO": 245}' >"$work/t/added_tokens.json"
ids 'red [LOC]is {box} [LO' '48 243 34 244 245 1'
ids '<vis_extra_id_99>' '246 1'
piece=$(echo 'red [LOC]' | "$vlrun" tokens --tokenizer "$work/t/spiece.model" | cut -f2)
[ "$piece" = '▁red [LOC] </s>' ] || fail "pieces: '$piece'"

# Flags: "re" by itself only; special tokens of a list get ids after all others.
fresh
cat >"$work/t/tokenizer_config.json" <<'END'
{"extra_ids": 2, "added_tokens_decoder":
  {"145": {"content": "re", "single_word": true}, "0": {"content": "<pad>", "special": true}},
 "additional_special_tokens": ["<extra_id_0>", "<extra_id_1>", "<new>"]}
END
ids 'red re <extra_id_1><extra_id_0><new> <vis_extra_id_99>' '48 145 143 144 146 147 1'

# What tokenizer.json says of all tokens.
fresh
cat >"$work/t/tokenizer.json" <<'END'
{"added_tokens": [{"id": 243, "content": "is", "lstrip": true, "normalized": false}],
 "model": {"type": "Unigram", "vocab": [["<pad>", 0], ["</s>", 0]]}}
END
out=$("$vlrun" tokens --tokenizer "$work/t" </dev/null 2>&1) && fail 'a short vocabulary is accepted'
case $out in
*'has 2 tokens, but the one beside it 143'*) ;;
*) fail "a short vocabulary: $out" ;;
esac

refused added_tokens.json '{"[LOC]": 5}' "'[LOC]' has the id 5, which is another's among the 143"
refused added_tokens.json '{"▁red": 300}' 'has the id 300, but 48 in the vocabulary'
refused added_tokens.json '{"[LOC]": 150}' "have the same id 150"
refused added_tokens.json '{"a1": 243, "a2": 243}' "'a1' and 'a2' have the same id 243"
refused added_tokens.json '{"[LOC]": "243"}' 'should be an integer id'
refused added_tokens.json '{"[LOC]": -1}' 'has the id -1'
refused added_tokens.json '{"[LOC]": 243, "[LOC]": 244}' 'duplicate'
refused added_tokens.json '{"": 243}' '1 to 256 bytes'
refused added_tokens.json '["[LOC]"]' 'should be an object'
refused added_tokens.json '{"[LOC]": ' ':1:10: error: '
refused special_tokens_map.json '{"eos_token": {"content": "<eos>"}}' \
    "eos_token is '<eos>', but '</s>' in the vocabulary"
refused tokenizer_config.json '{"pad_token": "[PAD]"}' "pad_token is '[PAD]'"
refused tokenizer_config.json '{"do_lower_case": true}' 'do_lower_case'
refused tokenizer_config.json '{"added_tokens_decoder": {"x": {"content": "a"}}}' "not 'x'"
refused tokenizer.json '{"normalizer": {"type": "Lowercase"}}' "'Lowercase'"
refused tokenizer.json '{"pre_tokenizer": {"type": "Metaspace", "prepend_scheme": "first"}}' \
    "not 'first'"
refused tokenizer.json '{}' 'model.vocab'
fresh
printf '{"[LOC]": 243}' >"$work/t/added_tokens.json"
printf '{"added_tokens_decoder": {"244": {"content": "[LOC]"}}}' >"$work/t/tokenizer_config.json"
out=$("$vlrun" tokens --tokenizer "$work/t" </dev/null 2>&1) && fail 'two ids are accepted'
case $out in
*"added_tokens.json: error: token '[LOC]' has the id 243, but 244 in "*tokenizer_config.json*) ;;
*) fail "two ids: $out" ;;
esac

# Words of captions, as metrics count them.
cut -f1 "$source/caption_tokens.tsv" "$source/caption_rules.tsv" |
    "$vlrun" tokens --captions >"$work/words" || fail 'captions'
cut -f2 "$source/caption_tokens.tsv" "$source/caption_rules.tsv" | cmp - "$work/words" ||
    fail 'words of captions'

"$vlrun" tokens --captions </dev/null >/dev/null 2>&1 || fail 'no lines are no error'
"$vlrun" tokens 2>/dev/null </dev/null
[ $? -eq 2 ] || fail 'neither option'
"$vlrun" tokens --captions --tokenizer "$work/t" 2>/dev/null </dev/null
[ $? -eq 2 ] || fail 'both options'
printf 'a\0b\n' | "$vlrun" tokens --captions >/dev/null 2>&1
[ $? -eq 1 ] || fail 'a byte 0'
if [ -w /dev/full ]; then
    echo a | "$vlrun" tokens --captions >/dev/full 2>/dev/null
    [ $? -eq 1 ] || fail 'a full device'
fi
# A link that leads nowhere is no near miss of itself.
ln -s nowhere "$work/dangling.model"
out=$("$vlrun" tokens --tokenizer "$work/dangling.model" 2>&1 </dev/null) && fail 'a dangling link'
case $out in
*'did you mean'*) fail "a dangling link: $out" ;;
*'dangling.model: error: cannot be read: No such file'*) ;;
*) fail "a dangling link: $out" ;;
esac
