/* Random small train graphs, for tests that compare two ways to run them. */
#ifndef VLG_TESTS_RUNTIME_CHECK_RANDOM_GRAPH_H
#define VLG_TESTS_RUNTIME_CHECK_RANDOM_GRAPH_H

#include "tests/runtime/harness.h"

/* Adds a graph @task.train of about `ops` random ops to the module, a function of the
 * seed: rows on several axes, products, norms, attention, dropout, moves, a loss that
 * reads every value. */
Graph *random_graph(Module *module, const char *task, uint64_t seed, uint32_t ops);

#endif
