/* SentencePiece models: a thin face of libsentencepiece that C can call. */
#ifndef VLG_RUNTIME_DATA_SENTENCEPIECE_H
#define VLG_RUNTIME_DATA_SENTENCEPIECE_H

#include "ir/base/diag.h"
#include "runtime/data/lists.h"

typedef struct SentencePiece SentencePiece;

/* What sentencepiece_check reads on its way. */
typedef struct SentencePieceFacts {
    bool adds_prefix; /* the model's normalizer itself puts U+2581 in front of a text */
    bool has_bytes;   /* characters without a piece are spelled as bytes */
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

/* Appends the ids of valid UTF-8: normalised, split at blanks, each word by itself. */
void sentencepiece_encode(const SentencePiece *model, const char *text, size_t len,
                          TokenList *out);
/* Appends what piece `id` spells, with U+2581 for blanks; nothing for control pieces. */
void sentencepiece_decode(const SentencePiece *model, int32_t id, TextBuffer *out);

#endif
