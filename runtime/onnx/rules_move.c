/* Rows by index, and what goes from axis to axis. */
#include <math.h>

#include "runtime/onnx/translation.h"

const char *rule_gather(Translation *t, const Node *node, const char *const *args)
{
    (void)node;
    return ONNX_NODE(t->onnx, "Gather", args[0], args[1]);
}

/* i64[batch, axis]: of rows that come after padding, how many come before. */
static const char *row_places(Translation *t, int32_t axis)
{
    if (axis_is_split(t, axis)) {
        const char *mask = axis_mask(t, axis);
        const char *count = ONNX_NODE(t->onnx, "CumSum", mask, onnx_int(t->onnx, 1));
        return ONNX_NODE(t->onnx, "Max",
                         ONNX_NODE(t->onnx, "Sub", count, onnx_int(t->onnx, 1)),
                         onnx_int(t->onnx, 0));
    }
    const char *shape = ONNX_NODE(t->onnx, "Concat", batch_count(t), axis_rows(t, axis));
    onnx_attribute(t->onnx, "axis", 0);
    return ONNX_NODE(t->onnx, "Expand", axis_places(t, axis), shape);
}

/* offset + scale ((place / quotient) mod modulus) */
const char *rule_position(Translation *t, const Node *node, const char *const *args)
{
    (void)args;
    OnnxGraph *onnx = t->onnx;
    int64_t quotient = node->attr.position.quotient,
            modulus = node->attr.position.modulus, scale = node->attr.position.scale,
            offset = node->attr.position.offset;
    if (node->type.axis == AXIS_BATCH)
        return refuse(t, node, "numbers the sequences of a batch");
    const char *place = row_places(t, node->type.axis);
    if (quotient != 1)
        place = ONNX_NODE(onnx, "Div", place, onnx_int(onnx, quotient));
    if (modulus != 0)
        place = ONNX_NODE(onnx, "Mod", place, onnx_int(onnx, modulus));
    if (scale != 1)
        place = ONNX_NODE(onnx, "Mul", place, onnx_int(onnx, scale));
    if (offset != 0)
        place = ONNX_NODE(onnx, "Add", place, onnx_int(onnx, offset));
    return place;
}

const char *rule_join(Translation *t, const Node *node, const char *const *args)
{
    if (node->args[0]->type.axis == AXIS_BATCH || node->args[1]->type.axis == AXIS_BATCH)
        return refuse(t, node, "joins rows with the one of a sequence");
    const char *joined = ONNX_NODE(t->onnx, "Concat", args[0], args[1]);
    onnx_attribute(t->onnx, "axis", 1);
    return joined;
}

const char *rule_part(Translation *t, const Node *node, const char *const *args)
{
    const Axis *from = &t->graph->axes[node->args[0]->type.axis];
    const char *first = axis_rows(t, from->of[0]), *zero = ONNX_INTS(t->onnx, 0);
    bool is_first = node->attr.part.index == 0;
    return ONNX_NODE(t->onnx, "Slice", args[0], is_first ? zero : first,
                     is_first ? first : ONNX_INTS(t->onnx, INT64_MAX),
                     ONNX_INTS(t->onnx, 1));
}

const char *rule_spread(Translation *t, const Node *node, const char *const *args)
{
    return ONNX_NODE(t->onnx, "Expand",
                     ONNX_NODE(t->onnx, "Unsqueeze", args[0], ONNX_INTS(t->onnx, 1)),
                     value_shape(t, node->type));
}

/* f32[batch, axis]: 1 where a sequence has a row. */
static const char *row_weights(Translation *t, int32_t axis)
{
    const char *ones = ONNX_NODE(t->onnx, "Cast", axis_ones(t, axis));
    onnx_attribute(t->onnx, "to", ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT);
    return ones;
}

const char *rule_sum_sequence(Translation *t, const Node *node, const char *const *args)
{
    const char *rows = args[0], *axis = ONNX_INTS(t->onnx, 1);
    int32_t from = node->args[0]->type.axis;
    if (axis_mask(t, from))
        rows = ONNX_NODE(
            t->onnx, "Mul", rows,
            ONNX_NODE(t->onnx, "Unsqueeze", row_weights(t, from), ONNX_INTS(t->onnx, 2)));
    const char *sum = ONNX_NODE(t->onnx, "ReduceSum", rows, axis);
    onnx_attribute(t->onnx, "keepdims", 0);
    return sum;
}

const char *rule_lengths(Translation *t, const Node *node, const char *const *args)
{
    (void)args;
    return ONNX_NODE(t->onnx, "ReduceSum", row_weights(t, node->attr.on_axis.axis),
                     ONNX_INTS(t->onnx, 1));
}

/* -- pooling ----------------------------------------------------------------------- */

/* bool[side, grid]: which rows of a grid of `grid` rows (an i64[1]) the window of row i
 * has: from floor(i grid / side) up to ceil((i + 1) grid / side). */
static const char *windows(Translation *t, const char *grid, int64_t side)
{
    OnnxGraph *onnx = t->onnx;
    const char *of = onnx_int(onnx, side), *one = onnx_int(onnx, 1);
    const char *count = ONNX_NODE(onnx, "Squeeze", grid, ONNX_INTS(onnx, 0));
    const char *cells = ONNX_NODE(onnx, "Range", onnx_int(onnx, 0), of, one);
    const char *window = ONNX_NODE(onnx, "Unsqueeze", cells, ONNX_INTS(onnx, 1));
    const char *row = ONNX_NODE(onnx, "Range", onnx_int(onnx, 0), count, one);
    const char *first = ONNX_NODE(onnx, "Div", ONNX_NODE(onnx, "Mul", window, count), of);
    const char *next = ONNX_NODE(onnx, "Add", window, one);
    const char *past = ONNX_NODE(onnx, "Add", ONNX_NODE(onnx, "Mul", next, count),
                                 onnx_int(onnx, side - 1));
    return ONNX_NODE(onnx, "And", ONNX_NODE(onnx, "GreaterOrEqual", row, first),
                     ONNX_NODE(onnx, "Less", row, ONNX_NODE(onnx, "Div", past, of)));
}

/* i64[1]: the side of the grids that the rows of a sequence are. */
static const char *grid_side(Translation *t, int32_t axis, int64_t images)
{
    OnnxGraph *onnx = t->onnx;
    const char *cells =
        ONNX_NODE(onnx, "Div", axis_rows(t, axis), ONNX_INTS(onnx, images));
    const char *number = ONNX_NODE(onnx, "Cast", cells);
    onnx_attribute(onnx, "to", ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT);
    const char *side = ONNX_NODE(onnx, "Round", ONNX_NODE(onnx, "Sqrt", number));
    const char *whole = ONNX_NODE(onnx, "Cast", side);
    onnx_attribute(onnx, "to", ONNX__TENSOR_PROTO__DATA_TYPE__INT64);
    return whole;
}

/* The largest of the rows in each window: x has a dimension of 1 before that of its rows,
 * which is `dim`. */
static const char *largest(Translation *t, const char *x, const char *mask, int64_t dim)
{
    const char *seen =
        ONNX_NODE(t->onnx, "Where", mask, x, onnx_number(t->onnx, -HUGE_VAL));
    const char *most = ONNX_NODE(t->onnx, "ReduceMax", seen);
    onnx_attribute_list(t->onnx, "axes", &dim, 1);
    onnx_attribute(t->onnx, "keepdims", 0);
    return most;
}

/* [batch, images grid grid, w] -> [batch, images side side, w], first rows, then
 * columns. */
const char *rule_max_pool(Translation *t, const Node *node, const char *const *args)
{
    OnnxGraph *onnx = t->onnx;
    const Axis *axis = &t->graph->axes[node->type.axis];
    int64_t width = type_width(node->type);
    const char *grid = grid_side(t, node->args[0]->type.axis, axis->images);
    const char *mask = windows(t, grid, axis->side);
    const char *shape =
        ONNX_NODE(onnx, "Concat", batch_count(t), ONNX_INTS(onnx, axis->images, 1), grid,
                  grid, ONNX_INTS(onnx, width));
    onnx_attribute(onnx, "axis", 0);
    const char *grids = ONNX_NODE(onnx, "Reshape", args[0], shape);
    const char *by_row = ONNX_NODE(onnx, "Unsqueeze", mask, ONNX_INTS(onnx, 2, 3));
    const char *by_column = ONNX_NODE(onnx, "Unsqueeze", mask, ONNX_INTS(onnx, 2));
    const char *rows = largest(t, grids, by_row, 3);
    rows = ONNX_NODE(onnx, "Unsqueeze", rows, ONNX_INTS(onnx, 3));
    return ONNX_NODE(onnx, "Reshape", largest(t, rows, by_column, 4),
                     value_shape(t, node->type));
}
