/* Whether a tokenizer knows the words of a data set. */
#ifndef VLG_RUNTIME_DATA_DATASET_DATASET_UNKNOWN_H
#define VLG_RUNTIME_DATA_DATASET_DATASET_UNKNOWN_H

#include "runtime/data/dataset/dataset_load.h"

/* A warning with figures if more than UNKNOWN_PERCENT of the tokens of the split's texts
 * or answers are unknown, judged by UNKNOWN_SAMPLE of its first `count` examples. */
enum { UNKNOWN_PERCENT = 2, UNKNOWN_SAMPLE = 1000 };
void dataset_warn_unknown(const TaskTexts *texts, Split split, const ExampleList *list,
                          int64_t count, const Tokenizer *tokenizer, Diags *diags);

#endif
