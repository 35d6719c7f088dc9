/* Gradient rules: one per op, named by the gradient column of ir/ops.def.
 *
 * A rule makes what flows to ONE operand, out of nodes made for that operand alone, so
 * that a gradient that is not used can be dropped with all it needs. Rules use the same
 * ops as models do. */
#ifndef VLG_PASSES_GRADIENTS_H
#define VLG_PASSES_GRADIENTS_H

#include "ir/graph.h"

typedef struct Gradient {
    Graph *graph;
    BuildSite site;   /* the forward node's place, stage backward */
    const Node *node; /* y, in `graph` */
    const Node *dy;   /* of y's type */
} Gradient;

/* What flows to operand `i`, of its type. NULL if nothing does, or after an error. */
const Node *gradient_of(const Gradient *gradient, uint32_t i);

/* `dy` summed over whatever broadcasting `to` to its type repeats. */
const Node *gradient_unbroadcast(const Gradient *gradient, const Node *dy, Type to);

#endif
