/* The lines of metrics.jsonl as curves for TensorBoard: loss/TASK, train/lr,
 * train/gradient_norm, train/tokens_per_second by the steps done, and SPLIT/TASK/METRIC
 * by the steps done before scoring.
 *
 * The file follows from metrics.jsonl alone: a run that goes on makes it anew from the
 * lines that stay, and then adds to it. So nothing is in it twice. */
#ifndef VLG_RUNTIME_TRAIN_CURVES_H
#define VLG_RUNTIME_TRAIN_CURVES_H

#include <stdio.h>

#include "ir/base/diag.h"

typedef struct Curves Curves;

/* Makes `path` of the lines of the file `metrics`, and adds to it. NULL and an error if
 * one cannot be read or the other not be written. */
NODISCARD Curves *curves_open(const char *path, const char *metrics, Diags *diags);
void curves_add(Curves *curves, const char *line);
/* What was added so far reaches the file; false and an error if any is lost. */
NODISCARD bool curves_flush(Curves *curves, Diags *diags);
void curves_close(Curves *curves); /* NULL is allowed */

/* Only the first half. */
NODISCARD bool curves_write(const char *path, const char *metrics, Diags *diags);

#endif
