/* Batches of chosen examples. */
#ifndef VLG_RUNTIME_DATA_DATASET_DATASET_BATCH_H
#define VLG_RUNTIME_DATA_DATASET_DATASET_BATCH_H

#include "runtime/data/dataset/task_texts.h"
#include "runtime/data/dataset/fields.h"
#include "runtime/batch/skips.h"
#include "runtime/data/features/features.h"
#include "runtime/isolate/isolate.h"

/* How examples of a task become sequences. */
typedef struct TaskShape {
    const TaskTexts *texts;
    TaskFields fields;
    const char *feature_folder;        /* under that of the example */
    bool is_encoded;                   /* the features are made by an encoder */
    double interval;                   /* seconds between two rows of a video then */
    int64_t video_rows;                /* that frames are resampled to */
    int64_t input_limit, target_limit; /* most tokens; 0: any number */
} TaskShape;

/* False and errors if the model's graphs do not fit the task's data. */
NODISCARD bool task_shape_find(TaskShape *out, const Module *module,
                               const TaskTexts *texts, const Tokenizer *tokenizer,
                               const DatasetEncoder *encoder, Arena *arena, Diags *diags);

/* An example, and what is to be said about it. */
typedef struct Chosen {
    const DatasetExample *example;
    const char *target;
    float score;
} Chosen;

/* Reads the features of what is shown where that is in no data set. */
typedef struct FeatureReader {
    /* False and an error that names what is wrong. */
    bool (*read)(void *state, const char *name, Features *out, Diags *diags);
    void *state;
} FeatureReader;

typedef struct BatchMaker {
    const char *directory;
    const char *encoded; /* the directory of features that an encoder makes */
    Isolate *isolate;    /* that reads feature files */
    const Tokenizer *tokenizer;
    Skips *skips;
    const TaskShape *shape;
    const FeatureReader *reader; /* NULL: features are files of the data set */
} BatchMaker;

/* Of what is shown under that name, in a folder of the data set; from the arena. */
char *batch_features_path(const BatchMaker *maker, const char *folder, const char *name,
                          Arena *arena);

/* Reads what an example shows as a batch would. *out_rows: rows in the files of the first
 * of its images, or frames of its video. False and errors. */
NODISCARD bool batch_check_shown(const BatchMaker *maker, const DatasetExample *example,
                                 int64_t *out_rows, Diags *diags);

/* NULL and errors if an example cannot be read and none may be left out; NULL without an
 * error if all are left out. */
Batch *batch_make(const BatchMaker *maker, const Chosen *chosen, int64_t count,
                  Diags *diags);

#endif
