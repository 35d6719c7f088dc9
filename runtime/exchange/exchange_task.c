/* Which task's exchange graph counts. */
#include <string.h>

#include "runtime/exchange/exchange_parts.h"

static bool is_same(const Graph *a, const Graph *b)
{
    if (a->output_count != b->output_count || a->node_count != b->node_count)
        return false;
    for (uint32_t i = 0; i < a->node_count; i++) {
        const Node *x = a->nodes[i], *y = b->nodes[i];
        if (x->op != y->op ||
            (x->op == OP_param && strcmp(x->attr.named.name, y->attr.named.name) != 0))
            return false;
    }
    for (uint32_t i = 0; i < a->output_count; i++)
        if (a->outputs[i].value->id != b->outputs[i].value->id ||
            strcmp(a->outputs[i].name, b->outputs[i].name) != 0)
            return false;
    return true;
}

static const Task *first_task(const Module *module, ExchangeFormat format)
{
    for (uint32_t i = 0; i < module->task_count; i++)
        if (exchange_graph(module, format, module->tasks[i].name))
            return &module->tasks[i];
    return NULL;
}

bool exchange_tasks_agree(const Module *module, ExchangeFormat format)
{
    const Task *first = first_task(module, format);
    for (uint32_t i = 0; first && i < module->task_count; i++) {
        const Graph *graph = exchange_graph(module, format, module->tasks[i].name);
        if (graph && !is_same(graph, exchange_graph(module, format, first->name)))
            return false;
    }
    return true;
}

static const Task *unknown_task(const Module *module, const char *name, Diags *diags)
{
    const char **names = ARENA_ARRAY(module->arena, const char *, module->task_count + 1);
    for (uint32_t i = 0; i < module->task_count; i++)
        names[i] = module->tasks[i].name;
    const char *near = nearest_name(name, names, module->task_count);
    diag_error(diags, (Loc){0}, "the plan has no task '%s'%s%s%s", name,
               near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
    return NULL;
}

static void no_graph(const Module *module, ExchangeFormat format, Diags *diags)
{
    if (format == EXCHANGE_fold)
        diag_error(diags, (Loc){0}, "nothing that the model '%s' attaches can be folded",
                   module->name);
    else
        diag_error(diags, (Loc){0},
                   "nothing that the model '%s' attaches has a form in the format %s",
                   module->name, exchange_name(format));
    for (ExchangeFormat other = 0; other < EXCHANGE_fold; other++)
        if (other != format && first_task(module, other))
            diag_note(diags, (Loc){0}, "it has a form in the format %s",
                      exchange_name(other));
}

const Task *exchange_choose_task(const Module *module, ExchangeFormat format,
                                 const char *name, Diags *diags)
{
    const Task *task = name ? module_find_task(module, name) : first_task(module, format);
    if (name && !task)
        return unknown_task(module, name, diags);
    if (!task || !exchange_graph(module, format, task->name)) {
        no_graph(module, format, diags);
        return NULL;
    }
    const char *reason = exchange_fact(task, "refuse", format);
    if (reason) {
        diag_error(diags, (Loc){0}, "the model '%s' cannot be %s%s: %s", module->name,
                   format == EXCHANGE_fold ? "folded" : "said in the format ",
                   format == EXCHANGE_fold ? "" : exchange_name(format), reason);
        return NULL;
    }
    if (name || exchange_tasks_agree(module, format))
        return task;
    diag_error(diags, (Loc){0},
               "each task of the model '%s' has parameters of its own, and %s holds "
               "those of one: --task NAME says of which",
               module->name,
               format == EXCHANGE_fold ? "a backbone" : "a file of the format");
    return NULL;
}
