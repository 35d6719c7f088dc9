/* vocab.json and merges.txt, with a 0 between them, and a text encoded. */
#include <string.h>

#include "fuzz.h"
#include "runtime/data/tokenizer/bpe.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *cut = size ? memchr(data, 0, size) : NULL;
    if (!cut)
        return 0;
    FuzzCase fuzz;
    fuzz_begin(&fuzz);
    size_t first = (size_t)(cut - data);
    const char *vocab = fuzz_file(&fuzz, "vocab.json", data, first);
    const char *merges = fuzz_file(&fuzz, "merges.txt", cut + 1, size - first - 1);
    Bpe *bpe = bpe_open(vocab, merges, fuzz.diags);
    if (bpe) {
        static const char text[] = "A red square's  side, 3 \xc3\xa9";
        TokenList ids = {0};
        TextBuffer decoded = {0};
        bpe_encode(bpe, text, sizeof text - 1, 0, &ids);
        for (size_t i = 0; i < ids.count; i++)
            bpe_decode(bpe, ids.ids[i], &decoded);
        text_buffer_free(&decoded);
        token_list_free(&ids);
        bpe_free(bpe);
    }
    fuzz_end(&fuzz, bpe);
    return 0;
}
