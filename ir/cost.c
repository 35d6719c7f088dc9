/* What nodes cost. Attention counts rows_q rows_k / sequences pairs, as if all sequences
 * were equally long, and half of them if causal. Copies cost no arithmetic. */
#include "ir/cost.h"

#include "ir/lowering.h"

int64_t node_rows(const Node *node, const int64_t *axis_rows)
{
    return type_is_ragged(node->type) ? axis_rows[node->type.axis]
                                      : type_static_rows(node->type);
}

int64_t *axis_rows_of_longest_sequence(const Graph *graph, Arena *arena)
{
    int64_t *rows = ARENA_ARRAY(arena, int64_t, graph->axis_count);
    for (uint32_t i = 0; i < graph->axis_count; i++)
        rows[i] = graph->axes[i].longest;
    rows[AXIS_BATCH] = 1;
    return rows;
}

static double elements(const Node *node, const int64_t *axis_rows)
{
    double rows = (double)node_rows(node, axis_rows);
    bool is_index = type_is_ragged(node->type) && node->type.rank == 1;
    return rows * (is_index ? 1.0 : (double)type_width(node->type));
}

/* -- the rules --------------------------------------------------------------------- */

typedef double FlopsRule(const Node *node, const int64_t *axis_rows);

static double flops_none(const Node *node, const int64_t *axis_rows)
{
    (void)node, (void)axis_rows;
    return 0;
}

static double flops_result(const Node *node, const int64_t *axis_rows)
{
    return elements(node, axis_rows);
}

static double flops_operand(const Node *node, const int64_t *axis_rows)
{
    return elements(node->args[0], axis_rows);
}

static double flops_second(const Node *node, const int64_t *axis_rows)
{
    return elements(node->args[1], axis_rows);
}

/* 2 m n k, where the result is m by n */
static double flops_matmul(const Node *node, const int64_t *axis_rows)
{
    const Node *a = node->args[0];
    double rows = (double)node_rows(a, axis_rows), width = (double)type_width(a->type);
    return 2 * elements(node, axis_rows) * (node->attr.matmul.transpose_a ? rows : width);
}

/* `keys` and `values` products over all pairs, of 2 pairs width each; softmax about 5 per
 * pair and head. */
static double attention_flops(const Node *node, const int64_t *axis_rows, double keys,
                              double values)
{
    double sequences = (double)(axis_rows[AXIS_BATCH] > 0 ? axis_rows[AXIS_BATCH] : 1);
    double pairs = (double)node_rows(node->args[0], axis_rows) *
                   (double)node_rows(node->args[1], axis_rows) / sequences;
    if (node->attr.attention.causal)
        pairs /= 2;
    double qk = 2 * pairs * (double)type_width(node->args[1]->type);
    double pv = 2 * pairs * (double)type_width(node->args[2]->type);
    return 5 * pairs * (double)node->attr.attention.heads + keys * qk + values * pv;
}

/* Scores, and the product with P or dP. */
static double flops_attention(const Node *node, const int64_t *axis_rows)
{
    return attention_flops(node, axis_rows, 1, 1);
}

/* Scores, dP, the product with dS. */
static double flops_attention_back(const Node *node, const int64_t *axis_rows)
{
    return attention_flops(node, axis_rows, 2, 1);
}

static double vocab_flops(const Node *node, const int64_t *axis_rows, double products)
{
    double rows = (double)node_rows(node->args[0], axis_rows);
    double vocabulary = (double)node->args[1]->type.dims[0];
    double logits = 2 * rows * vocabulary * (double)type_width(node->args[1]->type);
    return products * logits + 3 * rows * vocabulary;
}

static double flops_logits(const Node *node, const int64_t *axis_rows)
{
    return vocab_flops(node, axis_rows, 1);
}

/* Logits, and once more as much for a gradient to x or table. */
static double flops_logits_twice(const Node *node, const int64_t *axis_rows)
{
    return vocab_flops(node, axis_rows, 2);
}

static FlopsRule *const rules[OP_COUNT] = {
#define OP(name, args, attrs, shape, gradient, range, flops, ...)                        \
    [OP_##name] = flops_##flops,
#include "ir/ops.def"
};

double node_flops(const Graph *graph, const Node *node, const int64_t *axis_rows)
{
    (void)graph;
    return rules[node->op](node, axis_rows);
}

void graph_count_products(const Graph *graph, const int64_t *axis_rows,
                          ProductCount counts[PRECISION_COUNT])
{
    for (uint32_t i = 0; i < graph->node_count; i++) {
        const Node *node = graph->nodes[i];
        const AttrField *field = op_field_of(node->op, ATTR_precision);
        if (!field || !node_has_fact(node, LOWERING_PRODUCT))
            continue;
        const void *at = (const char *)&node->attr + field->offset;
        ProductCount *count = &counts[*(const attr_precision *)at];
        count->products++;
        count->flops += node_flops(graph, node, axis_rows);
    }
}
