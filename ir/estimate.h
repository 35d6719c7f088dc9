/* What a fused graph and its steps cost to run, and an estimate of how long it takes. */
#ifndef VLG_IR_ESTIMATE_H
#define VLG_IR_ESTIMATE_H

#include "ir/graph.h"

/* What one processor core does in a second. */
typedef struct Rates {
    double flops, bytes;
} Rates;

typedef struct Estimate {
    uint32_t steps;  /* kernels and matrix products called for a micro-batch */
    double flops[2]; /* by Stage; values recomputed for the backward pass are its own */
    double saved_bytes; /* made by the forward pass, stored, and read by the backward
                           pass */
    double seconds; /* of each step the larger of its operations and its bytes, both by
                       their rates; and the bytes of accumulating gradients */
} Estimate;

/* With so many rows on every axis, as ir/cost.h counts, cut into `microbatches`: what has
 * no ragged axis is made, read and accumulated once in each. Steps that a session runs
 * once (ir/liveness.h) do not count. */
Estimate graph_estimate(const Graph *graph, const int64_t *axis_rows,
                        int64_t microbatches, Rates rates);

typedef struct StepCost {
    double flops, bytes;
} StepCost;

/* What the steps (ir/liveness.h) of one micro-batch with so many rows do, by step; in
 * `arena`. What is done with outputs after them belongs to none. */
StepCost *graph_step_costs(const Graph *graph, const int64_t *axis_rows, Arena *arena);

/* The most equally long sequences that a micro-batch has room for; at least 1. */
int64_t sequences_that_fit(const Graph *graph, const int64_t *sequence_rows);

#endif
