/* How the verifier reports what it finds. Internal. */
#ifndef VLG_IR_VERIFY_FAULT_H
#define VLG_IR_VERIFY_FAULT_H

#include "ir/graph.h"

/* Reports "@graph %7 = matmul: ..." at the node's place in the model; always false. */
bool verify_fault(const Graph *graph, const Node *node, Diags *diags, const char *format,
                  ...) PRINTF_LIKE(4, 5);

#endif
