/* A task of a source, for what makes examples of it that are in no file. */
#ifndef VLG_RUNTIME_DATA_DATASET_DATASET_TASK_H
#define VLG_RUNTIME_DATA_DATASET_DATASET_TASK_H

#include "runtime/data/dataset/dataset_batch.h"
#include "runtime/data/dataset/dataset_load.h"

typedef struct DatasetTask {
    Loader loader; /* at no file; `arena` and `diags` are the caller's to set */
    BatchMaker maker;
} DatasetTask;

/* The task must be one of the plan's. */
DatasetTask dataset_task(const DataSource *source, const char *task);

#endif
