/* Where in the model a step (ir/liveness.h) belongs. */
#ifndef VLG_IR_SCOPES_H
#define VLG_IR_SCOPES_H

#include "ir/liveness.h"

/* By step of a fused graph, in `arena`: what the names of all parameters have in common
 * that the step reads, or whose gradient, state or value it reads or makes, such as
 * "encoder.block.0.layer.0.SelfAttention.q" of its "....q.weight". A step without any, or
 * whose parameters other layers read as well, is where the steps are that made what it
 * reads. "" where that is nowhere in particular. */
const char **step_scopes(const Graph *graph, const Liveness *live, Arena *arena);

/* Of a parameter by its name, or of a variable that the optimizer keeps for it. In
 * `arena`. */
const char *scope_of_parameter(const char *name, Arena *arena);

/* A scope up to its first number, which is the layer of a stack: "encoder.block.0"; all
 * of a scope without one. In `arena`. */
const char *scope_layer(const char *scope, Arena *arena);
/* A scope with `*` for every number: the same in every layer of a stack. In `arena`. */
const char *scope_pattern(const char *scope, Arena *arena);

#endif
