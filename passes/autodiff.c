/* Reverse-mode differentiation: the gradient of the loss to every parameter it depends
 * on.
 *
 * A sweep from the last node to the first. When it reaches a node, everything that reads
 * the node has been passed, so its adjoint is complete: rules (passes/gradients.c) turn
 * it into contributions to the operands, which are added up there. A tied parameter is
 * one node, so its uses add up too. Only nodes that some parameter leads to take part.
 *
 * Gradients are made of the same ops as models, in stage backward, at the places of the
 * nodes they are of; the gradient of a value `h` is named `h:gradient`. Needs: no sites.
 * Every parameter gets a gradient; later passes drop those that are not used. */
#include "passes/gradients.h"
#include "passes/pass.h"
#include "passes/rewrite.h"

typedef struct Sweep {
    Graph *graph;
    uint32_t forward_count;
    bool *leads;          /* by id of a forward node: it depends on a parameter */
    const Node **adjoint; /* by id of a forward node, or NULL */
} Sweep;

static bool is_parameter(const Node *node)
{
    return node->op == OP_param;
}

static void mark_leads(Sweep *sweep)
{
    for (uint32_t i = 0; i < sweep->forward_count; i++) {
        const Node *node = sweep->graph->nodes[i];
        sweep->leads[i] = is_parameter(node);
        for (uint32_t j = 0; j < node->arg_count; j++)
            sweep->leads[i] |= sweep->leads[node->args[j]->id];
    }
}

static void add_adjoint(Sweep *sweep, const Node *node, const Node *contribution,
                        BuildSite site)
{
    const Node **sum = &sweep->adjoint[node->id];
    *sum = *sum ? graph_binary(sweep->graph, site, OP_add, *sum, contribution)
                : contribution;
}

static void propagate(Sweep *sweep, const Node *node)
{
    Gradient gradient = {
        sweep->graph, {node->loc, STAGE_backward}, node, sweep->adjoint[node->id]};
    for (uint32_t i = 0; i < node->arg_count; i++) {
        if (!sweep->leads[node->args[i]->id])
            continue;
        const Node *contribution = gradient_of(&gradient, i);
        if (contribution)
            add_adjoint(sweep, node->args[i], contribution, gradient.site);
    }
}

/* Whether there is any. */
static bool output_gradients(Sweep *sweep)
{
    bool any = false;
    for (uint32_t i = 0; i < sweep->forward_count; i++) {
        const Node *node = sweep->graph->nodes[i];
        if (!is_parameter(node) || !sweep->adjoint[i])
            continue;
        any = true;
        graph_output(sweep->graph, OUTPUT_gradient, node->attr.named.name,
                     sweep->adjoint[i], node->loc);
    }
    return any;
}

static const Output *find_loss(const Graph *graph, Diags *diags)
{
    const Output *loss = NULL;
    for (uint32_t i = 0; i < graph->output_count; i++) {
        const Output *output = &graph->outputs[i];
        if (output->role == OUTPUT_gradient) {
            diag_error(diags, output->loc, "@%s has gradients already", graph->name);
            return NULL;
        }
        if (output->role == OUTPUT_loss)
            loss = output;
    }
    if (!loss)
        diag_error(diags, (Loc){0}, "@%s has no loss to differentiate", graph->name);
    return loss;
}

Graph *pass_autodiff(const Graph *in, PassContext *ctx)
{
    if (!find_loss(in, ctx->diags))
        return NULL;
    /* Dead nodes stay: `freeze` reports parameters that nothing reads. */
    Rewrite rw = {
        .in = in, .out = graph_like(in), .node = rewrite_copy, .visit_dead = true};
    Graph *graph = rw.out;
    if (!rewrite_into(&rw)) {
        graph_free(graph);
        return NULL;
    }
    const Output *loss = find_loss(graph, ctx->diags);
    uint32_t errors = diags_error_count(ctx->diags);
    Sweep sweep = {.graph = graph, .forward_count = graph->node_count};
    sweep.leads = ARENA_ARRAY(graph->arena, bool, graph->node_count);
    sweep.adjoint = ARENA_ARRAY(graph->arena, const Node *, graph->node_count);
    mark_leads(&sweep);
    if (sweep.leads[loss->value->id])
        sweep.adjoint[loss->value->id] =
            graph_constant(graph, (BuildSite){loss->loc, STAGE_backward}, 1);
    for (uint32_t i = sweep.forward_count; i-- > 0;)
        if (sweep.adjoint[i]) {
            graph_name_after(graph, sweep.adjoint[i], graph->nodes[i], "gradient");
            propagate(&sweep, graph->nodes[i]);
        }
    if (!output_gradients(&sweep) && diags_error_count(ctx->diags) == errors)
        diag_error(ctx->diags, loss->loc,
                   "the loss of @%s depends on no parameter, or only through ops whose "
                   "gradient is zero",
                   graph->name);
    return graph;
}
