/* Shape rules: one function per rule named in ops.def. A rule looks at operand types and
 * attributes, reports what does not fit, and gives the type of the result. Ragged types
 * have rank 2 (rows by width) or, for indices, rank 1. */
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "ir/axis.h"
#include "ir/graph.h"
#include "ir/text.h"

enum { TEXT = 96 };
static const int64_t MOST_ELEMENTS = INT64_C(1) << 40;
/* Products and random numbers count in 32 bits, whole vectors of columns at a time. */
static const int64_t MOST_DIMENSION = INT32_MAX / 64 * 64;
static const int64_t MOST_KEYS = 65536; /* dropout numbers them head * 65536 + key */

typedef struct Shape {
    const Graph *graph;
    Loc loc;
    OpKind op;
    const OpAttr *attr;
    const Node *const *args;
    uint32_t arg_count;
    const Type *given;
} Shape;

typedef bool ShapeRule(const Shape *s, Type *out);

PRINTF_LIKE(2, 3)
static bool fail(const Shape *s, const char *format, ...)
{
    char message[512];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    if (s->graph->diags)
        diag_error(s->graph->diags, s->loc, "%s: %s", op_info(s->op)->name, message);
    return false;
}

static Type arg(const Shape *s, uint32_t i)
{
    return s->args[i]->type;
}

static const char *arg_name(const Shape *s, uint32_t i)
{
    return op_info(s->op)->arg_names[i];
}

/* "x is f32[enc, 768]" */
static bool fail_arg(const Shape *s, uint32_t i, const char *expected)
{
    char text[TEXT];
    type_print(s->graph, arg(s, i), text, sizeof text);
    return fail(s, "operand %s is %s, expected %s", arg_name(s, i), text, expected);
}

static bool need_f32(const Shape *s, uint32_t i)
{
    if (arg(s, i).dtype == DTYPE_f32)
        return true;
    return fail_arg(s, i, "f32");
}

static bool need_all_f32(const Shape *s)
{
    for (uint32_t i = 0; i < s->arg_count; i++)
        if (!need_f32(s, i))
            return false;
    return true;
}

static bool need_matrix(const Shape *s, uint32_t i)
{
    return need_f32(s, i) && (arg(s, i).rank == 2 || fail_arg(s, i, "two dimensions"));
}

static bool need_index(const Shape *s, uint32_t i)
{
    if (arg(s, i).dtype == DTYPE_i32 && arg(s, i).rank == 1)
        return true;
    return fail_arg(s, i, "an index vector such as i32[text]");
}

static bool need_axis(const Shape *s, int32_t axis)
{
    if (axis >= 0 && (uint32_t)axis < s->graph->axis_count)
        return true;
    return fail(s, "no such axis");
}

static bool need_ragged(const Shape *s, uint32_t i)
{
    return need_matrix(s, i) &&
           (type_is_ragged(arg(s, i)) || fail_arg(s, i, "ragged rows"));
}

static bool same_rows(Type a, Type b)
{
    return a.axis == b.axis && (type_is_ragged(a) || a.dims[0] == b.dims[0]);
}

static bool need_same_rows(const Shape *s, uint32_t i, uint32_t j)
{
    if (same_rows(arg(s, i), arg(s, j)))
        return true;
    char a[TEXT], b[TEXT];
    type_print(s->graph, arg(s, i), a, sizeof a);
    type_print(s->graph, arg(s, j), b, sizeof b);
    return fail(s, "rows of %s and %s differ: %s and %s", arg_name(s, i), arg_name(s, j),
                a, b);
}

/* -- sources and element by element ------------------------------------------------ */

static bool type_is_sound(const Shape *s, Type type)
{
    if (type.dtype >= DTYPE_COUNT || type.rank == 0 || type.rank > TYPE_MAX_RANK)
        return fail(s, "a type has 1 to %d dimensions", TYPE_MAX_RANK);
    bool ragged = type_is_ragged(type);
    if (ragged && (type.axis < 0 || (uint32_t)type.axis >= s->graph->axis_count))
        return fail(s, "the type is on an axis that does not exist");
    if (ragged && type.rank > 2)
        return fail(s, "ragged rows have one width");
    int64_t elements = 1;
    for (uint32_t i = ragged ? 1 : 0; i < type.rank; i++) {
        if (type.dims[i] < 1 || type.dims[i] > MOST_DIMENSION)
            return fail(s, "dimension %u is %" PRId64 ", expected 1 to %" PRId64, i + 1,
                        type.dims[i], MOST_DIMENSION);
        if (__builtin_mul_overflow(elements, type.dims[i], &elements) ||
            elements > MOST_ELEMENTS)
            return fail(s, "the tensor is too large (more than 2^40 elements)");
    }
    return true;
}

static bool shape_given(const Shape *s, Type *out)
{
    if (!s->given)
        return fail(s, "a type must be given");
    *out = *s->given;
    return type_is_sound(s, *out);
}

static bool shape_scalar(const Shape *s, Type *out)
{
    (void)s;
    *out = TYPE_SCALAR;
    return true;
}

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
        return type_is_sound(s, result);
    }
    char at[TEXT], bt[TEXT];
    type_print(s->graph, a, at, sizeof at);
    type_print(s->graph, b, bt, sizeof bt);
    return fail(s, "%s and %s do not broadcast", at, bt);
}

static bool shape_broadcast(const Shape *s, Type *out)
{
    return need_all_f32(s) && broadcast(s, arg(s, 0), arg(s, 1), out);
}

static bool shape_compare(const Shape *s, Type *out)
{
    if (!shape_broadcast(s, out))
        return false;
    out->dtype = DTYPE_bit;
    return true;
}

static bool shape_select(const Shape *s, Type *out)
{
    if (arg(s, 0).dtype != DTYPE_bit)
        return fail_arg(s, 0, "bits");
    if (!need_f32(s, 1) || !need_f32(s, 2) || !broadcast(s, arg(s, 1), arg(s, 2), out))
        return false;
    Type mask = arg(s, 0);
    mask.dtype = DTYPE_f32;
    return broadcast(s, mask, *out, out);
}

static bool shape_same(const Shape *s, Type *out)
{
    *out = arg(s, 0);
    if (s->op == OP_dropout && !(s->attr->dropout.p >= 0 && s->attr->dropout.p < 1))
        return fail(s, "p is %g, expected 0 <= p < 1", s->attr->dropout.p);
    return need_f32(s, 0);
}

static bool shape_expand(const Shape *s, Type *out)
{
    Type to = s->attr->shaped.to;
    if (!need_f32(s, 0) || !type_is_sound(s, to) || !broadcast(s, arg(s, 0), to, out))
        return false;
    if (type_equal(*out, to))
        return true;
    return fail_arg(s, 0, "something that stretches to the type asked for");
}

/* -- reductions and layout --------------------------------------------------------- */

static bool shape_reduce(const Shape *s, Type *out)
{
    if (!need_f32(s, 0))
        return false;
    *out = arg(s, 0);
    if (type_is_ragged(*out) && out->rank != 2)
        return fail_arg(s, 0, "rows with a width");
    out->dims[out->rank - 1] = 1;
    return true;
}

static bool shape_rowsum(const Shape *s, Type *out)
{
    if (!need_f32(s, 0))
        return false;
    if (arg(s, 0).rank < 2)
        return fail_arg(s, 0, "at least two dimensions");
    *out = type_vector(DTYPE_f32, type_width(arg(s, 0)));
    return true;
}

/* A reshape moves no bytes. Rows of bits are padded to whole bytes, so that bits keep
 * their places only if rows stay as wide, or if none has padding. */
static bool need_bits_in_place(const Shape *s, int64_t from, int64_t to)
{
    if (from == to || (from % 8 == 0 && to % 8 == 0))
        return true;
    return fail(s,
                "rows of %" PRId64 " bits cannot become rows of %" PRId64
                ", for a row of bits fills whole bytes: expected the same width, or two "
                "multiples of 8; reshape the numbers that are compared instead",
                from, to);
}

static bool shape_reshape(const Shape *s, Type *out)
{
    *out = s->attr->shaped.to;
    if (!type_is_sound(s, *out))
        return false;
    if (type_is_ragged(arg(s, 0)) || type_is_ragged(*out) ||
        arg(s, 0).dtype != out->dtype)
        return fail_arg(s, 0, "a static type of the same elements");
    if (type_static_elements(arg(s, 0)) != type_static_elements(*out))
        return fail_arg(s, 0, "as many elements as the type asked for");
    return out->dtype != DTYPE_bit ||
           need_bits_in_place(s, type_width(arg(s, 0)), type_width(*out));
}

static bool shape_permute(const Shape *s, Type *out)
{
    Type from = arg(s, 0);
    if (!need_f32(s, 0) || type_is_ragged(from))
        return fail_arg(s, 0, "a static type");
    *out = from;
    int64_t order = s->attr->permute.order;
    unsigned seen = 0;
    for (uint32_t i = from.rank; i-- > 0; order /= 10) {
        int64_t source = order % 10;
        if (order < 0 || source >= from.rank || (seen >> source & 1))
            return fail(s, "order %" PRId64 " is no permutation of %u dimensions",
                        s->attr->permute.order, from.rank);
        seen |= 1u << source;
        out->dims[i] = from.dims[source];
    }
    if (order != 0)
        return fail(s, "order %" PRId64 " has more than %u digits",
                    s->attr->permute.order, from.rank);
    return true;
}

/* `narrow` columns from `start` on lie in `wide` ones. */
static bool need_columns(const Shape *s, int64_t narrow, int64_t wide)
{
    int64_t start = s->attr->columns.start;
    return (start >= 0 && narrow >= 1 && narrow <= wide && start <= wide - narrow) ||
           fail(s,
                "%" PRId64 " columns from column %" PRId64 " are not in rows of %" PRId64,
                narrow, start, wide);
}

static bool need_columns_of_rows(const Shape *s)
{
    return need_f32(s, 0) && (!type_is_ragged(arg(s, 0)) || arg(s, 0).rank == 2 ||
                              fail_arg(s, 0, "rows with a width"));
}

static bool shape_slice(const Shape *s, Type *out)
{
    *out = arg(s, 0);
    int64_t count = s->attr->columns.count;
    if (!need_columns_of_rows(s) || !need_columns(s, count, type_width(*out)))
        return false;
    out->dims[out->rank - 1] = count;
    return true;
}

static bool shape_pad(const Shape *s, Type *out)
{
    *out = arg(s, 0);
    int64_t count = s->attr->columns.count;
    if (!need_columns_of_rows(s) || !need_columns(s, type_width(*out), count))
        return false;
    out->dims[out->rank - 1] = count;
    return type_is_sound(s, *out);
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

static bool shape_matmul(const Shape *s, Type *out)
{
    if (!need_matrix(s, 0) || !need_matrix(s, 1))
        return false;
    Type a = arg(s, 0), b = arg(s, 1);
    uint32_t ta = s->attr->matmul.transpose_a != 0, tb = s->attr->matmul.transpose_b != 0;
    Dim m = dim_of(a, ta), ka = dim_of(a, 1 - ta), kb = dim_of(b, tb),
        n = dim_of(b, 1 - tb);
    if (ka.axis != kb.axis || ka.count != kb.count) {
        char at[TEXT], bt[TEXT];
        type_print(s->graph, a, at, sizeof at);
        type_print(s->graph, b, bt, sizeof bt);
        return fail(s, "inner sizes differ: a is %s%s, b is %s%s", at,
                    ta ? " transposed" : "", bt, tb ? " transposed" : "");
    }
    if (n.axis != AXIS_STATIC)
        return fail_arg(s, 1, "static columns");
    *out = m.axis == AXIS_STATIC ? type_matrix(DTYPE_f32, m.count, n.count)
                                 : type_rows(DTYPE_f32, m.axis, n.count);
    return type_is_sound(s, *out);
}

/* -- rows by index, axes ----------------------------------------------------------- */

static bool shape_gather(const Shape *s, Type *out)
{
    if (!need_matrix(s, 0) || !need_index(s, 1))
        return false;
    if (type_is_ragged(arg(s, 0)))
        return fail_arg(s, 0, "a static table");
    Type index = arg(s, 1);
    *out = type_is_ragged(index)
               ? type_rows(DTYPE_f32, index.axis, type_width(arg(s, 0)))
               : type_matrix(DTYPE_f32, index.dims[0], type_width(arg(s, 0)));
    return true;
}

static bool shape_scatter(const Shape *s, Type *out)
{
    if (!need_index(s, 0) || !need_matrix(s, 1) || !need_same_rows(s, 0, 1))
        return false;
    *out = type_matrix(DTYPE_f32, s->attr->scatter.rows, type_width(arg(s, 1)));
    return type_is_sound(s, *out);
}

static bool shape_index(const Shape *s, Type *out)
{
    if (!need_axis(s, s->attr->position.axis))
        return false;
    if (s->attr->position.quotient < 1 || s->attr->position.modulus < 0)
        return fail(s, "quotient must be at least 1 and modulus at least 0");
    *out = type_index(s->attr->position.axis);
    return true;
}

static bool shape_join(const Shape *s, Type *out)
{
    if (!need_ragged(s, 0) || !need_ragged(s, 1) || !need_axis(s, s->attr->join.axis))
        return false;
    const Axis *axis = &s->graph->axes[s->attr->join.axis];
    if (axis->kind != AXIS_KIND_join || axis->of[0] != arg(s, 0).axis ||
        axis->of[1] != arg(s, 1).axis)
        return fail(s, "axis '%s' does not join the axes of the operands", axis->name);
    if (type_width(arg(s, 0)) != type_width(arg(s, 1)))
        return fail(s, "widths differ: %" PRId64 " and %" PRId64, type_width(arg(s, 0)),
                    type_width(arg(s, 1)));
    *out = type_rows(DTYPE_f32, s->attr->join.axis, type_width(arg(s, 0)));
    return true;
}

static bool shape_part(const Shape *s, Type *out)
{
    if (!need_ragged(s, 0) || !need_axis(s, s->attr->part.axis))
        return false;
    const Axis *from = &s->graph->axes[arg(s, 0).axis];
    int64_t index = s->attr->part.index;
    if (from->kind != AXIS_KIND_join || index < 0 || index > 1 ||
        from->of[index] != s->attr->part.axis)
        return fail(s, "axis '%s' is not that part of '%s'",
                    s->graph->axes[s->attr->part.axis].name, from->name);
    *out = type_rows(DTYPE_f32, s->attr->part.axis, type_width(arg(s, 0)));
    return true;
}

static bool shape_spread(const Shape *s, Type *out)
{
    if (!need_ragged(s, 0) || !need_axis(s, s->attr->on_axis.axis))
        return false;
    if (arg(s, 0).axis != AXIS_BATCH)
        return fail_arg(s, 0, "one row per sequence, f32[batch, w]");
    *out = type_rows(DTYPE_f32, s->attr->on_axis.axis, type_width(arg(s, 0)));
    return true;
}

static bool shape_sum_sequence(const Shape *s, Type *out)
{
    if (!need_ragged(s, 0))
        return false;
    *out = type_rows(DTYPE_f32, AXIS_BATCH, type_width(arg(s, 0)));
    return true;
}

static bool shape_lengths(const Shape *s, Type *out)
{
    *out = type_rows(DTYPE_f32, AXIS_BATCH, 1);
    return need_axis(s, s->attr->on_axis.axis);
}

static bool shape_total(const Shape *s, Type *out)
{
    *out = TYPE_SCALAR;
    return need_axis(s, s->attr->on_axis.axis);
}

static bool shape_pool(const Shape *s, Type *out)
{
    if (!need_ragged(s, 0) || !need_axis(s, s->attr->on_axis.axis))
        return false;
    const Axis *axis = &s->graph->axes[s->attr->on_axis.axis];
    if (axis->kind != AXIS_KIND_pool || axis->of[0] != arg(s, 0).axis)
        return fail(s, "axis '%s' is no pool of the operand's axis", axis->name);
    *out = type_rows(DTYPE_f32, s->attr->on_axis.axis, type_width(arg(s, 0)));
    return true;
}

/* Windows over the square grid of one axis are the square grid of the other. */
static bool need_windows(const Shape *s, int32_t grid_axis, int32_t windows_axis)
{
    const Axis *grid = &s->graph->axes[grid_axis];
    const Axis *windows = &s->graph->axes[windows_axis];
    int64_t kernel = s->attr->window.kernel, stride = s->attr->window.stride,
            padding = s->attr->window.padding, side = axis_grid_side(grid);
    if (kernel < 1 || kernel > MOST_POOL || stride < 1 || stride > MOST_POOL)
        return fail(s, "kernel and stride must be 1 to %d", MOST_POOL);
    if (padding < 0 || padding >= kernel)
        return fail(s, "padding is %" PRId64 ", expected 0 to %" PRId64, padding,
                    kernel - 1);
    if (side < 0)
        return fail(s, "axis '%s' is no fixed axis of side x side rows", grid->name);
    if (side + 2 * padding < kernel)
        return fail(s, "a window of %" PRId64 " is larger than the grid of %" PRId64,
                    kernel, side);
    int64_t steps = (side + 2 * padding - kernel) / stride + 1;
    return axis_grid_side(windows) == steps ||
           fail(s,
                "axis '%s' must be fixed at %" PRId64 " rows: the windows stand %" PRId64
                " x %" PRId64 " on the grid of %" PRId64 " x %" PRId64,
                windows->name, steps * steps, steps, steps, side, side);
}

static bool shape_patches(const Shape *s, Type *out)
{
    int32_t axis = s->attr->window.axis;
    if (!need_ragged(s, 0) || !need_axis(s, axis) ||
        !need_windows(s, arg(s, 0).axis, axis))
        return false;
    int64_t width, places = s->attr->window.kernel * s->attr->window.kernel;
    if (__builtin_mul_overflow(type_width(arg(s, 0)), places, &width))
        return fail(s, "the rows are too wide");
    *out = type_rows(DTYPE_f32, axis, width);
    return type_is_sound(s, *out);
}

static bool shape_add_patches(const Shape *s, Type *out)
{
    int32_t axis = s->attr->window.axis;
    if (!need_ragged(s, 0) || !need_axis(s, axis) ||
        !need_windows(s, axis, arg(s, 0).axis))
        return false;
    int64_t places = s->attr->window.kernel * s->attr->window.kernel;
    if (type_width(arg(s, 0)) % places != 0)
        return fail(s, "%" PRId64 " columns are not windows of %" PRId64 " cells",
                    type_width(arg(s, 0)), places);
    *out = type_rows(DTYPE_f32, axis, type_width(arg(s, 0)) / places);
    return true;
}

/* -- attention --------------------------------------------------------------------- */

static bool need_few_rows(const Shape *s, int32_t axis)
{
    const Axis *keys = &s->graph->axes[axis];
    return keys->longest <= MOST_KEYS ||
           fail(s,
                "axis '%s' has sequences of %" PRId64 " rows, expected at most %" PRId64,
                keys->name, keys->longest, MOST_KEYS);
}

static bool attention_operands(const Shape *s, uint32_t table)
{
    for (uint32_t i = 0; i < 3; i++)
        if (!need_ragged(s, i))
            return false;
    int64_t heads = s->attr->attention.heads;
    if (heads < 1 || heads > 65535)
        return fail(s, "heads is %" PRId64 ", expected 1 to 65535", heads);
    for (uint32_t i = 0; i < 3; i++)
        if (type_width(arg(s, i)) % heads != 0)
            return fail(s, "%" PRId64 " heads do not divide the width %" PRId64 " of %s",
                        heads, type_width(arg(s, i)), arg_name(s, i));
    if (type_width(arg(s, 0)) != type_width(arg(s, 1)))
        return fail(s, "q and k differ in width: %" PRId64 " and %" PRId64,
                    type_width(arg(s, 0)), type_width(arg(s, 1)));
    if (!need_same_rows(s, 1, 2) || !need_axis(s, s->attr->attention.bias_axis) ||
        !need_few_rows(s, arg(s, 1).axis) ||
        !need_few_rows(s, s->attr->attention.bias_axis))
        return false;
    if (!(s->attr->attention.dropout >= 0 && s->attr->attention.dropout < 1))
        return fail(s, "dropout is %g, expected 0 <= dropout < 1",
                    s->attr->attention.dropout);
    if (s->attr->attention.causal && !same_rows(arg(s, 0), arg(s, 1)) &&
        !axis_ends_with(s->graph, arg(s, 1).axis, arg(s, 0).axis))
        return fail(
            s, "causal attention needs q and k on one axis, or k on a join that ends "
               "with q's");
    if (s->arg_count <= table)
        return true;
    if (!need_matrix(s, table) || type_is_ragged(arg(s, table)) ||
        type_width(arg(s, table)) != heads)
        return fail_arg(s, table, "a table of buckets by heads");
    if (s->attr->attention.max_distance < 1 || arg(s, table).dims[0] < 4)
        return fail(
            s, "relative bias needs at least 4 buckets and a distance of at least 1");
    return true;
}

static bool shape_attention(const Shape *s, Type *out)
{
    if (!attention_operands(s, 3))
        return false;
    *out = type_rows(DTYPE_f32, arg(s, 0).axis, type_width(arg(s, 2)));
    return true;
}

static bool attention_gradient(const Shape *s)
{
    if (!attention_operands(s, 4) || !need_ragged(s, 3) || !need_same_rows(s, 0, 3))
        return false;
    if (type_width(arg(s, 3)) != type_width(arg(s, 2)))
        return fail_arg(s, 3, "the width of v");
    return true;
}

static bool shape_attention_dq(const Shape *s, Type *out)
{
    *out = arg(s, 0);
    return attention_gradient(s);
}

static bool shape_attention_dk(const Shape *s, Type *out)
{
    *out = arg(s, 1);
    return attention_gradient(s);
}

static bool shape_attention_dv(const Shape *s, Type *out)
{
    *out = arg(s, 2);
    return attention_gradient(s);
}

static bool shape_attention_dtable(const Shape *s, Type *out)
{
    *out = arg(s, 4);
    return attention_gradient(s);
}

/* -- the vocabulary ---------------------------------------------------------------- */

static bool vocab_operands(const Shape *s, uint32_t bias)
{
    if (!need_matrix(s, 0) || !need_matrix(s, 1))
        return false;
    if (type_is_ragged(arg(s, 1)) || type_width(arg(s, 1)) != type_width(arg(s, 0)))
        return fail_arg(s, 1, "a static table as wide as x");
    if (s->attr->chunked.chunk < 1 || s->attr->chunked.chunk > 65536)
        return fail(s, "chunk is %" PRId64 ", expected 1 to 65536",
                    s->attr->chunked.chunk);
    if (s->arg_count > bias && (!need_f32(s, bias) || type_is_ragged(arg(s, bias)) ||
                                type_static_elements(arg(s, bias)) != arg(s, 1).dims[0]))
        return fail_arg(s, bias, "a number per row of the table");
    return true;
}

static bool labelled(const Shape *s, uint32_t bias)
{
    return vocab_operands(s, bias) && need_index(s, 2) && need_same_rows(s, 0, 2);
}

static bool shape_cross_entropy(const Shape *s, Type *out)
{
    if (!labelled(s, 3))
        return false;
    *out = arg(s, 0);
    out->dims[1] = 1;
    return true;
}

static bool cross_entropy_gradient(const Shape *s)
{
    if (!labelled(s, 4) || !need_matrix(s, 3) || !need_same_rows(s, 0, 3))
        return false;
    return type_width(arg(s, 3)) == 1 || fail_arg(s, 3, "one number per row");
}

static bool shape_cross_entropy_dx(const Shape *s, Type *out)
{
    *out = arg(s, 0);
    return cross_entropy_gradient(s);
}

static bool shape_cross_entropy_dtable(const Shape *s, Type *out)
{
    *out = arg(s, 1);
    return cross_entropy_gradient(s);
}

static bool shape_cross_entropy_dbias(const Shape *s, Type *out)
{
    *out = arg(s, 4);
    return cross_entropy_gradient(s);
}

static bool shape_vocab_argmax(const Shape *s, Type *out)
{
    if (!vocab_operands(s, 2))
        return false;
    *out = arg(s, 0);
    out->dtype = DTYPE_i32;
    out->rank = 1;
    return true;
}

static bool shape_site(const Shape *s, Type *out)
{
    *out = arg(s, 1);
    return true;
}

/* -- the table --------------------------------------------------------------------- */

static ShapeRule *const rules[OP_COUNT] = {
#define OP(name, args, attrs, shape, ...) [OP_##name] = shape_##shape,
#include "ir/ops.def"
};

bool shape_infer(const Graph *graph, Loc loc, OpKind op, const OpAttr *attr,
                 const Node *const *args, uint32_t arg_count, const Type *given,
                 Type *out_type)
{
    const OpInfo *info = op_info(op);
    Shape s = {graph, loc, op, attr, args, arg_count, given};
    if (arg_count < info->min_args || arg_count > info->max_args)
        return info->min_args == info->max_args
                   ? fail(&s, "has %u operands, expected %u", arg_count, info->min_args)
                   : fail(&s, "has %u operands, expected %u to %u", arg_count,
                          info->min_args, info->max_args);
    return rules[op](&s, out_type);
}
