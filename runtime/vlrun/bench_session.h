/* Sessions of vlrun bench, whichever way it measures. */
#ifndef VLG_RUNTIME_VLRUN_BENCH_SESSION_H
#define VLG_RUNTIME_VLRUN_BENCH_SESSION_H

#include "runtime/run/run.h"

typedef struct BenchSession {
    const char *processor;    /* for processor_check */
    const char *gemm;         /* of gemm_makers */
    const char *dump_kernels; /* as in RunOptions */
    int64_t lanes;            /* 0: one per processor */
} BenchSession;

/* With the user's cache of kernels, for session_free; NULL and an error if it cannot be
 * opened. The run is kept, not owned. */
Session *bench_session(const BenchSession *options, const Run *run, Diags *diags);

#endif
