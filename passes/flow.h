/* Minimum cuts: which vertices to part from the sink so that the edges between cost
 * least. */
#ifndef VLG_PASSES_FLOW_H
#define VLG_PASSES_FLOW_H

#include <stdbool.h>
#include <stdint.h>

#include "ir/base/arena.h"

#define FLOW_INFINITE (INT64_C(1) << 61) /* an edge that must not be cut */
#define FLOW_MOST (INT64_C(1) << 40)     /* capacities of other edges are cut off here */

typedef struct Flow Flow;

Flow *flow_new(Arena *arena, uint32_t vertex_count,
               uint32_t edge_count); /* edges at most */
void flow_edge(Flow *flow, uint32_t from, uint32_t to, int64_t capacity);

/* The capacity of a least cut between source and sink. Of all least cuts, the one next to
 * the sink: out_sink_side marks, by vertex, the fewest that can be on the sink's side. */
int64_t flow_cut(Flow *flow, uint32_t source, uint32_t sink, bool *out_sink_side);

#endif
