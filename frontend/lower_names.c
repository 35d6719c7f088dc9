/* Names of values: the path of the scope, and the name that the element binds. What a
 * block without a scope of its own makes is called as its user calls it; what lies in a
 * scope of its own keeps the name it has there, which says more. So the queries of the
 * third layer are named `encoder.block.2.layer.0.SelfAttention.q`, not `y`, and what it
 * returns is not one of many `x` of the encoder. A site makes nothing: it has a name of
 * its own.
 *
 * Names are given when the graph is done, in the order of its nodes, so that the second
 * `h` of a scope is `h.2` whatever it was called within blocks. */
#include <string.h>

#include "frontend/lower.h"
#include "ir/base/list.h"

static ValueName *name_of(Lower *lower, const Node *node)
{
    Draft *draft = lower->draft;
    size_t count = draft->name_count;
    if (node->id < count)
        return &draft->names[node->id];
    draft->name_count = (size_t)node->id + 1;
    ARENA_LIST_ROOM(lower->arena, draft->names, draft->name_count, draft->name_capacity);
    memset(draft->names + count, 0, (draft->name_count - count) * sizeof *draft->names);
    return &draft->names[node->id];
}

static bool set_name(Lower *lower, const Frame *frame, const char *name, const Node *node)
{
    ValueName *value = name_of(lower, node);
    value->path = lower_path(lower, frame, name, node->loc);
    value->scope_length = strlen(frame->scope);
    return value->path != NULL;
}

bool lower_bind(Lower *lower, Frame *frame, const char *name, const Node *node)
{
    frame_bind(frame, name, node);
    return node == &absent_value || node->op == OP_site || name_of(lower, node)->path ||
           set_name(lower, frame, name, node);
}

/* Whether the value is one of the nodes from `first` on, and has a name in the scope of
 * the user. */
static bool is_of_user(Lower *lower, const Frame *caller, uint32_t first,
                       const Node *node)
{
    const ValueName *value = name_of(lower, node);
    size_t scope = strlen(caller->scope);
    return node->id >= first && value->scope_length == scope &&
           memcmp(value->path, caller->scope, scope) == 0;
}

bool lower_bind_output(Lower *lower, Frame *caller, uint32_t first, const char *name,
                       const Node *node)
{
    bool renamed = node != &absent_value && name_of(lower, node)->path &&
                   is_of_user(lower, caller, first, node);
    return (!renamed || set_name(lower, caller, name, node)) &&
           lower_bind(lower, caller, name, node);
}

bool lower_name_parts(Lower *lower, Frame *frame, uint32_t first, const char *name)
{
    const Graph *graph = lower->draft->graph;
    for (uint32_t i = first; i < graph->node_count; i++) {
        const Node *node = graph->nodes[i];
        const OpInfo *info = op_info(node->op);
        if (info->lowering == LOWER_source || info->traits & TRAIT_DECLARED ||
            name_of(lower, node)->path)
            continue;
        const char *part = arena_format(frame->arena, "%s.%s", name, info->name);
        if (!set_name(lower, frame, part, node))
            return false;
    }
    return true;
}

void lower_name_values(Lower *lower)
{
    Draft *draft = lower->draft;
    Graph *graph = draft->graph;
    for (size_t i = 0; i < draft->name_count; i++)
        if (draft->names[i].path)
            graph_name(graph, graph->nodes[i],
                       lower_name_for_task(lower, draft->names[i].path, graph->task));
    draft->name_count = 0;
}
