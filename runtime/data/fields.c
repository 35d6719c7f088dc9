/* Reading the graphs of a task: their inputs by name, their primary axes by the inputs
 * that lie on them, and whether images and vocabulary are what the shapes data can
 * serve. */
#include "runtime/data/fields.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Examples in a task's training data, and in each other split, unless the task says. */
enum { EXAMPLES = 6000, EVALUATED = 400 };

const char *const shapes_field_names[FIELD_COUNT] = {
    "features", "boxes", "input_ids", "decoder_input_ids", "labels", "scores",
};

const DType shapes_field_dtypes[FIELD_COUNT] = {DTYPE_f32, DTYPE_f32, DTYPE_i32,
                                                DTYPE_i32, DTYPE_i32, DTYPE_f32};

/* -- what the graphs ask for ----------------------------------------------------- */

static bool take_input(TaskData *data, const Graph *graph, const Node *node, Diags *diags)
{
    const char *name = node->attr.named.name;
    for (int kind = 0; kind < FIELD_COUNT; kind++) {
        if (strcmp(name, shapes_field_names[kind]) != 0)
            continue;
        Field *field = &data->fields[kind];
        bool is_wide = kind == FIELD_boxes || kind == FIELD_features;
        if (node->type.dtype != shapes_field_dtypes[kind] ||
            !type_is_ragged(node->type) || (!is_wide && type_width(node->type) != 1)) {
            diag_error(diags, node->loc,
                       "the shapes data have another type for input '%s'", name);
            return false;
        }
        *field = (Field){.graph = graph, .type = node->type};
        return true;
    }
    const char *near = nearest_name(name, shapes_field_names, FIELD_COUNT);
    if (near)
        diag_error(diags, node->loc,
                   "the shapes data have no field '%s'; did you mean '%s'?", name, near);
    else
        diag_error(diags, node->loc, "the shapes data have no field '%s'", name);
    return false;
}

static bool take_inputs(TaskData *data, const Graph *graph, Diags *diags)
{
    for (uint32_t i = 0; i < graph->node_count; i++)
        if (graph->nodes[i]->op == OP_input &&
            !take_input(data, graph, graph->nodes[i], diags))
            return false;
    return true;
}

FieldKind task_field_on_axis(const TaskData *data, const char *axis)
{
    for (int kind = 0; kind < FIELD_COUNT; kind++) {
        const Field *field = &data->fields[kind];
        if (field->graph && kind != FIELD_boxes &&
            strcmp(field->graph->axes[field->type.axis].name, axis) == 0)
            return (FieldKind)kind;
    }
    return FIELD_COUNT;
}

static bool has_axis(const TaskData *data, const char *axis)
{
    for (uint32_t i = 0; i < data->axis_count; i++)
        if (strcmp(data->axes[i], axis) == 0)
            return true;
    return false;
}

static bool take_axis(TaskData *data, const Axis *axis, Diags *diags)
{
    FieldKind kind = task_field_on_axis(data, axis->name);
    if (kind == FIELD_COUNT) {
        diag_error(diags, data->task->loc,
                   "task '%s': no input tells how long axis '%s' is", data->task->name,
                   axis->name);
        return false;
    }
    int32_t room =
        (int32_t)(axis->longest < QUESTION_WORDS ? axis->longest : QUESTION_WORDS);
    if (kind == FIELD_input_ids)
        data->question_room = room;
    else if (kind == FIELD_labels || kind == FIELD_decoder_input_ids)
        data->answer_room = room < ANSWER_WORDS ? room : ANSWER_WORDS;
    data->axes[data->axis_count] = axis->name;
    data->axis_fields[data->axis_count++] = kind;
    return true;
}

/* The primary axes of all graphs of the task. */
static bool take_axes(Arena *arena, TaskData *data, const Graph *const *graphs,
                      uint32_t count, Diags *diags)
{
    uint32_t room = 0;
    for (uint32_t g = 0; g < count; g++)
        room += graphs[g] ? graphs[g]->axis_count : 0;
    data->axes = ARENA_ARRAY(arena, const char *, room);
    data->axis_fields = ARENA_ARRAY(arena, FieldKind, room);
    data->axis_rows = ARENA_ARRAY(arena, int64_t, room);
    for (uint32_t g = 0; g < count; g++)
        for (uint32_t i = 0; graphs[g] && i < graphs[g]->axis_count; i++) {
            const Axis *axis = &graphs[g]->axes[i];
            if (axis->kind == AXIS_KIND_primary && !has_axis(data, axis->name) &&
                !take_axis(data, axis, diags))
                return false;
        }
    return true;
}

/* How many images a sequence shows: what the pool over the features' axis says. */
static int64_t images_of(const Field *features)
{
    const Graph *graph = features->graph;
    for (uint32_t i = 0; i < graph->axis_count; i++)
        if (graph->axes[i].kind == AXIS_KIND_pool &&
            graph->axes[i].of[0] == features->type.axis)
            return graph->axes[i].images;
    return 1;
}

static bool check_images(const TaskData *data, Diags *diags)
{
    const Field *features = &data->fields[FIELD_features];
    int64_t images = features->graph ? images_of(features) : data->kind->images;
    if (images == data->kind->images)
        return true;
    diag_error(diags, data->task->loc,
               "task '%s': the model takes %" PRId64 " images, the shapes data have %u",
               data->task->name, images, data->kind->images);
    return false;
}

static const char *task_setting(const Task *task, const char *key, const char *otherwise)
{
    for (uint32_t i = 0; i < task->data_count; i++)
        if (strcmp(task->data[i].key, key) == 0)
            return task->data[i].value;
    return otherwise;
}

static bool task_number(const Task *task, const char *key, int64_t otherwise,
                        int64_t *out, Diags *diags)
{
    const char *text = task_setting(task, key, NULL);
    char *end = NULL;
    *out = text ? strtoll(text, &end, 10) : otherwise;
    if (text && (end == text || *end || *out < 1 || *out > INT32_MAX)) {
        diag_error(diags, task->loc, "task '%s': %s must be a count, not '%s'",
                   task->name, key, text);
        return false;
    }
    return true;
}

/* The vocabulary is the table that predictions are made over. */
static bool check_vocabulary(const TaskData *data, const Graph *graph, Diags *diags)
{
    for (uint32_t i = 0; i < graph->node_count; i++) {
        const Node *node = graph->nodes[i];
        if (node->op != OP_vocab_argmax && node->op != OP_cross_entropy)
            continue;
        int64_t rows = node->args[1]->type.dims[0];
        if (rows < word_count() + VISUAL_WORDS) {
            diag_error(diags, node->loc,
                       "task '%s': a vocabulary of %" PRId64
                       " is too small: the shapes data have %d words and %d visual ids",
                       data->task->name, rows, word_count(), VISUAL_WORDS);
            return false;
        }
    }
    return true;
}

bool task_data_open(TaskData *data, const Module *module, const Task *task, Arena *arena,
                    Diags *diags)
{
    static const char *const kinds[] = {"train", "evaluate"};
    *data =
        (TaskData){.task = task, .kind = example_kind_find(task->name, task->loc, diags)};
    if (!data->kind)
        return false;
    data->prompt = task_setting(task, "prompt", data->kind->prompt);
    const Graph *graphs[2];
    for (int i = 0; i < 2; i++) {
        graphs[i] =
            module_find_graph(module, arena_format(arena, "%s.%s", task->name, kinds[i]));
        if (graphs[i] && !take_inputs(data, graphs[i], diags))
            return false;
    }
    if (!take_axes(arena, data, graphs, 2, diags))
        return false;
    for (int i = 0; i < 2; i++)
        if (graphs[i] && !check_vocabulary(data, graphs[i], diags))
            return false;
    const Field *features = &data->fields[FIELD_features];
    if (features->graph)
        data->looks = looks_new(arena, type_width(features->type));
    return check_images(data, diags) &&
           task_number(task, "examples", EXAMPLES, &data->examples, diags) &&
           task_number(task, "evaluated", EVALUATED, &data->evaluated, diags);
}
