/* A graph again, its steps in another order. */
#ifndef VLG_PASSES_REORDER_H
#define VLG_PASSES_REORDER_H

#include "ir/graph.h"

/* By id, in `arena`: whether an output depends on the node. */
bool *live_nodes(const Graph *graph, Arena *arena);

/* `in` with its step nodes in the order of the ids `order` (operands first), sources and
 * views just before their first use, those without use gone. Groups are kept.
 * `out_images`, unless NULL, gets the new nodes by old id, in the arena of the result.
 * NULL after an error. */
Graph *graph_reorder(const Graph *in, const uint32_t *order, uint32_t count,
                     Node ***out_images);

#endif
