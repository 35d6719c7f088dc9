/* A plan ready to work: what train, eval, export and profile open and close alike. */
#ifndef VLG_RUNTIME_RUN_RUN_H
#define VLG_RUNTIME_RUN_RUN_H

#include "runtime/weights/checkpoint.h"
#include "ir/base/command_line.h"
#include "runtime/data/data.h"
#include "ir/base/interrupt.h"
#include "runtime/run/run_directory.h"
#include "runtime/run/run_record.h"
#include "runtime/exchange/exchange.h"
#include "runtime/exec/session.h"
#include "runtime/weights/weights_watch.h"

/* What may differ from what run.json says, because the user says so. */
typedef struct RunOther {
    bool plan, weights, data;
} RunOther;

/* The rows of a command's options for them; `other` is the offset of a RunOther. */
#define OPTIONS_OTHER(other)                                                             \
    OPTION(flag, "--other-data", (other) + offsetof(RunOther, data), NULL,               \
           "data or a tokenizer that are not the run's are meant"),                      \
        OPTION(flag, "--other-weights", (other) + offsetof(RunOther, weights), NULL,     \
               "weights that are not the run's are meant"),                              \
        OPTION(flag, "--other-plan", (other) + offsetof(RunOther, plan), NULL,           \
               "a plan that is not the run's is meant")

/* What every command has that takes what a run has trained; `field` for
 * RunOptions.best. */
#define OPTION_BEST(field)                                                               \
    OPTION(flag, "--best", field, NULL,                                                  \
           "the run's best checkpoint (train --keep-best), not its last")

typedef struct RunOptions {
    const char *plan;    /* plan.bin, .vir, or the directory of a run, which has all */
    TextList sets;       /* of a run that begins, or has begun: run_settings.h */
    const char *weights; /* for tensor_set_open; NULL: as the checkpoint says, if any */
    /* Where to take trained parameters from: a run directory, a checkpoint, any other
     * file of tensors that has all of them, such as an export, or a directory of another
     * library's (runtime/exchange); or NULL. */
    const char *from;
    /* Trained parameters to begin with: the same as `from`, or any file of weights; what
     * it lacks is no error. Not where a run goes on. NULL: none. */
    const char *init_from;
    bool ignore_mismatched; /* WeightsChoice, of `weights` and `init_from` */
    TextList skip;
    bool best;        /* of a run: its best checkpoint, not its last */
    const char *out;  /* run directory; NULL: runs/ and the model's name */
    bool resume;      /* go on with the run in `out` instead: the same plan, states too */
    bool is_training; /* parameters that are trained may have initial values */
    bool random_weights; /* so may all others */
    bool no_session;     /* only the store: nothing will be computed */
    RunOther other;
    int64_t threads; /* 0: one per processor */
    /* for processor_check; NULL: as the run says, or all there is */
    const char *processor;
    const char *gemm;         /* as in SessionOptions; NULL: as the run says */
    bool no_cache;            /* of compiled kernels */
    const char *dump_kernels; /* directory; NULL: none are dumped */
} RunOptions;

typedef struct Run {
    Module *module;
    char *directory;
    TensorSet *weights, *trained; /* `trained`: `from`, if it is no checkpoint */
    TensorSet *init;              /* `init_from` */
    ExchangeFiles *exchange;      /* `from`, if it is another library's */
    uint64_t plan, weights_fingerprint;
    WeightsWatch watch;         /* over `weights` */
    uint64_t trained_over;      /* fingerprint of the weights below `trained`, `exchange`
                                 * or `init`; 0: any */
    CheckpointFile *checkpoint; /* `from`, if it is one */
    Store *store;
    Session *session;
    RunOther other;
    bool is_resumed;
    /* Of the directory that was named, as the run itself or as `from`. */
    Arena *arena;
    RunRecord record;
    const char *record_directory; /* where that is; NULL: there is none */
    bool has_record;
    bool is_old; /* it has none: an earlier version made it */
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

/* Where the parameters came from, or NULL. */
const char *run_weights_path(const Run *run);

/* The data that a command is given, or else those of the run; NULL and an error if they
 * are not what run.json says. `given->directory` is NULL where none was given. Fills in
 * `given`, of which `progress` is standard error where none was given, and, if not NULL,
 * `out_files`, whose memory is the run's. */
NODISCARD DataSource *run_open_data(const Run *run, DataOptions *given,
                                    DataFiles *out_files, Diags *diags);

#endif
