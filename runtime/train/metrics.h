/* The metrics file of a run: a JSON object a line, for every step and score.
 *
 * A checkpoint counts on the lines of its steps: metrics_sync comes before it is written,
 * and a run that resumes from it first removes the later lines. So a run that was killed,
 * however often, leaves the same lines of steps as one that was not. */
#ifndef VLG_RUNTIME_TRAIN_METRICS_H
#define VLG_RUNTIME_TRAIN_METRICS_H

#include <stdint.h>

#include "ir/base/diag.h"

typedef struct Metrics Metrics;

/* Begins the file anew. NULL and an error if it cannot be written. */
NODISCARD Metrics *metrics_new(const char *path, Diags *diags);
/* Keeps the lines of the first `steps` steps, of a run that is `is_over` after those; a
 * warning says which of them are not there. */
NODISCARD Metrics *metrics_resume(const char *path, int64_t steps, bool is_over,
                                  Diags *diags);
void metrics_close(Metrics *metrics); /* NULL is allowed */

/* From here on lines are curves in `path`, too: runtime/train/curves.h. False and an
 * error if that cannot be written. */
NODISCARD bool metrics_draw(Metrics *metrics, const char *path, Diags *diags);

/* Adds a line: a JSON object, without its end of line. */
void metrics_add(Metrics *metrics, const char *line);
/* What was added so far reaches the file, though not yet the disk. */
void metrics_flush(Metrics *metrics);
/* Whether the file has validation scores of the last step that it was resumed after. */
bool metrics_has_validation(const Metrics *metrics);
/* All lines so far are on disk; false and an error if one of them is lost. */
NODISCARD bool metrics_sync(Metrics *metrics, Diags *diags);

#endif
