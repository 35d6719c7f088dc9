/* A module at work: compiled programs, lanes with their slabs, and the store.
 *
 *     Module *module = plan_read(path, diags);
 *     Store *store = store_new(module);           fill it: runtime/weights/weights.h
 *     Session *session = session_new(module, store, &options, diags);
 *     session_train_step(session, batch, step, lr, &result, diags);
 *
 * What follows from frozen weights alone is computed by all lanes at the first call that
 * runs a graph, and kept for all lanes and graphs. Whoever writes numbers of frozen
 * weights after that calls session_weights_changed.
 *
 * Results do not depend on the number of lanes, bit by bit; they depend on the split into
 * micro-batches by rounding only. After session_new nothing is allocated, unless a batch
 * is larger than any before. One call at a time. */
#ifndef VLG_RUNTIME_EXEC_SESSION_H
#define VLG_RUNTIME_EXEC_SESSION_H

#include <stdio.h>

#include "codegen/program.h"
#include "runtime/batch/batch.h"
#include "runtime/exec/lane_trace.h"
#include "runtime/exec/microbatch.h"
#include "runtime/exec/processor.h"
#include "runtime/lanes/lanes.h"
#include "runtime/weights/store.h"

typedef struct SessionOptions {
    uint32_t lanes;           /* 0: one per processor */
    const char *cache_dir;    /* of compiled kernels; NULL: none */
    const char *processor;    /* for processor_check; NULL: all that this one has */
    const char *gemm;         /* of gemm_makers, runtime/exec/blas.h; NULL: the first */
    const char *dump_kernels; /* directory for codegen/dump.h, or NULL */
    SplitOptions split;       /* how batches are cut; all zero: as the plan says */
    FILE *progress; /* where to say how far frozen weights are made ready, if that takes
                       more than two seconds; NULL: nowhere */
} SessionOptions;

typedef struct Session Session;

/* Opens the dump of kernels, for commands to ask before their long work; session_new
 * opens it again. NULL is allowed. */
NODISCARD bool session_check_dump(const char *dir, Diags *diags);

/* NULL and errors if a graph cannot be compiled or does not fit the store. Module and
 * store must outlive the session. */
Session *session_new(const Module *module, Store *store, const SessionOptions *options,
                     Diags *diags);
void session_free(Session *session); /* NULL is allowed */

/* Numbers of frozen weights in the store are others than at the last call that ran a
 * graph: what follows from them is computed anew at the next. */
void session_weights_changed(Session *session);

const Module *session_module(const Session *session);
Store *session_store(const Session *session);
uint32_t session_lanes(const Session *session);
JitStats session_jit_stats(const Session *session);
/* What computes the numbers. */
const ProcessorInfo *session_processor(const Session *session);
int64_t session_slab_bytes(const Session *session);  /* of all lanes */
Lanes *session_lane_threads(const Session *session); /* for other work between runs */

typedef struct StepResult {
    double loss;
    double gradient_norm; /* before clipping; 0 if the update graph does not tell */
    int64_t microbatches;
} StepResult;

/* Loss and gradients of the batch (key of random numbers: the settings' seed and `step`),
 * then the task's update graph at learning rate `lr`. If the loss or a gradient is not
 * finite, then neither is `loss` or `gradient_norm` of the result, and parameters and
 * states are as they were. */
NODISCARD bool session_train_step(Session *session, const Batch *batch, uint64_t step,
                                  double lr, StepResult *out_result, Diags *diags);
/* Only the first half: gradients are in the store's accumulators for every
 * OUTPUT_gradient of the task's train graph, until the next step. */
NODISCARD bool session_gradients(Session *session, const Batch *batch, uint64_t step,
                                 double *out_loss, Diags *diags);
/* Only the second half, with whatever the accumulators hold. */
NODISCARD bool session_update(Session *session, const char *task, double lr,
                              double *out_gradient_norm, Diags *diags);

/* A result of an evaluate graph: a ragged one holds the rows of the whole batch in order,
 * a static one the sum over the micro-batches. */
typedef struct NamedResult {
    const char *name;
    Type type;
    int64_t rows;          /* of the axis, in the batch; static rows of a static type */
    const int64_t *starts; /* [sequences + 1] first rows of sequences; NULL if static */
    void *data;            /* f32 or i32, as type.dtype */
} NamedResult;

typedef struct EvalResult {
    double loss;               /* of the graph's loss output, 0 if it has none */
    bool is_finite;            /* the loss and every logit chosen as the largest are */
    const int32_t *prediction; /* rows of result "prediction", or NULL */
    int64_t prediction_rows;
    const NamedResult *results;
    uint32_t result_count;
} EvalResult;

/* Runs the task's evaluate graph; `out_result` is valid until the next call. */
NODISCARD bool session_evaluate(Session *session, const Batch *batch,
                                EvalResult *out_result, Diags *diags);
/* As that, for any graph that is not an update, by its name without '@': "TASK.decode".
 * Train graphs give none. Results of an encode graph are valid until it runs again. */
NODISCARD bool session_run(Session *session, const char *graph, const Batch *batch,
                           EvalResult *out_result, Diags *diags);
const NamedResult *eval_find(const EvalResult *result, const char *name); /* or NULL */

/* Where a number first stopped being finite. */
typedef struct Fault {
    const Node *node;      /* NULL: nowhere */
    const char *label;     /* of the kernel */
    const char *parameter; /* that the kernel reads and that is not finite, or NULL */
    int64_t microbatch;
} Fault;

/* Runs the graph of that kind of the batch's task again on one lane, looking at every
 * output of every call: the first in order that is not finite. */
NODISCARD bool session_find_fault(Session *session, GraphKind kind, const Batch *batch,
                                  uint64_t step, Fault *out_fault, Diags *diags);

/* From now on every lane notes in traces[lane] what it does in train and update graphs;
 * NULL ends that. Traces grow: whoever reads them empties them. */
void session_set_traces(Session *session, LaneTrace *traces);
const Program *session_program(const Session *session, uint32_t graph);
/* By axis: rows of a micro-batch of the batch that the graph ran last, as ir/cost.h
 * counts; 0 in update graphs. */
void session_axis_rows(const Session *session, uint32_t graph, int64_t microbatch,
                       int64_t *out_rows);

/* One micro-batch of a graph on lane 0, to be run call by call: for verification. Calls
 * that are run once may be run again: they write what is there. */
typedef struct Walk {
    struct Exec *exec; /* runtime/exec/exec.h; bound, no call made yet */
    const Program *program;
    const LaneContext *context;
    const AxisView *views; /* by axis */
    int64_t microbatches;  /* of the batch */
} Walk;

/* Of graph `graph` of the module, micro-batch `index` of `batch`; update graphs take no
 * batch. */
NODISCARD bool session_walk(Session *session, uint32_t graph, const Batch *batch,
                            int64_t index, uint64_t step, Walk *out_walk, Diags *diags);
void session_set_rate(Session *session, double lr); /* what update graphs read as "lr" */

#endif
