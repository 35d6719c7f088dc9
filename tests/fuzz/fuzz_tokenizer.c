/* A file beside a byte-level vocabulary, which the first byte chooses, and a text. */
#include <string.h>

#include "fuzz.h"
#include "runtime/data/tokenizer/tokenizer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const names[] = {"tokenizer.json", "tokenizer_config.json",
                                        "added_tokens.json", "special_tokens_map.json"};
    static const char vocab[] = "{\"<s>\":0,\"<pad>\":1,\"</s>\":2,\"<unk>\":3,\"a\":4}";
    if (!size)
        return 0;
    FuzzCase fuzz;
    fuzz_begin(&fuzz);
    const char *path = fuzz_file(&fuzz, "vocab.json", vocab, sizeof vocab - 1);
    (void)fuzz_file(&fuzz, "merges.txt", "", 0);
    const char *side = fuzz_file(&fuzz, names[data[0] % 4], data + 1, size - 1);
    Tokenizer *tokenizer = tokenizer_open(path, NULL, fuzz.diags);
    if (tokenizer) {
        TokenList ids = {0};
        tokenizer_encode(tokenizer, " a [LOC] a<extra_id_0> {box}\xc3\xa9 ", 0, &ids);
        for (size_t i = 0; i < ids.count; i++)
            fuzz_expect(&fuzz, ids.ids[i] >= 0 && ids.ids[i] < tokenizer_size(tokenizer),
                        "ids are of the vocabulary");
        (void)tokenizer_decode(tokenizer, ids.ids, (int64_t)ids.count, fuzz.arena);
        token_list_free(&ids);
        tokenizer_free(tokenizer);
    }
    (void)remove(side);
    fuzz_end(&fuzz, tokenizer);
    return 0;
}
