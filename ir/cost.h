/* What a node costs: floating point operations and bytes, at axis capacities or for given
 * rows. */
#ifndef VLG_IR_COST_H
#define VLG_IR_COST_H

#include "ir/graph.h"

/* Rows per axis to count with; axis_rows[AXIS_BATCH] sequences. */
double node_flops(const Graph *graph, const Node *node, const int64_t *axis_rows);
typedef struct ProductCount {
    uint32_t products;
    double flops;
} ProductCount;

/* Adds the products of the graph: `counts` is by precision. */
void graph_count_products(const Graph *graph, const int64_t *axis_rows,
                          ProductCount counts[PRECISION_COUNT]);
/* Leading rows of its type. */
int64_t node_rows(const Node *node, const int64_t *axis_rows);
/* One sequence of the declared longest length on every axis: arena array by axis. */
int64_t *axis_rows_of_longest_sequence(const Graph *graph, Arena *arena);

#endif
