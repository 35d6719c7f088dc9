/* A table of words, and four patterns for what it lacks: haem(at)o, -aemia, leukaem,
 * -programme(s) and -our(s), the first that applies. */
#include "runtime/data/text/respelling.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { SHORTEST_IN_TABLE = 4, SHORTEST_BY_PATTERN = 6, SHORTEST_BEFORE_OUR = 3 };

typedef struct Respelling {
    const char *british, *american;
} Respelling;

typedef struct SpelledWord {
    const char *text;
    size_t len;
} SpelledWord;

static const Respelling words[] = {
#define RESPELL(british, american) {british, american},
#define KEEP_OUR(part)
#include "runtime/data/text/respelling.def"
};

static int compare_word(const void *key, const void *element)
{
    const SpelledWord *word = key;
    const char *british = ((const Respelling *)element)->british;
    int order = strncmp(word->text, british, word->len);
    return order ? order : british[word->len] ? -1 : 0;
}

static const char *find(const SpelledWord *word, const char *part)
{
    return memmem(word->text, word->len, part, strlen(part));
}

/* Where the word's ending begins, without a plural's s; NULL if it does not end so. */
static const char *ending(const SpelledWord *word, const char *with)
{
    size_t len = strlen(with), from = word->len;
    if (from && word->text[from - 1] == 's')
        from--;
    if (from < len || memcmp(word->text + from - len, with, len) != 0)
        return NULL;
    return word->text + from - len;
}

static bool keeps_our(const SpelledWord *word)
{
    static const char *const parts[] = {
#define RESPELL(british, american)
#define KEEP_OUR(part) part,
#include "runtime/data/text/respelling.def"
    };
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (find(word, parts[i]))
            return true;
    return false;
}

/* Of colour the "our" that becomes "or"; NULL if it stays. */
static const char *our(const SpelledWord *word)
{
    const char *at = ending(word, "our");
    if (!at || at - word->text < SHORTEST_BEFORE_OUR || keeps_our(word))
        return NULL;
    for (const char *letter = word->text; letter < at; letter++)
        if (*letter < 'a' || *letter > 'z')
            return NULL;
    return at;
}

/* Appends the word with the `from` bytes at `at` replaced. */
static void replace(const SpelledWord *word, const char *at, size_t from, const char *to,
                    TextBuffer *out)
{
    const char *rest = at + from;
    text_buffer_add(out, word->text, (size_t)(at - word->text));
    text_buffer_add(out, to, strlen(to));
    text_buffer_add(out, rest, (size_t)(word->text + word->len - rest));
}

/* Every haemo and haemato, which a word may hold more than once. */
static bool respell_haem(const SpelledWord *word, TextBuffer *out)
{
    bool found = false;
    for (size_t at = 0; at < word->len;) {
        const char *left = word->text + at;
        size_t room = word->len - at;
        bool is_haem = (room >= 5 && memcmp(left, "haemo", 5) == 0) ||
                       (room >= 7 && memcmp(left, "haemato", 7) == 0);
        text_buffer_add(out, is_haem ? "hem" : left, is_haem ? 3 : 1);
        at += is_haem ? 4 : 1;
        found |= is_haem;
    }
    return found;
}

static bool respell_by_pattern(const SpelledWord *word, TextBuffer *out)
{
    size_t before = out->count;
    const char *at;
    if (respell_haem(word, out))
        return true;
    out->count = before;
    if (word->text[word->len - 1] == 'a' && (at = ending(word, "aemia")))
        replace(word, at, 2, "e", out);
    else if ((at = find(word, "leukaem")) || (at = find(word, "Leukaem")))
        replace(word, at + 4, 2, "e", out);
    else if ((at = ending(word, "programme")))
        replace(word, at + 7, 2, "", out);
    else if ((at = our(word)))
        replace(word, at, 3, "or", out);
    return out->count != before;
}

void respelling_add(const char *text, size_t len, TextBuffer *out)
{
    const SpelledWord word = {text, len};
    if (len >= SHORTEST_IN_TABLE) {
        const Respelling *found = bsearch(&word, words, sizeof words / sizeof *words,
                                          sizeof *words, compare_word);
        if (found) {
            text_buffer_add(out, found->american, strlen(found->american));
            return;
        }
    }
    if (len < SHORTEST_BY_PATTERN || !respell_by_pattern(&word, out))
        text_buffer_add(out, text, len);
}
