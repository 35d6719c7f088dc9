/* Modules: growing lists, and parameters and states found by name. */
#include <stdlib.h>
#include <string.h>

#include "ir/base/list.h"
#include "ir/base/map.h"
#include "ir/graph.h"

struct ModulePrivate {
    size_t rule_capacity, param_capacity, state_capacity, task_capacity, graph_capacity,
        exchange_capacity;
    Map params, states; /* places by interned name */
};

Module *module_new(const char *name)
{
    Arena *arena = arena_new();
    Module *module = arena_alloc(arena, sizeof *module);
    module->arena = arena;
    module->interns = interns_new();
    module->name = intern(module->interns, name);
#define SETTING(kind, field, preset, ...) module->settings.field = preset;
#include "ir/settings.def"
    module->settings.decay = intern(module->interns, module->settings.decay);
    module->private_ = arena_alloc(arena, sizeof *module->private_);
    return module;
}

void module_free(Module *module)
{
    if (!module)
        return;
    for (uint32_t i = 0; i < module->graph_count; i++)
        graph_free(module->graphs[i]);
    for (uint32_t i = 0; i < module->exchange_count; i++)
        graph_free(module->exchanges[i]);
    free(module->exchanges);
    free(module->rules);
    free(module->params);
    free(module->states);
    free(module->tasks);
    free(module->graphs);
    map_free(&module->private_->params);
    map_free(&module->private_->states);
    interns_free(module->interns);
    arena_free(module->arena);
}

void module_add_rule(Module *module, PrecisionRule rule)
{
    LIST_ROOM(module->rules, module->rule_count + 1, module->private_->rule_capacity);
    rule.pattern = intern(module->interns, rule.pattern);
    module->rules[module->rule_count++] = rule;
}

/* The first of a name is found by it. */
static void enter_name(Map *names, const char *name, uint32_t place)
{
    if (map_find_word(names, (uintptr_t)name) == MAP_ABSENT)
        map_add_word(names, (uintptr_t)name, place);
}

/* The place of a name that may not be interned, or MAP_ABSENT. */
static uint32_t find_name(const Module *module, const Map *names, const char *name)
{
    uint32_t known = strings_find(module->interns, name, strlen(name));
    return known == STRING_ABSENT
               ? MAP_ABSENT
               : map_find_word(names, (uintptr_t)strings_text(module->interns, known));
}

/* The lists are heap memory: they may grow to hundreds of thousands. */
Param *module_add_param(Module *module, Param param)
{
    struct ModulePrivate *own = module->private_;
    LIST_ROOM(module->params, module->param_count + 1, own->param_capacity);
    param.name = intern(module->interns, param.name);
    module->params[module->param_count] = param;
    enter_name(&own->params, param.name, module->param_count);
    return &module->params[module->param_count++];
}

StateVar *module_add_state(Module *module, StateVar state)
{
    struct ModulePrivate *own = module->private_;
    LIST_ROOM(module->states, module->state_count + 1, own->state_capacity);
    state.name = intern(module->interns, state.name);
    module->states[module->state_count] = state;
    enter_name(&own->states, state.name, module->state_count);
    return &module->states[module->state_count++];
}

Task *module_add_task(Module *module, Task task)
{
    LIST_ROOM(module->tasks, module->task_count + 1, module->private_->task_capacity);
    module->tasks[module->task_count] = task;
    return &module->tasks[module->task_count++];
}

void module_add_graph(Module *module, Graph *graph)
{
    if (graph->kind == GRAPH_exchange) {
        LIST_ROOM(module->exchanges, module->exchange_count + 1,
                  module->private_->exchange_capacity);
        module->exchanges[module->exchange_count++] = graph;
        return;
    }
    LIST_ROOM(module->graphs, module->graph_count + 1, module->private_->graph_capacity);
    module->graphs[module->graph_count++] = graph;
}

static bool has_graph(Graph *const *graphs, uint32_t count, const Graph *graph)
{
    for (uint32_t i = 0; i < count; i++)
        if (graphs[i] == graph)
            return true;
    return false;
}

void module_set_graphs(Module *module, Graph **graphs, uint32_t count)
{
    for (uint32_t i = 0; i < module->graph_count; i++)
        if (!has_graph(graphs, count, module->graphs[i]))
            graph_free(module->graphs[i]);
    module->graph_count = 0;
    for (uint32_t i = 0; i < count; i++)
        module_add_graph(module, graphs[i]);
}

ParamTotals module_param_totals(const Module *module)
{
    ParamTotals totals = {0};
    for (uint32_t i = 0; i < module->param_count; i++) {
        if (module->params[i].buffer)
            continue;
        int64_t elements = type_static_elements(module->params[i].type);
        totals.all += elements;
        totals.trained += module->params[i].trained ? elements : 0;
    }
    return totals;
}

bool param_is_drawn(const Param *param)
{
    return param->buffer &&
           (param->init.kind == INIT_normal || param->init.kind == INIT_uniform);
}

bool param_is_kept(const Param *param)
{
    return param->trained || param_is_drawn(param);
}

Param *module_find_param(const Module *module, const char *name)
{
    uint32_t place = find_name(module, &module->private_->params, name);
    return place == MAP_ABSENT ? NULL : &module->params[place];
}

StateVar *module_find_state(const Module *module, const char *name)
{
    uint32_t place = find_name(module, &module->private_->states, name);
    return place == MAP_ABSENT ? NULL : &module->states[place];
}

Task *module_find_task(const Module *module, const char *name)
{
    for (uint32_t i = 0; i < module->task_count; i++)
        if (strcmp(module->tasks[i].name, name) == 0)
            return &module->tasks[i];
    return NULL;
}

Task *module_named_task(const Module *module, const char *name, Loc loc, Diags *diags)
{
    Task *task = module_find_task(module, name);
    if (task)
        return task;
    Arena *arena = arena_new();
    const char **names = ARENA_ARRAY(arena, const char *, module->task_count), *list = "";
    for (uint32_t i = 0; i < module->task_count; i++) {
        names[i] = module->tasks[i].name;
        list = arena_format(arena, "%s%s%s", list, i ? ", " : "; it has ", names[i]);
    }
    const char *near = nearest_name(name, names, module->task_count);
    if (near)
        diag_error(diags, loc, "the plan has no task '%s'; did you mean '%s'?", name,
                   near);
    else
        diag_error(diags, loc, "the plan has no task '%s'%s", name, list);
    arena_free(arena);
    return NULL;
}

const char *task_fact(const Task *task, const char *key)
{
    for (uint32_t i = 0; i < task->data_count; i++)
        if (strcmp(task->data[i].key, key) == 0)
            return task->data[i].value;
    return NULL;
}

Graph *module_find_graph(const Module *module, const char *name)
{
    for (uint32_t i = 0; i < module->graph_count; i++)
        if (strcmp(module->graphs[i]->name, name) == 0)
            return module->graphs[i];
    for (uint32_t i = 0; i < module->exchange_count; i++)
        if (strcmp(module->exchanges[i]->name, name) == 0)
            return module->exchanges[i];
    return NULL;
}

Graph *module_task_graph(const Module *module, GraphKind kind, const char *task)
{
    for (uint32_t i = 0; i < module->graph_count; i++)
        if (module->graphs[i]->kind == kind && strcmp(module->graphs[i]->task, task) == 0)
            return module->graphs[i];
    return NULL;
}
