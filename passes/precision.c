/* Decides how accurate every product is: matrix products, and those within the ops of the
 * vocabulary. Gradients carry the wish of the product that they are of, so that they are
 * as accurate. An op's own word counts most, then the last pattern that matches, then the
 * command line, then what the recipe says of all products.
 *
 * `int8` is a wish for products with a frozen weight only: to all others it says nothing,
 * and where they take their place in that order, what else is said counts.
 *
 * Needs nothing but wishes that are in the text (attribute `rule`, lines `precision` of
 * the module); leaves no wish, so that products that are equal in all else become one. */
#include "passes/precision.h"

#include "ir/int8.h"
#include "passes/pass.h"
#include "passes/rewrite.h"

typedef struct Chooser {
    const PassContext *ctx;
    PrecisionLine *lines; /* of the result's products, each once */
    uint32_t line_count;
} Chooser;

/* The last rule that is of all products, or of all with a frozen weight; or NULL. */
static const PrecisionRule *rule_of_all(const Module *module, bool of_frozen)
{
    for (uint32_t i = module->rule_count; i-- > 0;) {
        const PrecisionRule *rule = &module->rules[i];
        if (!*rule->pattern && (rule->precision == PRECISION_int8) == of_frozen)
            return rule;
    }
    return NULL;
}

/* What only products with a frozen weight are asked: PRECISION_REASON_COUNT if nothing
 * asks for `int8`. */
static PrecisionLine choose_int8(const PassContext *ctx, const PrecisionRule *named)
{
    const PrecisionRule *all = rule_of_all(ctx->module, true);
    PrecisionLine line = {.precision = PRECISION_int8, .reason = PRECISION_REASON_COUNT};
    if (named && named->precision == PRECISION_int8 && ctx->frozen != FROZEN_f32) {
        line.reason = PRECISION_PATTERN;
        line.rule = named;
    } else if (ctx->frozen == FROZEN_int8) {
        line.reason = PRECISION_FROZEN;
    } else if (all && ctx->frozen == FROZEN_BY_RECIPE) {
        line.reason = PRECISION_FROZEN_RECIPE;
        line.rule = all;
    }
    return line;
}

static PrecisionLine choose_of_all(const PassContext *ctx)
{
    const PrecisionRule *all = rule_of_all(ctx->module, false);
    if (ctx->matmul_precision != PRECISION_COUNT)
        return (PrecisionLine){.precision = ctx->matmul_precision,
                               .reason = PRECISION_OPTION};
    if (all)
        return (PrecisionLine){
            .precision = all->precision, .reason = PRECISION_RECIPE, .rule = all};
    return (PrecisionLine){.precision = PRECISION_highest, .reason = PRECISION_PRESET};
}

/* An op may also have its precision from text, or from this pass, without a rule. */
static PrecisionLine choose(const PassContext *ctx, const Graph *graph, const Node *node,
                            Precision given, attr_rule rule)
{
    const PrecisionRule *named = rule > 0 ? &ctx->module->rules[rule - 1] : NULL;
    if (graph->kind == GRAPH_update)
        return (PrecisionLine){.reason = PRECISION_UPDATE};
    if (rule == RULE_of_op || given != PRECISION_highest)
        return (PrecisionLine){.precision = given, .reason = PRECISION_OP};
    if (named && named->precision != PRECISION_int8)
        return (PrecisionLine){
            .precision = named->precision, .reason = PRECISION_PATTERN, .rule = named};
    PrecisionLine int8 = choose_int8(ctx, named), line = choose_of_all(ctx);
    bool is_wanted = int8.reason != PRECISION_REASON_COUNT;
    line.not_int8 = is_wanted ? int8_refuse(node) : NULL;
    return is_wanted && !line.not_int8 ? int8 : line;
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
    PrecisionLine line = choose(chooser->ctx, rw->in, node, *value, *wish);
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
