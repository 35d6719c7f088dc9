/* The vocabulary of the shapes data: one id per word. */
#include <string.h>

#include "runtime/data/shapes.h"

/* Ids are positions; 5 and 6 are the two answers to a statement. */
static const char *const words[] = {
    "<pad>", "</s>",  "<unk>",  "<s>",      "<mask>", "true",   "false",    "vqa:",
    "gpa:",  "gqa:",  "nlvr:",  "caption:", "yes",    "no",     "0",        "1",
    "2",     "3",     "4",      "5",        "circle", "square", "triangle", "star",
    "red",   "blue",  "green",  "yellow",   "white",  "purple", "violet",   "small",
    "large", "what",  "colour", "size",     "shape",  "shapes", "is",       "are",
    "the",   "a",     "and",    "of",       "how",    "many",   "there",    "left",
    "right", "above", "below",  "in",       "image",  "images", "both",     "has",
    "have",  "more",  "than",   "or",
};

enum { WORDS = sizeof words / sizeof *words };

int32_t word_count(void)
{
    return WORDS;
}

int32_t word_find(const char *word, size_t len)
{
    for (int32_t i = 0; i < WORDS; i++)
        if (strlen(words[i]) == len && memcmp(words[i], word, len) == 0)
            return i;
    return WORD_UNKNOWN;
}

const char *word_text(int32_t id)
{
    return words[id >= 0 && id < WORDS ? id : WORD_UNKNOWN];
}

int32_t words_encode(const char *text, int32_t *out, int32_t room)
{
    int32_t count = 0;
    for (const char *at = text + strspn(text, " "); *at && count + 1 < room;) {
        size_t len = strcspn(at, " ");
        out[count++] = word_find(at, len);
        at += len;
        at += strspn(at, " ");
    }
    out[count++] = WORD_END;
    return count;
}
