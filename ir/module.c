/* Modules: growing lists, and parameters and states found by name through a hash
 * table. */
#include <stdlib.h>
#include <string.h>

#include "ir/base/heap.h"
#include "ir/graph.h"
#include "ir/base/hash.h"

/* A name table: open addressing by the address of the interned name. */
typedef struct NameTable {
    uint32_t *slots; /* index + 1, or 0 */
    uint32_t size;   /* a power of two */
} NameTable;

struct ModulePrivate {
    uint32_t param_capacity, state_capacity, task_capacity, graph_capacity;
    NameTable params, states;
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
    free(module->params);
    free(module->states);
    free(module->tasks);
    free(module->graphs);
    free(module->private_->params.slots);
    free(module->private_->states.slots);
    interns_free(module->interns);
    arena_free(module->arena);
}

/* The lists are heap memory: they may grow to hundreds of thousands. */
static void *grown(void *list, uint32_t count, uint32_t *capacity, size_t bytes)
{
    if (count < *capacity)
        return list;
    *capacity = *capacity ? 2 * *capacity : 16;
    return heap_grow(list, *capacity * bytes);
}

static uint32_t *find_slot(const NameTable *table, const char *name,
                           const char *const *first, size_t stride)
{
    uint32_t i = (uint32_t)hash_word(HASH_START, (uintptr_t)name) & (table->size - 1);
    while (table->slots[i]) {
        const char *const *known =
            (const void *)((const char *)first + (table->slots[i] - 1) * stride);
        if (*known == name)
            break;
        i = (i + 1) & (table->size - 1);
    }
    return &table->slots[i];
}

/* Enters element `count - 1` of the list whose names start at `first`, `stride` bytes
 * apart. */
static void enter_name(NameTable *table, uint32_t count, const char *const *first,
                       size_t stride)
{
    uint32_t from = count - 1;
    if (2 * count > table->size) {
        table->size = table->size ? 2 * table->size : 64;
        free(table->slots);
        table->slots = heap_alloc(table->size * sizeof *table->slots);
        memset(table->slots, 0, table->size * sizeof *table->slots);
        from = 0;
    }
    for (uint32_t i = from; i < count; i++) {
        const char *const *name = (const void *)((const char *)first + i * stride);
        uint32_t *slot = find_slot(table, *name, first, stride);
        if (!*slot)
            *slot = i + 1;
    }
}

Param *module_add_param(Module *module, Param param)
{
    struct ModulePrivate *own = module->private_;
    module->params = grown(module->params, module->param_count, &own->param_capacity,
                           sizeof *module->params);
    param.name = intern(module->interns, param.name);
    module->params[module->param_count++] = param;
    enter_name(&own->params, module->param_count, &module->params[0].name, sizeof(Param));
    return &module->params[module->param_count - 1];
}

StateVar *module_add_state(Module *module, StateVar state)
{
    struct ModulePrivate *own = module->private_;
    module->states = grown(module->states, module->state_count, &own->state_capacity,
                           sizeof *module->states);
    state.name = intern(module->interns, state.name);
    module->states[module->state_count++] = state;
    enter_name(&own->states, module->state_count, &module->states[0].name,
               sizeof(StateVar));
    return &module->states[module->state_count - 1];
}

Task *module_add_task(Module *module, Task task)
{
    module->tasks = grown(module->tasks, module->task_count,
                          &module->private_->task_capacity, sizeof *module->tasks);
    module->tasks[module->task_count] = task;
    return &module->tasks[module->task_count++];
}

void module_add_graph(Module *module, Graph *graph)
{
    module->graphs = grown(module->graphs, module->graph_count,
                           &module->private_->graph_capacity, sizeof(Graph *));
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

Param *module_find_param(const Module *module, const char *name)
{
    if (module->param_count == 0)
        return NULL;
    uint32_t slot = *find_slot(&module->private_->params, intern(module->interns, name),
                               &module->params[0].name, sizeof(Param));
    return slot ? &module->params[slot - 1] : NULL;
}

StateVar *module_find_state(const Module *module, const char *name)
{
    if (module->state_count == 0)
        return NULL;
    uint32_t slot = *find_slot(&module->private_->states, intern(module->interns, name),
                               &module->states[0].name, sizeof(StateVar));
    return slot ? &module->states[slot - 1] : NULL;
}

Task *module_find_task(const Module *module, const char *name)
{
    for (uint32_t i = 0; i < module->task_count; i++)
        if (strcmp(module->tasks[i].name, name) == 0)
            return &module->tasks[i];
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
    return NULL;
}

Graph *module_task_graph(const Module *module, GraphKind kind, const char *task)
{
    for (uint32_t i = 0; i < module->graph_count; i++)
        if (module->graphs[i]->kind == kind && strcmp(module->graphs[i]->task, task) == 0)
            return module->graphs[i];
    return NULL;
}
