/* Scores of all tasks on a split of the data. */
#ifndef VLG_RUNTIME_EVALUATE_H
#define VLG_RUNTIME_EVALUATE_H

#include "runtime/interrupt.h"
#include "runtime/session.h"

/* One score per task of the module, in its order, into `out`: `task` and `metric` of a
 * score live as long as module and source. False after an error. An interrupt (NULL: none)
 * ends it early, with what was scored until then. */
NODISCARD bool evaluate_tasks(Session *session, DataSource *source, Split split,
                              const Interrupt *interrupt, TaskScore *out, Diags *diags);

/* A table of task, metric, examples and scores in percent; `before` may be NULL. */
void evaluate_print(const TaskScore *before, const TaskScore *after, uint32_t count,
                    FILE *out);

extern const char *const split_names[SPLIT_COUNT];

#endif
