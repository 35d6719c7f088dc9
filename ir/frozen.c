/* One walk forwards for what could be frozen, one backwards for what is worth memory. */
#include "ir/frozen.h"

#include "ir/lowering.h"

static bool is_constant(const Node *node)
{
    return node->op == OP_weight || node->op == OP_constant;
}

bool value_is_frozen(const Node *value, const bool *frozen)
{
    while (node_is_view(value))
        value = value->args[0];
    return is_constant(value) || frozen[value->id];
}

/* Ops that name an axis depend on the batch; so do ops that know their row's place. */
static bool is_of_batch(const Node *node)
{
    return type_is_ragged(node->type) || op_info(node->op)->traits & TRAIT_ROW_INDEX ||
           op_field_of(node->op, ATTR_axis) || node->arg_count == 0;
}

static bool follows_from_frozen(const Node *node, const bool *frozen)
{
    bool follows = !node_is_source(node) && !is_of_batch(node);
    for (uint32_t i = 0; follows && i < node->arg_count; i++)
        follows = is_constant(node->args[i]) || frozen[node->args[i]->id];
    return follows;
}

/* Clears what a kernel may as well compute again. */
static void drop_cheap(const Graph *graph, bool *frozen, Arena *arena)
{
    bool *is_read = ARENA_ARRAY(arena, bool, graph->node_count + 1);
    for (uint32_t i = graph->node_count; i-- > 0;) {
        const Node *node = graph->nodes[i];
        bool is_cheap = node_is_view(node) || op_info(node->op)->traits & TRAIT_CHEAP;
        if (is_cheap && !is_read[i])
            frozen[i] = false;
        for (uint32_t j = 0; frozen[i] && j < node->arg_count; j++)
            is_read[node->args[j]->id] = true;
    }
}

bool *frozen_nodes(const Graph *graph, Arena *arena)
{
    bool *frozen = ARENA_ARRAY(arena, bool, graph->node_count + 1);
    if (graph->kind == GRAPH_update || graph->kind == GRAPH_graft)
        return frozen;
    for (uint32_t i = 0; i < graph->node_count; i++)
        frozen[i] = follows_from_frozen(graph->nodes[i], frozen);
    drop_cheap(graph, frozen, arena);
    return frozen;
}
