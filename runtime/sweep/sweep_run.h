/* Works off the rows of a sweep. */
#ifndef VLG_RUNTIME_SWEEP_SWEEP_RUN_H
#define VLG_RUNTIME_SWEEP_SWEEP_RUN_H

#include "ir/base/interrupt.h"
#include "runtime/sweep/sweep_file.h"

typedef struct SweepWork {
    const char *directory;
    int64_t jobs;    /* rows at a time */
    int64_t threads; /* of each, unless it says so itself */
    int64_t only;    /* the number of the one row to do; COUNT_NOT_GIVEN: all */
    const Interrupt *interrupt;
    FILE *out; /* what becomes of each row */
} SweepWork;

/* How rows ended. */
typedef struct SweepCounts {
    uint32_t done, kept, failed;
    bool has_other_faults; /* a row failed by something else than its numbers */
} SweepCounts;

/* Compiles all rows first, so that a mistake shows before the first is trained; then
 * trains those that are not finished. A row that fails is told as an error and ends no
 * other. False and an error if nothing can be done at all. */
NODISCARD bool sweep_run(const SweepFile *sweep, const SweepWork *work,
                         SweepCounts *out_counts, Diags *diags);

#endif
