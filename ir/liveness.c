/* Steps and lifetimes: one walk over the nodes for the steps, one for the uses. */
#include "ir/liveness.h"

#include "ir/frozen.h"
#include "ir/lowering.h"

enum { SLOT_ALIGN = 64 };
static const int64_t MOST_BYTES = INT64_C(1) << 60; /* more is as good as this much */

const Node *storage_node(const Node *node)
{
    while (node_is_view(node))
        node = node->args[0];
    return node;
}

const Node *unpacked_node(const Node *node)
{
    const Node *storage = storage_node(node);
    return storage->op == OP_pack ? storage_node(storage->args[0]) : storage;
}

int64_t node_bytes(const Graph *graph, const Node *node)
{
    Type type = node->type;
    int64_t rows =
        type_is_ragged(type) ? graph->axes[type.axis].capacity : type_static_rows(type);
    int64_t bytes;
    if (__builtin_mul_overflow(rows, type_row_bytes(type), &bytes) || bytes > MOST_BYTES)
        return MOST_BYTES;
    return bytes;
}

static void note_use(Liveness *live, const Node *value, int32_t step)
{
    uint32_t id = storage_node(value)->id;
    if (live->last_use[id] < step)
        live->last_use[id] = step;
}

/* Values that only their own step reads stay in registers or in the kernel's scratch. */
static void find_uses(const Graph *graph, Liveness *live)
{
    for (uint32_t i = 0; i < graph->node_count; i++) {
        const Node *node = graph->nodes[i];
        for (uint32_t j = 0; live->step_of[i] >= 0 && j < node->arg_count; j++) {
            const Node *arg = storage_node(node->args[j]);
            if (live->step_of[arg->id] != live->step_of[i])
                note_use(live, arg, live->step_of[i]);
        }
    }
    for (uint32_t i = 0; i < graph->output_count; i++) {
        const Output *output = &graph->outputs[i];
        bool at_once = output->role == OUTPUT_loss || output->role == OUTPUT_gradient;
        uint32_t id = storage_node(output->value)->id;
        note_use(live, output->value,
                 at_once ? live->step_of[id] : (int32_t)live->step_count);
    }
}

/* The outputs that stay are written straight to the variable's storage. */
static void drop_in_place(const Graph *graph, Liveness *live)
{
    for (uint32_t i = 0; graph->planned && i < graph->output_count; i++) {
        const Node *value = storage_node(graph->outputs[i].value);
        if (graph->outputs[i].role == OUTPUT_assign && value->offset == NO_OFFSET)
            live->last_use[value->id] = -1;
    }
}

/* Steps that are run once; what they make needs no slot. */
static void find_once(const Graph *graph, Liveness *live, Arena *arena)
{
    const bool *frozen = frozen_nodes(graph, arena);
    live->is_once = ARENA_ARRAY(arena, bool, live->step_count + 1);
    for (uint32_t i = 0; i < live->step_count; i++)
        live->is_once[i] = true;
    for (uint32_t i = 0; i < graph->node_count; i++) {
        bool has_slot = graph->planned && graph->nodes[i]->offset != NO_OFFSET;
        if (live->step_of[i] >= 0 && (!frozen[i] || has_slot))
            live->is_once[live->step_of[i]] = false;
    }
    for (uint32_t i = 0; i < graph->node_count; i++)
        if (live->step_of[i] >= 0 && live->is_once[live->step_of[i]])
            live->last_use[i] = -1;
}

Liveness liveness_of(const Graph *graph, Arena *arena)
{
    uint32_t count = graph->node_count;
    Liveness live = {.step_of = ARENA_ARRAY(arena, int32_t, count),
                     .last_use = ARENA_ARRAY(arena, int32_t, count),
                     .bytes = ARENA_ARRAY(arena, int64_t, count)};
    int32_t group = NO_GROUP;
    for (uint32_t i = 0; i < count; i++) {
        const Node *node = graph->nodes[i];
        live.step_of[i] = live.last_use[i] = -1;
        if (node->group == NO_GROUP)
            continue;
        if (node->group != group)
            live.step_count++;
        group = node->group;
        live.step_of[i] = (int32_t)live.step_count - 1;
    }
    find_uses(graph, &live);
    drop_in_place(graph, &live);
    find_once(graph, &live, arena);
    for (uint32_t i = 0; i < count; i++) {
        if (live.step_of[i] < 0)
            live.last_use[i] = -1; /* sources and views have no storage of their own */
        if (live.last_use[i] >= 0)
            live.bytes[i] = (node_bytes(graph, graph->nodes[i]) + SLOT_ALIGN - 1) /
                            SLOT_ALIGN * SLOT_ALIGN;
    }
    return live;
}
