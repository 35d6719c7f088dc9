#include "runtime/vlrun/bench_session.h"

#include <stdlib.h>

#include "ir/base/cache_dir.h"

Session *bench_session(const BenchSession *options, const Run *run, Diags *diags)
{
    char *cache = cache_dir_path();
    const SessionOptions session = {.lanes = (uint32_t)options->lanes,
                                    .cache_dir = cache,
                                    .processor = options->processor,
                                    .gemm = options->gemm,
                                    .dump_kernels = options->dump_kernels};
    Session *opened = session_new(run->module, run->store, &session, diags);
    free(cache);
    return opened;
}
