/* A tokenizer in the style of Stanford's PTBTokenizer with -lowerCase, which caption
 * metrics are published with:
 *
 *     don't -> do n't     dog's -> dog 's      cannot -> can not     dogs' -> dogs
 *     u.s. mr. 3.5 1,000 10:30 t-shirt o'clock 1/2 (as 1\/2) stay one token
 *     ( ) [ ] { } -> -lrb- -rrb- -lsb- -rsb- -lcb- -rcb-
 *
 * The brackets stay in although the published list of punctuation names -LRB- and its
 * like: that list is in upper case and is compared with tokens in lower case.
 *
 * LIMIT: respelling of British words, web and mail addresses other than whole
 * blank-separated ones, smileys, and rules that need the original case (AT&T) are not
 * followed. */
#include "runtime/data/ptb.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "runtime/data/lists.h"
#include "runtime/data/unicode.h"

/* [at, end) is the rest of a run of text without blanks; `is_last` if no run follows. */
typedef struct Scan {
    const char *at, *end;
    bool is_last;
    PtbToken *add;
    void *context;
} Scan;

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* All bytes above ASCII are letters: `simplify` has set symbols apart. */
static bool is_word(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'z') || (unsigned char)c >= 0x80;
}

/* The byte `by` places further on, or 0 past the end. */
static char peek(const Scan *scan, const char *at, size_t by)
{
    return (size_t)(scan->end - at) > by ? at[by] : 0;
}

static bool starts(const char *at, const char *end, const char *with)
{
    size_t len = strlen(with);
    return (size_t)(end - at) >= len && memcmp(at, with, len) == 0;
}

static bool is_listed(const char *at, size_t len, const char *const *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strlen(list[i]) == len && memcmp(at, list[i], len) == 0)
            return true;
    return false;
}

static void add(const Scan *scan, const char *token, size_t len)
{
    if (len)
        scan->add(scan->context, token, len);
}

static void add_text(const Scan *scan, const char *token)
{
    add(scan, token, strlen(token));
}

/* With "\/" for "/", as the treebank has it. */
static void add_escaped(const Scan *scan, const char *token, size_t len)
{
    TextBuffer text = {0};
    for (size_t i = 0; i < len; i++) {
        if (token[i] == '/' || token[i] == '*')
            text_buffer_add(&text, "\\", 1);
        text_buffer_add(&text, token + i, 1);
    }
    add(scan, text.bytes, text.count);
    text_buffer_free(&text);
}

/* The length of the clitic that begins with the apostrophe at `at`, or 0. */
static size_t clitic_length(const Scan *scan, const char *at)
{
    static const char *const clitics[] = {"'s", "'m", "'d", "'ll", "'re", "'ve"};
    for (size_t i = 0; i < sizeof clitics / sizeof *clitics; i++) {
        size_t len = strlen(clitics[i]);
        if (starts(at, scan->end, clitics[i]) && !is_word(peek(scan, at, len)))
            return len;
    }
    return 0;
}

/* Whole words that begin with an apostrophe: 'em 'n' 'til '90s, or a clitic. */
static size_t apostrophe_length(const Scan *scan)
{
    static const char *const words[] = {"'em", "'n'", "'n", "'till", "'til", "'cause"};
    size_t len = clitic_length(scan, scan->at);
    for (size_t i = 0; !len && i < sizeof words / sizeof *words; i++)
        if (starts(scan->at, scan->end, words[i]) &&
            !is_word(peek(scan, scan->at, strlen(words[i]))))
            len = strlen(words[i]);
    if (!len && is_digit(peek(scan, scan->at, 1)) && peek(scan, scan->at, 2) == '0' &&
        peek(scan, scan->at, 3) == 's')
        len = 4;
    return len;
}

/* Whether the byte at `at` holds the word [begin, at) and what follows it together. */
static bool joins(const Scan *scan, const char *begin, const char *at)
{
    char before = at[-1], mark = *at, after = peek(scan, at, 1);
    if (!is_word(after))
        return false;
    bool one_letter = at - begin == 1 || !is_word(at[-2]);
    switch (mark) {
    case '-':
    case '/':
    case '_':
        return true;
    case '.':
        if (is_digit(before) && is_digit(after))
            return true;
        return one_letter && !is_digit(before) && !is_digit(after) &&
               !is_word(peek(scan, at, 2));
    case ',':
    case ':':
        return is_digit(before) && is_digit(after);
    case '\'':
        return one_letter && strchr("dol", before) && !clitic_length(scan, at);
    default:
        return false;
    }
}

/* Words that the treebank cuts in two, `cut` bytes from the end. */
static size_t assimilation_cut(const char *word, size_t len)
{
    static const char *const two[] = {"gonna", "gotta", "lemme", "gimme", "wanna"};
    static const char *const three[] = {"cannot", "dunno"};
    if (is_listed(word, len, two, sizeof two / sizeof *two))
        return 2;
    return is_listed(word, len, three, sizeof three / sizeof *three) ? 3 : 0;
}

/* Whether a period after the word belongs to it. */
static bool keeps_period(const Scan *scan, const char *word, size_t len)
{
    static const char *const short_forms[] = {
        "mr",   "mrs", "ms",  "dr",  "prof", "sr",  "jr",   "st",  "ave",
        "blvd", "mt",  "ft",  "etc", "vs",   "inc", "ltd",  "co",  "corp",
        "jan",  "feb", "apr", "aug", "sep",  "oct", "sept", "nov", "dec"};
    bool ends_text = scan->is_last && word + len + 1 == scan->end;
    if (memchr(word, '.', len) && !is_digit(word[0]))
        return true;
    if (len == 1 && !is_digit(*word) && (unsigned char)*word < 0x80)
        return !ends_text;
    return is_listed(word, len, short_forms, sizeof short_forms / sizeof *short_forms);
}

static void scan_word(Scan *scan)
{
    const char *begin = scan->at, *at = begin;
    while (at < scan->end && (is_word(*at) || (at > begin && joins(scan, begin, at))))
        at++;
    size_t len = (size_t)(at - begin);
    scan->at = at;
    bool is_negated = starts(at, scan->end, "'t") && !is_word(peek(scan, at, 2));
    if (is_negated && at[-1] == 'n') {
        add_escaped(scan, begin, len - 1);
        add_text(scan, "n't");
        scan->at = at + 2;
        return;
    }
    if (len == 1 && *begin == 'y' && *at == '\'' && is_word(peek(scan, at, 1))) {
        add_text(scan, "y'");
        scan->at = at + 1;
        return;
    }
    if (peek(scan, at, 0) == '.' && peek(scan, at, 1) != '.' &&
        keeps_period(scan, begin, len))
        scan->at = begin + ++len;
    size_t cut = assimilation_cut(begin, len);
    add_escaped(scan, begin, len - cut);
    add(scan, begin + len - cut, cut);
}

static void scan_mark(Scan *scan)
{
    static const struct {
        char mark;
        const char *token; /* "" if it is left out */
    } marks[] = {{'(', "-lrb-"}, {')', "-rrb-"}, {'[', "-lsb-"}, {']', "-rsb-"},
                 {'{', "-lcb-"}, {'}', "-rcb-"}, {'/', "\\/"},   {'*', "\\*"},
                 {'"', ""},      {'`', ""},      {'\'', ""},     {'.', ""},
                 {',', ""},      {';', ""},      {':', ""},      {'?', ""},
                 {'!', ""},      {'-', ""}};
    char mark = *scan->at++;
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
        if (marks[i].mark == mark) {
            add_text(scan, marks[i].token);
            return;
        }
    add(scan, &mark, 1);
}

static void scan_token(Scan *scan)
{
    const char *at = scan->at;
    bool after_word = peek(scan, at, 0) == '\'' && starts(at, scan->end, "'t");
    if (after_word && (starts(at, scan->end, "'tis") || starts(at, scan->end, "'twas"))) {
        add_text(scan, "'t");
        scan->at += 2;
        return;
    }
    size_t len = *at == '\'' ? apostrophe_length(scan) : 0;
    if (len) {
        add(scan, at, len);
        scan->at += len;
    } else if (is_word(*at)) {
        scan_word(scan);
    } else if ((*at == '.' || *at == '-' || *at == '+') && is_digit(peek(scan, at, 1))) {
        /* .5 and -5 are numbers */
        const char *end = at + 1;
        while (end < scan->end && (is_word(*end) || joins(scan, at, end)))
            end++;
        scan->at = end;
        add_escaped(scan, at, (size_t)(end - at));
    } else {
        scan_mark(scan);
    }
}

static void scan_run(Scan *scan)
{
    bool is_address = starts(scan->at, scan->end, "http:") ||
                      starts(scan->at, scan->end, "https:") ||
                      starts(scan->at, scan->end, "www.");
    if (is_address) {
        while (scan->end > scan->at && strchr(".,;:?!'\")", scan->end[-1]))
            scan->end--;
        add_escaped(scan, scan->at, (size_t)(scan->end - scan->at));
        return;
    }
    while (scan->at < scan->end)
        scan_token(scan);
}

/* Writes the code point in lower case, marks of typography as ASCII and symbols between
 * blanks. */
static void simplify(uint32_t code, TextBuffer *out)
{
    static const struct {
        uint32_t code;
        const char *text;
    } marks[] = {{0xa2, " cents "}, {0xa3, " # "},   {0x20ac, " $ "}, {0xbc, " 1/4 "},
                 {0xbd, " 1/2 "},   {0xbe, " 3/4 "}, {0x2018, "'"},   {0x2019, "'"},
                 {0x201c, "\""},    {0x201d, "\""},  {0x2013, " "},   {0x2014, " "},
                 {0x2026, " "},     {0xab, " "},     {0xbb, " "}};
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
        if (marks[i].code == code) {
            text_buffer_add(out, marks[i].text, strlen(marks[i].text));
            return;
        }
    if (unicode_is_strip(code) || code < 0x20)
        text_buffer_add(out, " ", 1);
    else
        text_buffer_add_code(out, unicode_lower(code));
}

void ptb_tokenize(const char *text, PtbToken *add_token, void *context)
{
    TextBuffer plain = {0};
    size_t len = strlen(text);
    for (size_t i = 0, bytes; i < len; i += bytes)
        simplify(utf8_decode(text + i, len - i, &bytes), &plain);
    while (plain.count && plain.bytes[plain.count - 1] == ' ')
        plain.count--;
    const char *end = plain.bytes + plain.count;
    for (const char *at = plain.bytes; at < end;) {
        const char *blank = memchr(at, ' ', (size_t)(end - at));
        const char *stop = blank ? blank : end;
        Scan scan = {at, stop, stop == end, add_token, context};
        scan_run(&scan);
        at = stop + 1;
    }
    text_buffer_free(&plain);
}
