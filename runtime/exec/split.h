/* A batch cut into micro-batches that end together.
 *
 * Micro-batches are consecutive sequences: as many as capacities need, raised to a
 * multiple of the lanes that the plan names as far as each keeps work enough. Then the
 * largest is as small as consecutive sequences allow, and the others as near to equal as
 * it leaves them. All of it follows from the batch and the plan, never from the lanes at
 * hand. */
#ifndef VLG_RUNTIME_EXEC_SPLIT_H
#define VLG_RUNTIME_EXEC_SPLIT_H

#include "ir/graph.h"

typedef struct SequenceRange {
    int64_t first, count;
} SequenceRange;

typedef struct SplitOptions {
    int64_t max_sequences; /* in a micro-batch; 0: only capacities limit it */
    const int64_t *sizes;  /* an explicit split: sequences per micro-batch, or NULL */
    uint32_t size_count;
    int64_t lanes; /* their number is a multiple of it where work allows; 0: of 1 */
} SplitOptions;

typedef struct SplitJob {
    const Graph *graph; /* capacities of its axes */
    int64_t sequences;
    int64_t *const *starts; /* by axis: [sequences + 1] first rows of sequences */
    const int64_t *work;    /* [sequences + 1] of all sequences before; increases */
    int64_t least_work; /* of a micro-batch, on average, that capacities do not need */
    int64_t max_sequences, lanes; /* as in SplitOptions */
} SplitJob;

/* The axis whose capacity sequences [first, end) exceed, or NULL. */
const Axis *split_too_long(const SplitJob *job, int64_t first, int64_t end);

/* Writes the micro-batches, in order, and returns how many. `out` has room for one per
 * sequence, `latest` for sequences + 1 numbers that are of no use afterwards. A sequence
 * that alone exceeds a capacity is a micro-batch of its own. */
int64_t split_evenly(const SplitJob *job, int64_t *latest, SequenceRange *out);

#endif
