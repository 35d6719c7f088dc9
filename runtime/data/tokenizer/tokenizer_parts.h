/* What an open tokenizer consists of. */
#ifndef VLG_RUNTIME_DATA_TOKENIZER_TOKENIZER_PARTS_H
#define VLG_RUNTIME_DATA_TOKENIZER_TOKENIZER_PARTS_H

#include "runtime/data/tokenizer/added_tokens.h"
#include "runtime/data/tokenizer/bpe.h"
#include "runtime/data/tokenizer/sentencepiece.h"
#include "runtime/data/tokenizer/tokenizer.h"

struct Tokenizer {
    SentencePiece *pieces; /* one of the two is NULL */
    Bpe *bpe;
    int32_t base; /* ids of the vocabulary itself */
    int32_t size; /* of all */
    TokenizerIds ids;
    AddedTokens *added; /* special ones of the vocabulary, too */
    bool adds_blank, keeps_blanks;
};

#endif
