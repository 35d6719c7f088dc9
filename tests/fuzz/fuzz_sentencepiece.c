/* SentencePiece models, and a text encoded by those that are taken. */
#include <stdlib.h>

#include "fuzz.h"
#include "runtime/data/tokenizer/tokenizer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    FuzzCase fuzz;
    fuzz_begin(&fuzz);
    const char *path = fuzz_file(&fuzz, "spiece.model", data, size);
    Tokenizer *tokenizer = tokenizer_open(path, NULL, fuzz.diags);
    if (tokenizer) {
        TokenList ids = {0};
        tokenizer_encode(tokenizer, "A red <extra_id_0> \xe2\x96\x81 square\xff, 3.", 0,
                         &ids);
        for (size_t i = 0; i < ids.count; i++)
            fuzz_expect(&fuzz, ids.ids[i] >= 0 && ids.ids[i] < tokenizer_size(tokenizer),
                        "ids are of the vocabulary");
        (void)tokenizer_decode(tokenizer, ids.ids, (int64_t)ids.count, fuzz.arena);
        token_list_free(&ids);
        tokenizer_free(tokenizer);
    }
    fuzz_end(&fuzz, tokenizer);
    return 0;
}
