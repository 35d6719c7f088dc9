/* Attention: softmax(q k^T + bias) v per head. What is added to the scores is the same in
 * every layer that has the same table and axes, and is made once. */
#include "ir/axis.h"
#include "ir/bias.h"
#include "runtime/onnx/translation.h"

/* Added to the score of a key that is not seen: its exponential is 0 beside that of any
 * other, and two of them are still a number. */
static const double UNSEEN = -1e30;

typedef struct OnnxAttention {
    Translation *t;
    const Node *node;
    int32_t queries, keys; /* axes */
    bool is_last;          /* the queries are the last of the keys */
} OnnxAttention;

/* i64[queries, 1]: their places among the keys. */
static const char *query_places(const OnnxAttention *at)
{
    OnnxGraph *onnx = at->t->onnx;
    const char *places = axis_places(at->t, at->queries);
    if (at->is_last)
        places = ONNX_NODE(onnx, "Add", places,
                           ONNX_NODE(onnx, "Sub", axis_rows(at->t, at->keys),
                                     axis_rows(at->t, at->queries)));
    return ONNX_NODE(onnx, "Unsqueeze", places, ONNX_INTS(onnx, 1));
}

/* f32[2 max_distance + 1, heads]: the bias for every distance, from -max_distance up. */
static const char *bias_by_distance(const OnnxAttention *at, const char *table)
{
    OnnxGraph *onnx = at->t->onnx;
    int64_t most = at->node->attr.attention.max_distance;
    int64_t *rows = ARENA_ARRAY(onnx_graph_arena(onnx), int64_t, 2 * most + 1);
    for (int64_t i = 0; i < 2 * most + 1; i++)
        rows[i] = relative_bucket(i - most, at->node->attr.attention.bidirectional,
                                  type_static_rows(at->node->args[3]->type), most);
    return ONNX_NODE(onnx, "Gather", table,
                     onnx_ints(onnx, rows, (uint32_t)(2 * most + 1)));
}

/* Keys and queries beyond the rows of the biased axis have none. */
static const char *only_covered(const OnnxAttention *at, const char *bias,
                                const char *queries, const char *keys)
{
    OnnxGraph *onnx = at->t->onnx;
    int32_t axis = at->node->attr.attention.bias_axis;
    if (axis == at->keys)
        return bias;
    const char *covered = axis_rows(at->t, axis);
    const char *both = ONNX_NODE(onnx, "And", ONNX_NODE(onnx, "Less", queries, covered),
                                 ONNX_NODE(onnx, "Less", keys, covered));
    return ONNX_NODE(onnx, "Where", both, bias, onnx_number(onnx, 0));
}

/* f32[heads, queries, keys] */
static const char *relative_bias(const OnnxAttention *at, const char *table)
{
    OnnxGraph *onnx = at->t->onnx;
    int64_t most = at->node->attr.attention.max_distance;
    const char *queries = query_places(at), *keys = axis_places(at->t, at->keys);
    const char *distance = ONNX_NODE(onnx, "Sub", keys, queries);
    const char *near =
        ONNX_NODE(onnx, "Clip", distance, onnx_int(onnx, -most), onnx_int(onnx, most));
    const char *bias = ONNX_NODE(onnx, "Gather", bias_by_distance(at, table),
                                 ONNX_NODE(onnx, "Add", near, onnx_int(onnx, most)));
    const char *by_head = ONNX_NODE(onnx, "Transpose", bias);
    onnx_attribute_list(onnx, "perm", (const int64_t[]){2, 0, 1}, 3);
    return only_covered(at, by_head, queries, keys);
}

/* f32[queries, keys]: keys after the query are not seen. */
static const char *causal_bias(const OnnxAttention *at)
{
    OnnxGraph *onnx = at->t->onnx;
    const char *seen =
        ONNX_NODE(onnx, "LessOrEqual", axis_places(at->t, at->keys), query_places(at));
    return ONNX_NODE(onnx, "Where", seen, onnx_number(onnx, 0),
                     onnx_number(onnx, UNSEEN));
}

/* f32[batch, 1, 1, keys]: neither are those that the sequence does not have. */
static const char *padding_bias(const OnnxAttention *at, const char *mask)
{
    OnnxGraph *onnx = at->t->onnx;
    const char *rows = ONNX_NODE(onnx, "Unsqueeze", mask, ONNX_INTS(onnx, 1, 2));
    const char *is_row = ONNX_NODE(onnx, "Cast", rows);
    onnx_attribute(onnx, "to", ONNX__TENSOR_PROTO__DATA_TYPE__BOOL);
    return ONNX_NODE(onnx, "Where", is_row, onnx_number(onnx, 0),
                     onnx_number(onnx, UNSEEN));
}

static const char *sum_of(OnnxGraph *onnx, const char *a, const char *b)
{
    return a && b ? ONNX_NODE(onnx, "Add", a, b) : a ? a : b;
}

/* What is added to the scores; NULL: nothing. */
static const char *make_bias(const OnnxAttention *at, const char *table)
{
    Translation *t = at->t;
    const char *sum = table ? relative_bias(at, table) : NULL;
    bool sees_all = at->is_last && t->graph->axes[at->queries].longest == 1;
    if (at->node->attr.attention.causal && !sees_all)
        sum = sum_of(t->onnx, sum, causal_bias(at));
    const char *mask = axis_mask(t, at->keys);
    return sum_of(t->onnx, sum, mask ? padding_bias(at, mask) : NULL);
}

static bool same_bias(const Node *a, const Node *b)
{
    return a->arg_count == b->arg_count &&
           (a->arg_count < 4 || a->args[3] == b->args[3]) &&
           a->args[0]->type.axis == b->args[0]->type.axis &&
           a->args[1]->type.axis == b->args[1]->type.axis &&
           a->attr.attention.causal == b->attr.attention.causal &&
           a->attr.attention.bias_axis == b->attr.attention.bias_axis &&
           a->attr.attention.bidirectional == b->attr.attention.bidirectional &&
           a->attr.attention.max_distance == b->attr.attention.max_distance;
}

static const char *find_bias(const OnnxAttention *at, const char *table)
{
    Translation *t = at->t;
    for (const MadeBias *made = t->biases; made; made = made->next)
        if (same_bias(made->node, at->node))
            return made->value;
    MadeBias *made = arena_alloc(onnx_graph_arena(t->onnx), sizeof *made);
    *made = (MadeBias){at->node, make_bias(at, table), t->biases};
    t->biases = made;
    return made->value;
}

/* [batch, rows, width] -> [batch, heads, rows, width / heads], or with its last two
 * dimensions swapped */
static const char *split_heads(const OnnxAttention *at, const char *value, int64_t width,
                               bool is_turned)
{
    OnnxGraph *onnx = at->t->onnx;
    int64_t heads = at->node->attr.attention.heads;
    const char *split =
        ONNX_NODE(onnx, "Reshape", value, ONNX_INTS(onnx, 0, 0, heads, width / heads));
    const char *heads_first = ONNX_NODE(onnx, "Transpose", split);
    onnx_attribute_list(
        onnx, "perm",
        is_turned ? (const int64_t[]){0, 2, 3, 1} : (const int64_t[]){0, 2, 1, 3}, 4);
    return heads_first;
}

static const char *attend(const OnnxAttention *at, const char *const *args)
{
    OnnxGraph *onnx = at->t->onnx;
    const Node *node = at->node;
    int64_t width = type_width(node->args[0]->type);
    int64_t value_width = type_width(node->args[2]->type);
    const char *scores = ONNX_NODE(onnx, "MatMul", split_heads(at, args[0], width, false),
                                   split_heads(at, args[1], width, true));
    scores = sum_of(onnx, scores, find_bias(at, node->arg_count > 3 ? args[3] : NULL));
    const char *weights = ONNX_NODE(onnx, "Softmax", scores);
    const char *sums =
        ONNX_NODE(onnx, "MatMul", weights, split_heads(at, args[2], value_width, false));
    const char *rows_first = ONNX_NODE(onnx, "Transpose", sums);
    onnx_attribute_list(onnx, "perm", (const int64_t[]){0, 2, 1, 3}, 4);
    return ONNX_NODE(onnx, "Reshape", rows_first, ONNX_INTS(onnx, 0, 0, value_width));
}

const char *rule_attention(Translation *t, const Node *node, const char *const *args)
{
    OnnxAttention at = {.t = t,
                        .node = node,
                        .queries = node->args[0]->type.axis,
                        .keys = node->args[1]->type.axis};
    at.is_last = axis_ends_with(t->graph, at.keys, at.queries);
    if (at.queries == AXIS_BATCH || at.keys == AXIS_BATCH)
        return refuse(t, node, "is over the one row of a sequence");
    if (node->attr.attention.dropout > 0)
        return refuse(t, node, "drops weights, which is of training");
    if (node->arg_count > 3 && axis_is_split(t, node->attr.attention.bias_axis))
        return refuse(t, node,
                      "has a bias by distance over axis '%s', where padding would stand "
                      "between rows",
                      t->graph->axes[node->attr.attention.bias_axis].name);
    return attend(&at, args);
}
