/* Text to token ids and back, for the two kinds of tokenizer that checkpoints bring
 * along:
 *
 *     SentencePiece    spiece.model or tokenizer.model   ids </s>       as T5 frames them
 *     byte-level BPE   vocab.json and merges.txt         <s> ids </s>   as BART does
 *
 * tokenizer.json, tokenizer_config.json, added_tokens.json and special_tokens_map.json
 * beside them add tokens, with ids of their own. `extra_ids` sentinels and, after
 * all others, `visual_ids` visual ids are added in falling order, unless the files give
 * them ids: <extra_id_n-1> .. <extra_id_0> <vis_extra_id_m-1> .. <vis_extra_id_0>.
 *
 * A tokenizer is not written to once it is open, so any number of threads may use it. */
#ifndef VLG_RUNTIME_DATA_TOKENIZER_TOKENIZER_H
#define VLG_RUNTIME_DATA_TOKENIZER_TOKENIZER_H

#include <stdint.h>

#include "ir/base/arena.h"
#include "ir/base/diag.h"
#include "runtime/data/text/lists.h"

typedef struct Tokenizer Tokenizer;

typedef struct TokenizerOptions {
    int32_t extra_ids;
    int32_t visual_ids;
} TokenizerOptions;

enum { TOKENIZER_EXTRA_IDS = 100, TOKENIZER_VISUAL_IDS = 100 };

/* What the models are told about the vocabulary. Absent ones are -1. */
typedef struct TokenizerIds {
    int32_t pad, eos, bos, unk, mask;
    int32_t start; /* of every decoder input: pad for SentencePiece, eos for BPE */
} TokenizerIds;

/* `path` is a directory as downloaded from the Hugging Face hub, a SentencePiece model,
 * or a vocab.json with merges.txt beside it. `options` may be NULL for 100 visual
 * ids, and as many sentinels as tokenizer_config.json says, or 100. NULL and an error
 * that names the file if it cannot be used. */
Tokenizer *tokenizer_open(const char *path, const TokenizerOptions *options,
                          Diags *diags);
void tokenizer_free(Tokenizer *tokenizer); /* NULL is allowed */

int32_t tokenizer_size(const Tokenizer *tokenizer); /* ids are 0 .. size - 1 */
TokenizerIds tokenizer_ids(const Tokenizer *tokenizer);
int32_t tokenizer_extra_id(const Tokenizer *tokenizer,
                           int32_t i); /* <extra_id_i>, or -1 */
int32_t tokenizer_visual_id(const Tokenizer *tokenizer, int32_t i); /* <vis_extra_id_i> */

/* Appends the framed ids of `text`; special tokens that it spells out are split out of
 * it, malformed UTF-8 reads as U+FFFD. With max_tokens > 0 at most as many ids are
 * appended: the text is cut, the frame stays. */
void tokenizer_encode(const Tokenizer *tokenizer, const char *text, int64_t max_tokens,
                      TokenList *out);
/* The first id of `text` encoded without frame, by which answers are told apart; unk if
 * there is none. */
int32_t tokenizer_first_id(const Tokenizer *tokenizer, const char *text);

/* How the vocabulary spells an id, with marks for blanks; "" if it is none. */
const char *tokenizer_piece(const Tokenizer *tokenizer, int32_t id);

/* The text of ids[0, count): special tokens and ids that are none are left out, and the
 * blanks that tokens leave before punctuation and contractions are cleaned up. */
char *tokenizer_decode(const Tokenizer *tokenizer, const int32_t *ids, int64_t count,
                       Arena *arena);

#endif
