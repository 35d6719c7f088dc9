/* Generated code against the reference interpreter, call by call: both see the same
 * inputs, so an error is found in the call that makes it. */
#ifndef VLG_RUNTIME_CHECK_VERIFY_H
#define VLG_RUNTIME_CHECK_VERIFY_H

#include "ir/lowering.h"
#include "runtime/exec/session.h"

typedef struct VerifyClass {
    uint32_t calls;
    double worst;     /* largest difference over the largest magnitude of an output */
    const Node *node; /* where */
    const char *label;
} VerifyClass;

typedef struct VerifyReport {
    VerifyClass classes[KERNEL_COUNT]; /* by the kind of the call's kernel */
    uint32_t calls, outputs, failures;
    double tolerance; /* set by the caller: relative to an output's largest magnitude */
    FILE *out; /* failures are printed here, with label and place; NULL: only counted */
} VerifyReport;

/* Every call of graph `graph` of the session's module on all micro-batches of the batch
 * (NULL for an update graph). Adds to `report`. False and an error if the batch does not
 * fit. */
NODISCARD bool verify_graph(Session *session, uint32_t graph, const Batch *batch,
                            uint64_t step, VerifyReport *report, Diags *diags);
/* All graphs of the module, or of one task, on random batches. Parameters and states are
 * whatever the store holds; update graphs run with the gradients of the task's train
 * graph. */
typedef struct VerifyBatches {
    int64_t sequences, longest; /* as in RandomBatch */
    uint64_t seed;
    const char *task; /* NULL: all */
} VerifyBatches;
NODISCARD bool verify_module(Session *session, const VerifyBatches *batches,
                             VerifyReport *report, Diags *diags);
void verify_print(const VerifyReport *report, FILE *out);

#endif
