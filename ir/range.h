/* Ranges of integers: what is known when compiling about every i32 value of a graph. An
 * axis has no sequence longer than `longest` (the runtime refuses one), so a place
 * counted on it is below that; an index that an op looks for is a row of its table; and
 * an input that indexes tables is checked when a batch comes in, row by row. */
#ifndef VLG_IR_RANGE_H
#define VLG_IR_RANGE_H

#include "ir/graph.h"

typedef struct Range {
    int64_t least, most;
} Range;

/* Rows of what operand `arg` of `node` indexes (an operand of the node, or its result),
 * or -1 if it holds no indices. */
int64_t indexed_rows(const Node *node, uint32_t arg);

/* By node id, in `arena`: an i32 value is used as an index of so many rows at most;
 * INT64_MAX if nothing limits it. Inputs must be held to it: 0 <= value < limit. */
int64_t *index_limits(const Graph *graph, Arena *arena);

/* By node id, in `arena`, for i32 values; ends that 64 bits do not hold are the nearest
 * they do. */
Range *ranges_of(const Graph *graph, Arena *arena);

/* Every integer fits its 32 bits, and every index its table. */
NODISCARD bool verify_ranges(const Graph *graph, Diags *diags);

#endif
