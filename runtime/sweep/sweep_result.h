/* What a row of a sweep has come to, as its directory shows:
 *
 *     rows/ID/plan.bin      its plan, of the last start
 *     rows/ID/run/          its run
 *     rows/ID/compile.log   what vlc said
 *     rows/ID/train.log     what vlrun said */
#ifndef VLG_RUNTIME_SWEEP_SWEEP_RESULT_H
#define VLG_RUNTIME_SWEEP_SWEEP_RESULT_H

#include "runtime/report/report.h"
#include "runtime/sweep/sweep_file.h"

/* DIR/rows/ID/NAME: malloc'ed; NULL for the name: the directory itself. */
char *sweep_row_path(const char *directory, const SweepRow *row, const char *name);

typedef enum RowState {
    ROW_new,      /* nothing that counts is there */
    ROW_begun,    /* a run that can go on */
    ROW_finished, /* a run that is over and scored */
} RowState;

/* Of a row that is compiled: whether its run is one of this plan over these weights.
 * False and an error if what is there cannot be read. */
NODISCARD bool sweep_row_state(const char *directory, const SweepRow *row,
                               RowState *out_state, Diags *diags);

/* Numbers of a row; NAN where one is not known. */
typedef struct RowResult {
    bool is_finished;
    double trained, all, percent;   /* parameters */
    double mean;                    /* of the scores, each multiplied by its scale */
    double train_speed, test_speed; /* examples a second */
    double peak_bytes, seconds;     /* of resident memory; in training steps */
} RowResult;

/* Of the run of a row; without one, all is NAN. */
RowResult sweep_row_result(const SweepFile *sweep, const ReportRun *run);
/* The score of a task on the test split, multiplied by its scale; NAN if there is
 * none. */
double sweep_row_score(const SweepFile *sweep, const ReportRun *run, const char *task);

#endif
