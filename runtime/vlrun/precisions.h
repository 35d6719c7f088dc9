/* How accurate the products of a plan are, in a line of what commands say first. */
#ifndef VLG_RUNTIME_VLRUN_PRECISIONS_H
#define VLG_RUNTIME_VLRUN_PRECISIONS_H

#include <stdio.h>

#include "ir/graph.h"

/* "products: highest 28.7 %, high 71.3 % of FLOPs", of the train graphs of the module for
 * a longest sequence, and a newline; nothing if all are `highest`. `only`: of this graph,
 * or NULL. */
void print_precisions(const Module *module, const Graph *only, FILE *out);

#endif
