/* What nodes cost. Attention counts rows_q rows_k / sequences pairs, as if all sequences
 * were equally long, and half of them if causal. Copies cost no arithmetic. */
#include "ir/cost.h"

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

/* 2 m n k, where the result is m by n */
static double matmul_flops(const Node *node, const int64_t *axis_rows)
{
    const Node *a = node->args[0];
    double rows = (double)node_rows(a, axis_rows), width = (double)type_width(a->type);
    return 2 * elements(node, axis_rows) * (node->attr.matmul.transpose_a ? rows : width);
}

/* Each product over all pairs costs 2 pairs width; softmax about 5 per pair and head. */
static double attention_flops(const Node *node, const int64_t *axis_rows)
{
    double sequences = (double)(axis_rows[AXIS_BATCH] > 0 ? axis_rows[AXIS_BATCH] : 1);
    double pairs = (double)node_rows(node->args[0], axis_rows) *
                   (double)node_rows(node->args[1], axis_rows) / sequences;
    if (node->attr.attention.causal)
        pairs /= 2;
    double qk = 2 * pairs * (double)type_width(node->args[1]->type);
    double pv = 2 * pairs * (double)type_width(node->args[2]->type);
    double softmax = 5 * pairs * (double)node->attr.attention.heads;
    switch (node->op) {
    case OP_attention_dq:
    case OP_attention_dk: /* scores, dP, the product with dS */
        return softmax + 2 * qk + pv;
    case OP_attention_dtable: /* scores, dP */
    default:                  /* scores, the product with P */
        return softmax + qk + pv;
    }
}

/* Logits, and once more as much for a gradient to x or table. */
static double vocab_flops(const Node *node, const int64_t *axis_rows)
{
    double rows = (double)node_rows(node->args[0], axis_rows);
    double vocabulary = (double)node->args[1]->type.dims[0];
    double logits = 2 * rows * vocabulary * (double)type_width(node->args[1]->type);
    bool twice = node->op == OP_cross_entropy_dx || node->op == OP_cross_entropy_dtable;
    return (twice ? 2 * logits : logits) + 3 * rows * vocabulary;
}

double node_flops(const Graph *graph, const Node *node, const int64_t *axis_rows)
{
    (void)graph;
    switch (op_info(node->op)->lowering) {
    case LOWER_map:
        return elements(node, axis_rows);
    case LOWER_reduce:
    case LOWER_rowsum:
        return elements(node->args[0], axis_rows);
    case LOWER_matmul:
        return matmul_flops(node, axis_rows);
    case LOWER_attention:
        return attention_flops(node, axis_rows);
    case LOWER_vocab:
        return vocab_flops(node, axis_rows);
    case LOWER_move:
        if (node->op == OP_scatter_add)
            return elements(node->args[1], axis_rows);
        return node->op == OP_sum_sequence ? elements(node->args[0], axis_rows) : 0;
    default:
        return 0;
    }
}
