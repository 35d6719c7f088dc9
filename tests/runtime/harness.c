/* Builds, compiles and fills the modules of execution tests. */
#include "tests/runtime/harness.h"

#include <string.h>

#include "ir/axis.h"
#include "passes/pass.h"

static const BuildSite HERE = {.loc = {.file = "test", .line = 1}};

enum { TOKENS = 128, MOST_SEQUENCES = 16 };

Module *harness_module(void)
{
    Module *module = module_new("test");
    module->settings.tokens = TOKENS;
    return module;
}

static void add_axes(Graph *graph)
{
    Interns *interns = graph->interns;
    const Axis axes[] = {
        {.name = intern(interns, "text"), .kind = AXIS_KIND_primary, .longest = 9},
        {.name = intern(interns, "grid"), .kind = AXIS_KIND_primary, .longest = 18},
        {.name = intern(interns, "image"),
         .kind = AXIS_KIND_pool,
         .of = {AXIS_grid, AXIS_STATIC},
         .images = 2,
         .side = 2},
        {.name = intern(interns, "both"),
         .kind = AXIS_KIND_join,
         .of = {AXIS_text, AXIS_image}},
        {.name = intern(interns, "prompt"), .kind = AXIS_KIND_fixed, .count = 3},
        {.name = intern(interns, "dec"), .kind = AXIS_KIND_primary, .longest = 5},
        {.name = intern(interns, "field"), .kind = AXIS_KIND_fixed, .count = 16},
        {.name = intern(interns, "windows"), .kind = AXIS_KIND_fixed, .count = 9},
    };
    for (size_t i = 0; i < sizeof axes / sizeof *axes; i++)
        graph_axis(graph, axes[i], HERE.loc);
    axes_derive_limits(graph, TOKENS, MOST_SEQUENCES);
}

Graph *harness_graph(Module *module, const char *task, GraphKind kind)
{
    char name[128];
    snprintf(name, sizeof name, "%s.%s", task, graph_kind_names[kind]);
    task = intern(module->interns, task);
    if (!module_find_task(module, task))
        module_add_task(module, (Task){.name = task, .sequences = 4});
    Graph *graph =
        graph_new(module->interns, NULL, kind, intern(module->interns, name), task);
    add_axes(graph);
    module_add_graph(module, graph);
    return graph;
}

const Node *harness_param(Module *module, Graph *graph, const char *name, Type type,
                          bool trained)
{
    name = intern(module->interns, name);
    if (!module_find_param(module, name))
        module_add_param(module, (Param){.name = name,
                                         .type = type,
                                         .trained = trained,
                                         .reason = intern(module->interns, "test"),
                                         .group = intern(module->interns, "")});
    return graph_source(graph, HERE, trained ? OP_param : OP_weight, name, type);
}

const Node *harness_input(Graph *graph, const char *name, Type type)
{
    return graph_source(graph, HERE, OP_input, intern(graph->interns, name), type);
}

void harness_loss(Module *module, Graph *graph, const Node *y, const char *name)
{
    char scale_name[128];
    snprintf(scale_name, sizeof scale_name, "%s.scale", name);
    const Node *fixed = type_is_ragged(y->type)
                            ? harness_input(graph, name, y->type)
                            : harness_param(module, graph, name, y->type, false);
    const Node *scale = harness_param(module, graph, scale_name,
                                      type_vector(DTYPE_f32, type_width(y->type)), true);
    y = graph_binary(graph, HERE, OP_mul, y, fixed);
    y = graph_binary(graph, HERE, OP_mul, y, scale);
    y = graph_unary(graph, HERE, OP_sum_width, y);
    if (y->type.rank > 1)
        y = graph_unary(graph, HERE, OP_sum_rows, y);
    graph_output(graph, OUTPUT_loss, intern(graph->interns, ""), y, HERE.loc);
}

static const Node *momentum_of(Module *module, Graph *graph, const Param *param)
{
    char name[256];
    snprintf(name, sizeof name, "%s:v", param->name);
    const char *state = intern(module->interns, name);
    if (!module_find_state(module, state))
        module_add_state(
            module, (StateVar){.name = state, .param = param->name, .type = param->type});
    const Node *value = graph_source(graph, HERE, OP_param, param->name, param->type);
    const Node *gradient =
        graph_source(graph, HERE, OP_gradient, param->name, param->type);
    const Node *v = graph_source(graph, HERE, OP_state, state, param->type);
    const Node *lr = harness_input(graph, "lr", TYPE_SCALAR);
    v = graph_binary(graph, HERE, OP_mul, v, graph_constant(graph, HERE, 0.9));
    v = graph_binary(graph, HERE, OP_add, v, gradient);
    const Node *change = graph_binary(graph, HERE, OP_mul, v, lr);
    const Node *updated = graph_binary(graph, HERE, OP_sub, value, change);
    graph_output(graph, OUTPUT_assign, param->name, updated, HERE.loc);
    graph_output(graph, OUTPUT_assign, state, v, HERE.loc);
    const Node *square = graph_binary(graph, HERE, OP_mul, gradient, gradient);
    square = graph_unary(graph, HERE, OP_sum_width, square);
    return square->type.rank > 1 ? graph_unary(graph, HERE, OP_sum_rows, square) : square;
}

static bool uses_param(const Graph *graph, const char *name)
{
    for (uint32_t i = 0; i < graph->node_count; i++)
        if (graph->nodes[i]->op == OP_param && graph->nodes[i]->attr.named.name == name)
            return true;
    return false;
}

void harness_momentum(Module *module, const Graph *train)
{
    Graph *graph = harness_graph(module, train->task, GRAPH_update);
    const Node *sum = NULL;
    for (uint32_t i = 0; i < module->param_count; i++) {
        const Param *param = &module->params[i];
        if (!param->trained || !uses_param(train, param->name))
            continue;
        const Node *square = momentum_of(module, graph, param);
        sum = sum ? graph_binary(graph, HERE, OP_add, sum, square) : square;
    }
    graph_output(graph, OUTPUT_result, intern(module->interns, "gradient_norm"),
                 graph_unary(graph, HERE, OP_sqrt, sum), HERE.loc);
}

bool harness_compile(Module *module, Diags *diags)
{
    return passes_run(module, &(PassOptions){0}, diags);
}

void harness_fill(Store *store, uint64_t seed)
{
    for (uint32_t i = 0; i < store_count(store); i++) {
        StoreEntry *entry = store_at(store, i);
        for (int64_t e = 0; entry->param && e < entry->elements; e++)
            entry->data[e] = (float)random_unit(seed + i * 7919, (uint64_t)e);
    }
}
