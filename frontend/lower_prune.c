/* Graphs of generation, cut down to what their results need. */
#include <string.h>

#include "frontend/lower.h"
#include "ir/axis.h"

enum { MOST_ARGS = 8 };

typedef struct Prune {
    const Graph *in;
    Graph *out;
    bool *live;          /* by node id */
    bool *needed;        /* by axis of `in` */
    int32_t *axes;       /* axis of `in` to axis of `out` */
    const Node **images; /* by node id */
} Prune;

/* Calls `visit` on the index of every axis that a node names. */
static void each_axis(const Node *node, OpAttr *attr, Type *type,
                      void (*visit)(Prune *, int32_t *), Prune *prune)
{
    uint32_t count;
    const AttrField *fields = op_fields(node->op, &count);
    visit(prune, &type->axis);
    for (uint32_t i = 0; i < count; i++) {
        void *at = (char *)attr + fields[i].offset;
        if (fields[i].kind == ATTR_axis)
            visit(prune, at);
        else if (fields[i].kind == ATTR_type)
            visit(prune, &((Type *)at)->axis);
    }
}

static void need_axis(Prune *prune, int32_t *axis)
{
    if (*axis != AXIS_STATIC)
        prune->needed[*axis] = true;
}

static void move_axis(Prune *prune, int32_t *axis)
{
    if (*axis != AXIS_STATIC)
        *axis = prune->axes[*axis];
}

static void find_live(Prune *prune)
{
    const Graph *in = prune->in;
    for (uint32_t i = 0; i < in->output_count; i++)
        prune->live[in->outputs[i].value->id] = true;
    for (uint32_t i = in->node_count; i-- > 0;) {
        const Node *node = in->nodes[i];
        if (!prune->live[i])
            continue;
        OpAttr attr = node->attr;
        Type type = node->type;
        each_axis(node, &attr, &type, need_axis, prune);
        for (uint32_t j = 0; j < node->arg_count; j++)
            prune->live[node->args[j]->id] = true;
    }
    prune->needed[AXIS_BATCH] = true;
    for (uint32_t i = in->axis_count; i-- > 0;)
        for (uint32_t j = 0; prune->needed[i] && j < axis_part_count(&in->axes[i]); j++)
            prune->needed[in->axes[i].of[j]] = true;
}

static bool move_axes(Prune *prune, Loc loc)
{
    const Graph *in = prune->in;
    prune->axes[AXIS_BATCH] = AXIS_BATCH;
    for (uint32_t i = 1; i < in->axis_count; i++) {
        if (!prune->needed[i])
            continue;
        Axis axis = in->axes[i];
        axis.name = intern_span(in->interns, axis.name,
                                strcspn(axis.name, (const char[]){KEPT_MARK, 0}));
        for (uint32_t j = 0; j < axis_part_count(&axis); j++)
            axis.of[j] = prune->axes[axis.of[j]];
        prune->axes[i] = graph_axis(prune->out, axis, loc);
        if (prune->axes[i] == AXIS_STATIC)
            return false;
    }
    return true;
}

static bool move_nodes(Prune *prune)
{
    const Graph *in = prune->in;
    for (uint32_t i = 0; i < in->node_count; i++) {
        const Node *node = in->nodes[i], *args[MOST_ARGS];
        if (!prune->live[i])
            continue;
        OpAttr attr = node->attr;
        Type type = node->type;
        each_axis(node, &attr, &type, move_axis, prune);
        for (uint32_t j = 0; j < node->arg_count; j++)
            args[j] = prune->images[node->args[j]->id];
        prune->images[i] = graph_node(prune->out, (BuildSite){node->loc, node->stage},
                                      (NodeSpec){.op = node->op,
                                                 .attr = &attr,
                                                 .args = args,
                                                 .arg_count = node->arg_count,
                                                 .given = &type});
        if (!prune->images[i])
            return false;
        graph_keep_name(prune->out, prune->images[i], node);
    }
    for (uint32_t i = 0; i < in->output_count; i++) {
        const Output *output = &in->outputs[i];
        graph_output(prune->out, output->role, output->name,
                     prune->images[output->value->id], output->loc);
    }
    return true;
}

bool lower_prune(Lower *lower)
{
    Graph *in = lower->draft->graph;
    Arena *arena = arena_new();
    lower_name_values(lower);
    Prune prune = {.in = in,
                   .out = graph_new(in->interns, in->diags, in->kind, in->name, in->task),
                   .live = ARENA_ARRAY(arena, bool, in->node_count),
                   .needed = ARENA_ARRAY(arena, bool, in->axis_count),
                   .axes = ARENA_ARRAY(arena, int32_t, in->axis_count),
                   .images = ARENA_ARRAY(arena, const Node *, in->node_count)};
    find_live(&prune);
    bool ok =
        move_axes(&prune, lower->spec->backbone->element->loc) && move_nodes(&prune);
    size_t sites = 0;
    for (size_t i = 0; i < lower->draft->site_count && ok; i++) {
        Site site = lower->draft->sites[i];
        site.node = prune.images[site.node->id];
        if (site.node)
            lower->draft->sites[sites++] = site;
    }
    lower->draft->site_count = sites;
    graph_free(in);
    lower->draft->graph = prune.out;
    arena_free(arena);
    return ok;
}
