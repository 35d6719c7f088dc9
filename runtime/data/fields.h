/* What the graphs of a task ask of the shapes data: which fields, on which axes, how
 * wide. */
#ifndef VLG_RUNTIME_DATA_FIELDS_H
#define VLG_RUNTIME_DATA_FIELDS_H

#include "runtime/data/shapes.h"

enum { ANSWER_WORDS = 32, QUESTION_WORDS = 64 };

typedef enum FieldKind {
    FIELD_features,
    FIELD_boxes,
    FIELD_input_ids,
    FIELD_decoder_input_ids,
    FIELD_labels,
    FIELD_scores,
    FIELD_COUNT
} FieldKind;

extern const char *const shapes_field_names[FIELD_COUNT];
extern const DType shapes_field_dtypes[FIELD_COUNT];

/* A field that some graph of the task has as an input. */
typedef struct Field {
    const Graph *graph; /* NULL: none has */
    Type type;          /* in `graph` */
} Field;

typedef struct TaskData {
    const Task *task;
    const ExampleKind *kind;
    const char *prompt;
    Field fields[FIELD_COUNT];
    const char **axes;      /* names of the primary axes */
    FieldKind *axis_fields; /* the field whose rows are the axis's */
    uint32_t axis_count;
    int64_t *axis_rows; /* scratch: rows of one sequence, by axis of the boxes' graph */
    int32_t question_room, answer_room; /* most words, the closing one included */
    Looks looks;
    int64_t examples, evaluated;
    int64_t *order; /* of the training examples in the epoch at hand */
} TaskData;

/* False and errors if the data have not what the task's graphs ask for. `arena` owns what
 * `data` points at, the module its names. */
NODISCARD bool task_data_open(TaskData *data, const Module *module, const Task *task,
                              Arena *arena, Diags *diags);

/* The field that gives a primary axis its length, or FIELD_COUNT; boxes have the length
 * of what they frame. */
FieldKind task_field_on_axis(const TaskData *data, const char *axis);

#endif
