/* The table that ends a training run: what it brought, and what it cost. */
#ifndef VLG_RUNTIME_TRAIN_SUMMARY_H
#define VLG_RUNTIME_TRAIN_SUMMARY_H

#include "runtime/train/evaluate.h"

typedef struct Summary {
    const Module *module;
    const Evaluation *before, *after; /* `before` may have no scores */
    const double *task_seconds;       /* in training steps, by task of the module */
    int64_t first_step;               /* where those seconds begin */
} Summary;

/* A row per task: its main metric before and after, the share of parameters that its
 * steps train in percent of all, and the seconds spent in them; and a row for the run,
 * with its peak resident memory. */
void summary_print(const Summary *summary, FILE *out);

/* The most memory of this process that was resident at once, in bytes, mapped weights
 * included. */
int64_t peak_resident_bytes(void);

#endif
