/* Invariants of a graph, checked after every pass and on every plan that is loaded:
 * operands precede uses, types are what the shape rules say, names exist in the module
 * with the same type, groups are contiguous runs, slab ranges of values live together do
 * not overlap and lie within slab_bytes, outputs fit their roles. */
#ifndef VLG_IR_VERIFY_H
#define VLG_IR_VERIFY_H

#include "ir/graph.h"

NODISCARD bool graph_verify(const Graph *graph, const Module *module, Diags *diags);
NODISCARD bool module_verify(const Module *module, Diags *diags);

#endif
