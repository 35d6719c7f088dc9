/* What the graphs of a task ask of its data: which fields, on which axes, how wide. */
#ifndef VLG_RUNTIME_DATA_DATASET_FIELDS_H
#define VLG_RUNTIME_DATA_DATASET_FIELDS_H

#include "ir/graph.h"

typedef enum FieldKind {
    FIELD_features,
    FIELD_boxes,
    FIELD_input_ids,
    FIELD_decoder_input_ids,
    FIELD_labels,
    FIELD_scores,
    FIELD_COUNT
} FieldKind;

extern const char *const field_names[FIELD_COUNT];
extern const DType field_dtypes[FIELD_COUNT];

/* A field that some graph of the task has as an input. */
typedef struct Field {
    const Graph *graph; /* NULL: none has */
    Type type;          /* in `graph` */
} Field;

typedef struct TaskFields {
    const Task *task;
    Field fields[FIELD_COUNT];
    const char **axes;      /* names of the primary axes */
    FieldKind *axis_fields; /* the field whose rows are the axis's */
    uint32_t axis_count;
    int64_t room[FIELD_COUNT]; /* most rows of a sequence; 0: the field is on no axis */
    int64_t images;            /* of a sequence, as the model sees them; 0: no features */
    int64_t vocabulary;        /* rows of the smallest table of tokens */
} TaskFields;

/* False and errors if the graphs want what no data set has. `arena` owns what `out`
 * points at, the module its names. */
NODISCARD bool task_fields_find(TaskFields *out, const Module *module, const Task *task,
                                Arena *arena, Diags *diags);

/* The field that gives a primary axis its length, or FIELD_COUNT; boxes have the length
 * of what they frame. */
FieldKind task_field_on_axis(const TaskFields *fields, const char *axis);

/* A `data` setting of the task, or `otherwise`. */
const char *task_setting(const Task *task, const char *key, const char *otherwise);
/* The same for a count. False and an error if it is none. */
NODISCARD bool task_setting_count(const Task *task, const char *key, int64_t otherwise,
                                  int64_t *out, Diags *diags);

#endif
