/* Questions that are in no file: one example of a task at a time, by the fields that the
 * task's texts read. */
#ifndef VLG_RUNTIME_DATA_DATASET_DATASET_QUESTION_H
#define VLG_RUNTIME_DATA_DATASET_DATASET_QUESTION_H

#include "runtime/data/dataset/dataset_batch.h"

/* Members of the record are the fields of the task's texts, of a published layout under
 * the names that docs/data.md gives the fields or under those of its files. */
typedef struct DataQuestion {
    const char *task;
    const json_t *record;
    Loc asked; /* where, for messages */
    /* What is shown, as a FeatureReader understands it; none: what the record says. */
    const char *images[EXAMPLE_IMAGES_MAX];
    uint32_t image_count;
} DataQuestion;

/* Of a source that dataset_open opened, a task of its plan. */
const TaskTexts *dataset_texts(const DataSource *source, const char *task);

/* The field of the task's prompt that a text without a name is meant for: the only one
 * that neither `record` (or NULL) has nor an image or a video is named by, or else
 * "question" or "statement". NULL if there is none, or several. */
const char *question_field(const TaskTexts *texts, const json_t *record);
/* Whether the record says all that is shown. */
bool question_shows(const TaskTexts *texts, const json_t *record);
/* Whether a text of the task reads a field of that name; else an error with the nearest,
 * or all that it reads. */
NODISCARD bool question_knows(const TaskTexts *texts, const char *field, Loc loc,
                              Diags *diags);
/* How many of the fields that the task reads are not given by a record, with so many
 * images; by this tasks are told apart of which none was named. */
uint32_t question_lacks(const TaskTexts *texts, const json_t *record, uint32_t images);

/* What a question is for a model: a batch of one sequence, with what was read. */
typedef struct AskedQuestion {
    Batch *batch;       /* batch_free */
    const char *prompt; /* the text that the model reads; from the arena */
    const DatasetExample *example;
    /* What may be answered, where the task says so; NULL: anything. */
    const char **choices;
    uint32_t choice_count;
} AskedQuestion;

/* `arena` owns all but the batch. False and errors, which say what is missing, misspelt
 * or cannot be read. */
NODISCARD bool dataset_ask(DataSource *source, const DataQuestion *question,
                           const FeatureReader *features, Arena *arena,
                           AskedQuestion *out, Diags *diags);

/* Where the data set has a picture of an example itself, or NULL: beside the folder of
 * its features, with the ending of a picture if its name has none. `directory` is another
 * place to look in first, or NULL. */
const char *dataset_picture_path(const DataSource *source, const DatasetExample *example,
                                 uint32_t image, const char *directory, Arena *arena);

/* Where the data set has features of that name for a task, or NULL. */
const char *dataset_features_path(DataSource *source, const char *task, const char *name,
                                  Arena *arena);

#endif
