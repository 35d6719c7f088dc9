/* Gradient rules. y is the node, dy the gradient that has reached it, and a rule answers
 * with the gradient of operand i. Broadcast operands get the sum over what was repeated:
 * "sum~" below. */
#include "passes/gradients.h"

#include <assert.h>
#include <math.h>

typedef const Node *GradientRule(const Gradient *g, uint32_t i);

/* -- building ------------------------------------------------------------- */

static const Node *arg(const Gradient *g, uint32_t i)
{
    return g->node->args[i];
}

static const Node *make(const Gradient *g, NodeSpec spec)
{
    return graph_node(g->graph, g->site, spec);
}

static const Node *binary(const Gradient *g, OpKind op, const Node *a, const Node *b)
{
    return a && b ? graph_binary(g->graph, g->site, op, a, b) : NULL;
}

static const Node *unary(const Gradient *g, OpKind op, const Node *x)
{
    return x ? graph_unary(g->graph, g->site, op, x) : NULL;
}

static const Node *number(const Gradient *g, double value)
{
    return graph_constant(g->graph, g->site, value);
}

static const Node *scaled(const Gradient *g, const Node *x, double factor)
{
    return binary(g, OP_mul, x, number(g, factor));
}

static const Node *reshaped(const Gradient *g, const Node *x, Type to)
{
    if (!x || type_equal(x->type, to))
        return x;
    OpAttr attr = {.shaped.to = to};
    return make(g,
                (NodeSpec){.op = OP_reshape, .attr = &attr, .args = &x, .arg_count = 1});
}

static const Node *one_arg(const Gradient *g, OpKind op, const OpAttr *attr,
                           const Node *x)
{
    return x ? make(g, (NodeSpec){.op = op, .attr = attr, .args = &x, .arg_count = 1})
             : NULL;
}

static const Node *zeros(const Gradient *g, Type type)
{
    return graph_expand(g->graph, g->site, number(g, 0), type);
}

/* -- sums over what broadcasting repeats ---------------------------------- */

/* Rows of one width, as in nearly every case: sums along the width, then over the
 * rows. */
static const Node *unbroadcast_rows(const Gradient *g, const Node *dy, Type to)
{
    if (type_width(to) == 1 && type_width(dy->type) > 1)
        dy = unary(g, OP_sum_width, dy);
    bool has_rows = type_is_ragged(dy->type) || type_static_rows(dy->type) > 1;
    bool keeps_rows = type_is_ragged(to) || type_static_rows(to) > 1;
    if (has_rows && !keeps_rows)
        dy = unary(g, OP_sum_rows, dy);
    return reshaped(g, dy, to);
}

static bool is_repeated(Type from, Type to, uint32_t dim)
{
    uint32_t lead = from.rank - to.rank;
    return from.dims[dim] > 1 && (dim < lead || to.dims[dim - lead] == 1);
}

/* The dimensions of `from` that are (not) repeated, as digits of a permutation after
 * `order`. */
static int64_t append_dims(int64_t order, Type from, Type to, bool repeated,
                           int64_t *out_count)
{
    *out_count = 1;
    for (uint32_t d = 0; d < from.rank; d++) {
        if (is_repeated(from, to, d) != repeated)
            continue;
        order = 10 * order + d;
        *out_count *= from.dims[d];
    }
    return order;
}

/* Static types of higher rank: as a matrix whose rows are what is repeated; or, if it
 * already stands last, whose columns are. */
static const Node *unbroadcast_static(const Gradient *g, const Node *dy, Type to)
{
    Type from = dy->type;
    int64_t repeats, kept;
    int64_t order = append_dims(0, from, to, true, &repeats);
    order = append_dims(order, from, to, false, &kept);
    bool is_last = true, is_first = true;
    for (uint32_t d = 1; d < from.rank; d++) {
        is_last &= is_repeated(from, to, d) || !is_repeated(from, to, d - 1);
        is_first &= !is_repeated(from, to, d) || is_repeated(from, to, d - 1);
    }
    if (repeats == 1)
        return reshaped(g, dy, to);
    if (is_last) {
        dy = reshaped(g, dy, type_matrix(DTYPE_f32, kept, repeats));
        return reshaped(g, unary(g, OP_sum_width, dy), to);
    }
    OpAttr attr = {.permute.order = order};
    if (!is_first)
        dy = one_arg(g, OP_permute, &attr, dy);
    dy = reshaped(g, dy, type_matrix(DTYPE_f32, repeats, kept));
    return reshaped(g, unary(g, OP_sum_rows, dy), to);
}

const Node *gradient_unbroadcast(const Gradient *g, const Node *dy, Type to)
{
    if (!dy || type_equal(dy->type, to))
        return dy;
    if (type_is_ragged(dy->type) || dy->type.rank <= 2)
        return unbroadcast_rows(g, dy, to);
    return unbroadcast_static(g, dy, to);
}

static const Node *to_operand(const Gradient *g, uint32_t i, const Node *dx)
{
    return gradient_unbroadcast(g, dx, arg(g, i)->type);
}

/* -- element by element --------------------------------------------------- */

/* y = a + b   =>   da = sum~ dy,  db = sum~ dy */
static const Node *gradient_add(const Gradient *g, uint32_t i)
{
    return to_operand(g, i, g->dy);
}

/* y = a - b   =>   da = sum~ dy,  db = -sum~ dy */
static const Node *gradient_sub(const Gradient *g, uint32_t i)
{
    const Node *sum = to_operand(g, i, g->dy);
    return i == 0 ? sum : scaled(g, sum, -1);
}

/* y = a b   =>   da = sum~ dy b,  db = sum~ dy a */
static const Node *gradient_mul(const Gradient *g, uint32_t i)
{
    return to_operand(g, i, binary(g, OP_mul, g->dy, arg(g, 1 - i)));
}

/* y = a / b   =>   da = sum~ dy / b,  db = -sum~ dy y / b */
static const Node *gradient_div(const Gradient *g, uint32_t i)
{
    if (i == 0)
        return to_operand(g, 0, binary(g, OP_div, g->dy, arg(g, 1)));
    const Node *share = binary(g, OP_div, binary(g, OP_mul, g->dy, g->node), arg(g, 1));
    return scaled(g, to_operand(g, 1, share), -1);
}

/* dy where the mask says so for operand 0, and elsewhere for operand 1; summed */
static const Node *chosen(const Gradient *g, const Node *mask, uint32_t i,
                          uint32_t operand)
{
    const Node *zero = number(g, 0);
    const Node *args[] = {mask, i == 0 ? g->dy : zero, i == 0 ? zero : g->dy};
    if (!mask)
        return NULL;
    return to_operand(g, operand,
                      make(g, (NodeSpec){.op = OP_select, .args = args, .arg_count = 3}));
}

/* y = max(a, b)   =>   da = sum~ [a > b] dy,  db = sum~ (1 - [a > b]) dy */
static const Node *gradient_maximum(const Gradient *g, uint32_t i)
{
    return chosen(g, binary(g, OP_greater, arg(g, 0), arg(g, 1)), i, i);
}

/* y = min(a, b)   =>   da = sum~ [b > a] dy,  db = sum~ (1 - [b > a]) dy */
static const Node *gradient_minimum(const Gradient *g, uint32_t i)
{
    return chosen(g, binary(g, OP_greater, arg(g, 1), arg(g, 0)), i, i);
}

/* y = m ? a : b   =>   da = sum~ (m ? dy : 0),  db = sum~ (m ? 0 : dy) */
static const Node *gradient_select(const Gradient *g, uint32_t i)
{
    return i == 0 ? NULL : chosen(g, arg(g, 0), i - 1, i);
}

/* y = e^x   =>   dx = dy y */
static const Node *gradient_exp(const Gradient *g, uint32_t i)
{
    (void)i;
    return binary(g, OP_mul, g->dy, g->node);
}

/* y = log x   =>   dx = dy / x */
static const Node *gradient_log(const Gradient *g, uint32_t i)
{
    return binary(g, OP_div, g->dy, arg(g, i));
}

/* y = tanh x   =>   dx = dy (1 - y^2) */
static const Node *gradient_tanh(const Gradient *g, uint32_t i)
{
    (void)i;
    const Node *square = binary(g, OP_mul, g->node, g->node);
    return binary(g, OP_mul, g->dy, binary(g, OP_sub, number(g, 1), square));
}

/* y = erf x   =>   dx = dy 2/sqrt(pi) e^(-x^2) */
static const Node *gradient_erf(const Gradient *g, uint32_t i)
{
    const Node *square = binary(g, OP_mul, arg(g, i), arg(g, i));
    const Node *bell = unary(g, OP_exp, scaled(g, square, -1));
    return binary(g, OP_mul, g->dy, scaled(g, bell, 2 / sqrt(acos(-1))));
}

/* y = sqrt x   =>   dx = dy / (2 y) */
static const Node *gradient_sqrt(const Gradient *g, uint32_t i)
{
    (void)i;
    return binary(g, OP_div, scaled(g, g->dy, 0.5), g->node);
}

/* y = x^(-1/2)   =>   dx = -1/2 dy y^3 */
static const Node *gradient_rsqrt(const Gradient *g, uint32_t i)
{
    (void)i;
    const Node *cube = binary(g, OP_mul, binary(g, OP_mul, g->node, g->node), g->node);
    return binary(g, OP_mul, g->dy, scaled(g, cube, -0.5));
}

/* y = m x / (1 - p)   =>   dx = m dy / (1 - p): the same mask, by the same salt and
 * rows */
static const Node *gradient_dropout(const Gradient *g, uint32_t i)
{
    (void)i;
    return one_arg(g, OP_dropout, &g->node->attr, g->dy);
}

/* y = x repeated   =>   dx = sum~ dy */
static const Node *gradient_expand(const Gradient *g, uint32_t i)
{
    return to_operand(g, i, g->dy);
}

/* -- reductions and layout ------------------------------------------------ */

/* y_r = sum_c x_rc   =>   dx_rc = dy_r */
static const Node *gradient_sum_width(const Gradient *g, uint32_t i)
{
    return graph_expand(g->graph, g->site, g->dy, arg(g, i)->type);
}

/* y_r = max_c x_rc, reached at n_r columns  =>  dx_rc = dy_r / n_r there, 0 elsewhere */
static const Node *gradient_max_width(const Gradient *g, uint32_t i)
{
    const Node *is_less = binary(g, OP_greater, g->node, arg(g, i));
    const Node *counted[] = {is_less, number(g, 0), number(g, 1)};
    const Node *reached =
        make(g, (NodeSpec){.op = OP_select, .args = counted, .arg_count = 3});
    const Node *share = binary(g, OP_div, g->dy, unary(g, OP_sum_width, reached));
    const Node *args[] = {is_less, number(g, 0), share};
    return share ? make(g, (NodeSpec){.op = OP_select, .args = args, .arg_count = 3})
                 : NULL;
}

/* y_c = sum_r x_rc   =>   dx_rc = dy_c */
static const Node *gradient_sum_rows(const Gradient *g, uint32_t i)
{
    return graph_expand(g->graph, g->site, g->dy, arg(g, i)->type);
}

static const Node *gradient_reshape(const Gradient *g, uint32_t i)
{
    return reshaped(g, g->dy, arg(g, i)->type);
}

/* y's dimension d is x's s(d)   =>   dx's dimension s(d) is dy's d */
static const Node *gradient_permute(const Gradient *g, uint32_t i)
{
    (void)i;
    uint32_t rank = g->dy->type.rank, target[TYPE_MAX_RANK] = {0};
    int64_t order = g->node->attr.permute.order;
    for (uint32_t d = rank; d-- > 0; order /= 10)
        target[order % 10] = d;
    OpAttr attr = {.permute.order = 0};
    for (uint32_t d = 0; d < rank; d++)
        attr.permute.order = 10 * attr.permute.order + target[d];
    return one_arg(g, OP_permute, &attr, g->dy);
}

/* y has the columns of x from s on   =>   dx is dy there, 0 elsewhere */
static const Node *gradient_slice(const Gradient *g, uint32_t i)
{
    OpAttr attr = {.columns = {.start = g->node->attr.columns.start,
                               .count = type_width(arg(g, i)->type)}};
    return one_arg(g, OP_pad, &attr, g->dy);
}

/* y is x from column s on, 0 elsewhere   =>   dx has those columns of dy */
static const Node *gradient_pad(const Gradient *g, uint32_t i)
{
    OpAttr attr = {.columns = {.start = g->node->attr.columns.start,
                               .count = type_width(arg(g, i)->type)}};
    return one_arg(g, OP_slice, &attr, g->dy);
}

/* As accurate as the product whose gradient it is. */
static const Node *product(const Gradient *g, const Node *a, bool transpose_a,
                           const Node *b, bool transpose_b)
{
    OpAttr attr = g->node->attr;
    attr.matmul.transpose_a = transpose_a;
    attr.matmul.transpose_b = transpose_b;
    const Node *args[] = {a, b};
    return make(g,
                (NodeSpec){.op = OP_matmul, .attr = &attr, .args = args, .arg_count = 2});
}

/* With A the left factor (a or a^T) and B the right one: Y = A B   =>   dA = dY B^T,  dB
 * = A^T dY;  and the transposes of these for a^T and b^T. */
static const Node *gradient_matmul(const Gradient *g, uint32_t i)
{
    const Node *a = arg(g, 0), *b = arg(g, 1);
    bool ta = g->node->attr.matmul.transpose_a, tb = g->node->attr.matmul.transpose_b;
    if (i == 0)
        return ta ? product(g, b, tb, g->dy, true) : product(g, g->dy, false, b, !tb);
    return tb ? product(g, g->dy, true, a, ta) : product(g, a, !ta, g->dy, false);
}

/* -- rows by index, axes -------------------------------------------------- */

/* y_r = table_index(r)   =>   dtable_k = sum over r with index(r) = k of dy_r */
static const Node *gradient_gather(const Gradient *g, uint32_t i)
{
    if (i != 0)
        return NULL;
    OpAttr attr = {.scatter.rows = arg(g, 0)->type.dims[0]};
    const Node *args[] = {arg(g, 1), g->dy};
    return make(
        g, (NodeSpec){.op = OP_scatter_add, .attr = &attr, .args = args, .arg_count = 2});
}

/* y_k = sum over r with index(r) = k of x_r   =>   dx_r = dy_index(r) */
static const Node *gradient_scatter_add(const Gradient *g, uint32_t i)
{
    return i == 0 ? NULL : binary(g, OP_gather, g->dy, arg(g, 0));
}

/* y = a, then b   =>   da = the first part of dy, db = the second */
static const Node *gradient_join(const Gradient *g, uint32_t i)
{
    OpAttr attr = {.part = {.axis = arg(g, i)->type.axis, .index = i}};
    return one_arg(g, OP_part, &attr, g->dy);
}

/* y = one part of x   =>   dx = dy in that part, zeros in the other */
static const Node *gradient_part(const Gradient *g, uint32_t i)
{
    int32_t axis = arg(g, i)->type.axis;
    int64_t index = g->node->attr.part.index;
    Type other =
        type_rows(DTYPE_f32, g->graph->axes[axis].of[1 - index], type_width(g->dy->type));
    const Node *nothing = zeros(g, other);
    const Node *args[] = {index == 0 ? g->dy : nothing, index == 0 ? nothing : g->dy};
    OpAttr attr = {.join.axis = axis};
    return nothing ? make(g,
                          (NodeSpec){
                              .op = OP_join, .attr = &attr, .args = args, .arg_count = 2})
                   : NULL;
}

/* y_r = x_sequence(r)   =>   dx_s = sum over the rows of s of dy_r */
static const Node *gradient_spread(const Gradient *g, uint32_t i)
{
    (void)i;
    return unary(g, OP_sum_sequence, g->dy);
}

/* y_s = sum over the rows of s of x_r   =>   dx_r = dy_sequence(r) */
static const Node *gradient_sum_sequence(const Gradient *g, uint32_t i)
{
    OpAttr attr = {.on_axis.axis = arg(g, i)->type.axis};
    return one_arg(g, OP_spread, &attr, g->dy);
}

/* y_o = columns of x where window o lies   =>   dx = sum of dy_o there; and the other way
 * around */
static const Node *moved_windows(const Gradient *g, OpKind op)
{
    OpAttr attr = g->node->attr;
    attr.window.axis = arg(g, 0)->type.axis;
    return one_arg(g, op, &attr, g->dy);
}

static const Node *gradient_patches(const Gradient *g, uint32_t i)
{
    (void)i;
    return moved_windows(g, OP_add_patches);
}

static const Node *gradient_add_patches(const Gradient *g, uint32_t i)
{
    (void)i;
    return moved_windows(g, OP_patches);
}

/* -- attention and the vocabulary: the mathematics is with the kernels ---- */

/* Operands of the forward node with dy put in after the third. */
static const Node *with_dy(const Gradient *g, OpKind op)
{
    const Node *args[] = {arg(g, 0), arg(g, 1), arg(g, 2), g->dy, NULL};
    uint32_t count = 4;
    if (g->node->arg_count > 3)
        args[count++] = arg(g, 3);
    return make(
        g,
        (NodeSpec){.op = op, .attr = &g->node->attr, .args = args, .arg_count = count});
}

/* P = softmax(q k^T + bias), y = P v; with dP = dy v^T and dS = P (dP - sum of the row of
 * P dP): dq = dS k,  dk = dS^T q,  dv = P^T dy,  dtable_bucket = sum of dS where the
 * bucket is used */
static const Node *gradient_attention(const Gradient *g, uint32_t i)
{
    static const OpKind ops[] = {OP_attention_dq, OP_attention_dk, OP_attention_dv,
                                 OP_attention_dtable};
    return with_dy(g, ops[i]);
}

/* D = (softmax(x table^T + bias) - one-hot(label)) dy:
 * dx = D table,  dtable = D^T x,  dbias = sum of D over rows */
static const Node *gradient_cross_entropy(const Gradient *g, uint32_t i)
{
    static const OpKind ops[] = {OP_cross_entropy_dx, OP_cross_entropy_dtable, OP_COUNT,
                                 OP_cross_entropy_dbias};
    return ops[i] == OP_COUNT ? NULL : with_dy(g, ops[i]);
}

/* -- the table ------------------------------------------------------------ */

/* The result moves in steps, or not at all. */
static const Node *gradient_zero(const Gradient *g, uint32_t i)
{
    (void)g;
    (void)i;
    return NULL;
}

/* The model asks for zero. */
static const Node *gradient_stopped(const Gradient *g, uint32_t i)
{
    return gradient_zero(g, i);
}

/* A trained parameter lies behind an op that cannot be differentiated. */
static const Node *gradient_none(const Gradient *g, uint32_t i)
{
    if (g->graph->diags)
        diag_error(g->graph->diags, g->site.loc,
                   "%s has no gradient, but a parameter reaches its operand '%s'",
                   op_info(g->node->op)->name, op_info(g->node->op)->arg_names[i]);
    return NULL;
}

static GradientRule *const rules[OP_COUNT] = {
#define OP(name, args, attrs, shape, gradient, ...) [OP_##name] = gradient_##gradient,
#include "ir/ops.def"
};

const Node *gradient_of(const Gradient *g, uint32_t i)
{
    const Node *dx = rules[g->node->op](g, i);
    assert(!dx || type_equal(dx->type, arg(g, i)->type));
    return dx;
}
