/* Frozen parameters become weights: constants, never written, without gradients.
 *
 * A parameter that is not trained becomes a `weight` node and its gradient output is
 * dropped; everything only that output needed goes too, because it is not copied. What is
 * left of the backward graph computes bit for bit what it did before.
 *
 * A trained parameter that stands in a train graph but got no gradient is an error. */
#include "passes/ledger.h"
#include "passes/pass.h"
#include "passes/rewrite.h"

static bool is_frozen(const Module *module, const char *name)
{
    const Param *param = module_find_param(module, name);
    return param && !param->trained;
}

static const Node *freeze_node(Rewrite *rw, const Node *node)
{
    const PassContext *ctx = rw->state;
    if (node->op != OP_param || !is_frozen(ctx->module, node->attr.named.name))
        return rewrite_copy(rw, node);
    BuildSite site = {node->loc, node->stage};
    return graph_source(rw->out, site, OP_weight, node->attr.named.name, node->type);
}

static bool keep_output(const Rewrite *rw, const Output *output)
{
    const PassContext *ctx = rw->state;
    return output->role != OUTPUT_gradient || !is_frozen(ctx->module, output->name);
}

/* Reports trained parameters without a gradient, if there are gradients at all. */
static bool gradients_complete(const Graph *graph, const PassContext *ctx)
{
    const Module *module = ctx->module;
    bool any = false, ok = true;
    bool *reached = ARENA_ARRAY(graph->arena, bool, module->param_count + 1);
    for (uint32_t i = 0; i < graph->output_count; i++) {
        const Output *output = &graph->outputs[i];
        if (output->role != OUTPUT_gradient)
            continue;
        any = true;
        const Param *param = module_find_param(module, output->name);
        if (param)
            reached[param - module->params] = true;
    }
    for (uint32_t i = 0; any && i < graph->node_count; i++) {
        const Node *node = graph->nodes[i];
        const Param *param = node->op == OP_param
                                 ? module_find_param(module, node->attr.named.name)
                                 : NULL;
        if (!param || !param->trained || reached[param - module->params])
            continue;
        diag_error(ctx->diags, node->loc,
                   "parameter '%s' is trained, but the loss of @%s does not depend on it",
                   param->name, graph->name);
        if (param->reason_loc.file)
            diag_note(ctx->diags, param->reason_loc, "it is trained because of this");
        ok = false;
    }
    return ok;
}

/* Parameters belong to all graphs: they are listed with the first. */
static bool is_first(const Graph *graph, const Module *module)
{
    for (uint32_t i = 0; i < module->graph_count; i++)
        if (module->graphs[i]->kind == GRAPH_train ||
            module->graphs[i]->kind == GRAPH_evaluate)
            return module->graphs[i] == graph;
    return false;
}

Graph *pass_freeze(const Graph *in, PassContext *ctx)
{
    if (in->kind == GRAPH_train && !gradients_complete(in, ctx))
        return NULL;
    Graph *out = rewrite_graph(in, freeze_node, keep_output, ctx);
    if (!out || !ctx->report)
        return out;
    if (is_first(in, ctx->module)) {
        fputs("freeze\n", ctx->report);
        ledger_print_params(ctx->module, ctx->report);
    }
    if (in->kind == GRAPH_train)
        ledger_print_graph(ctx->module, in, out, ctx->report);
    return out;
}
