/* Which nodes one kernel can run: what `fuse` may join, what the verifier holds groups
 * to, and what code generation relies on. */
#ifndef VLG_IR_STEP_RULES_H
#define VLG_IR_STEP_RULES_H

#include "ir/graph.h"

/* In one row kernel, as `fuse` makes them and the verifier accepts them: the time that
 * code generation takes grows with the square of a kernel's size. */
enum { MOST_ROW_NODES = 96 };
/* In one kernel of matrix products. */
enum { MOST_PRODUCTS = 32 };

/* The rows by columns that a row kernel (map, reduce, rowsum nodes) works in. A value of
 * it has `width` columns or 1, and the axis' rows; or, if the space is static, its own
 * dimensions are those of the space or 1. */
typedef struct RowSpace {
    int32_t axis; /* or AXIS_STATIC */
    uint32_t rank;
    int64_t dims[TYPE_MAX_RANK]; /* static: of the largest value */
    int64_t width;
} RowSpace;

RowSpace row_space_of(const Node *const *nodes, uint32_t count);
int64_t row_space_rows(const RowSpace *space); /* of a static one */

/* By node id, in `arena`: values that are assigned and have no offset, so that their step
 * writes them straight to the variable. */
bool *values_in_place(const Graph *graph, Arena *arena);

/* Whether products of this one's form can have their left operand in common. Integers
 * cannot if the right one's scales are those of the sum: the left one is then scaled by
 * them. */
bool products_share_left(const Node *product);

/* Whether the right operands of two products of one form are packed alike, or neither. */
bool products_packed_alike(const Node *a, const Node *b);

/* Why no kernel runs these nodes of one group, with the node at fault, or NULL. in_place
 * as above, or NULL as long as offsets are not decided. */
const char *step_refuse(const Node *const *nodes, uint32_t count, const bool *in_place,
                        const Node **out_node);

#endif
