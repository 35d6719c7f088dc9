/* What the two kinds of tokenizer share: finding the files, the added ids, special tokens
 * spelled out in a text, the frame, truncation and the clean-up of decoded text. */
#include "runtime/data/tokenizer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "runtime/data/bpe.h"
#include "runtime/data/sentencepiece.h"
#include "runtime/data/unicode.h"

/* Which blanks next to a special token in a text go away with it. */
typedef enum Strip { STRIP_none = 0, STRIP_left = 1, STRIP_right = 2 } Strip;

typedef struct Special {
    const char *text;
    int32_t id;
    unsigned strip;
} Special;

enum { SPECIAL_MAX = 5, LARGEST_ADDED = 1 << 20 };

struct Tokenizer {
    SentencePiece *pieces; /* one of the two is NULL */
    Bpe *bpe;
    int32_t base; /* ids before the added ones */
    TokenizerOptions added;
    TokenizerIds ids;
    Special specials[SPECIAL_MAX];
    uint32_t special_count;
};

static bool is_file(const char *path)
{
    struct stat facts;
    return stat(path, &facts) == 0 && !S_ISDIR(facts.st_mode);
}

static bool is_directory(const char *path)
{
    struct stat facts;
    return stat(path, &facts) == 0 && S_ISDIR(facts.st_mode);
}

static void add_special(Tokenizer *tokenizer, const char *text, int32_t id,
                        unsigned strip)
{
    tokenizer->specials[tokenizer->special_count++] = (Special){text, id, strip};
}

static bool open_pieces(Tokenizer *tokenizer, const char *path, Diags *diags)
{
    SentencePiece *model = tokenizer->pieces = sentencepiece_open(path, diags);
    if (!model)
        return false;
    TokenizerIds *ids = &tokenizer->ids;
    *ids = (TokenizerIds){.pad = sentencepiece_id(model, SENTENCEPIECE_pad),
                          .eos = sentencepiece_id(model, SENTENCEPIECE_eos),
                          .bos = sentencepiece_id(model, SENTENCEPIECE_bos),
                          .unk = sentencepiece_id(model, SENTENCEPIECE_unk),
                          .mask = -1};
    ids->start = ids->pad;
    if (ids->pad < 0 || ids->eos < 0 || ids->unk < 0) {
        diag_error(
            diags, (Loc){.file = path},
            "the model should have ids for padding, end of text and unknown, but has "
            "%d, %d and %d",
            ids->pad, ids->eos, ids->unk);
        return false;
    }
    add_special(tokenizer, sentencepiece_piece(model, ids->pad), ids->pad, STRIP_none);
    add_special(tokenizer, sentencepiece_piece(model, ids->eos), ids->eos, STRIP_none);
    add_special(tokenizer, sentencepiece_piece(model, ids->unk), ids->unk, STRIP_none);
    tokenizer->base = sentencepiece_size(model);
    return true;
}

static bool open_bpe(Tokenizer *tokenizer, const char *vocab, const char *merges,
                     Diags *diags)
{
    TokenizerIds *ids = &tokenizer->ids;
    const struct {
        const char *text;
        int32_t *id;
        unsigned strip;
    } names[SPECIAL_MAX] = {{"<s>", &ids->bos, STRIP_none},
                            {"<pad>", &ids->pad, STRIP_none},
                            {"</s>", &ids->eos, STRIP_none},
                            {"<unk>", &ids->unk, STRIP_none},
                            {"<mask>", &ids->mask, STRIP_left}};
    tokenizer->bpe = bpe_open(vocab, merges, diags);
    if (!tokenizer->bpe)
        return false;
    for (uint32_t i = 0; i < SPECIAL_MAX; i++) {
        *names[i].id = bpe_token_id(tokenizer->bpe, names[i].text);
        if (*names[i].id >= 0) {
            add_special(tokenizer, names[i].text, *names[i].id, names[i].strip);
        } else if (names[i].id != &ids->mask) {
            diag_error(diags, (Loc){.file = vocab}, "there is no token '%s'",
                       names[i].text);
            return false;
        }
    }
    ids->start = ids->eos;
    tokenizer->base = bpe_size(tokenizer->bpe);
    return true;
}

/* vocab.json, and merges.txt in the same directory */
static bool open_vocab(Tokenizer *tokenizer, const char *vocab, Diags *diags)
{
    const char *slash = strrchr(vocab, '/');
    Arena *arena = arena_new();
    const char *merges = arena_format(arena, "%.*smerges.txt",
                                      slash ? (int)(slash + 1 - vocab) : 0, vocab);
    bool good = open_bpe(tokenizer, vocab, merges, diags);
    arena_free(arena);
    return good;
}

static bool open_directory(Tokenizer *tokenizer, const char *path, Diags *diags)
{
    static const char *const names[] = {"spiece.model", "tokenizer.model", "vocab.json"};
    Arena *arena = arena_new();
    bool good = false, found = false;
    for (uint32_t i = 0; i < 3 && !found; i++) {
        const char *file = arena_format(arena, "%s/%s", path, names[i]);
        found = is_file(file);
        if (found)
            good = i < 2 ? open_pieces(tokenizer, file, diags)
                         : open_vocab(tokenizer, file, diags);
    }
    if (!found)
        diag_error(
            diags, (Loc){.file = path},
            "there is no spiece.model, tokenizer.model, or vocab.json with merges.txt "
            "in this directory");
    arena_free(arena);
    return good;
}

static bool ends_with(const char *text, const char *end)
{
    size_t len = strlen(text), end_len = strlen(end);
    return len >= end_len && strcmp(text + len - end_len, end) == 0;
}

Tokenizer *tokenizer_open(const char *path, const TokenizerOptions *options, Diags *diags)
{
    Tokenizer *tokenizer = heap_alloc(sizeof *tokenizer);
    *tokenizer = (Tokenizer){.added = {TOKENIZER_EXTRA_IDS, TOKENIZER_VISUAL_IDS}};
    if (options)
        tokenizer->added = *options;
    const TokenizerOptions *added = &tokenizer->added;
    bool good;
    if (added->extra_ids < 0 || added->extra_ids > LARGEST_ADDED ||
        added->visual_ids < 0 || added->visual_ids > LARGEST_ADDED) {
        diag_error(diags, (Loc){.file = path},
                   "the numbers of added ids should be 0 to %d, not %d and %d",
                   LARGEST_ADDED, added->extra_ids, added->visual_ids);
        good = false;
    } else if (is_directory(path)) {
        good = open_directory(tokenizer, path, diags);
    } else if (ends_with(path, ".json")) {
        good = open_vocab(tokenizer, path, diags);
    } else {
        good = open_pieces(tokenizer, path, diags);
    }
    if (good)
        return tokenizer;
    tokenizer_free(tokenizer);
    return NULL;
}

void tokenizer_free(Tokenizer *tokenizer)
{
    if (!tokenizer)
        return;
    sentencepiece_free(tokenizer->pieces);
    bpe_free(tokenizer->bpe);
    free(tokenizer);
}

int32_t tokenizer_size(const Tokenizer *tokenizer)
{
    return tokenizer->base + tokenizer->added.extra_ids + tokenizer->added.visual_ids;
}

TokenizerIds tokenizer_ids(const Tokenizer *tokenizer)
{
    return tokenizer->ids;
}

int32_t tokenizer_extra_id(const Tokenizer *tokenizer, int32_t i)
{
    if (i < 0 || i >= tokenizer->added.extra_ids)
        return -1;
    return tokenizer->base + tokenizer->added.extra_ids - 1 - i;
}

int32_t tokenizer_visual_id(const Tokenizer *tokenizer, int32_t i)
{
    if (i < 0 || i >= tokenizer->added.visual_ids)
        return -1;
    return tokenizer_size(tokenizer) - 1 - i;
}

/* The i of `prefix` i ">" at the start of the text and its length, or -1. */
static int32_t read_number(const char *text, size_t len, const char *prefix,
                           size_t *out_len)
{
    size_t at = strlen(prefix), first = at;
    int32_t number = 0;
    if (len < at || memcmp(text, prefix, at) != 0)
        return -1;
    for (; at < len && at < first + 7 && text[at] >= '0' && text[at] <= '9'; at++)
        number = 10 * number + (text[at] - '0');
    bool has_zeros = at > first + 1 && text[first] == '0';
    if (at == first || at == len || text[at] != '>' || has_zeros)
        return -1;
    *out_len = at + 1;
    return number;
}

/* Whether a special token starts the text. */
static bool match_special(const Tokenizer *tokenizer, const char *text, size_t len,
                          Special *out, size_t *out_len)
{
    for (uint32_t i = 0; i < tokenizer->special_count; i++) {
        const Special *special = &tokenizer->specials[i];
        *out_len = strlen(special->text);
        if (*out_len && *out_len <= len && memcmp(text, special->text, *out_len) == 0) {
            *out = *special;
            return true;
        }
    }
    if (*text != '<')
        return false;
    int32_t id =
        tokenizer_extra_id(tokenizer, read_number(text, len, "<extra_id_", out_len));
    if (id < 0)
        id = tokenizer_visual_id(tokenizer,
                                 read_number(text, len, "<vis_extra_id_", out_len));
    *out = (Special){NULL, id, STRIP_left | STRIP_right};
    return id >= 0;
}

static bool is_blank(const char *text, size_t len)
{
    utf8_strip_left(&text, &len);
    return len == 0;
}

/* The text between special tokens. SentencePiece drops blanks at both ends by itself. */
static void encode_span(const Tokenizer *tokenizer, const char *text, size_t len,
                        unsigned strip, TokenList *out)
{
    if (tokenizer->pieces) {
        if (len)
            sentencepiece_encode(tokenizer->pieces, text, len, out);
        return;
    }
    if (strip & STRIP_left)
        utf8_strip_left(&text, &len);
    if (strip & STRIP_right)
        utf8_strip_right(text, &len);
    if (!is_blank(text, len))
        bpe_encode(tokenizer->bpe, text, len, tokenizer->ids.unk, out);
}

static void encode_valid(const Tokenizer *tokenizer, const char *text, size_t len,
                         TokenList *out)
{
    size_t begin = 0;
    unsigned strip = STRIP_none; /* of the span under way, at its left end */
    for (size_t at = 0; at < len;) {
        Special special;
        size_t special_len;
        if (!match_special(tokenizer, text + at, len - at, &special, &special_len)) {
            at++;
            continue;
        }
        if (special.strip & STRIP_left)
            strip |= STRIP_right;
        encode_span(tokenizer, text + begin, at - begin, strip, out);
        token_list_add(out, special.id);
        strip = special.strip & STRIP_right ? STRIP_left : STRIP_none;
        begin = at += special_len;
    }
    encode_span(tokenizer, text + begin, len - begin, strip, out);
}

/* Malformed bytes become U+FFFD, and so does 0, which no string can hold. */
static void add_repaired(const char *text, size_t len, TextBuffer *out)
{
    for (size_t i = 0, bytes; i < len; i += bytes) {
        uint32_t code = utf8_decode(text + i, len - i, &bytes);
        text_buffer_add_code(out, code ? code : UNICODE_REPLACEMENT);
    }
}

static void encode_text(const Tokenizer *tokenizer, const char *text, TokenList *out)
{
    size_t len = strlen(text);
    if (utf8_is_valid(text, len)) {
        encode_valid(tokenizer, text, len, out);
        return;
    }
    TextBuffer repaired = {0};
    add_repaired(text, len, &repaired);
    encode_valid(tokenizer, repaired.bytes, repaired.count, out);
    text_buffer_free(&repaired);
}

void tokenizer_encode(const Tokenizer *tokenizer, const char *text, int64_t max_tokens,
                      TokenList *out)
{
    size_t begin = out->count;
    if (tokenizer->bpe)
        token_list_add(out, tokenizer->ids.bos);
    encode_text(tokenizer, text, out);
    if (max_tokens > 0 && (int64_t)(out->count - begin) >= max_tokens)
        out->count = begin + (size_t)max_tokens - 1;
    token_list_add(out, tokenizer->ids.eos);
}

int32_t tokenizer_first_id(const Tokenizer *tokenizer, const char *text)
{
    TokenList ids = {0};
    encode_text(tokenizer, text, &ids);
    int32_t first = ids.count ? ids.ids[0] : tokenizer->ids.unk;
    token_list_free(&ids);
    return first;
}

static bool is_special(const Tokenizer *tokenizer, int32_t id)
{
    for (uint32_t i = 0; i < tokenizer->special_count; i++)
        if (tokenizer->specials[i].id == id)
            return true;
    return false;
}

static void add_token_text(const Tokenizer *tokenizer, int32_t id, TextBuffer *out)
{
    if (id < 0 || id >= tokenizer->base || is_special(tokenizer, id))
        return;
    if (tokenizer->bpe)
        bpe_decode(tokenizer->bpe, id, out);
    else
        sentencepiece_decode(tokenizer->pieces, id, out);
}

/* U+2581 becomes a blank, at the very start nothing. */
static void replace_marks(TextBuffer *text)
{
    static const char mark[] = "\xe2\x96\x81";
    const size_t mark_len = sizeof mark - 1;
    size_t kept = 0;
    for (size_t i = 0; i < text->count;) {
        if (text->count - i < mark_len || memcmp(text->bytes + i, mark, mark_len) != 0) {
            text->bytes[kept++] = text->bytes[i++];
            continue;
        }
        if (i > 0)
            text->bytes[kept++] = ' ';
        i += mark_len;
    }
    text->count = kept;
}

/* Each replacement goes over the whole text before the next one does. */
static void clean_up(char *text)
{
    static const struct {
        const char *from, *to;
    } rules[] = {{" .", "."},     {" ?", "?"},     {" !", "!"},   {" ,", ","},
                 {" ' ", "'"},    {" n't", "n't"}, {" 'm", "'m"}, {" 's", "'s"},
                 {" 've", "'ve"}, {" 're", "'re"}};
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        size_t from = strlen(rules[i].from), to = strlen(rules[i].to);
        char *kept = text;
        for (const char *at = text; *at;) {
            if (strncmp(at, rules[i].from, from) == 0) {
                memcpy(kept, rules[i].to, to);
                kept += to;
                at += from;
            } else {
                *kept++ = *at++;
            }
        }
        *kept = 0;
    }
}

char *tokenizer_decode(const Tokenizer *tokenizer, const int32_t *ids, int64_t count,
                       Arena *arena)
{
    TextBuffer raw = {0}, text = {0};
    for (int64_t i = 0; i < count; i++)
        add_token_text(tokenizer, ids[i], &raw);
    if (tokenizer->pieces)
        replace_marks(&raw);
    add_repaired(raw.bytes, raw.count, &text);
    char *result = arena_string(arena, text.bytes ? text.bytes : "", text.count);
    text_buffer_free(&raw);
    text_buffer_free(&text);
    clean_up(result);
    return result;
}
