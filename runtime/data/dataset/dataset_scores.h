/* Scores of answers and files of answers, task by task: what a DataSource needs of
 * either. */
#ifndef VLG_RUNTIME_DATA_DATASET_DATASET_SCORES_H
#define VLG_RUNTIME_DATA_DATASET_DATASET_SCORES_H

#include "runtime/data/dataset/task_texts.h"

/* The answer that is worth most, the first of equals; NULL if none is worth anything. */
const DatasetAnswer *dataset_best(const DatasetExample *example);

/* The tokenizer must outlive the scores. */
Scores *dataset_scores_new(AnswerKind metric, const Tokenizer *tokenizer);
void dataset_scores_add(Scores *scores, const Batch *batch, int64_t sequence,
                        const int32_t *ids, int64_t count);
/* The same for an answer as text; `is_true` is what it says of a statement. A tokenizer
 * is not needed then. */
void dataset_scores_add_text(Scores *scores, const DatasetExample *example,
                             const char *said, bool is_right);
const Metric *dataset_scores_finish(Scores *scores, uint32_t *out_count);
void dataset_scores_free(Scores *scores);

/* What one answer is worth, 0..1, by the metric that stands for the task. False if none
 * judges a single example: of captions, and where the data do not tell. */
bool dataset_worth(AnswerKind metric, const DatasetExample *example, const char *said,
                   double *out);

/* NULL if no leaderboard takes answers to the task. */
Dump *dataset_dump_new(const TaskTexts *texts, const Tokenizer *tokenizer,
                       const char *directory);
void dataset_dump_add(Dump *dump, const Batch *batch, int64_t sequence,
                      const int32_t *ids, int64_t count);
bool dataset_dump_write(Dump *dump, Diags *diags);
void dataset_dump_free(Dump *dump);

#endif
