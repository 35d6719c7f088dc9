/* The part of the verifier that checks what the runtime needs of planned graphs: where
 * inputs come from, where outputs go. Internal. */
#ifndef VLG_IR_VERIFY_RUN_H
#define VLG_IR_VERIFY_RUN_H

#include "ir/graph.h"

/* verify_decode.c: a decode graph, with the encode graph of its task, which may be NULL,
 * is one that generation can run. */
NODISCARD bool verify_decode(const Graph *graph, const Graph *encode, Diags *diags);

#endif
