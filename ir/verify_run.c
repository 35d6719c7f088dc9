/* What sessions rely on. A batch gives rows of axes, so that an input has them; the
 * learning rate is the one number of a step, known in update graphs. */
#include "ir/verify_run.h"

#include <stdlib.h>
#include <string.h>

#include "ir/base/heap.h"
#include "ir/text.h"
#include "ir/verify.h"
#include "ir/verify_fault.h"

enum { TEXT = 128 };

/* -- one graph --------------------------------------------------------------------- */

static bool verify_input(const Graph *graph, const Node *node, Diags *diags)
{
    char type[TEXT];
    type_print(graph, node->type, type, sizeof type);
    if (node->op != OP_input || type_is_ragged(node->type))
        return true;
    if (graph->kind != GRAPH_update)
        return verify_fault(
            graph, node, diags,
            "input '%s' is %s, but fields of a batch have rows on an axis",
            node->attr.named.name, type);
    return strcmp(node->attr.named.name, "lr") == 0 ||
           verify_fault(graph, node, diags,
                        "input '%s' is no number of a step; expected 'lr'",
                        node->attr.named.name);
}

static bool names_axis(const Node *node)
{
    uint32_t count;
    const AttrField *fields = op_fields(node->op, &count);
    for (uint32_t i = 0; i < count; i++)
        if (fields[i].kind == ATTR_axis)
            return true;
    return type_is_ragged(node->type);
}

/* Updates come after all micro-batches: there are no rows, and gradients are whole. */
static bool verify_update_node(const Graph *graph, const Node *node, Diags *diags)
{
    if (names_axis(node))
        return verify_fault(graph, node, diags,
                            "needs rows of a batch, which an update graph has not");
    return true;
}

/* Sessions report it as one number. */
static bool verify_norm(const Graph *graph, const Output *output, Diags *diags)
{
    Type type = output->value->type;
    if (graph->kind != GRAPH_update || output->role != OUTPUT_result ||
        strcmp(output->name, "gradient_norm") != 0 || type_equal(type, TYPE_SCALAR))
        return true;
    char text[TEXT];
    type_print(graph, type, text, sizeof text);
    return verify_fault(graph, output->value, diags,
                        "result 'gradient_norm' is %s, expected f32[1]", text);
}

/* A frozen parameter may lie in a mapped file. */
static bool verify_assign(const Graph *graph, const Module *module, const Output *output,
                          Diags *diags)
{
    const Param *param =
        output->role == OUTPUT_assign ? module_find_param(module, output->name) : NULL;
    return !param || param->trained ||
           verify_fault(graph, output->value, diags, "assigns '%s', which is frozen",
                        output->name);
}

static bool verify_runnable(const Graph *graph, const Module *module, Diags *diags)
{
    bool ok = graph->kind != GRAPH_graft ||
              verify_fault(graph, NULL, diags, "a graft is planned, but not attached");
    for (uint32_t i = 0; i < graph->node_count; i++) {
        ok &= verify_input(graph, graph->nodes[i], diags);
        if (graph->kind == GRAPH_update)
            ok &= verify_update_node(graph, graph->nodes[i], diags);
    }
    for (uint32_t i = 0; i < graph->output_count; i++) {
        ok &= verify_norm(graph, &graph->outputs[i], diags);
        ok &= verify_assign(graph, module, &graph->outputs[i], diags);
    }
    return ok;
}

/* -- graphs of one task ------------------------------------------------------------ */

static int compare_graphs(const void *a, const void *b)
{
    const Graph *x = *(const Graph *const *)a, *y = *(const Graph *const *)b;
    int order = strcmp(x->task, y->task);
    return order ? order : (int)x->kind - (int)y->kind;
}

/* The planned graphs by task and kind; reports two of one kind. */
static const Graph **planned_graphs(const Module *module, uint32_t *out_count,
                                    Diags *diags, bool *out_fine)
{
    const Graph **graphs = heap_array(module->graph_count + 1, sizeof *graphs);
    uint32_t count = 0;
    for (uint32_t i = 0; i < module->graph_count; i++)
        if (module->graphs[i]->planned)
            graphs[count++] = module->graphs[i];
    if (count)
        qsort(graphs, count, sizeof(Graph *), compare_graphs);
    *out_fine = true;
    for (uint32_t i = 1; i < count; i++)
        if (compare_graphs(&graphs[i - 1], &graphs[i]) == 0)
            *out_fine = verify_fault(
                graphs[i], NULL, diags, "task '%s' has another graph of kind %s, @%s",
                graphs[i]->task, graph_kind_names[graphs[i]->kind], graphs[i - 1]->name);
    *out_count = count;
    return graphs;
}

static const Graph *find_planned(const Graph *const *graphs, uint32_t count,
                                 GraphKind kind, const char *task)
{
    const Graph key = {.kind = kind, .task = task}, *at = &key;
    const Graph *const *found =
        count ? bsearch(&at, graphs, count, sizeof *graphs, compare_graphs) : NULL;
    return found ? *found : NULL;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Every gradient that an update graph reads is one that its task's train graph makes. */
static bool verify_gradients(const Graph *update, const Graph *train, Diags *diags)
{
    uint32_t count = 0;
    const char **made = heap_array(train->output_count + 1, sizeof *made);
    for (uint32_t i = 0; i < train->output_count; i++)
        if (train->outputs[i].role == OUTPUT_gradient)
            made[count++] = train->outputs[i].name;
    if (count)
        qsort(made, count, sizeof *made, compare_names);
    bool ok = true;
    for (uint32_t i = 0; i < update->node_count; i++) {
        const Node *node = update->nodes[i];
        if (node->op == OP_gradient &&
            !(count &&
              bsearch(&node->attr.named.name, made, count, sizeof *made, compare_names)))
            ok = verify_fault(update, node, diags,
                              "task '%s' makes no gradient of '%s' when it trains",
                              update->task, node->attr.named.name);
    }
    free(made);
    return ok;
}

/* What graphs of one task expect of each other. */
static bool verify_tasks_of_graphs(const Module *module, Diags *diags)
{
    uint32_t count;
    bool ok;
    const Graph **graphs = planned_graphs(module, &count, diags, &ok);
    for (uint32_t i = 0; i < count && ok; i++) {
        const Graph *graph = graphs[i];
        const Graph *train = find_planned(graphs, count, GRAPH_train, graph->task);
        if (graph->kind == GRAPH_update && train)
            ok = verify_gradients(graph, train, diags);
        if (graph->kind == GRAPH_decode)
            ok = verify_decode(
                graph, find_planned(graphs, count, GRAPH_encode, graph->task), diags);
    }
    free(graphs);
    return ok;
}

/* Ways in which the learning rate falls. */
static bool verify_decay(const Module *module, Diags *diags)
{
    static const char *const names[] = {
#define DECAY(name, factor) #name,
#include "ir/decays.def"
    };
    size_t count = sizeof names / sizeof *names;
    for (size_t i = 0; i < count; i++)
        if (strcmp(names[i], module->settings.decay) == 0)
            return true;
    const char *near = nearest_name(module->settings.decay, names, count);
    diag_error(diags, (Loc){.file = module->file},
               "setting 'decay' is '%s'; did you mean '%s'?", module->settings.decay,
               near ? near : names[0]);
    return false;
}

bool plan_verify(const Module *module, Diags *diags)
{
    bool ok = verify_decay(module, diags);
    for (uint32_t i = 0; i < module->graph_count; i++)
        if (module->graphs[i]->planned)
            ok &= verify_runnable(module->graphs[i], module, diags);
    return ok && verify_tasks_of_graphs(module, diags);
}
