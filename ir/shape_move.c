/* Shape rules of ops that move rows: by index, between axes, in windows. */
#include <inttypes.h>

#include "ir/axis.h"
#include "ir/shape.h"

/* -- rows by index, axes ----------------------------------------------------------- */

bool shape_gather(const Shape *s, Type *out)
{
    if (!need_matrix(s, 0) || !need_index(s, 1))
        return false;
    if (type_is_ragged(shape_arg(s, 0)))
        return shape_fail_arg(s, 0, "a static table");
    Type index = shape_arg(s, 1);
    *out = type_is_ragged(index)
               ? type_rows(DTYPE_f32, index.axis, type_width(shape_arg(s, 0)))
               : type_matrix(DTYPE_f32, index.dims[0], type_width(shape_arg(s, 0)));
    return true;
}

bool shape_scatter(const Shape *s, Type *out)
{
    if (!need_index(s, 0) || !need_matrix(s, 1) || !need_same_rows(s, 0, 1))
        return false;
    *out =
        type_matrix(DTYPE_f32, s->spec.attr->scatter.rows, type_width(shape_arg(s, 1)));
    return shape_is_sound(s, *out);
}

bool shape_index(const Shape *s, Type *out)
{
    if (!need_axis(s, s->spec.attr->position.axis))
        return false;
    if (s->spec.attr->position.quotient < 1 || s->spec.attr->position.modulus < 0)
        return shape_fail(s, "quotient must be at least 1 and modulus at least 0");
    *out = type_index(s->spec.attr->position.axis);
    return true;
}

bool shape_join(const Shape *s, Type *out)
{
    if (!need_ragged(s, 0) || !need_ragged(s, 1) ||
        !need_axis(s, s->spec.attr->join.axis))
        return false;
    const Axis *axis = &s->graph->axes[s->spec.attr->join.axis];
    if (axis->kind != AXIS_KIND_join || axis->of[0] != shape_arg(s, 0).axis ||
        axis->of[1] != shape_arg(s, 1).axis)
        return shape_fail(s, "axis '%s' does not join the axes of the operands",
                          axis->name);
    if (type_width(shape_arg(s, 0)) != type_width(shape_arg(s, 1)))
        return shape_fail(s, "widths differ: %" PRId64 " and %" PRId64,
                          type_width(shape_arg(s, 0)), type_width(shape_arg(s, 1)));
    *out = type_rows(DTYPE_f32, s->spec.attr->join.axis, type_width(shape_arg(s, 0)));
    return true;
}

bool shape_part(const Shape *s, Type *out)
{
    if (!need_ragged(s, 0) || !need_axis(s, s->spec.attr->part.axis))
        return false;
    const Axis *from = &s->graph->axes[shape_arg(s, 0).axis];
    int64_t index = s->spec.attr->part.index;
    if (from->kind != AXIS_KIND_join || index < 0 || index > 1 ||
        from->of[index] != s->spec.attr->part.axis)
        return shape_fail(s, "axis '%s' is not that part of '%s'",
                          s->graph->axes[s->spec.attr->part.axis].name, from->name);
    *out = type_rows(DTYPE_f32, s->spec.attr->part.axis, type_width(shape_arg(s, 0)));
    return true;
}

bool shape_spread(const Shape *s, Type *out)
{
    if (!need_ragged(s, 0) || !need_axis(s, s->spec.attr->on_axis.axis))
        return false;
    if (shape_arg(s, 0).axis != AXIS_BATCH)
        return shape_fail_arg(s, 0, "one row per sequence, f32[batch, w]");
    *out = type_rows(DTYPE_f32, s->spec.attr->on_axis.axis, type_width(shape_arg(s, 0)));
    return true;
}

bool shape_sum_sequence(const Shape *s, Type *out)
{
    if (!need_ragged(s, 0))
        return false;
    *out = type_rows(DTYPE_f32, AXIS_BATCH, type_width(shape_arg(s, 0)));
    return true;
}

bool shape_lengths(const Shape *s, Type *out)
{
    *out = type_rows(DTYPE_f32, AXIS_BATCH, 1);
    return need_axis(s, s->spec.attr->on_axis.axis);
}

bool shape_total(const Shape *s, Type *out)
{
    *out = TYPE_SCALAR;
    return need_axis(s, s->spec.attr->on_axis.axis);
}

bool shape_pool(const Shape *s, Type *out)
{
    if (!need_ragged(s, 0) || !need_axis(s, s->spec.attr->on_axis.axis))
        return false;
    const Axis *axis = &s->graph->axes[s->spec.attr->on_axis.axis];
    if (axis->kind != AXIS_KIND_pool || axis->of[0] != shape_arg(s, 0).axis)
        return shape_fail(s, "axis '%s' is no pool of the operand's axis", axis->name);
    *out = type_rows(DTYPE_f32, s->spec.attr->on_axis.axis, type_width(shape_arg(s, 0)));
    return true;
}

/* Windows over the square grid of one axis are the square grid of the other. */
static bool need_windows(const Shape *s, int32_t grid_axis, int32_t windows_axis)
{
    const Axis *grid = &s->graph->axes[grid_axis];
    const Axis *windows = &s->graph->axes[windows_axis];
    int64_t kernel = s->spec.attr->window.kernel, stride = s->spec.attr->window.stride,
            padding = s->spec.attr->window.padding, side = axis_grid_side(grid);
    if (kernel < 1 || kernel > MOST_POOL || stride < 1 || stride > MOST_POOL)
        return shape_fail(s, "kernel and stride must be 1 to %d", MOST_POOL);
    if (padding < 0 || padding >= kernel)
        return shape_fail(s, "padding is %" PRId64 ", expected 0 to %" PRId64, padding,
                          kernel - 1);
    if (side < 0)
        return shape_fail(s, "axis '%s' is no fixed axis of side x side rows",
                          grid->name);
    if (side + 2 * padding < kernel)
        return shape_fail(s,
                          "a window of %" PRId64 " is larger than the grid of %" PRId64,
                          kernel, side);
    int64_t steps = (side + 2 * padding - kernel) / stride + 1;
    return axis_grid_side(windows) == steps ||
           shape_fail(s,
                      "axis '%s' must be fixed at %" PRId64
                      " rows: the windows stand %" PRId64 " x %" PRId64
                      " on the grid of %" PRId64 " x %" PRId64,
                      windows->name, steps * steps, steps, steps, side, side);
}

bool shape_patches(const Shape *s, Type *out)
{
    int32_t axis = s->spec.attr->window.axis;
    if (!need_ragged(s, 0) || !need_axis(s, axis) ||
        !need_windows(s, shape_arg(s, 0).axis, axis))
        return false;
    int64_t width, places = s->spec.attr->window.kernel * s->spec.attr->window.kernel;
    if (__builtin_mul_overflow(type_width(shape_arg(s, 0)), places, &width))
        return shape_fail(s, "the rows are too wide");
    *out = type_rows(DTYPE_f32, axis, width);
    return shape_is_sound(s, *out);
}

bool shape_add_patches(const Shape *s, Type *out)
{
    int32_t axis = s->spec.attr->window.axis;
    if (!need_ragged(s, 0) || !need_axis(s, axis) ||
        !need_windows(s, axis, shape_arg(s, 0).axis))
        return false;
    int64_t places = s->spec.attr->window.kernel * s->spec.attr->window.kernel;
    if (type_width(shape_arg(s, 0)) % places != 0)
        return shape_fail(s, "%" PRId64 " columns are not windows of %" PRId64 " cells",
                          type_width(shape_arg(s, 0)), places);
    *out = type_rows(DTYPE_f32, axis, type_width(shape_arg(s, 0)) / places);
    return true;
}
