/* Texts to ids and back: added tokens spelled out in a text, the frame, truncation, and
 * the clean-up of decoded text. */
#include <string.h>

#include "runtime/data/tokenizer/tokenizer_parts.h"
#include "runtime/data/text/unicode.h"

static bool is_blank(const char *text, size_t len)
{
    utf8_strip_left(&text, &len);
    return len == 0;
}

/* A stretch of text that holds no added token. */
static void encode_span(const Tokenizer *tokenizer, const char *text, size_t len,
                        TokenList *out)
{
    if (tokenizer->pieces) {
        if (len)
            sentencepiece_encode(tokenizer->pieces, text, len, out);
        return;
    }
    if (is_blank(text, len))
        return;
    size_t bytes;
    TextBuffer joined = {0};
    if (tokenizer->adds_blank && !unicode_is_space(utf8_decode(text, len, &bytes))) {
        text_buffer_add(&joined, " ", 1);
        text_buffer_add(&joined, text, len);
        text = joined.bytes;
        len = joined.count;
    }
    bpe_encode(tokenizer->bpe, text, len, tokenizer->ids.unk, out);
    text_buffer_free(&joined);
}

typedef void EncodeSpan(const Tokenizer *tokenizer, const char *text, size_t len,
                        TokenList *out);

/* Added tokens of one sort, and what lies between them. */
static void encode_around(const Tokenizer *tokenizer, bool is_normalized,
                          const char *text, size_t len, EncodeSpan *encode,
                          TokenList *out)
{
    size_t at = 0, begin, end;
    const AddedToken *token;
    while ((token = added_tokens_next(tokenizer->added, is_normalized, text, len, at,
                                      &begin, &end))) {
        encode(tokenizer, text + at, begin - at, out);
        token_list_add(out, token->id);
        at = end;
    }
    encode(tokenizer, text + at, len - at, out);
}

static void encode_normal(const Tokenizer *tokenizer, const char *text, size_t len,
                          TokenList *out)
{
    if (tokenizer->bpe) {
        encode_around(tokenizer, true, text, len, encode_span, out);
        return;
    }
    TextBuffer normal = {0};
    if (len)
        sentencepiece_normalize(tokenizer->pieces, text, len, &normal);
    if (normal.count)
        encode_around(tokenizer, true, normal.bytes, normal.count, encode_span, out);
    text_buffer_free(&normal);
}

static void encode_valid(const Tokenizer *tokenizer, const char *text, size_t len,
                         TokenList *out)
{
    encode_around(tokenizer, false, text, len, encode_normal, out);
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

/* -- decoding ------------------------------------------------------------------------ */

/* Ids of added tokens that are not special stand for their text. */
static void add_token_text(const Tokenizer *tokenizer, int32_t id, TextBuffer *out)
{
    const AddedToken *added = added_tokens_find_id(tokenizer->added, id);
    if (added && !added->is_special)
        text_buffer_add(out, added->text, added->len);
    if (added || id < 0 || id >= tokenizer->base)
        return;
    if (tokenizer->bpe)
        bpe_decode(tokenizer->bpe, id, out);
    else
        sentencepiece_decode(tokenizer->pieces, id, out);
}

/* U+2581 becomes a blank, at the very start nothing if such blanks are dropped. */
static void replace_marks(TextBuffer *text, bool drops_start)
{
    static const char mark[] = "\xe2\x96\x81";
    const size_t mark_len = sizeof mark - 1;
    size_t kept = 0;
    for (size_t i = 0; i < text->count;) {
        if (text->count - i < mark_len || memcmp(text->bytes + i, mark, mark_len) != 0) {
            text->bytes[kept++] = text->bytes[i++];
            continue;
        }
        if (i > 0 || !drops_start)
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
        replace_marks(&raw, sentencepiece_drops_start(tokenizer->pieces));
    add_repaired(raw.bytes, raw.count, &text);
    char *result = arena_string(arena, text.bytes ? text.bytes : "", text.count);
    text_buffer_free(&raw);
    text_buffer_free(&text);
    if (!tokenizer->keeps_blanks)
        clean_up(result);
    return result;
}
