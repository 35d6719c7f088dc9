/* Generation: what is computed once per sequence, and what grows by a row per token.
 *
 * <keep> and <cache> are transparent but in two kinds of graph. The encode graph gives
 * out the kept values; in the decode graph they are inputs, as are the rows of earlier
 * steps that a cache holds. Both graphs are then cut down to what their results need, so
 * that the one has no decoder and the other no encoder. */
#include <string.h>

#include "frontend/lower.h"
#include "ir/axis.h"

enum { MOST_ARGS = 8 };

/* A kept axis is primary in the decode graph, and is so called until the graph is pruned:
 * the axis it stands for may still be there. */
#define KEPT_MARK '\1'

/* -- keep -------------------------------------------------------------------------- */

static const char *output_path(Lower *lower, Frame *frame, const Element *element)
{
    const char *name = expr_text(lower->spec->exprs, element_attribute(element, "name"),
                                 frame_names(frame));
    return name ? lower_path(lower, frame, name, element->loc) : NULL;
}

static bool kept_type(Lower *lower, Frame *frame, const Element *element, Type *out)
{
    Attribute *width = element_attribute(element, "width");
    int32_t axis;
    int64_t columns;
    if (!lower_axis_of(lower, frame, element_attribute(element, "axis"), &axis) ||
        !expr_integer(lower->spec->exprs, width, frame_names(frame), &columns))
        return false;
    if (columns < 1 || columns > INT32_MAX) {
        diag_error(lower->diags, width->loc, "width is %lld, expected 1 to %d",
                   (long long)columns, INT32_MAX);
        return false;
    }
    *out = type_rows(DTYPE_f32, axis, columns);
    return true;
}

/* The primary axis that stands for `axis` in the decode graph. */
static int32_t kept_axis(Lower *lower, int32_t axis, Loc loc)
{
    Graph *graph = lower->graph;
    if (axis == AXIS_BATCH || graph->axes[axis].kind == AXIS_KIND_primary)
        return axis;
    axes_derive_limits(graph, lower->module->settings.tokens,
                       lower->module->settings.sequences);
    const char *name =
        arena_format(lower->arena, "%s%c", graph->axes[axis].name, KEPT_MARK);
    Axis kept = {.name = intern(lower->module->interns, name),
                 .kind = AXIS_KIND_primary,
                 .longest = graph->axes[axis].longest};
    return graph_axis(graph, kept, loc);
}

static const Node *kept_input(Lower *lower, const Element *element, const char *path,
                              Type type)
{
    type.axis = kept_axis(lower, type.axis, element->loc);
    if (type.axis == AXIS_STATIC)
        return NULL;
    return graph_source(lower->graph, (BuildSite){element->loc, STAGE_forward}, OP_input,
                        path, type);
}

/* What the body of a <keep> binds; NULL after an error. */
static const Node *kept_value(Lower *lower, Frame *frame, const Element *element,
                              const char *name, Type type)
{
    if (!lower_body(lower, frame, element))
        return NULL;
    const Node *value = frame_value(frame, name);
    if (!value || value == &absent_value) {
        diag_error(lower->diags, element->loc, "the body must bind the value '%s'", name);
        frame_note(frame);
        return NULL;
    }
    if (type_equal(value->type, type))
        return value;
    diag_error(lower->diags, element->loc,
               "the value '%s' is not f32[%s, %lld], as this says", name,
               lower->graph->axes[type.axis].name, (long long)type_width(type));
    frame_note(frame);
    return NULL;
}

bool lower_keep(Lower *lower, Frame *frame, const Element *element)
{
    const char *name = expr_text(lower->spec->exprs, element_attribute(element, "out"),
                                 frame_names(frame));
    const char *path = output_path(lower, frame, element);
    Type type;
    if (!name || !path || !kept_type(lower, frame, element, &type))
        return false;
    GraphKind kind = lower->graph->kind;
    lower->generates = true;
    const Node *value = kind == GRAPH_decode
                            ? kept_input(lower, element, path, type)
                            : kept_value(lower, frame, element, name, type);
    if (!value ||
        (kind == GRAPH_encode && !lower_output(lower, path, value, element->loc)))
        return false;
    frame_bind(frame, name, value);
    return true;
}

/* -- cache ------------------------------------------------------------------------- */

/* The axis of the rows of earlier steps. The axis of x has one row in a step, so that all
 * rows together are no more than it has in training. */
static int32_t past_axis(Lower *lower, int32_t step, Loc loc)
{
    Graph *graph = lower->graph;
    if (lower->step_axis == AXIS_STATIC && graph->axes[step].kind == AXIS_KIND_primary) {
        Axis past = {.name = intern(lower->module->interns, "past"),
                     .kind = AXIS_KIND_primary,
                     .longest = graph->axes[step].longest - 1};
        if (past.longest < 1) {
            diag_error(lower->diags, loc,
                       "axis '%s' has one row at most: nothing to cache",
                       graph->axes[step].name);
            return AXIS_STATIC;
        }
        lower->past_axis = graph_axis(graph, past, loc);
        lower->step_axis = step;
        graph->axes[step].longest = 1;
    }
    if (lower->step_axis == step)
        return lower->past_axis;
    diag_error(lower->diags, loc, "caches must be on one primary axis, not on '%s'",
               graph->axes[step].name);
    return AXIS_STATIC;
}

/* join(input "path", x), which is also what the next step gets. */
static const Node *grown_cache(Lower *lower, const Element *element, const char *path,
                               const char *axis, const Node *x)
{
    BuildSite site = {element->loc, STAGE_forward};
    Type type = x->type;
    type.axis = past_axis(lower, x->type.axis, element->loc);
    if (type.axis == AXIS_STATIC)
        return NULL;
    const Node *args[] = {graph_source(lower->graph, site, OP_input, path, type), x};
    Axis now = {.name = intern(lower->module->interns, axis),
                .kind = AXIS_KIND_join,
                .of = {type.axis, x->type.axis}};
    OpAttr attr = {.join = {.axis = graph_axis(lower->graph, now, element->loc)}};
    if (!args[0] || attr.join.axis == AXIS_STATIC)
        return NULL;
    const Node *grown = graph_node(lower->graph, site, OP_join, &attr, args, 2, NULL);
    return grown && lower_output(lower, path, grown, element->loc) ? grown : NULL;
}

bool lower_cache(Lower *lower, Frame *frame, const Element *element)
{
    Exprs *exprs = lower->spec->exprs;
    const char *name =
        expr_text(exprs, element_attribute(element, "out"), frame_names(frame));
    const char *axis =
        expr_text(exprs, element_attribute(element, "axis"), frame_names(frame));
    const char *path = output_path(lower, frame, element);
    const Node *x = lower_value(lower, frame, element_attribute(element, "x"));
    if (!name || !axis || !path || !x)
        return false;
    if (!type_is_ragged(x->type) || x->type.dtype != DTYPE_f32) {
        diag_error(lower->diags, element->loc, "only ragged rows of f32 can be cached");
        frame_note(frame);
        return false;
    }
    lower->generates = true;
    if (lower->graph->kind == GRAPH_decode)
        x = grown_cache(lower, element, path, axis, x);
    if (x)
        frame_bind(frame, name, x);
    return x != NULL;
}

/* -- pruning ----------------------------------------------------------------------- */

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

static uint32_t part_count(const Axis *axis)
{
    return axis->kind == AXIS_KIND_join ? 2 : axis->kind == AXIS_KIND_pool ? 1 : 0;
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
        for (uint32_t j = 0; prune->needed[i] && j < part_count(&in->axes[i]); j++)
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
        for (uint32_t j = 0; j < part_count(&axis); j++)
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
                                      node->op, &attr, args, node->arg_count, &type);
        if (!prune->images[i])
            return false;
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
    Graph *in = lower->graph;
    Arena *arena = arena_new();
    Prune prune = {.in = in,
                   .out = graph_new(in->interns, in->diags, in->kind, in->name, in->task),
                   .live = ARENA_ARRAY(arena, bool, in->node_count),
                   .needed = ARENA_ARRAY(arena, bool, in->axis_count),
                   .axes = ARENA_ARRAY(arena, int32_t, in->axis_count),
                   .images = ARENA_ARRAY(arena, const Node *, in->node_count)};
    find_live(&prune);
    bool ok =
        move_axes(&prune, lower->spec->backbone->element->loc) && move_nodes(&prune);
    uint32_t sites = 0;
    for (uint32_t i = 0; i < lower->site_count && ok; i++) {
        Site site = lower->sites[i];
        site.node = prune.images[site.node->id];
        if (site.node)
            lower->sites[sites++] = site;
    }
    lower->site_count = sites;
    graph_free(in);
    lower->graph = prune.out;
    arena_free(arena);
    return ok;
}
