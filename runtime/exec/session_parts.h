/* What the parts of a session share: session.c makes and frees it, session_compile.c
 * compiles the programs, session_memory.c gives them memory, session_once.c computes what
 * follows from frozen weights, session_step.c runs train and update graphs,
 * session_results.c all others; session_trace.c is for profiles; session_run.c is what
 * these have in common. */
#ifndef VLG_RUNTIME_EXEC_SESSION_PARTS_H
#define VLG_RUNTIME_EXEC_SESSION_PARTS_H

#include <stdatomic.h>

#include "runtime/exec/exec.h"
#include "runtime/exec/once.h"
#include "runtime/exec/session.h"
#include "runtime/exec/update_order.h"
#include "runtime/lanes/lanes.h"

typedef struct GraphRun {
    const Graph *graph;
    BatchLayout *layout;
    Accumulator *accumulators; /* by output */
    double loss;
    Exec **execs;         /* by lane; update graphs have one */
    AxisTables **tables;  /* by lane */
    UpdateOrder *order;   /* update graphs */
    NamedResult *results; /* of all but train and update graphs */
    uint32_t result_count;
    /* What is behind results[i].data, unless that is in the slab, and its bytes. */
    void **result_memory;
    int64_t *result_room;
} GraphRun;

struct Session {
    const Module *module;
    Store *store;
    Jit *jit;
    ProcessorInfo processor;
    bool calls_blas;    /* matrix products are OpenBLAS's */
    Program **programs; /* by graph of the module */
    GraphRun *runs;     /* by graph of the module */
    Once *once;         /* what is computed once, in memory of its own */
    bool once_is_done;  /* with the weights as they are */
    FILE *progress;     /* of what is computed once; or NULL */
    double shown_next;  /* when progress may be shown again */
    bool has_shown;
    Lanes *lanes;
    uint32_t lane_count;
    LaneContext *contexts; /* by lane */
    char **slabs;          /* by lane */
    int64_t *slab_bytes;
    int64_t scratch_bytes;
    SplitOptions split;
    LaneTrace *traces; /* by lane, or NULL */
    float lr;
    /* The run the lanes are in. */
    GraphRun *current;
    _Alignas(64) _Atomic int64_t next; /* micro-batch or item to claim */
    _Alignas(64) _Atomic int64_t done; /* items finished, or arrivals */
    _Atomic bool is_finite;            /* nothing looked at was infinite or no number */
};

/* -- session_compile.c --------------------------------------------------------------- */

/* The processor, and the program of every graph. */
NODISCARD bool session_compile(Session *session, const SessionOptions *options,
                               Diags *diags);

/* -- session_memory.c ---------------------------------------------------------------- */

/* Slabs and scratch of every lane, once programs are compiled. */
void session_memory_new(Session *session);
void session_memory_free(Session *session);
/* A program of every lane over the lane's slab, and where its outputs go. */
NODISCARD bool session_bind(Session *session, uint32_t graph, Diags *diags);
void session_unbind(Session *session, uint32_t graph);
/* Room for the results of the batch that is laid out. */
void session_place_results(GraphRun *run);

/* -- session_once.c ------------------------------------------------------------------ */

/* What is computed once, unless it is there. */
void session_compute_once(Session *session);

/* -- session_run.c ------------------------------------------------------------------- */

GraphRun *session_find_run(const Session *session, GraphKind kind, const char *task);
/* As that, with an error if there is none. */
GraphRun *session_need_run(const Session *session, GraphKind kind, const char *task,
                           Diags *diags);
/* The run of the batch's task with the batch laid out, or NULL. */
GraphRun *session_lay_out(Session *session, GraphKind kind, const Batch *batch,
                          Diags *diags);
void session_set_key(Session *session, uint64_t step);
/* Before the lanes are put to work on a run. */
void session_start(Session *session, GraphRun *run);
/* All micro-batches of the batch that is laid out, on all lanes. */
void session_run_microbatches(Session *session, GraphRun *run);

#endif
