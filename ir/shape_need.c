/* What shape rules ask of operands, axes and types. */
#include <inttypes.h>
#include <stdarg.h>

#include "ir/shape.h"
#include "ir/text.h"

static const int64_t MOST_ELEMENTS = INT64_C(1) << 40;
/* Products and random numbers count in 32 bits, whole vectors of columns at a time. */
static const int64_t MOST_DIMENSION = INT32_MAX / 64 * 64;

bool shape_fail(const Shape *s, const char *format, ...)
{
    char message[512];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    if (s->graph->diags)
        diag_error(s->graph->diags, s->loc, "%s: %s", op_info(s->spec.op)->name, message);
    return false;
}

Type shape_arg(const Shape *s, uint32_t i)
{
    return s->spec.args[i]->type;
}

const char *shape_arg_name(const Shape *s, uint32_t i)
{
    return op_info(s->spec.op)->arg_names[i];
}

/* "x is f32[enc, 768]" */
bool shape_fail_arg(const Shape *s, uint32_t i, const char *expected)
{
    char text[SHAPE_TEXT];
    type_print(s->graph, shape_arg(s, i), text, sizeof text);
    return shape_fail(s, "operand %s is %s, expected %s", shape_arg_name(s, i), text,
                      expected);
}

bool need_f32(const Shape *s, uint32_t i)
{
    if (shape_arg(s, i).dtype == DTYPE_f32)
        return true;
    return shape_fail_arg(s, i, "f32");
}

bool need_all_f32(const Shape *s)
{
    for (uint32_t i = 0; i < s->spec.arg_count; i++)
        if (!need_f32(s, i))
            return false;
    return true;
}

bool need_matrix(const Shape *s, uint32_t i)
{
    return need_f32(s, i) &&
           (shape_arg(s, i).rank == 2 || shape_fail_arg(s, i, "two dimensions"));
}

bool need_factor(const Shape *s, uint32_t i)
{
    return shape_arg(s, i).dtype == DTYPE_packed || need_matrix(s, i);
}

bool need_index(const Shape *s, uint32_t i)
{
    if (shape_arg(s, i).dtype == DTYPE_i32 && shape_arg(s, i).rank == 1)
        return true;
    return shape_fail_arg(s, i, "an index vector such as i32[text]");
}

bool need_axis(const Shape *s, int32_t axis)
{
    if (axis >= 0 && (uint32_t)axis < s->graph->axis_count)
        return true;
    return shape_fail(s, "no such axis");
}

bool need_ragged(const Shape *s, uint32_t i)
{
    return need_matrix(s, i) &&
           (type_is_ragged(shape_arg(s, i)) || shape_fail_arg(s, i, "ragged rows"));
}

bool shape_same_rows(Type a, Type b)
{
    return a.axis == b.axis && (type_is_ragged(a) || a.dims[0] == b.dims[0]);
}

bool need_same_rows(const Shape *s, uint32_t i, uint32_t j)
{
    if (shape_same_rows(shape_arg(s, i), shape_arg(s, j)))
        return true;
    char a[SHAPE_TEXT], b[SHAPE_TEXT];
    type_print(s->graph, shape_arg(s, i), a, sizeof a);
    type_print(s->graph, shape_arg(s, j), b, sizeof b);
    return shape_fail(s, "rows of %s and %s differ: %s and %s", shape_arg_name(s, i),
                      shape_arg_name(s, j), a, b);
}

bool shape_is_sound(const Shape *s, Type type)
{
    if (type.dtype >= DTYPE_COUNT || type.rank == 0 || type.rank > TYPE_MAX_RANK)
        return shape_fail(s, "a type has 1 to %d dimensions", TYPE_MAX_RANK);
    bool ragged = type_is_ragged(type);
    if (ragged && (type.axis < 0 || (uint32_t)type.axis >= s->graph->axis_count))
        return shape_fail(s, "the type is on an axis that does not exist");
    if (ragged && type.rank > 2)
        return shape_fail(s, "ragged rows have one width");
    int64_t elements = 1;
    for (uint32_t i = ragged ? 1 : 0; i < type.rank; i++) {
        if (type.dims[i] < 1 || type.dims[i] > MOST_DIMENSION)
            return shape_fail(s, "dimension %u is %" PRId64 ", expected 1 to %" PRId64,
                              i + 1, type.dims[i], MOST_DIMENSION);
        if (__builtin_mul_overflow(elements, type.dims[i], &elements) ||
            elements > MOST_ELEMENTS)
            return shape_fail(s, "the tensor is too large (more than 2^40 elements)");
    }
    return true;
}
