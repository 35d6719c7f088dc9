/* What follows from frozen weights and constants alone is the same in every micro-batch
 * of a session: its steps are run once, before the first (ir/liveness.h says which steps
 * these are). `fuse` keeps such nodes apart from others, `save` counts them as free to
 * keep. */
#ifndef VLG_IR_FROZEN_H
#define VLG_IR_FROZEN_H

#include "ir/graph.h"

/* By node id, in `arena`: nodes that depend on no batch, and whose operands are weights,
 * constants or such nodes. A CHEAP op or a view is none unless another of them reads it:
 * a kernel that computes it again is faster than memory. Nothing is frozen in updates and
 * grafts. */
bool *frozen_nodes(const Graph *graph, Arena *arena);

/* Whether the value that a node reads needs no micro-batch: it is a weight or a constant,
 * or frozen by frozen_nodes; views count as what they are views of. */
bool value_is_frozen(const Node *value, const bool *frozen);

#endif
