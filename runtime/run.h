/* A plan ready to work: what train, eval, export and profile open and close alike. */
#ifndef VLG_RUNTIME_RUN_H
#define VLG_RUNTIME_RUN_H

#include "runtime/checkpoint.h"
#include "runtime/command.h"
#include "runtime/interrupt.h"
#include "runtime/session.h"

typedef struct RunOptions {
    const char *plan;    /* plan.bin or .vir */
    const char *weights; /* for tensor_set_open; NULL: as the checkpoint says, if any */
    /* Where to take trained parameters from: a run directory, a checkpoint, or any other
     * safetensors file that has all of them, such as an export; or NULL. */
    const char *from;
    const char *out; /* run directory; NULL: runs/ and the model's name */
    bool resume;     /* go on with the run in `out` instead: the same plan, states too */
    bool is_training;    /* parameters that are trained may have initial values */
    bool random_weights; /* so may all others */
    bool no_session;     /* only the store: nothing will be computed */
    int64_t threads; /* 0: one per processor */
    const char *processor; /* for processor_check; NULL: all that this one has */
    bool no_cache;         /* of compiled kernels */
} RunOptions;

typedef struct Run {
    Module *module;
    char *directory;
    TensorSet *weights, *trained; /* `trained`: `from`, if it is no checkpoint */
    uint64_t plan, weights_fingerprint;
    uint64_t trained_over;      /* fingerprint of the weights below `trained`; 0: any */
    CheckpointFile *checkpoint; /* `from`, if it is one */
    Store *store;
    Session *session;
} Run;

/* In two halves, so that a command may look at the run directory before the long work:
 * reading the plan, which gives module, directory and fingerprint; then all the rest.
 * Either leaves `run` all zero after a failure; errors say why. */
NODISCARD bool run_read(Run *run, const RunOptions *options, Diags *diags);
NODISCARD bool run_fill(Run *run, const RunOptions *options, Diags *diags);
NODISCARD bool run_open(Run *run, const RunOptions *options, Diags *diags); /* both */
void run_close(Run *run);

/* The work of a command on an open run; an interrupt asks it to end early. */
typedef ExitCode RunWork(const void *command, Run *run, const Interrupt *interrupt,
                         Diags *diags);
/* Opens a run, does the work and closes it; errors go to stderr. What the process is to
 * return. */
int run_do(const RunOptions *options, RunWork *work, const void *command);

/* "DIR/checkpoint.safetensors", "DIR/metrics.jsonl": malloc'ed. */
char *run_checkpoint_path(const char *directory);
char *run_metrics_path(const char *directory);
/* Where the parameters came from, or NULL. */
const char *run_weights_path(const Run *run);

#endif
