/* Tokens sorted by their bytes: the longest that starts at some place is found by
 * narrowing a range of them, a byte at a time. Work is at most a text's length times the
 * longest token's, which ADDED_LONGEST bounds where files are read. */
#include "runtime/data/tokenizer/added_tokens.h"

#include <stdlib.h>
#include <string.h>

#include "ir/base/arena.h"
#include "ir/base/heap.h"
#include "ir/base/list.h"
#include "ir/base/strings.h"
#include "runtime/data/text/ptb_lexer.h"
#include "runtime/data/text/unicode.h"

struct AddedTokens {
    Arena *arena;
    Strings *names; /* numbers are places in `all` */
    AddedToken **all;
    size_t count, capacity;
    AddedToken **sorted[2]; /* by text: those of plain and of normalised texts */
    size_t sorted_count[2];
    AddedToken **by_id;
};

AddedTokens *added_tokens_new(void)
{
    AddedTokens *tokens = heap_alloc(sizeof *tokens);
    *tokens = (AddedTokens){.arena = arena_new(), .names = strings_new()};
    return tokens;
}

void added_tokens_free(AddedTokens *tokens)
{
    if (!tokens)
        return;
    strings_free(tokens->names);
    arena_free(tokens->arena);
    free(tokens->all);
    free(tokens->sorted[0]);
    free(tokens->sorted[1]);
    free(tokens->by_id);
    free(tokens);
}

AddedToken *added_tokens_add(AddedTokens *tokens, const AddedToken *token)
{
    LIST_ROOM(tokens->all, tokens->count + 1, tokens->capacity);
    AddedToken *own = ARENA_ARRAY(tokens->arena, AddedToken, 1);
    *own = *token;
    own->text = arena_string(tokens->arena, token->text, token->len);
    if (token->file)
        own->file = arena_string(tokens->arena, token->file, strlen(token->file));
    (void)strings_add(tokens->names, own->text, own->len);
    return tokens->all[tokens->count++] = own;
}

static int compare_texts(const void *left, const void *right)
{
    const AddedToken *a = *(AddedToken *const *)left, *b = *(AddedToken *const *)right;
    size_t len = a->len < b->len ? a->len : b->len;
    int order = memcmp(a->text, b->text, len);
    return order ? order : (a->len > b->len) - (a->len < b->len);
}

static int compare_ids(const void *left, const void *right)
{
    const AddedToken *a = *(AddedToken *const *)left, *b = *(AddedToken *const *)right;
    return (a->id > b->id) - (a->id < b->id);
}

void added_tokens_sort(AddedTokens *tokens)
{
    for (int kind = 0; kind < 2; kind++) {
        tokens->sorted[kind] =
            heap_grow(tokens->sorted[kind], tokens->count, sizeof *tokens->all);
        tokens->sorted_count[kind] = 0;
    }
    tokens->by_id = heap_grow(tokens->by_id, tokens->count, sizeof *tokens->all);
    for (size_t i = 0; i < tokens->count; i++) {
        int kind = tokens->all[i]->is_normalized;
        tokens->sorted[kind][tokens->sorted_count[kind]++] = tokens->all[i];
        tokens->by_id[i] = tokens->all[i];
    }
    for (int kind = 0; kind < 2; kind++)
        qsort(tokens->sorted[kind], tokens->sorted_count[kind], sizeof *tokens->all,
              compare_texts);
    qsort(tokens->by_id, tokens->count, sizeof *tokens->all, compare_ids);
}

size_t added_tokens_count(const AddedTokens *tokens)
{
    return tokens->count;
}

AddedToken *added_tokens_at(const AddedTokens *tokens, size_t i)
{
    return i < tokens->count ? tokens->all[i] : NULL;
}

AddedToken *added_tokens_find(const AddedTokens *tokens, const char *text)
{
    uint32_t number = strings_find(tokens->names, text, strlen(text));
    return number == STRING_ABSENT ? NULL : tokens->all[number];
}

const AddedToken *added_tokens_find_id(const AddedTokens *tokens, int32_t id)
{
    const AddedToken key = {.id = id}, *at = &key;
    AddedToken **found = NULL;
    if (tokens->count)
        found = bsearch(&at, tokens->by_id, tokens->count, sizeof *tokens->by_id,
                        compare_ids);
    return found ? *found : NULL;
}

/* How many of the first `count` tokens, equal up to `depth`, have a smaller byte there
 * than `byte`, which may be 256; a token that ends has the smallest. */
static size_t count_below(AddedToken *const *tokens, size_t count, size_t depth, int byte)
{
    size_t low = 0;
    while (count > 0) {
        const AddedToken *middle = tokens[low + count / 2];
        int has = middle->len > depth ? (unsigned char)middle->text[depth] : -1;
        if (has < byte) {
            low += count / 2 + 1;
            count -= count / 2 + 1;
        } else {
            count /= 2;
        }
    }
    return low;
}

static const AddedToken *longest(const AddedTokens *tokens, int kind, const char *text,
                                 size_t len)
{
    AddedToken *const *range = tokens->sorted[kind];
    size_t count = tokens->sorted_count[kind];
    const AddedToken *found = NULL;
    for (size_t depth = 0; depth < len && count; depth++) {
        int byte = (unsigned char)text[depth];
        size_t first = count_below(range, count, depth, byte);
        count = count_below(range, count, depth, byte + 1) - first;
        range += first;
        if (count && range[0]->len == depth + 1)
            found = range[0];
    }
    return found;
}

static bool is_word(const char *text, size_t len)
{
    size_t bytes;
    uint32_t code = utf8_decode(text, len, &bytes);
    char one[UTF8_MAX + 1] = {0};
    (void)utf8_encode(code, one);
    return ptb_is_word_class(ptb_class(one, &bytes));
}

static size_t last_character(const char *text, size_t end)
{
    size_t at = end - 1;
    while (at > 0 && ((unsigned char)text[at] & 0xc0) == 0x80)
        at--;
    return at;
}

static bool stands_alone(const char *text, size_t len, size_t begin, size_t end)
{
    if (begin > 0) {
        size_t before = last_character(text, begin);
        if (is_word(text + before, begin - before))
            return false;
    }
    return end == len || !is_word(text + end, len - end);
}

const AddedToken *added_tokens_next(const AddedTokens *tokens, bool is_normalized,
                                    const char *text, size_t len, size_t from,
                                    size_t *out_begin, size_t *out_end)
{
    for (size_t at = from; at < len && tokens->sorted_count[is_normalized];) {
        const AddedToken *token = longest(tokens, is_normalized, text + at, len - at);
        if (!token) {
            at++;
            continue;
        }
        size_t begin = at, end = at + token->len;
        at = end;
        if (token->is_single && !stands_alone(text, len, begin, end))
            continue;
        if (token->strips_left) {
            size_t left = begin - from;
            utf8_strip_right(text + from, &left);
            begin = from + left;
        }
        if (token->strips_right) {
            const char *rest = text + end;
            size_t right = len - end;
            utf8_strip_left(&rest, &right);
            end = len - right;
        }
        *out_begin = begin;
        *out_end = end;
        return token;
    }
    return NULL;
}
