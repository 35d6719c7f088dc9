/* Decides how accurate every product is: matrix products, and those within the ops of the
 * vocabulary. Gradients carry the wish of the product that they are of, so that they are
 * as accurate. An op's own word counts most, then the last pattern that matches, then the
 * command line, then what the recipe says of all products.
 *
 * Needs nothing but wishes that are in the text (attribute `rule`, lines `precision` of
 * the module); leaves no wish, so that products that are equal in all else become one. */
#include "passes/precision.h"

#include "passes/pass.h"
#include "passes/rewrite.h"

typedef struct Chooser {
    const PassContext *ctx;
    PrecisionLine *lines; /* of the result's products, each once */
    uint32_t line_count;
} Chooser;

/* The last rule that is of all products, or NULL. */
static const PrecisionRule *rule_of_all(const Module *module)
{
    for (uint32_t i = module->rule_count; i-- > 0;)
        if (!*module->rules[i].pattern)
            return &module->rules[i];
    return NULL;
}

/* An op may also have its precision from text, or from this pass, without a rule. */
static PrecisionLine choose(const PassContext *ctx, const Graph *graph, Precision given,
                            attr_rule rule)
{
    const Module *module = ctx->module;
    const PrecisionRule *all = rule_of_all(module);
    if (graph->kind == GRAPH_update)
        return (PrecisionLine){NULL, PRECISION_highest, PRECISION_UPDATE, NULL};
    if (rule == RULE_of_op || given != PRECISION_highest)
        return (PrecisionLine){NULL, given, PRECISION_OP, NULL};
    if (rule > 0) {
        const PrecisionRule *named = &module->rules[rule - 1];
        return (PrecisionLine){NULL, named->precision, PRECISION_PATTERN, named};
    }
    if (ctx->matmul_precision != PRECISION_COUNT)
        return (PrecisionLine){NULL, ctx->matmul_precision, PRECISION_OPTION, NULL};
    if (all)
        return (PrecisionLine){NULL, all->precision, PRECISION_RECIPE, all};
    return (PrecisionLine){NULL, PRECISION_highest, PRECISION_PRESET, NULL};
}

static const Node *choose_node(Rewrite *rw, const Node *node)
{
    Chooser *chooser = rw->state;
    const AttrField *precision = op_field_of(node->op, ATTR_precision);
    const AttrField *rule = op_field_of(node->op, ATTR_rule);
    if (!precision || !rule)
        return rewrite_copy(rw, node);
    OpAttr attr = node->attr;
    attr_precision *value = (void *)((char *)&attr + precision->offset);
    attr_rule *wish = (void *)((char *)&attr + rule->offset);
    PrecisionLine line = choose(chooser->ctx, rw->in, *value, *wish);
    if (line.reason == PRECISION_UPDATE && *value != PRECISION_highest) {
        diag_error(chooser->ctx->diags, node->loc,
                   "precision '%s' in an update, whose products are all '%s'",
                   precision_names[*value], precision_names[PRECISION_highest]);
        return NULL;
    }
    *value = line.precision;
    *wish = RULE_none;
    uint32_t before = rw->out->node_count;
    line.node = rewrite_copy_with(rw, node, &attr, node->type);
    if (rw->out->node_count > before)
        chooser->lines[chooser->line_count++] = line;
    return line.node;
}

Graph *pass_precision(const Graph *in, PassContext *ctx)
{
    Arena *arena = arena_new();
    Chooser chooser = {.ctx = ctx,
                       .lines = ARENA_ARRAY(arena, PrecisionLine, in->node_count + 1)};
    Graph *out = rewrite_graph(in, choose_node, NULL, &chooser);
    if (out && ctx->report && chooser.line_count > 0)
        precision_report(ctx->report, out, chooser.lines, chooser.line_count, ctx->brief);
    arena_free(arena);
    return out;
}
