/* What a sweep ends in: a table for programs, and a page for people. */
#ifndef VLG_RUNTIME_SWEEP_SWEEP_PAGES_H
#define VLG_RUNTIME_SWEEP_SWEEP_PAGES_H

#include "runtime/sweep/sweep_result.h"

/* All rows, with the runs that some of them have. */
typedef struct SweepResults {
    const SweepFile *sweep;
    const char *directory;
    ReportRun *runs;   /* [sweep->count]; one without lines has no run */
    RowResult *rows;   /* [sweep->count] */
    Strings *labels;   /* of all rows */
    Strings *tasks;    /* of all runs */
    uint32_t finished; /* rows */
} SweepResults;

/* False and an error if a run is there and cannot be read; to be freed either way. */
NODISCARD bool sweep_results_read(SweepResults *out, const SweepFile *sweep,
                                  const char *directory, Diags *diags);
void sweep_results_free(SweepResults *results);

/* Columns with tabs between, a line for each row: its number, labels, numbers and scores.
 * What is not known is left blank. False and an error if it cannot be written. */
NODISCARD bool sweep_write_table(const SweepResults *results, const char *path,
                                 Diags *diags);
NODISCARD bool sweep_write_page(const SweepResults *results, const char *title,
                                const char *path, Diags *diags);

#endif
