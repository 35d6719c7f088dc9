/* Byte-level byte-pair encoding.
 *
 * A text is cut into words by GPT-2's pattern, a word's bytes become symbols, and of the
 * adjacent pairs of symbols the one whose merge comes first in merges.txt, of equal ones
 * the leftmost, is merged until no pair has a merge. They wait in a heap, so that a word
 * of n bytes takes n log n steps. Symbols are strings of stand-in characters: printable
 * bytes stand for themselves, the other 68 are U+0100, U+0101, .. in increasing order.
 *
 * Every string that occurs in either file is a symbol; those of the vocabulary have an
 * id. */
#include "runtime/data/tokenizer/bpe.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <jansson.h>
#include <pcre2.h>
#include <stdlib.h>
#include <string.h>

#include "ir/base/arena.h"
#include "ir/base/files.h"
#include "ir/base/heap.h"
#include "ir/base/list.h"
#include "ir/base/map.h"
#include "ir/base/strings.h"
#include "runtime/data/text/unicode.h"

typedef struct Merge {
    uint32_t result; /* the symbol */
    uint32_t rank;
} Merge;

struct Bpe {
    Strings *symbols;
    int32_t *symbol_ids;  /* [symbols], -1 if not in the vocabulary */
    uint32_t *id_symbols; /* [size] */
    int32_t size;
    Merge *merges;
    uint32_t merge_count;
    size_t merge_capacity;
    Map merge_places; /* by the two symbols */
    uint32_t byte_symbols[256];
    int32_t code_bytes[256 + 68]; /* stand-in character to byte, or -1 */
    pcre2_code *pattern;
};

enum { LARGEST_FILE = 16 << 20 };
#define NO_SYMBOL UINT32_MAX

/* \s of the pattern is the property White_Space, which PCRE2's own \s exceeds. */
#define SPACES                                                                           \
    "\\x09-\\x0d\\x20\\x85\\xa0\\x{1680}\\x{2000}-\\x{200a}"                             \
    "\\x{2028}\\x{2029}\\x{202f}\\x{205f}\\x{3000}"
static const char pattern_text[] =
    "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^" SPACES "\\p{L}\\p{N}]+"
    "|[" SPACES "]+(?![^" SPACES "])|[" SPACES "]+";

static bool open_pattern(Bpe *bpe)
{
    int error;
    PCRE2_SIZE at;
    bpe->pattern = pcre2_compile((PCRE2_SPTR)pattern_text, PCRE2_ZERO_TERMINATED,
                                 PCRE2_UTF | PCRE2_NO_UTF_CHECK, &error, &at, NULL);
    return bpe->pattern;
}

static bool is_printable_byte(uint32_t byte)
{
    return (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
}

static void add_byte_symbols(Bpe *bpe)
{
    uint32_t next = 256;
    for (size_t i = 0; i < sizeof bpe->code_bytes / sizeof *bpe->code_bytes; i++)
        bpe->code_bytes[i] = -1;
    for (uint32_t byte = 0; byte < 256; byte++) {
        uint32_t code = is_printable_byte(byte) ? byte : next++;
        char text[UTF8_MAX];
        bpe->code_bytes[code] = (int32_t)byte;
        bpe->byte_symbols[byte] =
            strings_add(bpe->symbols, text, utf8_encode(code, text));
    }
}

/* The ids must be 0 .. entries - 1, each once. */
static bool add_entries(Bpe *bpe, json_t *vocab, const char *path, Diags *diags)
{
    Loc loc = {.file = path};
    const char *token;
    json_t *value;
    size_t count = json_object_size(vocab);
    bpe->size = (int32_t)count;
    bpe->id_symbols = heap_array(count, sizeof *bpe->id_symbols);
    memset(bpe->id_symbols, 0xff, count * sizeof *bpe->id_symbols);
    json_object_foreach(vocab, token, value)
    {
        json_int_t id = json_integer_value(value);
        if (!json_is_integer(value) || id < 0 || (size_t)id >= count) {
            diag_error(
                diags, loc,
                "token '%.80s' should have an id from 0 to %zu, one for each entry",
                token, count - 1);
            return false;
        }
        if (bpe->id_symbols[id] != STRING_ABSENT) {
            diag_error(diags, loc, "tokens '%.80s' and '%.80s' have the same id %lld",
                       strings_text(bpe->symbols, bpe->id_symbols[id]), token,
                       (long long)id);
            return false;
        }
        bpe->id_symbols[id] = strings_add(bpe->symbols, token, strlen(token));
    }
    return true;
}

static bool read_vocab(Bpe *bpe, const char *path, Diags *diags)
{
    size_t len;
    json_error_t error;
    char *bytes = file_read(path, LARGEST_FILE, &len, diags);
    if (!bytes)
        return false;
    /* jansson passes over bytes that are 0. */
    const char *zero = memchr(bytes, 0, len);
    if (zero) {
        diag_error(diags, (Loc){.file = path}, "byte %td is 0: this is not JSON text",
                   zero - bytes);
        free(bytes);
        return false;
    }
    json_t *vocab = json_loadb(bytes, len, JSON_REJECT_DUPLICATES, &error);
    free(bytes);
    bool ok = false;
    if (!vocab) {
        Loc loc = {path, (uint32_t)error.line, (uint32_t)error.column};
        diag_error(diags, loc, "%s", error.text);
    } else if (!json_is_object(vocab) || json_object_size(vocab) == 0) {
        diag_error(diags, (Loc){.file = path},
                   "should be an object of tokens and their ids");
    } else {
        ok = add_entries(bpe, vocab, path, diags);
    }
    json_decref(vocab);
    return ok;
}

static uint64_t pair_word(uint32_t left, uint32_t right)
{
    return (uint64_t)left << 32 | right;
}

/* The merge of two symbols, or NULL. */
static const Merge *find_merge(const Bpe *bpe, uint32_t left, uint32_t right)
{
    uint32_t place = map_find_word(&bpe->merge_places, pair_word(left, right));
    return place == MAP_ABSENT ? NULL : &bpe->merges[place];
}

static void set_merge(Bpe *bpe, uint32_t left, uint32_t right, Merge merge)
{
    uint64_t pair = pair_word(left, right);
    uint32_t place = map_find_word(&bpe->merge_places, pair);
    if (place == MAP_ABSENT) {
        place = bpe->merge_count++;
        LIST_ROOM(bpe->merges, bpe->merge_count, bpe->merge_capacity);
        map_add_word(&bpe->merge_places, pair, place);
    }
    bpe->merges[place] = merge;
}

/* "left right"; as in the reference, a pair that comes twice has its last rank. */
static bool add_merge(Bpe *bpe, const char *line, size_t len, uint32_t rank)
{
    const char *blank = memchr(line, ' ', len);
    if (!blank || blank == line || blank == line + len - 1)
        return false;
    size_t left_len = (size_t)(blank - line), right_len = len - left_len - 1;
    if (memchr(blank + 1, ' ', right_len) || memchr(line, 0, len))
        return false;
    uint32_t left = strings_add(bpe->symbols, line, left_len);
    uint32_t right = strings_add(bpe->symbols, blank + 1, right_len);
    TextBuffer both = {0};
    text_buffer_add(&both, line, left_len);
    text_buffer_add(&both, blank + 1, right_len);
    uint32_t result = strings_add(bpe->symbols, both.bytes, both.count);
    text_buffer_free(&both);
    set_merge(bpe, left, right, (Merge){result, rank});
    return true;
}

static size_t line_length(const char *line, const char *end)
{
    const char *newline = memchr(line, '\n', (size_t)(end - line));
    return (size_t)((newline ? newline : end) - line);
}

static bool read_lines(Bpe *bpe, const char *text, size_t text_len, const char *path,
                       Diags *diags)
{
    static const char version[] = "#version";
    const char *end = text + text_len;
    uint32_t number = 0, rank = 0;
    size_t len;
    for (const char *line = text; line < end; line += len + 1) {
        len = line_length(line, end);
        size_t used = len && line[len - 1] == '\r' ? len - 1 : len;
        bool is_version = number++ == 0 && used >= strlen(version) &&
                          memcmp(line, version, strlen(version)) == 0;
        if (is_version || used == 0)
            continue;
        if (!add_merge(bpe, line, used, rank++)) {
            diag_error(diags, (Loc){path, number, 1},
                       "a merge should be two symbols with one blank between them");
            return false;
        }
    }
    return true;
}

static bool read_merges(Bpe *bpe, const char *path, Diags *diags)
{
    size_t len;
    char *text = file_read(path, LARGEST_FILE, &len, diags);
    bool ok = text && read_lines(bpe, text, len, path, diags);
    free(text);
    return ok;
}

static void number_symbols(Bpe *bpe)
{
    uint32_t count = strings_count(bpe->symbols);
    bpe->symbol_ids = heap_array(count, sizeof *bpe->symbol_ids);
    memset(bpe->symbol_ids, 0xff, count * sizeof *bpe->symbol_ids);
    for (int32_t id = 0; id < bpe->size; id++)
        bpe->symbol_ids[bpe->id_symbols[id]] = id;
}

Bpe *bpe_open(const char *vocab_path, const char *merges_path, Diags *diags)
{
    Bpe *bpe = heap_alloc(sizeof *bpe);
    *bpe = (Bpe){.symbols = strings_new()};
    add_byte_symbols(bpe);
    if (!open_pattern(bpe)) {
        diag_error(diags, (Loc){.file = vocab_path}, "libpcre2 lacks Unicode support");
    } else if (read_vocab(bpe, vocab_path, diags) &&
               read_merges(bpe, merges_path, diags)) {
        number_symbols(bpe);
        return bpe;
    }
    bpe_free(bpe);
    return NULL;
}

void bpe_free(Bpe *bpe)
{
    if (!bpe)
        return;
    strings_free(bpe->symbols);
    free(bpe->symbol_ids);
    free(bpe->id_symbols);
    free(bpe->merges);
    map_free(&bpe->merge_places);
    pcre2_code_free(bpe->pattern);
    free(bpe);
}

int32_t bpe_size(const Bpe *bpe)
{
    return bpe->size;
}

const char *bpe_token_text(const Bpe *bpe, int32_t id)
{
    return strings_text(bpe->symbols, bpe->id_symbols[id]);
}

int32_t bpe_token_id(const Bpe *bpe, const char *token)
{
    uint32_t symbol = strings_find(bpe->symbols, token, strlen(token));
    return symbol == STRING_ABSENT ? -1 : bpe->symbol_ids[symbol];
}

/* A word under way. Symbols are where their first byte was and linked to those on either
 * side; one that was merged into its left neighbour is STRING_ABSENT. */
typedef struct Symbol {
    uint32_t symbol, left, right; /* indices; NO_SYMBOL past the ends */
} Symbol;

/* A pair of neighbours that may be merged: the lowest rank first, of one rank the
 * leftmost. It is out of date if its symbols are no longer these. */
typedef struct MergeCandidate {
    uint32_t rank, at, first, second;
} MergeCandidate;

typedef struct BpeWord {
    Symbol *symbols;
    MergeCandidate *pairs; /* a binary heap */
    size_t count, symbol_capacity, pair_count, pair_capacity;
} BpeWord;

static bool comes_before(const MergeCandidate *a, const MergeCandidate *b)
{
    return a->rank != b->rank ? a->rank < b->rank : a->at < b->at;
}

static void heap_add(BpeWord *word, MergeCandidate pair)
{
    size_t at = word->pair_count++;
    for (; at > 0 && comes_before(&pair, &word->pairs[(at - 1) / 2]); at = (at - 1) / 2)
        word->pairs[at] = word->pairs[(at - 1) / 2];
    word->pairs[at] = pair;
}

static MergeCandidate heap_take(BpeWord *word)
{
    MergeCandidate first = word->pairs[0], last = word->pairs[--word->pair_count];
    size_t at = 0;
    for (size_t child; (child = 2 * at + 1) < word->pair_count; at = child) {
        if (child + 1 < word->pair_count &&
            comes_before(&word->pairs[child + 1], &word->pairs[child]))
            child++;
        if (!comes_before(&word->pairs[child], &last))
            break;
        word->pairs[at] = word->pairs[child];
    }
    word->pairs[at] = last;
    return first;
}

/* Offers the symbol at `at` and the one to its right, if they have a merge. */
static void offer(const Bpe *bpe, BpeWord *word, uint32_t at)
{
    if (at == NO_SYMBOL || word->symbols[at].right == NO_SYMBOL)
        return;
    uint32_t first = word->symbols[at].symbol;
    uint32_t second = word->symbols[word->symbols[at].right].symbol;
    const Merge *merge = find_merge(bpe, first, second);
    if (merge)
        heap_add(word, (MergeCandidate){merge->rank, at, first, second});
}

/* Every merge offers at most two new pairs, so 3 x count of them are room enough. */
static void word_start(const Bpe *bpe, BpeWord *word, const char *bytes, size_t count)
{
    LIST_ROOM(word->symbols, count, word->symbol_capacity);
    LIST_ROOM(word->pairs, size_product(3, count), word->pair_capacity);
    word->count = count;
    word->pair_count = 0;
    for (size_t i = 0; i < count; i++)
        word->symbols[i] = (Symbol){bpe->byte_symbols[(unsigned char)bytes[i]],
                                    i ? (uint32_t)i - 1 : NO_SYMBOL,
                                    i + 1 < count ? (uint32_t)i + 1 : NO_SYMBOL};
    for (size_t i = 0; i + 1 < count; i++)
        offer(bpe, word, (uint32_t)i);
}

/* Merges the best pair; false if no pair has a merge. */
static bool word_merge(const Bpe *bpe, BpeWord *word)
{
    if (!word->pair_count)
        return false;
    MergeCandidate pair = heap_take(word);
    Symbol *left = &word->symbols[pair.at];
    if (left->symbol != pair.first || left->right == NO_SYMBOL ||
        word->symbols[left->right].symbol != pair.second)
        return true; /* out of date */
    Symbol *right = &word->symbols[left->right];
    left->symbol = find_merge(bpe, pair.first, pair.second)->result;
    right->symbol = STRING_ABSENT;
    left->right = right->right;
    if (left->right != NO_SYMBOL)
        word->symbols[left->right].left = pair.at;
    offer(bpe, word, left->left);
    offer(bpe, word, pair.at);
    return true;
}

void bpe_encode(const Bpe *bpe, const char *text, size_t len, int32_t unk, TokenList *out)
{
    pcre2_match_data *match = pcre2_match_data_create(1, NULL);
    BpeWord word = {0};
    for (size_t at = 0; match && at < len;) {
        const PCRE2_SIZE *span = pcre2_get_ovector_pointer(match);
        int found = pcre2_match(bpe->pattern, (PCRE2_SPTR)text, len, at,
                                PCRE2_NO_UTF_CHECK | PCRE2_ANCHORED, match, NULL);
        size_t end = found > 0 && span[1] > at ? span[1] : len;
        word_start(bpe, &word, text + at, end - at);
        while (word_merge(bpe, &word))
            continue;
        for (uint32_t i = 0; word.count && i != NO_SYMBOL; i = word.symbols[i].right) {
            int32_t id = bpe->symbol_ids[word.symbols[i].symbol];
            token_list_add(out, id < 0 ? unk : id);
        }
        at = end;
    }
    free(word.symbols);
    free(word.pairs);
    pcre2_match_data_free(match);
}

void bpe_decode(const Bpe *bpe, int32_t id, TextBuffer *out)
{
    const char *token = strings_text(bpe->symbols, bpe->id_symbols[id]);
    size_t len = strings_length(bpe->symbols, bpe->id_symbols[id]);
    const uint32_t codes = sizeof bpe->code_bytes / sizeof *bpe->code_bytes;
    for (size_t i = 0, bytes; i < len; i += bytes) {
        uint32_t code = utf8_decode(token + i, len - i, &bytes);
        int32_t byte = code < codes ? bpe->code_bytes[code] : -1;
        char as_char = (char)byte;
        if (byte >= 0)
            text_buffer_add(out, &as_char, 1);
        else
            text_buffer_add(out, token + i, bytes);
    }
}
