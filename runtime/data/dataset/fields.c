/* Reading the graphs of a task: their inputs by name, and their primary axes by the
 * inputs that lie on them. */
#include "runtime/data/dataset/fields.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

const char *const field_names[FIELD_COUNT] = {
    "features", "boxes", "input_ids", "decoder_input_ids", "labels", "scores",
};

const DType field_dtypes[FIELD_COUNT] = {DTYPE_f32, DTYPE_f32, DTYPE_i32,
                                         DTYPE_i32, DTYPE_i32, DTYPE_f32};

/* -- what the graphs ask for ----------------------------------------------------- */

static bool take_input(TaskFields *fields, const Graph *graph, const Node *node,
                       Diags *diags)
{
    const char *name = node->attr.named.name;
    for (int kind = 0; kind < FIELD_COUNT; kind++) {
        if (strcmp(name, field_names[kind]) != 0)
            continue;
        Field *field = &fields->fields[kind];
        bool is_wide = kind == FIELD_boxes || kind == FIELD_features;
        if (node->type.dtype != field_dtypes[kind] || !type_is_ragged(node->type) ||
            (!is_wide && type_width(node->type) != 1)) {
            diag_error(diags, node->loc, "data sets have another type for input '%s'",
                       name);
            return false;
        }
        *field = (Field){.graph = graph, .type = node->type};
        return true;
    }
    const char *near = nearest_name(name, field_names, FIELD_COUNT);
    if (near)
        diag_error(diags, node->loc, "data sets have no field '%s'; did you mean '%s'?",
                   name, near);
    else
        diag_error(diags, node->loc, "data sets have no field '%s'", name);
    return false;
}

static bool take_inputs(TaskFields *fields, const Graph *graph, Diags *diags)
{
    for (uint32_t i = 0; i < graph->node_count; i++)
        if (graph->nodes[i]->op == OP_input &&
            !take_input(fields, graph, graph->nodes[i], diags))
            return false;
    return true;
}

FieldKind task_field_on_axis(const TaskFields *fields, const char *axis)
{
    for (int kind = 0; kind < FIELD_COUNT; kind++) {
        const Field *field = &fields->fields[kind];
        if (field->graph && kind != FIELD_boxes &&
            strcmp(field->graph->axes[field->type.axis].name, axis) == 0)
            return (FieldKind)kind;
    }
    return FIELD_COUNT;
}

static bool has_axis(const TaskFields *fields, const char *axis)
{
    for (uint32_t i = 0; i < fields->axis_count; i++)
        if (strcmp(fields->axes[i], axis) == 0)
            return true;
    return false;
}

static bool take_axis(TaskFields *fields, const Axis *axis, Diags *diags)
{
    FieldKind kind = task_field_on_axis(fields, axis->name);
    if (kind == FIELD_COUNT) {
        diag_error(diags, fields->task->loc,
                   "task '%s': no input tells how long axis '%s' is", fields->task->name,
                   axis->name);
        return false;
    }
    if (!fields->room[kind] || axis->longest < fields->room[kind])
        fields->room[kind] = axis->longest;
    fields->axes[fields->axis_count] = axis->name;
    fields->axis_fields[fields->axis_count++] = kind;
    return true;
}

/* The primary axes of all graphs of the task. */
static bool take_axes(Arena *arena, TaskFields *fields, const Graph *const *graphs,
                      uint32_t count, Diags *diags)
{
    uint32_t room = 0;
    for (uint32_t g = 0; g < count; g++)
        room += graphs[g] ? graphs[g]->axis_count : 0;
    fields->axes = ARENA_ARRAY(arena, const char *, room);
    fields->axis_fields = ARENA_ARRAY(arena, FieldKind, room);
    for (uint32_t g = 0; g < count; g++)
        for (uint32_t i = 0; graphs[g] && i < graphs[g]->axis_count; i++) {
            const Axis *axis = &graphs[g]->axes[i];
            if (axis->kind == AXIS_KIND_primary && !has_axis(fields, axis->name) &&
                !take_axis(fields, axis, diags))
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

const char *task_setting(const Task *task, const char *key, const char *otherwise)
{
    for (uint32_t i = 0; i < task->data_count; i++)
        if (strcmp(task->data[i].key, key) == 0)
            return task->data[i].value;
    return otherwise;
}

bool task_setting_count(const Task *task, const char *key, int64_t otherwise,
                        int64_t *out, Diags *diags)
{
    const char *text = task_setting(task, key, NULL);
    char *end = NULL;
    *out = text ? strtoll(text, &end, 10) : otherwise;
    if (text && (end == text || *end || *out < 0 || *out > INT32_MAX)) {
        diag_error(diags, task->loc, "task '%s': %s must be a count, not '%s'",
                   task->name, key, text);
        return false;
    }
    return true;
}

/* The vocabulary is the table that predictions are made over, and the one that the text
 * is looked up in. */
static void find_vocabulary(TaskFields *fields, const Graph *graph)
{
    for (uint32_t i = 0; i < graph->node_count; i++) {
        const Node *node = graph->nodes[i];
        int64_t rows = INT64_MAX;
        if (node->op == OP_vocab_argmax || node->op == OP_cross_entropy)
            rows = node->args[1]->type.dims[0];
        if (rows < fields->vocabulary)
            fields->vocabulary = rows;
    }
}

bool task_fields_find(TaskFields *out, const Module *module, const Task *task,
                      Arena *arena, Diags *diags)
{
    static const char *const kinds[] = {"train", "evaluate"};
    *out = (TaskFields){.task = task, .vocabulary = INT64_MAX};
    const Graph *graphs[2];
    for (int i = 0; i < 2; i++) {
        graphs[i] =
            module_find_graph(module, arena_format(arena, "%s.%s", task->name, kinds[i]));
        if (graphs[i] && !take_inputs(out, graphs[i], diags))
            return false;
        if (graphs[i])
            find_vocabulary(out, graphs[i]);
    }
    if (!take_axes(arena, out, graphs, 2, diags))
        return false;
    const Field *features = &out->fields[FIELD_features];
    out->images = features->graph ? images_of(features) : 0;
    return true;
}
