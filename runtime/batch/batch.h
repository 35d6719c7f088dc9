/* A batch of sequences, and where batches come from. The trainer uses nothing else of
 * data.
 *
 * A batch holds, for one task, `sequences` sequences. Every primary axis of the task's
 * graphs has a length per sequence; every `input` of the graphs that comes from the data
 * (all but numbers of the step such as the learning rate) is a field: the rows of all
 * sequences end to end, row-major. A field on `batch` has one row per sequence. A
 * micro-batch is a range of sequences, so its fields are slices of these arrays and
 * nothing is copied. */
#ifndef VLG_RUNTIME_BATCH_BATCH_H
#define VLG_RUNTIME_BATCH_BATCH_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "ir/graph.h"

typedef struct BatchAxis {
    const char *name; /* of a primary axis */
    int32_t *lengths; /* [sequences] */
} BatchAxis;

typedef struct BatchField {
    const char *name; /* of an input */
    const char *axis; /* of its rows, any kind; "batch" for one row per sequence */
    DType dtype;      /* f32 or i32 */
    int64_t width;
    void *rows;
    bool is_counted; /* of memory that others gave: there are `row_count` rows */
    int64_t row_count;
} BatchField;

typedef struct Batch {
    const char *task;
    int64_t sequences;
    /* So many sequences in a row share the rows of some axes: these stand with the first
     * of them, where the others have none. 0 or 1: each has its own. */
    int64_t group;
    BatchAxis *axes;
    uint32_t axis_count;
    BatchField *fields;
    uint32_t field_count;
    Arena *arena; /* owns everything above */
} Batch;

void batch_free(Batch *batch);

typedef enum Split { SPLIT_train, SPLIT_valid, SPLIT_test, SPLIT_COUNT } Split;

extern const char *const split_names[SPLIT_COUNT + 1]; /* NULL at the end */

/* One number that says how good answers are. */
typedef struct Metric {
    const char *name;
    double value;     /* as people read it */
    const char *unit; /* "%" or "" */
    int64_t examples;
} Metric;

/* A question that one of two tokens answers: that which is the likelier one after tokens
 * given beyond the first of every sequence. */
typedef struct TokenChoice {
    int32_t given[1];
    int32_t given_count;
    int32_t first, other; /* `first` must have the greater logit to be chosen */
} TokenChoice;

typedef struct Scores Scores; /* a running evaluation of the answers to one task */
typedef struct Dump Dump;     /* answers to one task on their way to a file */

/* A source of batches. All functions may be called from one thread at a time (the
 * reader's). */
typedef struct DataSource DataSource;
struct DataSource {
    void *state;
    /* Optimiser steps in one pass over the training data. */
    int64_t (*epoch_steps)(void *state);
    /* The task, of the module's, that a training step takes its batch from. */
    uint32_t (*step_task)(void *state, int64_t step);
    /* The batch of training step `step` (counted from 0 over all epochs): a function of
     * the seed and the step alone, so that a resumed run sees the same data. NULL and an
     * error at fault. */
    Batch *(*train_batch)(void *state, int64_t step, Diags *diags);
    /* Batch `index` of a split of a task for evaluation; NULL after the last. */
    Batch *(*eval_batch)(void *state, const char *task, Split split, int64_t index,
                         Diags *diags);
    /* Whether the task's questions are choices; else any tokens may answer. */
    bool (*choice)(void *state, const char *task, TokenChoice *out);
    /* What the data call the example of a sequence. */
    const char *(*example)(void *state, const Batch *batch, int64_t sequence);
    /* What tokens say, in words, without those that only begin, close or fill up. NULL if
     * the source has no words. */
    void (*text)(void *state, const int32_t *ids, int64_t count, FILE *out);

    Scores *(*scores_new)(void *state, const char *task);
    void (*scores_add)(Scores *scores, const Batch *batch, int64_t sequence,
                       const int32_t *ids, int64_t count);
    /* All metrics, that which stands for the task first; they live as long as the
     * scores. */
    const Metric *(*scores_finish)(Scores *scores, uint32_t *out_count);
    void (*scores_free)(Scores *scores);

    /* The file of answers that the task's leaderboard takes, in `directory`. NULL if
     * there is no such leaderboard. */
    Dump *(*dump_new)(void *state, const char *task, const char *directory);
    void (*dump_add)(Dump *dump, const Batch *batch, int64_t sequence, const int32_t *ids,
                     int64_t count);
    bool (*dump_write)(Dump *dump, Diags *diags); /* false and an error if it cannot */
    void (*dump_free)(Dump *dump);

    void (*free)(void *state);
};

#endif
