/* A backbone with what was attached to it folded into its weights. */
#include "runtime/exchange/exchange_parts.h"

/* What is of no use then, whichever task it is of. */
static void omit_made(const Module *module, Store *store, bool *omit)
{
    for (uint32_t i = 0; i < module->task_count; i++) {
        const Graph *graph = exchange_graph(module, EXCHANGE_fold, module->tasks[i].name);
        for (uint32_t j = 0; graph && j < graph->output_count; j++) {
            const StoreEntry *entry = exchange_entry(store, graph->outputs[j].value);
            if (graph->outputs[j].role == OUTPUT_result && entry)
                omit[entry - store_at(store, 0)] = true;
        }
    }
}

bool exchange_fold(Store *store, const char *task, ExportContainer container,
                   const char *path, Diags *diags)
{
    const Module *module = store_module(store);
    const Task *chosen = exchange_choose_task(module, EXCHANGE_fold, task, diags);
    if (!chosen)
        return false;
    Arena *arena = arena_new();
    const Graph *graph = exchange_graph(module, EXCHANGE_fold, chosen->name);
    const float **values = exchange_values(graph, store, OUTPUT_assign, arena);
    uint32_t count = store_count(store);
    bool *omit = ARENA_ARRAY(arena, bool, count + 1);
    const float **replaced = ARENA_ARRAY(arena, const float *, count + 1);
    omit_made(module, store, omit);
    for (uint32_t i = 0; i < graph->output_count; i++)
        if (graph->outputs[i].role == OUTPUT_assign)
            replaced[store_find(store, graph->outputs[i].name) - store_at(store, 0)] =
                values[i];
    const ExportOptions options = {
        .all = true, .container = container, .omit = omit, .replaced = replaced};
    bool ok = weights_export(store, path, &options, diags);
    arena_free(arena);
    return ok;
}
