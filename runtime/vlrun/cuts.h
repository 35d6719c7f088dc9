/* How a plan cuts batches, in a line of what commands say first. */
#ifndef VLG_RUNTIME_VLRUN_CUTS_H
#define VLG_RUNTIME_VLRUN_CUTS_H

#include <stdio.h>

#include "ir/graph.h"

/* "micro-batches of at most 1024 rows, cut for 2 lanes", of the train graphs of the
 * module, and a newline. `only`: of this graph, or NULL. */
void print_cuts(const Module *module, const Graph *only, FILE *out);

#endif
