/* What one lane does of a micro-batch that all lanes compute together, in one slab.
 *
 * A decode graph has few rows and reads every weight for them: lanes with micro-batches
 * of their own would each read all weights. Together they read them once: a lane makes
 * its columns of the products with packed matrices, for all rows, and of all else the
 * rows of its sequences. Lanes meet before each call. No number depends on the division.
 *
 * Beams of one sequence read the same rows of what was kept of it. Those need not be
 * repeated: Batch.group. */
#ifndef VLG_RUNTIME_EXEC_PARTS_H
#define VLG_RUNTIME_EXEC_PARTS_H

#include <stdatomic.h>

#include "codegen/program.h"
#include "runtime/exec/microbatch.h"

/* What a lane does of a call. */
typedef enum Reach {
    REACH_rows,    /* the rows of its sequences */
    REACH_groups,  /* the same; those of a group are one sequence */
    REACH_columns, /* its columns, of all rows */
    REACH_all,     /* lane 0 all of it, other lanes nothing */
    REACH_COUNT
} Reach;

typedef struct Parts {
    const Program *program;
    Reach *reach;       /* by call */
    AxisTables *tables; /* of the lane's sequences */
    AxisView *groups;   /* by axis: of its groups */
    int32_t **group_offsets;
    LaneContext contexts[REACH_COUNT];
    _Atomic int64_t *meetings; /* arrivals of all lanes, all in all */
    int64_t met;               /* of those, when all were here last */
    uint32_t lane, lanes;
    SequenceRange range; /* the lane's sequences in the batch */
    const BatchLayout *layout;
    int64_t first; /* the micro-batch's first sequence in the batch */
} Parts;

Parts *parts_new(const Program *program, _Atomic int64_t *meetings, Arena *arena);
void parts_free(Parts *parts); /* NULL is allowed */
/* Lane `lane` of `lanes`, of micro-batch `index`; `context` is the lane's, and has the
 * sequences of all. */
void parts_bind(Parts *parts, const BatchLayout *layout, int64_t index, uint32_t lane,
                uint32_t lanes, const LaneContext *context);
/* The view of an axis that a call has; `whole` are those of the micro-batch. */
const AxisView *parts_view(const Parts *parts, uint32_t call, int32_t axis,
                           const AxisTables *whole);
/* Operands of what it does row by row, as in Exec: its first rows of the values. */
void parts_place(const Parts *parts, void *const *values, const uint32_t *first,
                 void **pointers);

/* NULL is a lane that has a micro-batch of its own. */
bool parts_does(const Parts *parts, uint32_t call); /* whether the lane does any of it */
bool parts_is_first(const Parts *parts);
void parts_meet(Parts *parts); /* waits until all lanes are here */

/* Whether sequences of a batch can share the rows of a primary axis of a decode graph:
 * nothing reads them but attention of rows of other axes, which sees them all. */
bool parts_can_share(const Graph *graph, int32_t axis);

#endif
