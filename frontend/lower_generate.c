/* Generation: what is computed once per sequence, and what grows by a row per token.
 *
 * <keep> and <cache> are transparent but in two kinds of graph. The encode graph gives
 * out the kept values; in the decode graph they are inputs, as are the rows of earlier
 * steps that a cache holds. Both graphs are then cut down to what their results need
 * (lower_prune.c), so that the one has no decoder and the other no encoder. */
#include <string.h>

#include "frontend/lower.h"
#include "ir/axis.h"

/* -- keep -------------------------------------------------------------------------- */

static const char *output_path(Lower *lower, Frame *frame, const Element *element)
{
    const char *name = expr_text(lower->spec->exprs, element_attribute(element, "name"),
                                 frame_path_names(frame));
    const char *marked = name ? lower_path(lower, frame, name, element->loc) : NULL;
    return marked ? lower_name_for_task(lower, marked, lower->draft->globals->task)
                  : NULL;
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
    Graph *graph = lower->draft->graph;
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
    return graph_source(lower->draft->graph, (BuildSite){element->loc, STAGE_forward},
                        OP_input, path, type);
}

/* What the body of a <keep> has bound; NULL after an error. */
static const Node *kept_value(Lower *lower, Frame *frame, const Element *element,
                              const Keep *keep)
{
    const Node *value = frame_value(frame, keep->name);
    if (!value || value == &absent_value) {
        diag_error(lower->diags, element->loc, "the body must bind the value '%s'",
                   keep->name);
        frame_note(frame);
        return NULL;
    }
    if (type_equal(value->type, keep->type))
        return value;
    diag_error(lower->diags, element->loc,
               "the value '%s' is not f32[%s, %lld], as this says", keep->name,
               lower->draft->graph->axes[keep->type.axis].name,
               (long long)type_width(keep->type));
    frame_note(frame);
    return NULL;
}

bool lower_keep_begin(Lower *lower, Frame *frame, const Element *element, Keep *out)
{
    *out = (Keep){.is_input = lower->draft->graph->kind == GRAPH_decode};
    out->name = expr_text(lower->spec->exprs, element_attribute(element, "out"),
                          frame_names(frame));
    out->path = output_path(lower, frame, element);
    lower->draft->generates = true;
    return out->name && out->path && kept_type(lower, frame, element, &out->type);
}

bool lower_keep_end(Lower *lower, Frame *frame, const Element *element, const Keep *keep)
{
    const Node *value = keep->is_input
                            ? kept_input(lower, element, keep->path, keep->type)
                            : kept_value(lower, frame, element, keep);
    if (!value || (lower->draft->graph->kind == GRAPH_encode &&
                   !lower_output(lower, keep->path, value, element->loc)))
        return false;
    frame_bind(frame, keep->name, value);
    return true;
}

/* -- cache ------------------------------------------------------------------------- */

/* In a graft, which has the axes of its host: that of the rows before those of `step`. */
static int32_t past_of_host(Lower *lower, int32_t step, Loc loc)
{
    const Graph *graph = lower->draft->graph;
    int32_t past = graph_find_axis(graph, "past");
    for (uint32_t i = 0; past != AXIS_STATIC && i < graph->axis_count; i++)
        if (graph->axes[i].kind == AXIS_KIND_join && graph->axes[i].of[0] == past &&
            graph->axes[i].of[1] == step)
            return past;
    diag_error(lower->diags, loc,
               "a block that is attached caches rows of the axis whose rows the backbone "
               "caches, not of '%s'",
               graph->axes[step].name);
    return AXIS_STATIC;
}

/* The axis of the rows of earlier steps. The axis of x has one row in a step, so that all
 * rows together are no more than it has in training. */
static int32_t past_axis(Lower *lower, int32_t step, Loc loc)
{
    Graph *graph = lower->draft->graph;
    if (lower->draft->graft)
        return past_of_host(lower, step, loc);
    if (lower->draft->step_axis == AXIS_STATIC &&
        graph->axes[step].kind == AXIS_KIND_primary) {
        Axis past = {.name = intern(lower->module->interns, "past"),
                     .kind = AXIS_KIND_primary,
                     .longest = graph->axes[step].longest - 1};
        if (past.longest < 1) {
            diag_error(lower->diags, loc,
                       "axis '%s' has one row at most: nothing to cache",
                       graph->axes[step].name);
            return AXIS_STATIC;
        }
        lower->draft->past_axis = graph_axis(graph, past, loc);
        lower->draft->step_axis = step;
        graph->axes[step].longest = 1;
    }
    if (lower->draft->step_axis == step)
        return lower->draft->past_axis;
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
    const Node *args[] = {graph_source(lower->draft->graph, site, OP_input, path, type),
                          x};
    Axis now = {.name = intern(lower->module->interns, axis),
                .kind = AXIS_KIND_join,
                .of = {type.axis, x->type.axis}};
    OpAttr attr = {.join = {.axis = graph_axis(lower->draft->graph, now, element->loc)}};
    if (!args[0] || attr.join.axis == AXIS_STATIC)
        return NULL;
    const Node *grown = graph_node(
        lower->draft->graph, site,
        (NodeSpec){.op = OP_join, .attr = &attr, .args = args, .arg_count = 2});
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
    lower->draft->generates = true;
    if (lower->draft->globals->kind == GRAPH_decode)
        x = grown_cache(lower, element, path, axis, x);
    return x && lower_bind(lower, frame, name, x);
}
