/* The reference interpreter: every op in plain loops with sums in double precision.
 * Nothing here is fast or clever; generated code is checked against it, and finite
 * differences check it in turn.
 *
 * A value is dense: the elements of all rows its axis has, in order, each by itself. A
 * bit is a byte, 0 or 1, so that nothing here depends on how kernels pack bits; the
 * caller unpacks them. */
#ifndef VLG_RUNTIME_CHECK_REFERENCE_H
#define VLG_RUNTIME_CHECK_REFERENCE_H

#include "codegen/program.h"

typedef struct ReferenceContext {
    const Graph *graph;
    const AxisView *views; /* by axis */
    int64_t sequences;
    uint32_t step_key;
} ReferenceContext;

/* Computes `node` into `out` from its operands' values. */
typedef void ReferenceFn(const ReferenceContext *ctx, const Node *node,
                         const void *const *args, void *out);

void reference_node(const ReferenceContext *ctx, const Node *node,
                    const void *const *args, void *out);
int64_t reference_rows(const ReferenceContext *ctx, Type type);
int64_t reference_elements(const ReferenceContext *ctx, Type type);
int64_t reference_bytes(const ReferenceContext *ctx, Type type);
int64_t reference_row_bytes(Type type);

/* The value of a source node other than a constant: a field of the batch, a parameter,
 * ... */
typedef const void *ReferenceSource(void *state, const Node *node);
/* Runs a graph: values by node id, in `arena`. */
const void **reference_run(const ReferenceContext *ctx, ReferenceSource *source,
                           void *state, Arena *arena);

/* One function per op that computes something: reference_<op>. */
#define CLASS_source(name)
#define CLASS_other(name) ReferenceFn reference_##name;
#include "ir/class_ops.def"

/* C = A B at precision `int8`: A is [m, k], B is [k, n], or [n, k] if transposed. */
void reference_matmul_int8(const float *a, const float *b, bool transposed, int64_t m,
                           int64_t n, int64_t k, float *c);

#endif
