/* Byte-level byte-pair encoding with the vocabulary files of GPT-2, RoBERTa and BART. */
#ifndef VLG_RUNTIME_DATA_TOKENIZER_BPE_H
#define VLG_RUNTIME_DATA_TOKENIZER_BPE_H

#include "ir/base/diag.h"
#include "runtime/data/text/lists.h"

typedef struct Bpe Bpe;

Bpe *bpe_open(const char *vocab_path, const char *merges_path, Diags *diags);
void bpe_free(Bpe *bpe);
int32_t bpe_size(const Bpe *bpe);
const char *bpe_token_text(const Bpe *bpe, int32_t id);
int32_t bpe_token_id(const Bpe *bpe, const char *token); /* or -1 */

/* Appends the ids of valid UTF-8; `unk` for symbols that are not in the vocabulary. */
void bpe_encode(const Bpe *bpe, const char *text, size_t len, int32_t unk,
                TokenList *out);
/* Appends the bytes that token `id` stands for. */
void bpe_decode(const Bpe *bpe, int32_t id, TextBuffer *out);

#endif
