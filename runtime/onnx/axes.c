/* Rows, masks and places of axes, and the shapes of values. */
#include <stdarg.h>
#include <stdlib.h>

#include "ir/base/heap.h"
#include "runtime/onnx/translation.h"

const char *refuse(Translation *t, const Node *node, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *why = heap_format_list(format, args);
    va_end(args);
    const char *name = node_name(node);
    diag_error(t->diags, node->loc, "@%s: no ONNX for %s '%s': it %s", t->graph->name,
               op_info(node->op)->name, name ? name : "", why);
    free(why);
    return NULL;
}

/* -- counts ------------------------------------------------------------------------ */

/* A dimension of an input, as i64[1]. */
static const char *dim_of(Translation *t, const Node *input, int64_t dim)
{
    const char *count = ONNX_NODE(t->onnx, "Shape", t->inputs[input->id]);
    onnx_attribute(t->onnx, "start", dim);
    onnx_attribute(t->onnx, "end", dim + 1);
    return count;
}

/* The first input on an axis, or of any ragged one. */
static const Node *find_input(const Translation *t, int32_t axis)
{
    for (uint32_t i = 0; i < t->graph->node_count; i++) {
        const Node *node = t->graph->nodes[i];
        if (node->op == OP_input && type_is_ragged(node->type) &&
            (axis == AXIS_STATIC || node->type.axis == axis))
            return node;
    }
    return NULL;
}

const char *batch_count(Translation *t)
{
    if (!t->batch)
        t->batch = dim_of(t, find_input(t, AXIS_STATIC), 0);
    return t->batch;
}

static const char *count_rows(Translation *t, const Axis *axis, int32_t index)
{
    switch (axis->kind) {
    case AXIS_KIND_batch:
        return batch_count(t);
    case AXIS_KIND_primary:
        return dim_of(t, find_input(t, index), 1);
    case AXIS_KIND_fixed:
        return ONNX_INTS(t->onnx, axis->count);
    case AXIS_KIND_join:
        return ONNX_NODE(t->onnx, "Add", axis_rows(t, axis->of[0]),
                         axis_rows(t, axis->of[1]));
    case AXIS_KIND_pool:
    case AXIS_KIND_COUNT:
        break;
    }
    return ONNX_INTS(t->onnx, axis->images * axis->side * axis->side);
}

const char *axis_rows(Translation *t, int32_t axis)
{
    AxisValues *values = &t->axes[axis];
    if (!values->rows)
        values->rows = count_rows(t, &t->graph->axes[axis], axis);
    return values->rows;
}

/* -- masks ------------------------------------------------------------------------- */

static const char *input_mask(Translation *t, const Axis *axis)
{
    const char *name = onnx_claim(
        t->onnx, arena_format(onnx_graph_arena(t->onnx), "%s_mask", axis->name));
    const OnnxDim dims[] = {{.name = "batch"}, {.name = axis->name}};
    onnx_input(t->onnx, name, ONNX__TENSOR_PROTO__DATA_TYPE__INT64, dims, 2);
    return name;
}

static const char *make_mask(Translation *t, int32_t index)
{
    const Axis *axis = &t->graph->axes[index];
    if (axis->kind == AXIS_KIND_primary)
        return t->axes[index].is_full ? NULL : input_mask(t, axis);
    if (axis->kind != AXIS_KIND_join ||
        (!axis_mask(t, axis->of[0]) && !axis_mask(t, axis->of[1])))
        return NULL;
    const char *mask = ONNX_NODE(t->onnx, "Concat", axis_ones(t, axis->of[0]),
                                 axis_ones(t, axis->of[1]));
    onnx_attribute(t->onnx, "axis", 1);
    return mask;
}

const char *axis_mask(Translation *t, int32_t axis)
{
    if (!t->axes[axis].is_mask_made) {
        const char *mask = make_mask(t, axis);
        t->axes[axis].mask = mask;
        t->axes[axis].is_mask_made = true;
    }
    return t->axes[axis].mask;
}

const char *axis_ones(Translation *t, int32_t axis)
{
    const char *mask = axis_mask(t, axis);
    if (mask)
        return mask;
    const char *shape = ONNX_NODE(t->onnx, "Concat", batch_count(t), axis_rows(t, axis));
    onnx_attribute(t->onnx, "axis", 0);
    return ONNX_NODE(t->onnx, "Expand", ONNX_INTS(t->onnx, 1), shape);
}

bool axis_is_split(Translation *t, int32_t index)
{
    const Axis *axis = &t->graph->axes[index];
    return axis->kind == AXIS_KIND_join &&
           (axis_mask(t, axis->of[0]) || axis_is_split(t, axis->of[1]));
}

const char *axis_places(Translation *t, int32_t axis)
{
    const char *end =
        ONNX_NODE(t->onnx, "Squeeze", axis_rows(t, axis), ONNX_INTS(t->onnx, 0));
    return ONNX_NODE(t->onnx, "Range", onnx_int(t->onnx, 0), end, onnx_int(t->onnx, 1));
}

/* -- shapes ------------------------------------------------------------------------ */

/* What stands for the ragged dimension: [batch, axis], or of axis batch [batch]. */
uint32_t value_dims(const Translation *t, Type type, OnnxDim dims[TYPE_MAX_RANK + 1])
{
    uint32_t count = 0, first = type_is_ragged(type);
    if (first)
        dims[count++] = (OnnxDim){.name = "batch"};
    if (first && type.axis != AXIS_BATCH) {
        const Axis *axis = &t->graph->axes[type.axis];
        bool is_one = axis->kind == AXIS_KIND_primary && axis->longest == 1;
        dims[count++] = axis->kind == AXIS_KIND_fixed ? (OnnxDim){.count = axis->count}
                        : is_one                      ? (OnnxDim){.count = 1}
                                                      : (OnnxDim){.name = axis->name};
    }
    for (uint32_t i = first; i < type.rank; i++)
        dims[count++] = (OnnxDim){.count = type.dims[i]};
    return count;
}

OnnxType value_type(Type type)
{
    return type.dtype == DTYPE_i32   ? ONNX__TENSOR_PROTO__DATA_TYPE__INT64
           : type.dtype == DTYPE_bit ? ONNX__TENSOR_PROTO__DATA_TYPE__BOOL
                                     : ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT;
}

const char *value_shape(Translation *t, Type type)
{
    if (!type_is_ragged(type))
        return onnx_ints(t->onnx, type.dims, type.rank);
    const char *parts[4] = {batch_count(t)};
    uint32_t count = 1;
    if (type.axis != AXIS_BATCH)
        parts[count++] = axis_rows(t, type.axis);
    if (type.rank > 1)
        parts[count] = onnx_ints(t->onnx, type.dims + 1, type.rank - 1);
    const char *shape = onnx_node(t->onnx, "Concat", parts);
    onnx_attribute(t->onnx, "axis", 0);
    return shape;
}
