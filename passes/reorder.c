/* Reordering: the given order is of steps; sources and views follow on demand. */
#include "passes/reorder.h"
#include "ir/lowering.h"

#include <assert.h>

bool *live_nodes(const Graph *graph, Arena *arena)
{
    bool *live = ARENA_ARRAY(arena, bool, graph->node_count);
    for (uint32_t i = 0; i < graph->output_count; i++)
        live[graph->outputs[i].value->id] = true;
    for (uint32_t i = graph->node_count; i-- > 0;)
        for (uint32_t j = 0; live[i] && j < graph->nodes[i]->arg_count; j++)
            live[graph->nodes[i]->args[j]->id] = true;
    return live;
}

/* Copies a node whose operands are there. */
static bool copy(Graph *out, Node **images, const Node *node)
{
    const Node *few[8];
    const Node **args = node->arg_count <= 8
                            ? few
                            : ARENA_ARRAY(out->arena, const Node *, node->arg_count);
    for (uint32_t i = 0; i < node->arg_count; i++) {
        args[i] = images[node->args[i]->id];
        assert(args[i]);
    }
    BuildSite site = {node->loc, node->stage};
    Node *image = graph_append(out, site, node_spec(node, args));
    if (!image)
        return false;
    image->group = node->group;
    image->name = node->name;
    images[node->id] = image;
    return true;
}

/* Copies a source, or a view with those below it, bottom first. */
static bool copy_on_demand(Graph *out, Node **images, const Node *node)
{
    while (!images[node->id]) {
        const Node *lowest = node;
        while (node_is_view(lowest) && !images[lowest->args[0]->id])
            lowest = lowest->args[0];
        assert(!node_has_step(lowest));
        if (!copy(out, images, lowest))
            return false;
    }
    return true;
}

Graph *graph_reorder(const Graph *in, const uint32_t *order, uint32_t count,
                     Node ***out_images)
{
    Graph *out = graph_like(in);
    Node **images = ARENA_ARRAY(out->arena, Node *, in->node_count);
    bool ok = true;
    for (uint32_t i = 0; i < count && ok; i++) {
        const Node *node = in->nodes[order[i]];
        for (uint32_t j = 0; j < node->arg_count && ok; j++)
            ok = copy_on_demand(out, images, node->args[j]);
        ok = ok && copy(out, images, node);
    }
    for (uint32_t i = 0; i < in->output_count && ok; i++) {
        const Output *output = &in->outputs[i];
        ok = copy_on_demand(out, images, output->value);
        if (ok)
            graph_output(out, output->role, output->name, images[output->value->id],
                         output->loc);
    }
    if (!ok) {
        graph_free(out);
        return NULL;
    }
    if (out_images)
        *out_images = images;
    return out;
}
