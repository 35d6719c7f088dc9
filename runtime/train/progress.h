/* What a training run says while it works: to people through its display, and a JSON
 * object for each step in its metrics file. */
#ifndef VLG_RUNTIME_TRAIN_PROGRESS_H
#define VLG_RUNTIME_TRAIN_PROGRESS_H

#include "runtime/batch/batch.h"
#include "runtime/train/best.h"
#include "runtime/train/display.h"
#include "runtime/train/evaluate.h"
#include "runtime/train/metrics.h"
#include "runtime/exec/session.h"

typedef struct Progress Progress;

/* Module, metrics and display must outlive it. */
Progress *progress_new(const Module *module, Metrics *metrics, Display *display,
                       int64_t first, int64_t total);
void progress_free(Progress *progress); /* ends the line; NULL allowed */

/* What computes the steps from here on. */
void progress_start(Progress *progress, const ProcessorInfo *processor);
/* Step `step` (from 0) is done. */
void progress_step(Progress *progress, int64_t step, const Batch *batch, double rate,
                   const StepResult *result);
/* Scores of a split, after `step` steps. */
void progress_scores(Progress *progress, int64_t step, const char *split,
                     const Evaluation *evaluation);
/* The end of the run: what it cost, and the best validation, if it is known. */
void progress_end(Progress *progress, int64_t step, const BestScore *best);
/* Seconds in steps so far, by task of the module. */
const double *progress_seconds(const Progress *progress);
/* Lets other text begin on a fresh line, and all metrics so far reach the file. */
void progress_flush(Progress *progress);

#endif
