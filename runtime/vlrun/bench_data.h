/* What reading costs a training step. */
#ifndef VLG_RUNTIME_VLRUN_BENCH_DATA_H
#define VLG_RUNTIME_VLRUN_BENCH_DATA_H

#include "runtime/data/data.h"
#include "runtime/vlrun/bench_session.h"

double bench_median(double *seconds, int64_t count); /* puts them in order */

typedef struct BenchData {
    DataOptions data;
    BenchSession session;
    int64_t rounds; /* 1 or more */
} BenchData;

/* Training steps whose batches a reader makes meanwhile, in turn with steps on the same
 * batches made beforehand; prints the medians of both, and what a batch takes to make. */
NODISCARD bool bench_data(const BenchData *options, const Run *run, Diags *diags);

#endif
