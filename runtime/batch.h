/* A batch of sequences, and where batches come from. The trainer knows nothing else about data.
 *
 * A batch holds, for one task, `sequences` sequences. Every primary axis of the task's graphs has
 * a length per sequence; every `input` of the graphs that comes from the data (all but numbers of
 * the step such as the learning rate) is a field: the rows of all sequences end to end, row-major.
 * A field on `batch` has one row per sequence. A micro-batch is a range of sequences, so its fields
 * are slices of these arrays and nothing is copied. */
#ifndef VLG_RUNTIME_BATCH_H
#define VLG_RUNTIME_BATCH_H

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
    const char *axis; /* the axis of its rows, any kind; "batch" for one row per sequence */
    DType dtype;      /* f32 or i32 */
    int64_t width;
    void *rows;
} BatchField;

typedef struct Batch {
    const char *task;
    int64_t sequences;
    BatchAxis *axes;
    uint32_t axis_count;
    BatchField *fields;
    uint32_t field_count;
    Arena *arena; /* owns everything above */
} Batch;

void batch_free(Batch *batch);

typedef enum Split { SPLIT_train, SPLIT_valid, SPLIT_test, SPLIT_COUNT } Split;

typedef struct TaskScore {
    const char *task, *metric;
    double value;      /* 0..1 */
    int64_t examples;
} TaskScore;

/* A source of batches. All functions may be called from one thread at a time (the reader's). */
typedef struct DataSource DataSource;
struct DataSource {
    void *state;
    /* Optimiser steps in one pass over the training data. */
    int64_t (*epoch_steps)(void *state);
    /* The batch of training step `step` (counted from 0 over all epochs): a function of the seed
     * and the step alone, so that a resumed run sees the same data. NULL and an error at fault. */
    Batch *(*train_batch)(void *state, int64_t step, Diags *diags);
    /* Batch `index` of a split of a task for evaluation; NULL after the last. */
    Batch *(*eval_batch)(void *state, const char *task, Split split, int64_t index, Diags *diags);
    /* Scores predictions (i32 rows of result "prediction", in batch order) of one batch: adds to
     * *hits and *count. */
    void (*score)(void *state, const Batch *batch, const int32_t *prediction, double *hits,
                  int64_t *count);
    const char *(*metric)(void *state, const char *task); /* "exact match", ... */
    /* What tokens say, in words, without those that only begin, close or fill up. NULL if the source
     * has no words. */
    void (*text)(void *state, const int32_t *ids, int64_t count, FILE *out);
    void (*free)(void *state);
};

#endif
