/* Steps and lifetimes of a fused, scheduled graph: what memory planning, its verifier and
 * the reports agree on.
 *
 * A step is a maximal run of nodes of one group. A value needs a slot in the slab if it
 * belongs to a group, is read by another step or is an output, and is not stored in place
 * (OUTPUT_assign whose offset is NO_OFFSET in a planned graph; until then every assign is
 * taken to need a slot).
 *
 * A step is run once, before all micro-batches, if all its nodes are frozen (ir/frozen.h)
 * and none has an offset: plans of earlier versions gave them some, and run them with the
 * others. What it makes has memory of its own, outside the slab.
 *
 * A view has the storage of its operand. A value lives from the step that makes it to the
 * last step that reads it, directly or through views; an output that is a result or an
 * assign lives to the end, a gradient or loss until its own step (it is accumulated right
 * after). */
#ifndef VLG_IR_LIVENESS_H
#define VLG_IR_LIVENESS_H

#include "ir/graph.h"

typedef struct Step {
    /* Nodes of the group: Graph.nodes[first .. first+count) without sources and views,
     * which may stand anywhere. */
    uint32_t first, count;
} Step;

typedef struct Liveness {
    uint32_t step_count;
    /* By node id. */
    int32_t *step_of;  /* -1 for sources and views */
    int32_t *last_use; /* last step that reads it, step_count if it is a result; -1 if it
                          has no storage of its own to plan */
    int64_t *bytes;    /* at axis capacities, rounded up to 64; 0 if not planned */
    bool *is_once;     /* by step */
} Liveness;

/* In `arena`. The graph must be fused. */
Liveness liveness_of(const Graph *graph, Arena *arena);
/* The node whose storage a value has: itself, or through views its operand. */
const Node *storage_node(const Node *node);
/* As that, of what a packed matrix (op pack) was before. */
const Node *unpacked_node(const Node *node);
int64_t node_bytes(const Graph *graph, const Node *node); /* at capacity */

#endif
