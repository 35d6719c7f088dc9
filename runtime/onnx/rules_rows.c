/* Sources, ops that work row by row, layout, and matrix products. */
#include "runtime/onnx/translation.h"

/* -- sources ----------------------------------------------------------------------- */

const char *rule_input(Translation *t, const Node *node, const char *const *args)
{
    (void)args;
    return t->inputs[node->id];
}

const char *rule_param(Translation *t, const Node *node, const char *const *args)
{
    (void)args;
    const char *name = node->attr.named.name;
    return weights_file_add(t->weights, t->onnx, name, t->diags) ? name : NULL;
}

const char *rule_weight(Translation *t, const Node *node, const char *const *args)
{
    return rule_param(t, node, args);
}

const char *rule_constant(Translation *t, const Node *node, const char *const *args)
{
    (void)args;
    return onnx_number(t->onnx, node->attr.constant.value);
}

/* -- element by element, reductions -------------------------------------------------- */

const char *rule_rsqrt(Translation *t, const Node *node, const char *const *args)
{
    (void)node;
    return ONNX_NODE(t->onnx, "Reciprocal", ONNX_NODE(t->onnx, "Sqrt", args[0]));
}

const char *rule_expand(Translation *t, const Node *node, const char *const *args)
{
    return ONNX_NODE(t->onnx, "Expand", args[0], value_shape(t, node->type));
}

const char *rule_sum_width(Translation *t, const Node *node, const char *const *args)
{
    (void)node;
    return ONNX_NODE(t->onnx, "ReduceSum", args[0], ONNX_INTS(t->onnx, -1));
}

const char *rule_max_width(Translation *t, const Node *node, const char *const *args)
{
    (void)node;
    const char *most = ONNX_NODE(t->onnx, "ReduceMax", args[0]);
    onnx_attribute_list(t->onnx, "axes", (const int64_t[]){-1}, 1);
    return most;
}

const char *rule_sum_rows(Translation *t, const Node *node, const char *const *args)
{
    static const int64_t leading[] = {0, 1, 2, 3};
    Type type = node->args[0]->type;
    if (type_is_ragged(type))
        return refuse(t, node, "sums over the rows of a whole batch");
    const char *sum = ONNX_NODE(t->onnx, "ReduceSum", args[0],
                                onnx_ints(t->onnx, leading, type.rank - 1));
    onnx_attribute(t->onnx, "keepdims", 0);
    return sum;
}

/* -- layout ------------------------------------------------------------------------ */

const char *rule_reshape(Translation *t, const Node *node, const char *const *args)
{
    return ONNX_NODE(t->onnx, "Reshape", args[0], value_shape(t, node->type));
}

const char *rule_permute(Translation *t, const Node *node, const char *const *args)
{
    int64_t perm[TYPE_MAX_RANK], order = node->attr.permute.order;
    for (uint32_t i = node->type.rank; i-- > 0; order /= 10)
        perm[i] = order % 10;
    const char *turned = ONNX_NODE(t->onnx, "Transpose", args[0]);
    onnx_attribute_list(t->onnx, "perm", perm, node->type.rank);
    return turned;
}

const char *rule_slice(Translation *t, const Node *node, const char *const *args)
{
    int64_t start = node->attr.columns.start;
    return ONNX_NODE(t->onnx, "Slice", args[0], ONNX_INTS(t->onnx, start),
                     ONNX_INTS(t->onnx, start + node->attr.columns.count),
                     ONNX_INTS(t->onnx, -1));
}

/* All dimensions but the last begin and end where they did. */
const char *rule_pad(Translation *t, const Node *node, const char *const *args)
{
    OnnxDim dims[TYPE_MAX_RANK + 1];
    int64_t pads[2 * (TYPE_MAX_RANK + 1)] = {0};
    uint32_t rank = value_dims(t, node->type, dims);
    int64_t start = node->attr.columns.start;
    pads[rank - 1] = start;
    pads[2 * rank - 1] =
        node->attr.columns.count - start - type_width(node->args[0]->type);
    return ONNX_NODE(t->onnx, "Pad", args[0], onnx_ints(t->onnx, pads, 2 * rank));
}

/* -- products ---------------------------------------------------------------------- */

/* Weights keep their shape, by which they are known; their transposes are computed when
 * a runtime loads the graph. */
static const char *transposed(Translation *t, const Node *matrix, const char *value)
{
    if (!t->turned[matrix->id]) {
        const char *turned = ONNX_NODE(t->onnx, "Transpose", value);
        onnx_attribute_list(t->onnx, "perm", (const int64_t[]){1, 0}, 2);
        t->turned[matrix->id] = turned;
    }
    return t->turned[matrix->id];
}

const char *rule_matmul(Translation *t, const Node *node, const char *const *args)
{
    const Node *a = node->args[0], *b = node->args[1];
    bool turn_a = node->attr.matmul.transpose_a, turn_b = node->attr.matmul.transpose_b;
    if (type_is_ragged(b->type) || (turn_a && type_is_ragged(a->type)))
        return refuse(t, node, "sums over the rows of a whole batch");
    return ONNX_NODE(t->onnx, "MatMul", turn_a ? transposed(t, a, args[0]) : args[0],
                     turn_b ? transposed(t, b, args[1]) : args[1]);
}

/* logits = x table^T + bias; the first of equals */
const char *rule_vocab_argmax(Translation *t, const Node *node, const char *const *args)
{
    const char *logits =
        ONNX_NODE(t->onnx, "MatMul", args[0], transposed(t, node->args[1], args[1]));
    if (node->arg_count > 2)
        logits = ONNX_NODE(t->onnx, "Add", logits, args[2]);
    const char *best = ONNX_NODE(t->onnx, "ArgMax", logits);
    onnx_attribute(t->onnx, "axis", -1);
    onnx_attribute(t->onnx, "keepdims", 0);
    return best;
}
