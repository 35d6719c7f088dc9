/* Facts and graph of the task, each checked before anything is computed. */
#include "runtime/encode/encoder_plan.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ir/base/heap.h"

enum { CHANNELS = 3, SIDE_MAX = 4096 };

const char encoder_pixels[] = "pixels", encoder_features[] = "features";

static bool plan_fault(const Task *task, const char *what, Diags *diags)
{
    diag_error(diags, task->loc, "task '%s' cannot extract features: %s", task->name,
               what);
    return false;
}

static bool read_three(const Task *task, const char *key, float *out, Diags *diags)
{
    const char *text = task_fact(task, key);
    int end = 0;
    bool ok = text && sscanf(text, "%f %f %f%n", &out[0], &out[1], &out[2], &end) == 3 &&
              !text[end];
    for (int c = 0; ok && c < CHANNELS; c++)
        ok = isfinite(out[c]);
    if (!ok)
        diag_error(diags, task->loc,
                   "task '%s': data '%s' is '%s', expected three numbers", task->name,
                   key, text ? text : "missing");
    return ok;
}

static bool read_facts(EncoderPlan *plan, Diags *diags)
{
    const Task *task = plan->task;
    const char *size = task_fact(task, "image_size");
    char *end = NULL;
    long side = size ? strtol(size, &end, 10) : 0;
    if (!size || *end || side < 1 || side > SIDE_MAX)
        return plan_fault(task, "it needs data 'image_size', a number of pixels", diags);
    const char *fit = task_fact(task, "fit");
    if (fit && strcmp(fit, "squash") != 0 && strcmp(fit, "crop") != 0)
        return plan_fault(task, "its data 'fit' must be squash or crop", diags);
    plan->has_fit = fit;
    plan->fit = fit && strcmp(fit, "crop") == 0 ? PICTURE_FIT_crop : PICTURE_FIT_squash;
    const char *interpolation = task_fact(task, "interpolation");
    if (interpolation && strcmp(interpolation, "bicubic") != 0)
        return plan_fault(task, "its data 'interpolation' must be bicubic", diags);
    plan->side = (int32_t)side;
    if (!read_three(task, "mean", plan->mean, diags) ||
        !read_three(task, "std", plan->std, diags))
        return false;
    for (int c = 0; c < CHANNELS; c++)
        if (plan->std[c] == 0)
            return plan_fault(task, "its data 'std' has a zero", diags);
    return true;
}

static const Node *find_input(const Graph *graph, const char *name)
{
    for (uint32_t i = 0; i < graph->node_count; i++)
        if (graph->nodes[i]->op == OP_input &&
            strcmp(graph->nodes[i]->attr.named.name, name) == 0)
            return graph->nodes[i];
    return NULL;
}

static bool check_input(EncoderPlan *plan, const Graph *graph, Diags *diags)
{
    const Node *pixels = find_input(graph, encoder_pixels);
    if (!pixels)
        return plan_fault(plan->task, "it has no input 'pixels'", diags);
    int64_t rows = (int64_t)plan->side * plan->side;
    const Axis *axis =
        type_is_ragged(pixels->type) ? &graph->axes[pixels->type.axis] : NULL;
    if (!axis || axis->kind != AXIS_KIND_fixed || axis->count != rows ||
        type_width(pixels->type) != CHANNELS)
        return plan_fault(
            plan->task,
            "its input 'pixels' must be three numbers wide, on an axis with "
            "image_size * image_size rows",
            diags);
    plan->axis = axis->name;
    return true;
}

static int64_t rows_of(const Graph *graph, Type type)
{
    const Axis *axis = type_is_ragged(type) ? &graph->axes[type.axis] : NULL;
    return !axis                           ? 0
           : axis->kind == AXIS_KIND_batch ? 1
           : axis->kind == AXIS_KIND_fixed ? axis->count
                                           : 0;
}

bool encoder_plan_find(EncoderPlan *out, const Module *module, Diags *diags)
{
    *out = (EncoderPlan){0};
    if (module->task_count != 1) {
        diag_error(diags, (Loc){0},
                   "the plan has %u tasks, one that extracts features is needed",
                   module->task_count);
        return false;
    }
    const Task *task = out->task = &module->tasks[0];
    char *name = heap_format("%s.evaluate", task->name);
    const Graph *graph = module_find_graph(module, name);
    free(name);
    const Output *features =
        graph ? graph_find_output(graph, OUTPUT_result, encoder_features) : NULL;
    if (!features)
        return plan_fault(task, "it has no result 'features'", diags);
    out->most = task->sequences;
    out->width = type_width(features->value->type);
    out->rows = rows_of(graph, features->value->type);
    return read_facts(out, diags) && check_input(out, graph, diags);
}

PictureFit encoder_plan_fit(const EncoderPlan *plan, bool is_video)
{
    return plan->has_fit ? plan->fit : is_video ? PICTURE_FIT_crop : PICTURE_FIT_squash;
}
