/* Small modules built in C, for tests of execution: fixed axes, parameters, one task per
 * graph, and a plain optimizer with momentum. */
#ifndef VLG_TESTS_RUNTIME_HARNESS_H
#define VLG_TESTS_RUNTIME_HARNESS_H

#include "runtime/check/random_batch.h"
#include "runtime/exec/session.h"

/* The axes of every graph here, at these indices. */
enum {
    AXIS_text = 1, /* primary */
    AXIS_grid,     /* primary, two square grids per sequence */
    AXIS_image,    /* pool of grid to two times 2 x 2 */
    AXIS_both,     /* join of text and image */
    AXIS_prompt,   /* fixed, 3 rows */
    AXIS_dec,      /* primary */
    AXIS_field,    /* fixed, a grid of 4 x 4 */
    AXIS_windows,  /* fixed, 3 x 3 */
};

Module *harness_module(void);
/* A graph of that task with the axes above; the module owns it. The task is added if
 * new. */
Graph *harness_graph(Module *module, const char *task, GraphKind kind);
/* Adds the parameter to the module if new, and its source to the graph: a param if
 * trained, else a weight, which no gradient is asked of. */
const Node *harness_param(Module *module, Graph *graph, const char *name, Type type,
                          bool trained);
const Node *harness_input(Graph *graph, const char *name, Type type);
/* The sum over all elements of y times fixed numbers (an input or parameter named `name`)
 * times a trained number per column, as the graph's loss. */
void harness_loss(Module *module, Graph *graph, const Node *y, const char *name);
/* @task.update: v = 0.9 v + g, p = p - lr v for all trained parameters of the train
 * graph. */
void harness_momentum(Module *module, const Graph *train);
/* Runs all passes. */
NODISCARD bool harness_compile(Module *module, Diags *diags);
/* Parameters in (-1, 1) and states 0, by seed. */
void harness_fill(Store *store, uint64_t seed);

#endif
