/* SentencePiece's own trainer, for tests. */
#ifndef VLG_TESTS_RUNTIME_DATA_TOKENIZER_TRAIN_SENTENCEPIECE_H
#define VLG_TESTS_RUNTIME_DATA_TOKENIZER_TRAIN_SENTENCEPIECE_H

#include <stdbool.h>

/* `arguments` as for spm_train. */
bool train_sentencepiece(const char *arguments);

#endif
