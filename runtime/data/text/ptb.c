/* The words that caption metrics are published with: Stanford's PTBTokenizer with
 * -preserveLines -lowerCase, and then all punctuation of a list left out.
 *
 * The brackets stay in although the published list names -LRB- and its like: that list is
 * in upper case and is compared with tokens in lower case. */
#include "runtime/data/text/ptb.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "ir/base/arena.h"
#include "ir/base/heap.h"
#include "runtime/data/text/lists.h"
#include "runtime/data/text/ptb_lexer.h"
#include "runtime/data/text/respelling.h"
#include "runtime/data/text/unicode.h"

#define NO_BREAK_SPACE "\xc2\xa0"
#define SOFT_HYPHEN "\xc2\xad"

/* A caption as valid UTF-8 and as classes, both with a newline and 0 at the end. Class i
 * stands for the bytes from offsets[i] to offsets[i + 1]. */
typedef struct Scan {
    TextBuffer text;
    unsigned char *classes;
    size_t *offsets;
    size_t count;
    TextBuffer token, lower; /* scratch */
    PtbToken *add;
    void *context;
} Scan;

typedef struct Spelling {
    unsigned kinds; /* bits of PtbKind */
    const char *from, *to;
} Spelling;

enum {
    IN_SPACED = 1u << PTB_spaced | 1u << PTB_rounded,
    IN_ROUNDED = 1u << PTB_rounded | 1u << PTB_marks,
    IN_MARKS = 1u << PTB_marks,
    IN_HYPHENED = 1u << PTB_word | 1u << PTB_hyphened
};

static const Spelling spellings[] = {
    {IN_SPACED, " ", NO_BREAK_SPACE}, {IN_ROUNDED, "(", "-lrb-"},
    {IN_ROUNDED, ")", "-rrb-"},       {IN_MARKS, "[", "-lsb-"},
    {IN_MARKS, "]", "-rsb-"},         {IN_MARKS, "{", "-lcb-"},
    {IN_MARKS, "}", "-rcb-"},         {IN_MARKS, "&apos;", "'"},
    {IN_MARKS, "&amp;", "&"},         {IN_MARKS, "&lt;", "<"},
    {IN_MARKS, "&gt;", ">"},          {IN_MARKS, "\u2018", "`"},
    {IN_MARKS, "\u201b", "`"},        {IN_MARKS, "\u2039", "`"},
    {IN_MARKS, "\xc2\x91", "`"},      {IN_MARKS, "\u2019", "'"},
    {IN_MARKS, "\u203a", "'"},        {IN_MARKS, "\xc2\x92", "'"},
    {IN_MARKS, "\u201c", "``"},       {IN_MARKS, "\u00ab", "``"},
    {IN_MARKS, "\xc2\x93", "``"},     {IN_MARKS, "\u201d", "''"},
    {IN_MARKS, "\u00bb", "''"},       {IN_MARKS, "\xc2\x94", "''"},
    {IN_MARKS, "\u00a2", "cents"},    {IN_MARKS, "\u00a3", "#"},
    {IN_MARKS, "\u00a4", "$"},        {IN_MARKS, "\u20a0", "$"},
    {IN_MARKS, "\u20ac", "$"},        {IN_MARKS, "\xc2\x80", "$"},
    {IN_MARKS, "\u00bc", "1/4"},      {IN_MARKS, "\u00bd", "1/2"},
    {IN_MARKS, "\u00be", "3/4"},      {IN_MARKS, "\u2153", "1/3"},
    {IN_MARKS, "\u2154", "2/3"},      {IN_HYPHENED, SOFT_HYPHEN, ""},
};

static const Spelling *find_spelling(PtbKind kind, const char *text, size_t len)
{
    for (size_t i = 0; i < sizeof spellings / sizeof *spellings; i++) {
        size_t from = strlen(spellings[i].from);
        if (spellings[i].kinds >> kind & 1 && from <= len &&
            strncasecmp(text, spellings[i].from, from) == 0)
            return &spellings[i];
    }
    return NULL;
}

/* The token as it is spelled, into `out`. */
static void spell(PtbKind kind, const char *text, size_t len, TextBuffer *out)
{
    for (size_t at = 0; at < len;) {
        const Spelling *spelling = find_spelling(kind, text + at, len - at);
        if (spelling) {
            text_buffer_add(out, spelling->to, strlen(spelling->to));
            at += strlen(spelling->from);
        } else {
            text_buffer_add(out, text + at++, 1);
        }
    }
    if (len && !out->count)
        text_buffer_add(out, "-", 1); /* it was soft hyphens only */
}

static bool is_left_out(const TextBuffer *token)
{
    static const char *const list[] = {"''", "'", "``", "`", ".",  "?",  "!",
                                       ",",  ":", "-",  ";", "--", "..."};
    for (size_t i = 0; i < sizeof list / sizeof *list; i++)
        if (strlen(list[i]) == token->count &&
            memcmp(list[i], token->bytes, token->count) == 0)
            return true;
    return false;
}

static void add_token(Scan *scan, PtbKind kind, const char *text, size_t len)
{
    TextBuffer *token = &scan->token, *lower = &scan->lower;
    token->count = lower->count = 0;
    spell(kind, text, len, token);
    if (kind == PTB_word) {
        respelling_add(token->bytes, token->count, lower);
        token->count = 0;
        text_buffer_add(token, lower->bytes, lower->count);
        lower->count = 0;
    }
    for (size_t i = 0, bytes; i < token->count; i += bytes) {
        uint32_t code = utf8_decode(token->bytes + i, token->count - i, &bytes);
        text_buffer_add_code(lower, unicode_lower(code));
    }
    if (!is_left_out(lower))
        scan->add(scan->context, lower->bytes, lower->count);
}

/* Lexes at class `at` and returns how many classes that took. No rule sees more than
 * PTB_LONGEST of them: the next one reads as the end meanwhile. */
static size_t scan_token(Scan *scan, size_t at)
{
    unsigned char *stop = NULL, hidden = 0, *from = scan->classes + at;
    size_t count;
    if (scan->count - at > PTB_LONGEST) {
        stop = from + PTB_LONGEST;
        hidden = *stop;
        *stop = 0;
    }
    PtbKind kind = ptb_lex(from, &count);
    size_t address = ptb_lex_address(from);
    if (stop)
        *stop = hidden;
    if (address > count) {
        count = address;
        kind = PTB_plain;
    }
    if (kind != PTB_skip)
        add_token(scan, kind, scan->text.bytes + scan->offsets[at],
                  scan->offsets[at + count] - scan->offsets[at]);
    return count;
}

static void scan_start(Scan *scan, const char *text)
{
    size_t len = strlen(text), count = 0;
    for (size_t i = 0, bytes; i < len; i += bytes, count++)
        text_buffer_add_code(&scan->text, utf8_decode(text + i, len - i, &bytes));
    text_buffer_add(&scan->text, "\n", 2);
    scan->count = count + 1;
    scan->classes = heap_alloc(count + 2);
    scan->offsets = heap_array(count + 2, sizeof *scan->offsets);
    size_t at = 0, bytes;
    for (size_t i = 0; i < count + 2; i++, at += bytes) {
        scan->offsets[i] = at;
        scan->classes[i] = ptb_class(scan->text.bytes + at, &bytes);
    }
}

void ptb_tokenize(const char *text, PtbToken *add, void *context)
{
    Scan scan = {.add = add, .context = context};
    scan_start(&scan, text);
    for (size_t at = 0; at < scan.count;)
        at += scan_token(&scan, at);
    free(scan.classes);
    free(scan.offsets);
    text_buffer_free(&scan.text);
    text_buffer_free(&scan.token);
    text_buffer_free(&scan.lower);
}

const char *caption_words_next(CaptionWords *words, size_t *out_len)
{
    utf8_strip_left(&words->rest, &words->len);
    const char *word = words->rest;
    size_t bytes;
    while (words->len &&
           !unicode_is_strip(utf8_decode(words->rest, words->len, &bytes))) {
        words->rest += bytes;
        words->len -= bytes;
    }
    *out_len = (size_t)(words->rest - word);
    return *out_len ? word : NULL;
}
