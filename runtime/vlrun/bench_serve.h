/* Steps and generations that another program asks for, one at a time. */
#ifndef VLG_RUNTIME_VLRUN_BENCH_SERVE_H
#define VLG_RUNTIME_VLRUN_BENCH_SERVE_H

#include "runtime/vlrun/bench_session.h"

typedef struct BenchServe {
    BenchSession session;
    const char
        *batch; /* a recorded case, for case_open: the batch of its first step, that
                        * step's task, and its rules of generation */
} BenchServe;

/* Obeys lines of standard input until its end; each is answered by a line:
 *
 *     step                      SECONDS LOSS, of a training step, update included
 *     generate BEAMS LENGTH     SECONDS ID.., tokens of all sequences after the first of
 *                               each, end to end; at most LENGTH with it
 *
 * False and an error at the first line that is neither, or that cannot be obeyed. */
NODISCARD bool bench_serve(const BenchServe *options, const Run *run, Diags *diags);

#endif
