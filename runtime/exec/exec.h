/* A program bound to one lane: every operand pointer resolved once. Per micro-batch only
 * the pointers to fields of the batch and the contents of the axis tables change.
 *
 * Outputs. A gradient or loss is accumulated as soon as its call has run: sum = (m == 0)
 * ? value : sum + value, where micro-batch m waits for its turn, m - 1 having been added.
 * So the order of a sum does not depend on which lane computes its terms. Results are
 * copied to their rows of the batch. New values of parameters and states are written in
 * place by the kernels, or copied when the graph is done. */
#ifndef VLG_RUNTIME_EXEC_EXEC_H
#define VLG_RUNTIME_EXEC_EXEC_H

#include <stdatomic.h>

#include "codegen/program.h"
#include "runtime/exec/lane_trace.h"
#include "runtime/exec/microbatch.h"
#include "runtime/weights/store.h"

/* Where an output of a graph goes; shared by all lanes. */
typedef struct Accumulator {
    _Alignas(64) _Atomic int64_t turn; /* the micro-batch that is added next */
    float *sum;                        /* gradients and static results: [elements] */
    double *total;                     /* the loss, instead of `sum` */
    int64_t elements;
    char *rows; /* ragged results: the batch's first row, instead of a sum */
    int64_t row_bytes;
    int32_t axis;
} Accumulator;

typedef struct Exec Exec;

/* `accumulators` by output; NULL for update graphs. `lr` is what input "lr" reads. */
typedef struct ExecOptions {
    const Program *program;
    Store *store;
    char *slab;
    AxisTables *tables; /* NULL for graphs without ragged values */
    Accumulator *accumulators;
    void *const *once; /* by node id: where the results of calls that are run once are */
    _Atomic int64_t *meetings; /* of lanes that work together; 0 before they begin */
    const float *lr;
} ExecOptions;

Exec *exec_new(const ExecOptions *options, Diags *diags); /* NULL and an error */
void exec_free(Exec *exec);                               /* NULL is allowed */

/* What exec_microbatch does is noted in `trace`, as of graph `graph` of the module; NULL
 * ends that. */
void exec_set_trace(Exec *exec, LaneTrace *trace, uint32_t graph);

/* Points at micro-batch `index` of the layout and fills the axis tables. */
void exec_bind(Exec *exec, const BatchLayout *layout, int64_t index,
               LaneContext *context);
/* Of a decode graph, whose micro-batch all lanes compute together, in order from the
 * first: what lane `lane` does of it. exec_bind has one lane do all. */
void exec_bind_lane(Exec *exec, const BatchLayout *layout, int64_t index, uint32_t lane,
                    uint32_t lanes, LaneContext *context);
void exec_call(Exec *exec, uint32_t index, const LaneContext *context);
/* A value that is not finite, or a choice by such numbers, and the call that wrote it. */
typedef struct ExecFault {
    uint32_t call;
    const Node *value; /* NULL: there is none */
} ExecFault;

/* All calls of a bound micro-batch but those that are run once, sums and copies
 * included. If `out_fault` is not NULL, checks every written value, and tells the first
 * that is not finite. False if a logit that was chosen as the largest is not finite,
 * which its index cannot show. */
bool exec_microbatch(Exec *exec, const LaneContext *context, ExecFault *out_fault);

/* The storage of a node's value, as now bound; NULL if it has none (inside a kernel). */
void *exec_value(const Exec *exec, const Node *node);
const Program *exec_program(const Exec *exec);

/* Where operand `index` of a call now is. */
void *exec_operand(const Exec *exec, uint32_t call, uint32_t index);

#endif
