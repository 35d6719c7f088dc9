/* Random batches that fit a graph, for verification. */
#ifndef VLG_RUNTIME_CHECK_RANDOM_BATCH_H
#define VLG_RUNTIME_CHECK_RANDOM_BATCH_H

#include "runtime/batch/batch.h"

/* Every sequence has so many rows on this primary axis. */
typedef struct FixedLength {
    const char *axis;
    int64_t rows;
} FixedLength;

typedef struct RandomBatch {
    int64_t sequences;
    int64_t longest; /* rows of a sequence on a primary axis; the axis may allow less */
    uint64_t seed;
    const FixedLength *fixed; /* [fixed_count]: axes whose lengths are not random */
    uint32_t fixed_count;
} RandomBatch;

/* Every primary axis gets random lengths of 1 or more (whole grids where a pool asks for
 * them), every field random rows, near 0 with deviation about 1; row numbers stay within
 * their tables. */
Batch *random_batch(const Graph *graph, const RandomBatch *wanted);
/* Rows of an axis in a batch made for that graph. Lengths that the graph does not allow
 * count none: the batch is refused when it is run, and no memory is taken for it. */
int64_t random_batch_rows(const Graph *graph, const Batch *batch, int32_t axis);

/* A number in [-1, 1), a function of seed and index. */
double random_unit(uint64_t seed, uint64_t index);

#endif
