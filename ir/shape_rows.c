/* Shape rules of ops that work row by row, of layout, and of matrix products. */
#include <inttypes.h>

#include "ir/shape.h"
#include "ir/text.h"

/* -- element by element ------------------------------------------------------------ */

/* Right-aligned broadcasting of two types of equal element type. */
static bool broadcast(const Shape *s, Type a, Type b, Type *out)
{
    const Type *longer =
        a.rank > b.rank || (a.rank == b.rank && type_is_ragged(a)) ? &a : &b;
    const Type *other = longer == &a ? &b : &a;
    Type result = *longer;
    bool fits = !type_is_ragged(*other) ||
                (other->rank == longer->rank && other->axis == longer->axis);
    uint32_t lead = longer->rank - other->rank;
    for (uint32_t i = 0; i < other->rank && fits; i++) {
        int64_t x = longer->dims[lead + i], y = other->dims[i];
        if (lead + i == 0 && type_is_ragged(*longer))
            fits = type_is_ragged(*other);
        else if (x != y && x != 1 && y != 1)
            fits = false;
        else
            result.dims[lead + i] = x == 1 ? y : x;
    }
    if (fits) {
        *out = result;
        return shape_is_sound(s, result);
    }
    char at[SHAPE_TEXT], bt[SHAPE_TEXT];
    type_print(s->graph, a, at, sizeof at);
    type_print(s->graph, b, bt, sizeof bt);
    return shape_fail(s, "%s and %s do not broadcast", at, bt);
}

bool shape_broadcast(const Shape *s, Type *out)
{
    return need_all_f32(s) && broadcast(s, shape_arg(s, 0), shape_arg(s, 1), out);
}

bool shape_compare(const Shape *s, Type *out)
{
    if (!shape_broadcast(s, out))
        return false;
    out->dtype = DTYPE_bit;
    return true;
}

bool shape_select(const Shape *s, Type *out)
{
    if (shape_arg(s, 0).dtype != DTYPE_bit)
        return shape_fail_arg(s, 0, "bits");
    if (!need_f32(s, 1) || !need_f32(s, 2) ||
        !broadcast(s, shape_arg(s, 1), shape_arg(s, 2), out))
        return false;
    Type mask = shape_arg(s, 0);
    mask.dtype = DTYPE_f32;
    return broadcast(s, mask, *out, out);
}

bool shape_same(const Shape *s, Type *out)
{
    *out = shape_arg(s, 0);
    return need_f32(s, 0);
}

bool shape_dropout(const Shape *s, Type *out)
{
    double p = s->spec.attr->dropout.p;
    if (!(p >= 0 && p < 1))
        return shape_fail(s, "p is %g, expected 0 <= p < 1", p);
    return shape_same(s, out);
}

bool shape_expand(const Shape *s, Type *out)
{
    Type to = s->spec.attr->shaped.to;
    if (!need_f32(s, 0) || !shape_is_sound(s, to) ||
        !broadcast(s, shape_arg(s, 0), to, out))
        return false;
    if (type_equal(*out, to))
        return true;
    return shape_fail_arg(s, 0, "something that stretches to the type asked for");
}

/* -- reductions and layout --------------------------------------------------------- */

bool shape_reduce(const Shape *s, Type *out)
{
    if (!need_f32(s, 0))
        return false;
    *out = shape_arg(s, 0);
    if (type_is_ragged(*out) && out->rank != 2)
        return shape_fail_arg(s, 0, "rows with a width");
    out->dims[out->rank - 1] = 1;
    return true;
}

bool shape_rowsum(const Shape *s, Type *out)
{
    if (!need_f32(s, 0))
        return false;
    if (shape_arg(s, 0).rank < 2)
        return shape_fail_arg(s, 0, "at least two dimensions");
    *out = type_vector(DTYPE_f32, type_width(shape_arg(s, 0)));
    return true;
}

/* A reshape moves no bytes. Rows of bits are padded to whole bytes, so that bits keep
 * their places only if rows stay as wide, or if none has padding. */
static bool need_bits_in_place(const Shape *s, int64_t from, int64_t to)
{
    if (from == to || (from % 8 == 0 && to % 8 == 0))
        return true;
    return shape_fail(
        s,
        "rows of %" PRId64 " bits cannot become rows of %" PRId64
        ", for a row of bits fills whole bytes: expected the same width, or two "
        "multiples of 8; reshape the numbers that are compared instead",
        from, to);
}

bool shape_reshape(const Shape *s, Type *out)
{
    *out = s->spec.attr->shaped.to;
    if (!shape_is_sound(s, *out))
        return false;
    if (type_is_ragged(shape_arg(s, 0)) || type_is_ragged(*out) ||
        shape_arg(s, 0).dtype != out->dtype || out->dtype == DTYPE_packed)
        return shape_fail_arg(s, 0, "a static type of the same elements");
    if (type_static_elements(shape_arg(s, 0)) != type_static_elements(*out))
        return shape_fail_arg(s, 0, "as many elements as the type asked for");
    return out->dtype != DTYPE_bit ||
           need_bits_in_place(s, type_width(shape_arg(s, 0)), type_width(*out));
}

bool shape_permute(const Shape *s, Type *out)
{
    Type from = shape_arg(s, 0);
    if (!need_f32(s, 0) || type_is_ragged(from))
        return shape_fail_arg(s, 0, "a static type");
    *out = from;
    int64_t order = s->spec.attr->permute.order;
    unsigned seen = 0;
    for (uint32_t i = from.rank; i-- > 0; order /= 10) {
        int64_t source = order % 10;
        if (order < 0 || source >= from.rank || (seen >> source & 1))
            return shape_fail(s, "order %" PRId64 " is no permutation of %u dimensions",
                              s->spec.attr->permute.order, from.rank);
        seen |= 1u << source;
        out->dims[i] = from.dims[source];
    }
    if (order != 0)
        return shape_fail(s, "order %" PRId64 " has more than %u digits",
                          s->spec.attr->permute.order, from.rank);
    return true;
}

/* `narrow` columns from `start` on lie in `wide` ones. */
static bool need_columns(const Shape *s, int64_t narrow, int64_t wide)
{
    int64_t start = s->spec.attr->columns.start;
    return (start >= 0 && narrow >= 1 && narrow <= wide && start <= wide - narrow) ||
           shape_fail(s,
                      "%" PRId64 " columns from column %" PRId64
                      " are not in rows of %" PRId64,
                      narrow, start, wide);
}

static bool need_columns_of_rows(const Shape *s)
{
    return need_f32(s, 0) &&
           (!type_is_ragged(shape_arg(s, 0)) || shape_arg(s, 0).rank == 2 ||
            shape_fail_arg(s, 0, "rows with a width"));
}

bool shape_slice(const Shape *s, Type *out)
{
    *out = shape_arg(s, 0);
    int64_t count = s->spec.attr->columns.count;
    if (!need_columns_of_rows(s) || !need_columns(s, count, type_width(*out)))
        return false;
    out->dims[out->rank - 1] = count;
    return true;
}

bool shape_pad(const Shape *s, Type *out)
{
    *out = shape_arg(s, 0);
    int64_t count = s->spec.attr->columns.count;
    if (!need_columns_of_rows(s) || !need_columns(s, type_width(*out), count))
        return false;
    out->dims[out->rank - 1] = count;
    return shape_is_sound(s, *out);
}

/* A dimension of a matmul operand: a number, or a ragged axis. */
typedef struct Dim {
    int32_t axis;
    int64_t count;
} Dim;

static Dim dim_of(Type type, uint32_t i)
{
    return i == 0 && type_is_ragged(type) ? (Dim){type.axis, 0}
                                          : (Dim){AXIS_STATIC, type.dims[i]};
}

bool shape_pack(const Shape *s, Type *out)
{
    if (!need_matrix(s, 0))
        return false;
    *out = shape_arg(s, 0);
    out->dtype = DTYPE_packed;
    return !type_is_ragged(*out) || shape_fail_arg(s, 0, "a static matrix");
}

bool shape_matmul(const Shape *s, Type *out)
{
    if (!need_matrix(s, 0) || !need_factor(s, 1))
        return false;
    Type a = shape_arg(s, 0), b = shape_arg(s, 1);
    uint32_t ta = s->spec.attr->matmul.transpose_a != 0,
             tb = s->spec.attr->matmul.transpose_b != 0;
    Dim m = dim_of(a, ta), ka = dim_of(a, 1 - ta), kb = dim_of(b, tb),
        n = dim_of(b, 1 - tb);
    if (ka.axis != kb.axis || ka.count != kb.count) {
        char at[SHAPE_TEXT], bt[SHAPE_TEXT];
        type_print(s->graph, a, at, sizeof at);
        type_print(s->graph, b, bt, sizeof bt);
        return shape_fail(s, "inner sizes differ: a is %s%s, b is %s%s", at,
                          ta ? " transposed" : "", bt, tb ? " transposed" : "");
    }
    if (n.axis != AXIS_STATIC)
        return shape_fail_arg(s, 1, "static columns");
    *out = m.axis == AXIS_STATIC ? type_matrix(DTYPE_f32, m.count, n.count)
                                 : type_rows(DTYPE_f32, m.axis, n.count);
    return shape_is_sound(s, *out);
}
