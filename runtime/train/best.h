/* The best of the validations so far, by one score: which checkpoint is the best, and
 * whether the run still becomes better.
 *
 * All of it follows from the scores in metrics.jsonl, which a run that goes on reads
 * again: so it decides as one that was never stopped. */
#ifndef VLG_RUNTIME_TRAIN_BEST_H
#define VLG_RUNTIME_TRAIN_BEST_H

#include "runtime/train/evaluate.h"

typedef struct BestScore {
    /* TASK, TASK.METRIC, or "mean": that of all tasks' first metrics; NULL: no score */
    const char *by;
    int64_t patience; /* validations without a better score that end it; 0: none do */
    bool is_known;
    double score;
    int64_t step;   /* steps done then */
    int64_t misses; /* validations since */
} BestScore;

/* Whether `by` can be a score of the module's tasks; an error names the nearest. */
NODISCARD bool best_check(const char *by, const Module *module, Diags *diags);

/* Whether an evaluation has any score of its task. */
bool best_is_scored(const char *by, const Evaluation *evaluation);
/* The score in an evaluation. False and an error, with the nearest metric, if it has
 * none. */
NODISCARD bool best_find(const char *by, const Evaluation *evaluation, double *out_score,
                         Diags *diags);

/* A validation after `step` steps: whether it is the best so far. A greater score is
 * better; the first of equals is the best. */
bool best_take(BestScore *best, int64_t step, double score);
bool best_is_over(const BestScore *best);

/* Takes the validations in a file of metrics, in their order. False and an error if it
 * cannot be read. */
NODISCARD bool best_replay(BestScore *best, const char *path, Diags *diags);

#endif
