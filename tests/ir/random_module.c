/* Ops are drawn from the table and tried on random operands: what the shape rules refuse
 * is thrown away, so the generator knows no op. Few widths and axes, and a guess by the
 * operand's name, make that succeed often enough. */
#include "random_module.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ir/axis.h"
#include "ir/base/random.h"

enum { RULES = 2 }; /* of precision */

static uint32_t next_random(Random *random)
{
    return random_mix32(random->state += 0x9e3779b9U);
}

uint32_t random_below(Random *random, uint32_t bound)
{
    return next_random(random) % bound;
}

static bool one_in(Random *random, uint32_t n)
{
    return random_below(random, n) == 0;
}

/* Any bytes but zero, often plain. */
static const char *random_text(Random *random, Interns *interns)
{
    char text[16];
    size_t len = random_below(random, sizeof text);
    bool odd = one_in(random, 3);
    for (size_t i = 0; i < len; i++)
        text[i] =
            (char)(odd ? 1 + random_below(random, 255) : 'a' + random_below(random, 26));
    return intern_span(interns, text, len);
}

static const char *unique_text(Random *random, Interns *interns, uint32_t number)
{
    char text[48];
    snprintf(text, sizeof text, "n%u.%s", number, random_text(random, interns));
    return intern(interns, text);
}

static double random_real(Random *random)
{
    static const double plain[] = {0,     -0.0,   1,       0.1, 1e-6,
                                   1e300, 5e-324, 1.0 / 3, 0.5, -2};
    if (one_in(random, 2))
        return plain[random_below(random, sizeof plain / sizeof *plain)];
    double value;
    uint64_t bits = (uint64_t)next_random(random) << 32 | next_random(random);
    memcpy(&value, &bits, sizeof value);
    return isfinite(value) ? value : (double)(float)0.3;
}

static int64_t random_int(Random *random)
{
    static const int64_t plain[] = {0, 1, 2, 4, 8, 10, 213, 32, 64, 128};
    if (one_in(random, 8))
        return next_random(random);
    return plain[random_below(random, sizeof plain / sizeof *plain)];
}

static Loc random_loc(Random *random, Interns *interns)
{
    if (one_in(random, 2))
        return (Loc){0};
    return (Loc){random_text(random, interns), next_random(random), next_random(random)};
}

static Type random_type(Random *random, const Graph *graph)
{
    static const int64_t sizes[] = {1, 2, 8, 8, 8, 32};
    Type type = {.dtype = one_in(random, 4) ? DTYPE_i32 : DTYPE_f32, .axis = AXIS_STATIC};
    type.rank = 1 + random_below(random, one_in(random, 4) ? TYPE_MAX_RANK : 2);
    for (uint32_t i = 0; i < type.rank; i++)
        type.dims[i] = sizes[random_below(random, sizeof sizes / sizeof *sizes)];
    if (graph && type.rank <= 2 && one_in(random, 2)) {
        type.axis = (int32_t)random_below(random, graph->axis_count);
        type.dims[0] = 0;
    }
    return type;
}

/* -- the module around the graphs -------------------------------------------------- */

static Type random_static_f32(Random *random)
{
    Type type = random_type(random, NULL);
    type.dtype = DTYPE_f32;
    return type;
}

static void add_param(Random *random, Module *module, uint32_t number)
{
    Interns *interns = module->interns;
    Param param = {.name = unique_text(random, interns, number),
                   .type = random_static_f32(random),
                   .init = {.kind = random_below(random, INIT_KIND_COUNT)},
                   .trained = one_in(random, 2),
                   .reason = random_text(random, interns),
                   .reason_loc = random_loc(random, interns),
                   .group = random_text(random, interns),
                   .alias_count = random_below(random, 5),
                   .weight_decay = random_real(random),
                   .loc = random_loc(random, interns)};
    if (param.init.kind >= INIT_constant)
        param.init.a = random_real(random);
    if (param.init.kind >= INIT_normal)
        param.init.b = random_real(random);
    param.aliases = ARENA_ARRAY(module->arena, const char *, param.alias_count);
    for (uint32_t i = 0; i < param.alias_count; i++)
        param.aliases[i] = unique_text(random, interns, 100 * number + i + 1000);
    module_add_param(module, param);
    if (!param.trained || one_in(random, 2))
        return;
    char name[64];
    snprintf(name, sizeof name, "%s:m", param.name);
    module_add_state(module, (StateVar){intern(interns, name), param.name,
                                        random_static_f32(random), random_real(random)});
}

static void add_task(Random *random, Module *module, uint32_t number)
{
    Interns *interns = module->interns;
    Task task = {.name = unique_text(random, interns, number),
                 .sequences = 1 + random_below(random, 1000),
                 .data_count = random_below(random, 4),
                 .loc = random_loc(random, interns)};
    task.data = ARENA_ARRAY(module->arena, DataSetting, task.data_count);
    for (uint32_t i = 0; i < task.data_count; i++)
        task.data[i] =
            (DataSetting){random_text(random, interns), random_text(random, interns),
                          random_loc(random, interns)};
    module_add_task(module, task);
}

/* -- graphs ------------------------------------------------------------------------ */

static void add_axes(Random *random, Graph *graph)
{
    static const int64_t grids[] = {1, 4, 16, 16, 50};
    uint32_t count = 2 + random_below(random, 5);
    for (uint32_t i = 1; i < count; i++) {
        Axis axis = {.name = unique_text(random, graph->interns, i),
                     .kind = i == 1 ? AXIS_KIND_primary
                                    : AXIS_KIND_primary + random_below(random, 4)};
        if (axis.kind == AXIS_KIND_primary)
            axis.longest = 1 + random_below(random, 50);
        if (axis.kind == AXIS_KIND_fixed)
            axis.count = grids[random_below(random, sizeof grids / sizeof *grids)];
        if (axis.kind == AXIS_KIND_join || axis.kind == AXIS_KIND_pool)
            axis.of[0] = (int32_t)random_below(random, i);
        if (axis.kind == AXIS_KIND_join)
            axis.of[1] = (int32_t)random_below(random, i);
        if (axis.kind == AXIS_KIND_pool) {
            axis.images = 1 + random_below(random, 2);
            axis.side = 1 + random_below(random, 6);
        }
        graph_axis(graph, axis, (Loc){0});
    }
    axes_derive_limits(graph, 1 + random_below(random, 2000),
                       1 + random_below(random, 300));
}

static OpAttr random_attr(Random *random, Graph *graph, OpKind op)
{
    OpAttr attr = {0};
    bool is_window = op_info(op)->attrs == ATTRS_window;     /* few numbers fit a grid */
    bool is_position = op_info(op)->attrs == ATTRS_position; /* or 32 bits */
    uint32_t count;
    const AttrField *fields = op_fields(op, &count);
    for (uint32_t i = 0; i < count; i++) {
        void *at = (char *)&attr + fields[i].offset;
        switch (fields[i].kind) {
        case ATTR_flag:
            *(attr_flag *)at = (attr_flag)random_below(random, 2);
            break;
        case ATTR_int:
            *(attr_int *)at = is_window     ? (int64_t)random_below(random, 4)
                              : is_position ? (int64_t)random_below(random, 2000) - 500
                                            : random_int(random);
            break;
        case ATTR_real:
            *(attr_real *)at = random_real(random);
            break;
        case ATTR_name:
            *(attr_name *)at = random_text(random, graph->interns);
            break;
        case ATTR_axis:
            *(attr_axis *)at = (attr_axis)random_below(random, graph->axis_count);
            break;
        case ATTR_type:
            *(attr_type *)at = random_type(random, graph);
            break;
        case ATTR_precision:
            *(attr_precision *)at =
                (attr_precision)random_below(random, PRECISION_ANY_COUNT);
            break;
        case ATTR_rule:
            *(attr_rule *)at = (attr_rule)random_below(random, RULES + 2) - 1;
            break;
        }
    }
    return attr;
}

/* Whoever makes a batch keeps inputs within the tables they index. */
static bool is_index(const Node *node)
{
    return node->type.dtype == DTYPE_i32 && node->op == OP_input;
}

static bool is_static(const Node *node)
{
    return !type_is_ragged(node->type);
}

/* A node that is likely to do for an operand of that name beside `first` (which may be
 * NULL). */
static const Node *random_arg(Random *random, const Graph *graph, const char *name,
                              const Node *first)
{
    bool index = strcmp(name, "index") == 0 || strcmp(name, "label") == 0;
    bool table = strcmp(name, "table") == 0 || strcmp(name, "bias") == 0;
    bool equal = first && !index && !table && one_in(random, 2);
    const Node *node = NULL;
    for (int i = 0; i < 100; i++) {
        node = graph->nodes[random_below(random, graph->node_count)];
        if ((!index || (is_index(node) && (!first || is_static(first) ||
                                           node->type.axis == first->type.axis))) &&
            (!table || is_static(node)) &&
            (!equal || type_equal(node->type, first->type)))
            return node;
    }
    return index ? NULL : node;
}

static BuildSite random_site(Random *random, const Graph *graph)
{
    return (BuildSite){random_loc(random, graph->interns),
                       one_in(random, 2) ? STAGE_backward : STAGE_forward};
}

/* Only a weight is packed, where graphs have weights that are constant. */
static bool may_pack(const Graph *graph, const Node *of)
{
    return of->op == OP_weight && graph->kind != GRAPH_update &&
           graph->kind != GRAPH_graft;
}

/* What reads a packed matrix is a product at its precision. */
static bool match_precision(OpKind op, OpAttr *attr, const Node *const *args,
                            uint32_t count)
{
    const AttrField *field = op_field_of(op, ATTR_precision);
    for (uint32_t i = 0; i < count; i++) {
        if (args[i]->op != OP_pack)
            continue;
        if (!field)
            return false;
        *(attr_precision *)(void *)((char *)attr + field->offset) =
            args[i]->attr.pack.precision;
    }
    return true;
}

static void try_op(Random *random, Graph *graph, OpKind op)
{
    const OpInfo *info = op_info(op);
    const Node *args[8];
    uint32_t count =
        info->min_args + random_below(random, info->max_args - info->min_args + 1);
    for (uint32_t i = 0; i < count; i++) {
        args[i] = random_arg(random, graph, info->arg_names[i], i > 0 ? args[0] : NULL);
        if (!args[i])
            return;
    }
    if (op == OP_pack && !may_pack(graph, args[0]))
        return;
    OpAttr attr = random_attr(random, graph, op);
    if (!match_precision(op, &attr, args, count))
        return;
    const Node *node = graph_append(
        graph, random_site(random, graph),
        (NodeSpec){.op = op, .attr = &attr, .args = args, .arg_count = count});
    const char *name = random_text(random, graph->interns);
    if (node && *name && one_in(random, 2))
        graph_name(graph, node, name);
}

/* Operands of every kind that some rule asks for, on every axis. */
static void add_sources(Random *random, Graph *graph)
{
    for (int32_t axis = 0; axis < (int32_t)graph->axis_count; axis++) {
        const Type types[] = {type_rows(DTYPE_f32, axis, 8),
                              type_rows(DTYPE_f32, axis, 1), type_index(axis)};
        for (int i = 0; i < 3; i++)
            graph_source(graph, random_site(random, graph), OP_input,
                         unique_text(random, graph->interns, (uint32_t)(10 * axis + i)),
                         types[i]);
    }
    const Type types[] = {type_vector(DTYPE_f32, 8), type_matrix(DTYPE_f32, 32, 8),
                          type_matrix(DTYPE_f32, 8, 2), type_vector(DTYPE_f32, 32)};
    for (uint32_t i = 0; i < 4; i++)
        graph_source(graph, random_site(random, graph), OP_input,
                     unique_text(random, graph->interns, 1000 + i), types[i]);
    graph_constant(graph, random_site(random, graph), random_real(random));
}

static void add_module_sources(Random *random, const Module *module, Graph *graph)
{
    for (uint32_t i = 0; i < module->param_count; i++) {
        const Param *param = &module->params[i];
        OpKind op = param->trained ? OP_param : OP_weight;
        if (graph->kind == GRAPH_update && one_in(random, 2))
            op = OP_gradient;
        graph_source(graph, random_site(random, graph), op, param->name, param->type);
    }
    for (uint32_t i = 0; graph->kind == GRAPH_update && i < module->state_count; i++)
        graph_source(graph, random_site(random, graph), OP_state, module->states[i].name,
                     module->states[i].type);
}

static void add_outputs(Random *random, Graph *graph)
{
    uint32_t count = graph->kind == GRAPH_graft ? 1 : random_below(random, 4);
    for (uint32_t i = 0; i < count; i++) {
        const Node *value = random_arg(random, graph, "", NULL);
        if (graph->kind != GRAPH_graft && value->type.dtype != DTYPE_f32)
            continue; /* no result */
        graph_output(graph, graph->kind == GRAPH_graft ? OUTPUT_graft : OUTPUT_result,
                     graph->kind == GRAPH_graft ? ""
                                                : unique_text(random, graph->interns, i),
                     value, random_loc(random, graph->interns));
    }
    for (uint32_t i = 0; i < graph->node_count && graph->kind == GRAPH_train; i++)
        if (type_equal(graph->nodes[i]->type, TYPE_SCALAR)) {
            graph_output(graph, OUTPUT_loss, "", graph->nodes[i],
                         random_loc(random, graph->interns));
            return;
        }
}

static void add_facts(Random *random, Graph *graph)
{
    graph->fused = one_in(random, 2);
    graph->planned = one_in(random, 2);
    if (graph->planned) {
        graph->slab_bytes = next_random(random);
        graph->slab_bound = next_random(random);
    }
    for (uint32_t i = 0; i < graph->axis_count; i++)
        graph->axes[i].capacity += random_below(random, 3);
    for (uint32_t i = 0; i < graph->node_count; i++) {
        if (one_in(random, 2))
            graph->nodes[i]->group = (int32_t)random_below(random, 20);
        if (one_in(random, 2))
            graph->nodes[i]->offset = 64 * (int64_t)next_random(random);
    }
}

static void add_graph(Random *random, Module *module, uint32_t number, bool facts,
                      uint32_t *op_uses)
{
    /* Those of kind exchange have no batch. */
    GraphKind kind = number == 0 ? GRAPH_train : random_below(random, GRAPH_exchange);
    const char *task = module->tasks[random_below(random, module->task_count)].name;
    Graph *graph = graph_new(module->interns, NULL, kind,
                             unique_text(random, module->interns, number), task);
    if (kind == GRAPH_graft) {
        graph->host = module->graphs[0]->name;
        graph->site = random_text(random, module->interns);
    }
    add_axes(random, graph);
    add_sources(random, graph);
    add_module_sources(random, module, graph);
    for (uint32_t tries = random_below(random, 120); tries > 0; tries--)
        try_op(random, graph, random_below(random, OP_COUNT));
    add_outputs(random, graph);
    if (facts)
        add_facts(random, graph);
    for (uint32_t i = 0; i < graph->node_count; i++)
        op_uses[graph->nodes[i]->op]++;
    module_add_graph(module, graph);
}

Module *random_module(Random *random, bool facts, uint32_t *op_uses)
{
    Module *module = module_new("random");
    module->name = random_text(random, module->interns);
    module->settings.lr = random_real(random);
    module->settings.decay = random_text(random, module->interns);
    module->settings.seed = random_int(random);
    uint32_t tasks = 1 + random_below(random, 2), graphs = 1 + random_below(random, 2);
    for (uint32_t i = 0; i < RULES; i++)
        module_add_rule(module, (PrecisionRule){random_text(random, module->interns),
                                                random_below(random, PRECISION_COUNT),
                                                random_loc(random, module->interns)});
    for (uint32_t i = 0; i < tasks; i++)
        add_task(random, module, i);
    for (uint32_t i = random_below(random, 4); i > 0; i--)
        add_param(random, module, i);
    for (uint32_t i = 0; i < graphs; i++)
        add_graph(random, module, i, facts, op_uses);
    return module;
}
