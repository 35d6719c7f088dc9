/* One walk over the live nodes, with a table of images by id. */
#include "passes/rewrite.h"

#include <assert.h>

static bool is_kept(const Rewrite *rw, const Output *output)
{
    return !rw->keep || rw->keep(rw, output);
}

/* Operands precede users, so one sweep from the end finds everything. */
bool *rewrite_live(const Rewrite *rw, Arena *arena)
{
    const Graph *in = rw->in;
    bool *live = ARENA_ARRAY(arena, bool, in->node_count + 1);
    for (uint32_t i = 0; i < in->output_count; i++)
        if (is_kept(rw, &in->outputs[i]))
            live[in->outputs[i].value->id] = true;
    for (uint32_t i = in->node_count; i-- > 0;)
        for (uint32_t j = 0; live[i] && j < in->nodes[i]->arg_count; j++)
            live[in->nodes[i]->args[j]->id] = true;
    return live;
}

const Node *rewrite_image(const Rewrite *rw, const Node *node)
{
    assert(rw->images[node->id]);
    return rw->images[node->id];
}

const Node *rewrite_copy_with(Rewrite *rw, const Node *node, const OpAttr *attr,
                              Type given)
{
    enum { MOST_ARGS = 8 };
    const Node *args[MOST_ARGS];
    assert(node->arg_count <= MOST_ARGS);
    for (uint32_t i = 0; i < node->arg_count; i++)
        args[i] = rewrite_image(rw, node->args[i]);
    BuildSite site = {node->loc, node->stage};
    return graph_node(rw->out, site,
                      (NodeSpec){.op = node->op,
                                 .attr = attr,
                                 .args = args,
                                 .arg_count = node->arg_count,
                                 .given = &given});
}

const Node *rewrite_copy(Rewrite *rw, const Node *node)
{
    return rewrite_copy_with(rw, node, &node->attr, node->type);
}

bool rewrite_into(Rewrite *rw)
{
    const Graph *in = rw->in;
    rw->images = ARENA_ARRAY(rw->out->arena, const Node *, in->node_count + 1);
    bool *live = rewrite_live(rw, rw->out->arena);
    for (uint32_t i = 0; i < in->node_count; i++) {
        if (!live[i] && !rw->visit_dead)
            continue;
        rw->images[i] = rw->node(rw, in->nodes[i]);
        if (!rw->images[i])
            return false;
        graph_keep_name(rw->out, rw->images[i], in->nodes[i]);
    }
    for (uint32_t i = 0; i < in->output_count; i++) {
        const Output *output = &in->outputs[i];
        if (is_kept(rw, output))
            graph_output(rw->out, output->role, output->name,
                         rewrite_image(rw, output->value), output->loc);
    }
    return true;
}

Graph *rewrite_graph(const Graph *in, RewriteNode *node, RewriteKeep *keep, void *state)
{
    Rewrite rw = {
        .in = in, .out = graph_like(in), .node = node, .keep = keep, .state = state};
    rw.out->fused = rw.out->planned = false;
    rw.out->slab_bytes = rw.out->slab_bound = 0;
    if (rewrite_into(&rw))
        return rw.out;
    graph_free(rw.out);
    return NULL;
}
