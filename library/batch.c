/* Batches of the caller's are ours but for their names, and that they say how many rows
 * they have; nothing is copied but the description. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "ir/axis.h"
#include "ir/base/heap.h"
#include "library/parts.h"

/* -- from the caller ----------------------------------------------------------------- */

static const char *near_axis(const VlgTask *task, const char *name, Arena *arena)
{
    const char **names = ARENA_ARRAY(arena, const char *, task->axis_count + 1);
    for (uint32_t i = 0; i < task->axis_count; i++)
        names[i] = task->axes[i].name;
    return nearest_name(name, names, task->axis_count);
}

static const char *near_input(const VlgTask *task, const char *name, Arena *arena)
{
    const char **names = ARENA_ARRAY(arena, const char *, task->input_count + 1);
    for (uint32_t i = 0; i < task->input_count; i++)
        names[i] = task->inputs[i].name;
    return nearest_name(name, names, task->input_count);
}

/* An error; always false. */
static bool unknown(const VlgTask *task, const char *kind, const char *name,
                    const char *near, Diags *diags)
{
    diag_error(diags, (Loc){0}, "batch: task %s has no %s '%s'%s%s%s", task->name, kind,
               name, near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
    return false;
}

static bool has_axis(const VlgTask *task, const char *name)
{
    for (uint32_t i = 0; i < task->axis_count; i++)
        if (strcmp(task->axes[i].name, name) == 0)
            return true;
    return false;
}

static bool take_axis(const VlgTask *task, const VlgLengths *given, BatchAxis *out,
                      Arena *arena, Diags *diags)
{
    if (!has_axis(task, given->axis))
        return unknown(task, "axis", given->axis, near_axis(task, given->axis, arena),
                       diags);
    if (!given->lengths)
        diag_error(diags, (Loc){0}, "batch: axis %s has no lengths", given->axis);
    *out = (BatchAxis){.name = given->axis, .lengths = (int32_t *)given->lengths};
    return given->lengths;
}

static bool take_field(const VlgTask *task, const VlgField *given, BatchField *out,
                       Arena *arena, Diags *diags)
{
    const VlgInput *input = task_input(task, given->name);
    if (!input)
        return unknown(task, "input", given->name, near_input(task, given->name, arena),
                       diags);
    bool is_there = given->rows >= 0 && (given->data || given->rows == 0);
    if (!is_there)
        diag_error(diags, (Loc){0}, "batch: field %s has %" PRId64 " rows%s", given->name,
                   given->rows, given->data ? "" : ", and no data");
    *out = (BatchField){.name = given->name,
                        .axis = input->axis,
                        .dtype = given->type == VLG_I32 ? DTYPE_i32 : DTYPE_f32,
                        .width = given->width,
                        .rows = (void *)given->data,
                        .is_counted = true,
                        .row_count = given->rows};
    return is_there;
}

bool batch_take(const VlgPlan *plan, const VlgBatch *given, Arena *arena, Batch *out,
                Diags *diags)
{
    const Task *of = module_named_task(plan->module, given->task, (Loc){0}, diags);
    if (!of)
        return false;
    const VlgTask *task = &plan->tasks[of - plan->module->tasks];
    *out = (Batch){.task = of->name,
                   .sequences = given->sequences,
                   .group = given->group,
                   .axes = ARENA_ARRAY(arena, BatchAxis, given->axis_count + 1),
                   .fields = ARENA_ARRAY(arena, BatchField, given->field_count + 1)};
    if (given->group < 0 || (given->group && given->sequences % given->group != 0)) {
        diag_error(diags, (Loc){0},
                   "batch: %" PRId64 " sequences are no groups of %" PRId64,
                   given->sequences, given->group);
        return false;
    }
    for (; out->axis_count < given->axis_count; out->axis_count++)
        if (!take_axis(task, &given->axes[out->axis_count], &out->axes[out->axis_count],
                       arena, diags))
            return false;
    for (; out->field_count < given->field_count; out->field_count++)
        if (!take_field(task, &given->fields[out->field_count],
                        &out->fields[out->field_count], arena, diags))
            return false;
    return true;
}

/* -- to the caller ------------------------------------------------------------------- */

typedef struct GivenBatch {
    VlgBatch batch; /* first: what the caller has */
    Batch *of;
} GivenBatch;

static const BatchAxis *find_axis(const Batch *batch, const char *name)
{
    for (uint32_t i = 0; i < batch->axis_count; i++)
        if (strcmp(batch->axes[i].name, name) == 0)
            return &batch->axes[i];
    return NULL;
}

/* Of an axis of a graph, over all sequences. */
static int64_t count_rows(const Graph *graph, int32_t axis, const Batch *batch)
{
    int64_t *primary = heap_array(graph->axis_count, sizeof *primary), rows = 0;
    for (int64_t s = 0; s < batch->sequences; s++) {
        for (uint32_t a = 0; a < graph->axis_count; a++) {
            const BatchAxis *given = graph->axes[a].kind == AXIS_KIND_primary
                                         ? find_axis(batch, graph->axes[a].name)
                                         : NULL;
            primary[a] = given ? given->lengths[s] : 0;
        }
        rows += axis_sequence_rows(graph, axis, primary);
    }
    free(primary);
    return rows;
}

/* By the first graph of the task that has the axis. */
static int64_t field_rows(const VlgPlan *plan, const Batch *batch,
                          const BatchField *field)
{
    for (uint32_t g = 0; g < plan->module->graph_count; g++) {
        const Graph *graph = plan->module->graphs[g];
        int32_t axis = strcmp(graph->task, batch->task) == 0
                           ? graph_find_axis(graph, field->axis)
                           : AXIS_STATIC;
        if (axis != AXIS_STATIC)
            return count_rows(graph, axis, batch);
    }
    return 0;
}

/* What no graph of the task reads is left out: data sets may have more. */
VlgBatch *batch_give(const VlgPlan *plan, Batch *batch)
{
    const Task *of = module_find_task(plan->module, batch->task);
    const VlgTask *task = &plan->tasks[of - plan->module->tasks];
    GivenBatch *given = ARENA_ARRAY(batch->arena, GivenBatch, 1);
    VlgLengths *axes = ARENA_ARRAY(batch->arena, VlgLengths, batch->axis_count + 1);
    VlgField *fields = ARENA_ARRAY(batch->arena, VlgField, batch->field_count + 1);
    *given = (GivenBatch){.batch = {.task = batch->task,
                                    .sequences = batch->sequences,
                                    .axes = axes,
                                    .fields = fields,
                                    .group = batch->group},
                          .of = batch};
    for (uint32_t i = 0; i < batch->axis_count; i++)
        if (has_axis(task, batch->axes[i].name))
            axes[given->batch.axis_count++] =
                (VlgLengths){batch->axes[i].name, batch->axes[i].lengths};
    for (uint32_t i = 0; i < batch->field_count; i++) {
        const BatchField *field = &batch->fields[i];
        if (task_input(task, field->name))
            fields[given->batch.field_count++] =
                (VlgField){.name = field->name,
                           .type = field->dtype == DTYPE_i32 ? VLG_I32 : VLG_F32,
                           .rows = field_rows(plan, batch, field),
                           .width = field->width,
                           .data = field->rows};
    }
    return &given->batch;
}

void vlg_batch_free(VlgBatch *batch)
{
    if (batch)
        batch_free(((GivenBatch *)batch)->of);
}
