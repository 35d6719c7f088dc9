/* What the parts of the library share: call.c collects what is said during a call, plan.c
 * makes plans and describes their tasks, batch.c takes batches and gives them, session.c
 * opens sessions, work.c runs graphs, parameters.c reads and writes them, data.c is about
 * data sets. */
#ifndef VLG_LIBRARY_PARTS_H
#define VLG_LIBRARY_PARTS_H

#include <stdio.h>

#include "ir/graph.h"
#include "library/vlgraph.h"
#include "runtime/batch/batch.h"
#include "runtime/exec/session.h"
#include "runtime/weights/tensor_set.h"

struct VlgPlan {
    Module *module;
    VlgTask *tasks; /* as in the module */
    Arena *arena;   /* of their descriptions */
};

struct VlgSession {
    const VlgPlan *plan;
    TensorSet *weights; /* or NULL */
    uint64_t weights_fingerprint;
    Store *store;
    Session *session;
    int64_t steps;      /* done */
    VlgResult *results; /* of the last call; malloc'ed */
};

struct VlgData {
    const VlgPlan *plan;
    DataSource *source;
};

/* -- call.c -------------------------------------------------------------------------- */

/* A call into the library, and all that is said during it. */
typedef struct ApiCall {
    VlgError *error; /* or NULL */
    Diags *diags;
    FILE *stream;
    char *text;
    size_t len;
} ApiCall;

/* `call` stays where it is until its end. */
void call_begin(ApiCall *call, VlgError *error);
/* Tells the caller how it went; `ok`, which is also returned. */
bool call_end(ApiCall *call, bool ok);

/* -- plan.c -------------------------------------------------------------------------- */

const VlgInput *task_input(const VlgTask *task, const char *name); /* or NULL */

/* -- batch.c ------------------------------------------------------------------------- */

/* A batch of the caller's as ours, with its memory; what is not memory of the caller's is
 * in `arena`. False and an error if it names what the plan does not have. That all is
 * there that a graph reads is checked by the session. */
NODISCARD bool batch_take(const VlgPlan *plan, const VlgBatch *given, Arena *arena,
                          Batch *out, Diags *diags);
/* A batch of ours, which it owns, as the caller's: for vlg_batch_free. */
VlgBatch *batch_give(const VlgPlan *plan, Batch *batch);

#endif
