/* A page about runs: their curves, scores, cost and samples, and in what they differ. */
#ifndef VLG_RUNTIME_REPORT_REPORT_H
#define VLG_RUNTIME_REPORT_REPORT_H

#include <jansson.h>

#include "ir/graph.h"
#include "runtime/page/page.h"
#include "runtime/report/history.h"

/* A run as its directory shows it, without weights. */
typedef struct ReportRun {
    const char *directory;
    char *name; /* the end of its path, as far as it takes to tell it from others */
    History history;
    json_t *record;  /* run.json; NULL: an earlier version made the run */
    Module *module;  /* its plan; NULL where there is none */
    double steps;    /* of the whole run, or NAN */
    bool is_at_work; /* a process trains here */
} ReportRun;

typedef struct ReportRuns {
    ReportRun *items;
    uint32_t count;
} ReportRuns;

/* Reads all runs. False and an error if one cannot be read or is none; what can be told
 * in spite of an error is told (diags_error_count). `directories` must outlive the
 * result, which is to be freed either way. */
NODISCARD bool report_read(ReportRuns *out, const char *const *directories,
                           uint32_t count, Diags *diags);
void report_free(ReportRuns *runs);

/* Percent of the parameters that are trained; NAN if it is not known, 0 of no steps. */
double report_trained(const ReportRun *run);
/* The last score of a task on the test split after training; or NULL. */
const HistoryScore *report_test(const ReportRun *run, const char *task);
/* The mean of these over all tasks; NAN if there are none. */
double report_mean(const ReportRun *run);
/* All tasks of all runs; the caller frees them. */
Strings *report_tasks(const ReportRuns *runs);

/* The sections of the page. */
void report_add_summary(Page *page, const ReportRuns *runs);
void report_add_scores(Page *page, const ReportRuns *runs);
void report_add_curves(Page *page, const ReportRuns *runs);
void report_add_config(Page *page, const ReportRuns *runs);

#endif
