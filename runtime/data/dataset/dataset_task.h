/* A task of a source, for what makes examples of it that are in no file, or goes through
 * those of its files. */
#ifndef VLG_RUNTIME_DATA_DATASET_DATASET_TASK_H
#define VLG_RUNTIME_DATA_DATASET_DATASET_TASK_H

#include "runtime/data/dataset/dataset_batch.h"
#include "runtime/data/dataset/dataset_load.h"

typedef struct DatasetTask {
    Loader loader; /* at no file; `arena` and `diags` are the caller's to set */
    BatchMaker maker;
} DatasetTask;

/* Whether the task could be opened; only with DatasetOptions.findings may it not. */
bool dataset_has_task(const DataSource *source, const char *task);
/* The task must be one of those. */
DatasetTask dataset_task(const DataSource *source, const char *task);

/* The examples of a split, in the order of its files. */
typedef struct DatasetSplit {
    const DatasetExample *items;
    int64_t count;
    int64_t used; /* the first so many are trained on, or scored */
} DatasetSplit;

/* False after an error: then there are those that could be read until it. */
bool dataset_split(DataSource *source, const char *task, Split split, DatasetSplit *out,
                   Diags *diags);

#endif
