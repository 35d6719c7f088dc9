/* What a micro-batch costs by the rates of processors that models are planned for: its
 * arithmetic, row by row, and what it moves once, however many rows it has. The rates are
 * the same everywhere, so that a plan means the same cuts on every machine. */
#ifndef VLG_IR_ROOFLINE_H
#define VLG_IR_ROOFLINE_H

#include "ir/graph.h"

typedef struct Roofline {
    double once;       /* seconds: parameters are read, their gradients added */
    double once_bytes; /* that take as long */
    double *row;       /* by axis: seconds for a row of it, in the longest sequence */
} Roofline;

/* Of any graph but an update; in `arena`. */
Roofline graph_roofline(const Graph *graph, Arena *arena);

/* Of `fewest` that capacities need: raised to a multiple of the lanes that the plan
 * names, but to no more than `most`, which is what sequences and their work allow. A
 * number that is no multiple leaves lanes waiting at the end of a step; each more reads
 * all parameters once more. */
int64_t microbatches_wanted(int64_t fewest, int64_t lanes, int64_t most);

#endif
