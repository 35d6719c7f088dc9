/* Shape rules of attention and of the vocabulary, whose ops share operands. */
#include <inttypes.h>

#include "ir/axis.h"
#include "ir/shape.h"

static const int64_t MOST_KEYS = 65536; /* dropout numbers them head * 65536 + key */

/* -- attention --------------------------------------------------------------------- */

static bool need_few_rows(const Shape *s, int32_t axis)
{
    const Axis *keys = &s->graph->axes[axis];
    return keys->longest <= MOST_KEYS || shape_fail(s,
                                                    "axis '%s' has sequences of %" PRId64
                                                    " rows, expected at most %" PRId64,
                                                    keys->name, keys->longest, MOST_KEYS);
}

static bool attention_operands(const Shape *s, uint32_t table)
{
    for (uint32_t i = 0; i < 3; i++)
        if (!need_ragged(s, i))
            return false;
    int64_t heads = s->spec.attr->attention.heads;
    if (heads < 1 || heads > 65535)
        return shape_fail(s, "heads is %" PRId64 ", expected 1 to 65535", heads);
    for (uint32_t i = 0; i < 3; i++)
        if (type_width(shape_arg(s, i)) % heads != 0)
            return shape_fail(
                s, "%" PRId64 " heads do not divide the width %" PRId64 " of %s", heads,
                type_width(shape_arg(s, i)), shape_arg_name(s, i));
    if (type_width(shape_arg(s, 0)) != type_width(shape_arg(s, 1)))
        return shape_fail(s, "q and k differ in width: %" PRId64 " and %" PRId64,
                          type_width(shape_arg(s, 0)), type_width(shape_arg(s, 1)));
    if (!need_same_rows(s, 1, 2) || !need_axis(s, s->spec.attr->attention.bias_axis) ||
        !need_few_rows(s, shape_arg(s, 1).axis) ||
        !need_few_rows(s, s->spec.attr->attention.bias_axis))
        return false;
    if (!(s->spec.attr->attention.dropout >= 0 && s->spec.attr->attention.dropout < 1))
        return shape_fail(s, "dropout is %g, expected 0 <= dropout < 1",
                          s->spec.attr->attention.dropout);
    if (s->spec.attr->attention.causal &&
        !shape_same_rows(shape_arg(s, 0), shape_arg(s, 1)) &&
        !axis_ends_with(s->graph, shape_arg(s, 1).axis, shape_arg(s, 0).axis))
        return shape_fail(
            s, "causal attention needs q and k on one axis, or k on a join that ends "
               "with q's");
    if (s->spec.arg_count <= table)
        return true;
    if (!need_matrix(s, table) || type_is_ragged(shape_arg(s, table)) ||
        type_width(shape_arg(s, table)) != heads)
        return shape_fail_arg(s, table, "a table of buckets by heads");
    if (s->spec.attr->attention.max_distance < 1 || shape_arg(s, table).dims[0] < 4)
        return shape_fail(
            s, "relative bias needs at least 4 buckets and a distance of at least 1");
    return true;
}

bool shape_attention(const Shape *s, Type *out)
{
    if (!attention_operands(s, 3))
        return false;
    *out = type_rows(DTYPE_f32, shape_arg(s, 0).axis, type_width(shape_arg(s, 2)));
    return true;
}

static bool attention_gradient(const Shape *s)
{
    if (!attention_operands(s, 4) || !need_ragged(s, 3) || !need_same_rows(s, 0, 3))
        return false;
    if (type_width(shape_arg(s, 3)) != type_width(shape_arg(s, 2)))
        return shape_fail_arg(s, 3, "the width of v");
    return true;
}

bool shape_attention_dq(const Shape *s, Type *out)
{
    *out = shape_arg(s, 0);
    return attention_gradient(s);
}

bool shape_attention_dk(const Shape *s, Type *out)
{
    *out = shape_arg(s, 1);
    return attention_gradient(s);
}

bool shape_attention_dv(const Shape *s, Type *out)
{
    *out = shape_arg(s, 2);
    return attention_gradient(s);
}

bool shape_attention_dtable(const Shape *s, Type *out)
{
    *out = shape_arg(s, 4);
    return attention_gradient(s);
}

/* -- the vocabulary ---------------------------------------------------------------- */

static bool vocab_operands(const Shape *s, uint32_t bias)
{
    if (!need_matrix(s, 0) || !need_factor(s, 1))
        return false;
    if (type_is_ragged(shape_arg(s, 1)) ||
        type_width(shape_arg(s, 1)) != type_width(shape_arg(s, 0)))
        return shape_fail_arg(s, 1, "a static table as wide as x");
    if (s->spec.attr->chunked.chunk < 1 || s->spec.attr->chunked.chunk > 65536)
        return shape_fail(s, "chunk is %" PRId64 ", expected 1 to 65536",
                          s->spec.attr->chunked.chunk);
    if (s->spec.arg_count > bias &&
        (!need_f32(s, bias) || type_is_ragged(shape_arg(s, bias)) ||
         type_static_elements(shape_arg(s, bias)) != shape_arg(s, 1).dims[0]))
        return shape_fail_arg(s, bias, "a number per row of the table");
    return true;
}

static bool labelled(const Shape *s, uint32_t bias)
{
    return vocab_operands(s, bias) && need_index(s, 2) && need_same_rows(s, 0, 2);
}

bool shape_cross_entropy(const Shape *s, Type *out)
{
    if (!labelled(s, 3))
        return false;
    *out = shape_arg(s, 0);
    out->dims[1] = 1;
    return true;
}

static bool cross_entropy_gradient(const Shape *s)
{
    if (!labelled(s, 4) || !need_matrix(s, 3) || !need_same_rows(s, 0, 3))
        return false;
    return type_width(shape_arg(s, 3)) == 1 || shape_fail_arg(s, 3, "one number per row");
}

bool shape_cross_entropy_dx(const Shape *s, Type *out)
{
    *out = shape_arg(s, 0);
    return cross_entropy_gradient(s);
}

bool shape_cross_entropy_dtable(const Shape *s, Type *out)
{
    *out = shape_arg(s, 1);
    return cross_entropy_gradient(s) && need_matrix(s, 1);
}

bool shape_cross_entropy_dbias(const Shape *s, Type *out)
{
    *out = shape_arg(s, 4);
    return cross_entropy_gradient(s);
}

bool shape_vocab_argmax(const Shape *s, Type *out)
{
    if (!vocab_operands(s, 2))
        return false;
    *out = shape_arg(s, 0);
    out->dtype = DTYPE_i32;
    out->rank = 1;
    return true;
}
