/* The outputs of exchange graphs: each is computed by itself, several at a time, so that
 * no more is in memory than the outputs and what few of them need. */
#include <stdatomic.h>
#include <string.h>

#include "ir/lowering.h"
#include "runtime/check/reference.h"
#include "runtime/exchange/exchange_parts.h"
#include "runtime/lanes/lanes.h"

enum { MOST_ARGS = 8 };

typedef struct Computing {
    const Graph *graph;
    Store *store;
    float **out; /* by output: where its numbers go; NULL: nowhere */
    _Atomic uint32_t next;
} Computing;

StoreEntry *exchange_entry(Store *store, const Node *value)
{
    while (value->op == OP_reshape)
        value = value->args[0];
    return value->op == OP_param ? store_find(store, value->attr.named.name) : NULL;
}

static const void *source_value(const Store *store, const Node *node, Arena *arena)
{
    if (node->op == OP_param)
        return store_find(store, node->attr.named.name)->data;
    float value = (float)node->attr.constant.value;
    return arena_copy(arena, &value, sizeof value);
}

bool *exchange_needed(const Graph *graph, const Node *wanted, Arena *arena)
{
    bool *needed = ARENA_ARRAY(arena, bool, wanted->id + 1);
    needed[wanted->id] = true;
    for (uint32_t i = wanted->id + 1; i-- > 0;)
        for (uint32_t j = 0; needed[i] && j < graph->nodes[i]->arg_count; j++)
            needed[graph->nodes[i]->args[j]->id] = true;
    return needed;
}

void exchange_compute(const Graph *graph, const Store *store, const Node *wanted,
                      float *out_numbers)
{
    const ReferenceContext context = {.graph = graph};
    Arena *arena = arena_new();
    const bool *needed = exchange_needed(graph, wanted, arena);
    const void **values = ARENA_ARRAY(arena, const void *, wanted->id + 1);
    for (uint32_t i = 0; i <= wanted->id; i++) {
        const Node *node = graph->nodes[i];
        const void *args[MOST_ARGS];
        if (!needed[i])
            continue;
        if (node_is_source(node)) {
            values[i] = source_value(store, node, arena);
            continue;
        }
        for (uint32_t j = 0; j < node->arg_count; j++)
            args[j] = values[node->args[j]->id];
        void *out =
            node == wanted
                ? (void *)out_numbers
                : arena_alloc(arena, (size_t)reference_bytes(&context, node->type));
        reference_node(&context, node, args, out);
        values[i] = out;
    }
    arena_free(arena);
}

static void compute_outputs(void *state, uint32_t lane)
{
    Computing *computing = state;
    (void)lane;
    for (;;) {
        uint32_t index = atomic_fetch_add(&computing->next, 1);
        if (index >= computing->graph->output_count)
            return;
        if (computing->out[index])
            exchange_compute(computing->graph, computing->store,
                             computing->graph->outputs[index].value,
                             computing->out[index]);
    }
}

const float **exchange_values(const Graph *graph, Store *store, OutputRole role,
                              Arena *arena)
{
    const float **values = ARENA_ARRAY(arena, const float *, graph->output_count + 1);
    Computing computing = {.graph = graph,
                           .store = store,
                           .out = ARENA_ARRAY(arena, float *, graph->output_count + 1)};
    bool any = false;
    for (uint32_t i = 0; i < graph->output_count; i++) {
        const Output *output = &graph->outputs[i];
        if (output->role != role)
            continue;
        const StoreEntry *entry = exchange_entry(store, output->value);
        int64_t count = type_static_elements(output->value->type);
        if (!entry)
            computing.out[i] = ARENA_ARRAY(arena, float, (size_t)count);
        values[i] = entry ? entry->data : computing.out[i];
        any |= !entry;
    }
    if (any) {
        Diags *diags = diags_new(stderr);
        Lanes *lanes = lanes_new(lanes_default_count(), diags);
        if (lanes)
            lanes_run(lanes, compute_outputs, &computing);
        else
            compute_outputs(&computing, 0);
        lanes_free(lanes);
        diags_free(diags);
    }
    return values;
}
