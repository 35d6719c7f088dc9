/* SentencePiece models: a thin face of libsentencepiece that C can call. */
#ifndef VLG_RUNTIME_DATA_TOKENIZER_SENTENCEPIECE_H
#define VLG_RUNTIME_DATA_TOKENIZER_SENTENCEPIECE_H

#include "ir/base/diag.h"
#include "runtime/data/text/lists.h"

typedef struct SentencePiece SentencePiece;

/* What sentencepiece_check reads on its way. */
typedef struct SentencePieceFacts {
    bool adds_prefix;  /* the model's normalizer itself puts U+2581 in front of a text */
    bool drops_blanks; /* it drops blanks at both ends and all but one of several */
    bool escapes_blanks; /* it writes U+2581 for a blank */
    bool has_bytes;      /* characters without a piece are spelled as bytes */
} SentencePieceFacts;

/* Whether the bytes are a well-formed model whose character map cannot lead the library's
 * look-ups outside of it. An error that names `path` and the byte if not. */
NODISCARD bool sentencepiece_check(const char *path, const unsigned char *bytes,
                                   size_t count, SentencePieceFacts *out_facts,
                                   Diags *diags);

SentencePiece *sentencepiece_open(const char *path, Diags *diags);
void sentencepiece_free(SentencePiece *model);
int32_t sentencepiece_size(const SentencePiece *model);

typedef enum SentencePieceId {
    SENTENCEPIECE_pad,
    SENTENCEPIECE_eos,
    SENTENCEPIECE_bos,
    SENTENCEPIECE_unk
} SentencePieceId;

int32_t sentencepiece_id(const SentencePiece *model, SentencePieceId which); /* or -1 */
const char *sentencepiece_piece(const SentencePiece *model, int32_t id);

/* Appends valid UTF-8 as the model's character map has it, with single blanks between
 * words. What is not cut into words stays as it is. */
void sentencepiece_normalize(const SentencePiece *model, const char *text, size_t len,
                             TextBuffer *out);
/* Appends the ids of normalised text: of each word by itself if the model treats blanks
 * as T5's does, and otherwise of the whole, whose blanks count. */
void sentencepiece_encode(const SentencePiece *model, const char *text, size_t len,
                          TokenList *out);
/* Whether blanks at a text's very start are not part of it. */
bool sentencepiece_drops_start(const SentencePiece *model);
int32_t sentencepiece_find(const SentencePiece *model, const char *piece); /* or -1 */
/* Appends what piece `id` spells, with U+2581 for blanks; nothing for control pieces. */
void sentencepiece_decode(const SentencePiece *model, int32_t id, TextBuffer *out);

#endif
