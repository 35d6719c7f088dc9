/* Words of captions: any text at all, and nothing of it twice. */
#include <string.h>

#include "fuzz.h"
#include "runtime/data/text/ptb.h"

typedef struct Words {
    FuzzCase fuzz;
    size_t total;
} Words;

static void add(void *context, const char *token, size_t len)
{
    Words *words = context;
    fuzz_expect(&words->fuzz, len > 0 && token[0] != ' ', "a word has letters");
    words->total += len;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Words words = {.total = 0};
    fuzz_begin(&words.fuzz);
    char *text = arena_string(words.fuzz.arena, (const char *)data, size);
    ptb_tokenize(text, add, &words);
    fuzz_expect(&words.fuzz, words.total <= 16 * size + 64,
                "words are not much longer than the text");
    fuzz_end(&words.fuzz, true);
    return 0;
}
