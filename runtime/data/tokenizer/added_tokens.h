/* Tokens beside a tokenizer's own vocabulary, found in a text as they are spelled. What a
 * flag means is what it means to Hugging Face's tokenizers. */
#ifndef VLG_RUNTIME_DATA_TOKENIZER_ADDED_TOKENS_H
#define VLG_RUNTIME_DATA_TOKENIZER_ADDED_TOKENS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct AddedToken {
    const char *text;
    size_t len;
    int32_t id;
    const char *file;   /* that tells of it; NULL: none */
    bool is_single;     /* only where no letter, digit or _ is next to it */
    bool strips_left;   /* white space before it belongs to it */
    bool strips_right;  /* and after it */
    bool is_normalized; /* it is looked for in the normalised text */
    bool is_special;    /* it is left out when ids become text */
} AddedToken;

typedef struct AddedTokens AddedTokens;

AddedTokens *added_tokens_new(void);
void added_tokens_free(AddedTokens *tokens); /* NULL is allowed */

/* Keeps a copy of the token's text. */
AddedToken *added_tokens_add(AddedTokens *tokens, const AddedToken *token);
/* Before the first look-up by text in a text, and after the last token is added. */
void added_tokens_sort(AddedTokens *tokens);

size_t added_tokens_count(const AddedTokens *tokens);
/* In any order; NULL past the last. */
AddedToken *added_tokens_at(const AddedTokens *tokens, size_t i);
AddedToken *added_tokens_find(const AddedTokens *tokens, const char *text);
const AddedToken *added_tokens_find_id(const AddedTokens *tokens, int32_t id);

/* The first token in text[from, len) and the stretch that belongs to it; of several at
 * one place the longest. NULL if there is none. */
const AddedToken *added_tokens_next(const AddedTokens *tokens, bool is_normalized,
                                    const char *text, size_t len, size_t from,
                                    size_t *out_begin, size_t *out_end);

#endif
