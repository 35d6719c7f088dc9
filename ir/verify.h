/* Invariants of a graph, checked after every pass and on every plan that is loaded:
 * operands precede uses, types are what the shape rules say, indices are within their
 * tables, names exist in the module with the same type, groups are contiguous runs that
 * some kernel can run, slab ranges of values live together do not overlap and lie within
 * slab_bytes, outputs fit their roles. */
#ifndef VLG_IR_VERIFY_H
#define VLG_IR_VERIFY_H

#include "ir/graph.h"

NODISCARD bool graph_verify(const Graph *graph, const Module *module, Diags *diags);
NODISCARD bool module_verify(const Module *module, Diags *diags);

/* Of a module that holds: its planned graphs can be run. Inputs have a source and results
 * a place, update graphs know no rows, and graphs of one task give what the others take.
 * Checked before a plan is written, and whenever one is read. */
NODISCARD bool plan_verify(const Module *module, Diags *diags);

#endif
