/* The interpreter's table of ops, and the run over a graph. */
#include "runtime/check/reference.h"

#include <assert.h>

#include "ir/lowering.h"

static ReferenceFn *const functions[OP_COUNT] = {
#define CLASS_source(name) /* values come from outside */
#define CLASS_other(name) [OP_##name] = reference_##name,
#include "ir/class_ops.def"
};

void reference_node(const ReferenceContext *ctx, const Node *node,
                    const void *const *args, void *out)
{
    assert(functions[node->op]);
    functions[node->op](ctx, node, args, out);
}

const void **reference_run(const ReferenceContext *ctx, ReferenceSource *source,
                           void *state, Arena *arena)
{
    const Graph *graph = ctx->graph;
    const void **values = ARENA_ARRAY(arena, const void *, graph->node_count);
    for (uint32_t i = 0; i < graph->node_count; i++) {
        const Node *node = graph->nodes[i];
        const void *args[8];
        assert(node->arg_count <= sizeof args / sizeof *args);
        if (node_is_source(node)) {
            float value =
                (float)(node->op == OP_constant ? node->attr.constant.value : 0);
            values[i] = node->op == OP_constant ? arena_copy(arena, &value, sizeof value)
                                                : source(state, node);
            continue;
        }
        for (uint32_t a = 0; a < node->arg_count; a++)
            args[a] = values[node->args[a]->id];
        void *out = arena_alloc(arena, (size_t)reference_bytes(ctx, node->type) + 1);
        reference_node(ctx, node, args, out);
        values[i] = out;
    }
    return values;
}
