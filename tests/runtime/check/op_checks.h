/* What op_test holds every op to, besides its result. */
#ifndef VLG_TESTS_RUNTIME_CHECK_OP_CHECKS_H
#define VLG_TESTS_RUNTIME_CHECK_OP_CHECKS_H

#include "tests/check.h"
#include "tests/runtime/harness.h"

/* Kernels that differ in any attribute are different kernels, but for salts: these are an
 * argument, so that layers share code. */
void op_check_description(Check *check, const Graph *graph, const Node *node,
                          const char *task);

/* Loss and gradients of all parameters of a train graph of the session, for a batch that
 * is one micro-batch. */
void op_check_gradients(Check *check, Session *session, const Graph *graph,
                        const Batch *batch, Diags *diags);

#endif
