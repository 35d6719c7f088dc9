/* Generation, one row of a sequence at a time. The decode graph reads
 *
 *     the last token   its one input that no result is called like: one row per sequence
 *     what is kept     results of the encode graph, with their rows
 *     caches           its own results of the step before: a result is its input joined
 *                      with the row of this step
 *
 * and gives a row of logits per sequence. */
#include <string.h>

#include "ir/text.h"
#include "ir/verify_fault.h"
#include "ir/verify_run.h"

enum { TEXT = 128 };

typedef struct Decode {
    const Graph *graph, *encode; /* encode may be NULL */
    const Node *token;
    const Node **by_axis; /* an input with rows on it, or NULL */
    Diags *diags;
} Decode;

static const Node *kept_value(const Decode *d, const char *name)
{
    const Output *output =
        d->encode ? graph_find_output(d->encode, OUTPUT_result, name) : NULL;
    return output ? output->value : NULL;
}

static const Node *cached_value(const Decode *d, const char *name)
{
    const Output *output = graph_find_output(d->graph, OUTPUT_result, name);
    return output ? output->value : NULL;
}

static bool is_token(const Decode *d, const Node *input)
{
    const char *name = input->attr.named.name;
    return !kept_value(d, name) && !cached_value(d, name);
}

static bool find_token(Decode *d)
{
    for (uint32_t i = 0; i < d->graph->node_count; i++) {
        const Node *node = d->graph->nodes[i];
        if (node->op != OP_input || !is_token(d, node))
            continue;
        if (d->token && node->attr.named.name != d->token->attr.named.name)
            return verify_fault(d->graph, node, d->diags,
                                "is neither kept nor a cache, as is '%s'; expected one "
                                "such input, the last token",
                                d->token->attr.named.name);
        d->token = node;
    }
    if (!d->token)
        return verify_fault(d->graph, NULL, d->diags,
                            "no input is the last token: all are kept or caches");
    return (d->token->type.dtype == DTYPE_i32 && d->token->type.rank == 1) ||
           verify_fault(d->graph, d->token, d->diags,
                        "the last token must be an index per row");
}

static bool same_row(Type a, Type b)
{
    return a.dtype == b.dtype && type_is_ragged(a) && type_is_ragged(b) &&
           a.rank == b.rank && type_width(a) == type_width(b);
}

static bool grows_by_a_row(const Decode *d, const Node *input, const Node *value)
{
    const Axis *axis = &d->graph->axes[value->type.axis];
    return axis->kind == AXIS_KIND_join && axis->of[0] == input->type.axis &&
           axis->of[1] == d->token->type.axis;
}

/* Rows of an axis have one origin: inputs of one axis are all the token, all caches, or
 * all kept on one axis of the encode graph. */
static bool same_origin(const Decode *d, const Node *a, const Node *b)
{
    const Node *x = kept_value(d, a->attr.named.name),
               *y = kept_value(d, b->attr.named.name);
    if (x || y)
        return x && y && x->type.axis == y->type.axis;
    return is_token(d, a) == is_token(d, b);
}

static bool verify_origin(const Decode *d, const Node *input)
{
    const char *name = input->attr.named.name;
    const Node *kept = kept_value(d, name), *cached = kept ? NULL : cached_value(d, name);
    const Axis *axis = &d->graph->axes[input->type.axis];
    const Node **other = &d->by_axis[input->type.axis];
    bool is_batch = axis->kind == AXIS_KIND_batch;
    if (axis->kind != AXIS_KIND_primary && !is_batch)
        return verify_fault(d->graph, input, d->diags,
                            "input '%s' is on axis '%s', whose rows are not given", name,
                            axis->name);
    if ((kept && !same_row(input->type, kept->type)) ||
        (kept && is_batch != (kept->type.axis == AXIS_BATCH)) ||
        (cached && (!same_row(input->type, cached->type) || is_batch ||
                    !grows_by_a_row(d, input, cached))))
        return verify_fault(d->graph, input, d->diags,
                            "input '%s' is not what the result of that name gives", name);
    if (*other && !same_origin(d, input, *other))
        return verify_fault(d->graph, input, d->diags,
                            "inputs '%s' and '%s' have rows on axis '%s', but not from "
                            "one place",
                            name, (*other)->attr.named.name, axis->name);
    *other = input;
    return true;
}

static bool verify_axes_known(const Decode *d)
{
    for (uint32_t a = 0; a < d->graph->axis_count; a++)
        if (d->graph->axes[a].kind == AXIS_KIND_primary && !d->by_axis[a])
            return verify_fault(d->graph, NULL, d->diags,
                                "no input says how many rows axis '%s' has",
                                d->graph->axes[a].name);
    return true;
}

static bool verify_logits(const Decode *d)
{
    const Output *logits = graph_find_output(d->graph, OUTPUT_result, "logits");
    Type type = logits ? logits->value->type : TYPE_SCALAR;
    return (type.dtype == DTYPE_f32 && type_is_ragged(type) && type.rank == 2 &&
            (type.axis == AXIS_BATCH || type.axis == d->token->type.axis)) ||
           verify_fault(d->graph, logits ? logits->value : NULL, d->diags,
                        "expected a row of f32 per sequence as result 'logits'");
}

bool verify_decode(const Graph *graph, const Graph *encode, Diags *diags)
{
    Arena *arena = arena_new();
    Decode d = {.graph = graph,
                .encode = encode,
                .by_axis = ARENA_ARRAY(arena, const Node *, graph->axis_count),
                .diags = diags};
    bool ok = find_token(&d);
    for (uint32_t i = 0; i < graph->node_count && ok; i++)
        if (graph->nodes[i]->op == OP_input)
            ok = verify_origin(&d, graph->nodes[i]);
    ok = ok && verify_axes_known(&d) && verify_logits(&d);
    arena_free(arena);
    return ok;
}
