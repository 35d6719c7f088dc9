/* Plans, and what their tasks want of batches. */
#include <stdlib.h>
#include <string.h>

#include "frontend/frontend.h"
#include "ir/axis.h"
#include "ir/base/heap.h"
#include "ir/lowering.h"
#include "ir/plan.h"
#include "ir/range.h"
#include "ir/verify.h"
#include "library/parts.h"
#include "passes/choices.h"
#include "passes/pass.h"
#include "runtime/exec/generate.h"
#include "runtime/train/schedule.h"

/* -- what tasks want ----------------------------------------------------------------- */

static const struct Purpose {
    GraphKind graph;
    uint32_t purpose;
} purposes[] = {{GRAPH_train, VLG_TRAINS},
                {GRAPH_evaluate, VLG_EVALUATES},
                {GRAPH_encode, VLG_GENERATES}};

const VlgInput *task_input(const VlgTask *task, const char *name)
{
    for (uint32_t i = 0; i < task->input_count; i++)
        if (strcmp(task->inputs[i].name, name) == 0)
            return &task->inputs[i];
    return NULL;
}

static void describe_axes(const Graph *graph, VlgTask *task, VlgAxis *axes)
{
    for (uint32_t a = 0; a < graph->axis_count; a++) {
        const Axis *axis = &graph->axes[a];
        bool is_known = axis->kind != AXIS_KIND_primary;
        for (uint32_t i = 0; i < task->axis_count && !is_known; i++)
            is_known = strcmp(axes[i].name, axis->name) == 0;
        if (!is_known)
            axes[task->axis_count++] = (VlgAxis){axis->name, axis->longest};
    }
}

/* Of an axis on which all sequences have as many; 0 of others. */
static int64_t sequence_rows(const Axis *axis)
{
    switch (axis->kind) {
    case AXIS_KIND_batch:
        return 1;
    case AXIS_KIND_fixed:
        return axis->count;
    case AXIS_KIND_pool:
        return axis->images * axis->side * axis->side;
    default:
        return 0;
    }
}

/* A table may be read by another graph, too: the smaller one counts. */
static void describe_input(const Graph *graph, const Node *node, int64_t limit,
                           uint32_t purpose, VlgTask *task, VlgInput *inputs)
{
    const char *name = node->attr.named.name;
    for (uint32_t i = 0; i < task->input_count; i++)
        if (strcmp(inputs[i].name, name) == 0) {
            inputs[i].purpose |= purpose;
            if (limit < inputs[i].limit)
                inputs[i].limit = limit;
            return;
        }
    const Axis *axis = &graph->axes[node->type.axis];
    inputs[task->input_count++] =
        (VlgInput){.name = name,
                   .axis = axis->name,
                   .sequence_rows = sequence_rows(axis),
                   .type = node->type.dtype == DTYPE_i32 ? VLG_I32 : VLG_F32,
                   .width = type_width(node->type),
                   .limit = limit,
                   .purpose = purpose};
}

static void describe_inputs(const Graph *graph, uint32_t purpose, VlgTask *task,
                            VlgInput *inputs)
{
    Arena *arena = arena_new();
    const int64_t *limits = index_limits(graph, arena);
    for (uint32_t i = 0; i < graph->node_count; i++)
        if (node_is_field(graph->nodes[i]))
            describe_input(graph, graph->nodes[i], limits[i], purpose, task, inputs);
    arena_free(arena);
}

static void describe_task(const VlgPlan *plan, const Task *of, VlgTask *task)
{
    enum { PURPOSES = sizeof purposes / sizeof *purposes };
    const Graph *graphs[PURPOSES];
    size_t axes = 0, nodes = 0;
    for (int i = 0; i < PURPOSES; i++) {
        graphs[i] = module_task_graph(plan->module, purposes[i].graph, of->name);
        axes += graphs[i] ? graphs[i]->axis_count : 0;
        nodes += graphs[i] ? graphs[i]->node_count : 0;
    }
    VlgAxis *all_axes = heap_array(axes + 1, sizeof *all_axes);
    VlgInput *all_inputs = heap_array(nodes + 1, sizeof *all_inputs);
    *task = (VlgTask){.name = of->name,
                      .sequences = of->sequences,
                      .generates = generate_can(plan->module, of->name)};
    for (int i = 0; i < PURPOSES; i++)
        if (graphs[i]) {
            describe_axes(graphs[i], task, all_axes);
            describe_inputs(graphs[i], purposes[i].purpose, task, all_inputs);
        }
    task->axes = arena_copy(plan->arena, all_axes, task->axis_count * sizeof *all_axes);
    task->inputs =
        arena_copy(plan->arena, all_inputs, task->input_count * sizeof *all_inputs);
    free(all_axes);
    free(all_inputs);
}

/* Takes the module; NULL if that is NULL. */
static VlgPlan *plan_new(Module *module)
{
    if (!module)
        return NULL;
    VlgPlan *plan = heap_alloc(sizeof *plan);
    *plan = (VlgPlan){.module = module, .arena = arena_new()};
    plan->tasks = ARENA_ARRAY(plan->arena, VlgTask, module->task_count + 1);
    for (uint32_t i = 0; i < module->task_count; i++)
        describe_task(plan, &module->tasks[i], &plan->tasks[i]);
    return plan;
}

/* -- making them --------------------------------------------------------------------- */

static Module *compile(const char *model, const VlgCompile *options, Diags *diags)
{
    const FrontendOptions how = {.sets = options->settings,
                                 .set_count = options->setting_count};
    const PassOptions passes = {.memory_budget = options->memory_budget,
                                .matmul_precision = options->matmul_precision,
                                .frozen = options->frozen};
    bool is_known = choice_check("matmul_precision", options->matmul_precision,
                                 precision_choices, diags) &&
                    choice_check("frozen", options->frozen, frozen_choices, diags);
    Module *module = is_known ? frontend_load(model, &how, diags) : NULL;
    if (!module || (passes_run(module, &passes, diags) && plan_verify(module, diags)))
        return module;
    module_free(module);
    return NULL;
}

VlgPlan *vlg_compile(const char *model, const VlgCompile *options, VlgError *error)
{
    ApiCall call;
    call_begin(&call, error);
    VlgPlan *plan =
        plan_new(compile(model, options ? options : &(VlgCompile){0}, call.diags));
    call_end(&call, plan);
    return plan;
}

VlgPlan *vlg_plan_read(const char *path, VlgError *error)
{
    ApiCall call;
    call_begin(&call, error);
    VlgPlan *plan = plan_new(plan_read(path, call.diags));
    call_end(&call, plan);
    return plan;
}

bool vlg_plan_write(const VlgPlan *plan, const char *path, VlgError *error)
{
    ApiCall call;
    call_begin(&call, error);
    return call_end(&call, plan_write(plan->module, path, call.diags));
}

void vlg_plan_free(VlgPlan *plan)
{
    if (!plan)
        return;
    module_free(plan->module);
    arena_free(plan->arena);
    free(plan);
}

/* -- asking -------------------------------------------------------------------------- */

const char *vlg_plan_name(const VlgPlan *plan)
{
    return plan->module->name;
}

uint32_t vlg_task_count(const VlgPlan *plan)
{
    return plan->module->task_count;
}

const VlgTask *vlg_task(const VlgPlan *plan, uint32_t index)
{
    return &plan->tasks[index];
}

double vlg_rate(const VlgPlan *plan, int64_t total_steps, int64_t step)
{
    return schedule_rate(&plan->module->settings, total_steps, step);
}
