/* The half of the verifier that checks groups and memory plans; see ir/verify.h.
 * Internal. */
#ifndef VLG_IR_VERIFY_PLAN_H
#define VLG_IR_VERIFY_PLAN_H

#include "ir/graph.h"

/* Groups: on every step node of a fused graph, nowhere else; contiguous once planned, and
 * until then at least free of cycles. */
NODISCARD bool verify_groups(const Graph *graph, Diags *diags);
/* Packed matrices (op pack) follow from frozen weights, have no place in a slab, and are
 * of the precision of the products that read them. */
NODISCARD bool verify_packed(const Graph *graph, Diags *diags);
/* Of a planned graph whose groups hold: offsets, overlaps, values written in place. */
NODISCARD bool verify_slab(const Graph *graph, Diags *diags);

#endif
