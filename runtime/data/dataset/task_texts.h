/* What a plan says of a task's records: which they are, the texts that are made of their
 * fields, and how answers are scored. */
#ifndef VLG_RUNTIME_DATA_DATASET_TASK_TEXTS_H
#define VLG_RUNTIME_DATA_DATASET_TASK_TEXTS_H

#include "runtime/data/dataset/layouts.h"
#include "runtime/data/dataset/template.h"

typedef struct TaskTexts {
    const Task *task;
    const Layout *layout;
    const char *folder; /* of files and features; NULL: where they are published */
    AnswerKind metric;
    Template prompt; /* what is read */
    Template answer; /* what is said; of published layouts over the field `answer` */
    Template images[EXAMPLE_IMAGES_MAX]; /* names of what is shown */
    uint32_t image_count;
    bool is_video;
    /* Of plain records: the name of the example, what scores are broken down by,
     * annotators' answers, and all that may be answered. Without a source where the task
     * does not say. */
    Template id, group, references, choices;
} TaskTexts;

/* `arena` owns what *out points at, `task` must outlive it. A task whose facts have no
 * `records` reads the layout of its name. False and an error at the fact that is
 * wrong. */
NODISCARD bool task_texts_find(TaskTexts *out, const Task *task, Arena *arena,
                               Diags *diags);

/* Whether annotators' answers are in files of their own. */
bool task_texts_annotated(const TaskTexts *texts);

/* What is read of an example: the text of the prompt. */
char *task_texts_read(const TaskTexts *texts, const DatasetExample *example,
                      Arena *arena);

/* Where a file of the layout is, under the data's directory. */
const char *task_texts_path(const TaskTexts *texts, const char *path, Arena *arena);

#endif
