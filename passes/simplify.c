/* Folds, shares and drops nodes. The catalogue below lists every pattern; c is a number,
 * f any op.
 *
 * A node is built over its simplified operands, then replaced by what the first fitting
 * pattern answers, until none fits. The laws of a pattern:
 *   - it answers with a value that exists, or with one new node over values that exist;
 *   - termination: the answer weighs less, where a value weighs as many ops as make it,
 * as a tree, numbers weighing nothing; or it weighs the same and has fewer operands out
 * of order;
 *   - it never reassociates: values stay the same bit by bit, but for the sign of a zero.
 * Numbers are f32; their formulas are computed in double precision and rounded once, as
 * in the interpreter.
 *
 * Equal nodes of a stage become one because builders share. What nothing needs any more
 * vanishes in a second walk. */
#include <inttypes.h>
#include <math.h>

#include "passes/pass.h"
#include "ir/lowering.h"
#include "passes/rewrite.h"

/* The value of `y`, a node of `graph`; NULL if the pattern does not fit. */
typedef const Node *PatternFn(Graph *graph, const Node *y);

enum { ANY = OP_COUNT };

/* clang-format off */
/*            op, function        pattern */
#define CATALOGUE(PATTERN)                                                             \
    PATTERN(ANY, numbers,         "f(c1, ...) = c")                                    \
    PATTERN(ANY, operand_order,   "a f b = b f a where f commutes: numbers last")       \
    PATTERN(ANY, drop_expand,     "f(expand x, y) = f(x, y) where the type stays")     \
    PATTERN(OP_add, add_zero,     "x + 0 = x")                                         \
    PATTERN(OP_add, add_negative, "x + -1 y = x - y, and the other way round")         \
    PATTERN(OP_sub, sub_zero,     "x - 0 = x")                                         \
    PATTERN(OP_sub, sub_negative, "x - -1 y = x + y")                                  \
    PATTERN(OP_mul, times_one,    "x 1 = x")                                           \
    PATTERN(OP_div, times_one,    "x / 1 = x")                                         \
    PATTERN(OP_maximum, same,     "max(x, x) = x")                                     \
    PATTERN(OP_minimum, same,     "min(x, x) = x")                                     \
    PATTERN(OP_dropout, keep_all, "dropout(x, p = 0) = x")                             \
    PATTERN(OP_stop_gradient, stopped, "stop_gradient x = x where none will be made")  \
    PATTERN(OP_expand, no_change, "expand x to x's type = x")                          \
    PATTERN(OP_expand, twice,     "expand(expand x) = expand x")                       \
    PATTERN(OP_reshape, no_change, "reshape x to x's type = x")                        \
    PATTERN(OP_reshape, twice,    "reshape(reshape x) = reshape x")                    \
    PATTERN(OP_permute, in_order, "permute x to the order it has = x")                 \
    PATTERN(OP_permute, permute_twice, "permute(permute x) = permute x")               \
    PATTERN(OP_sum_width, no_change, "sum over a width of 1 = x")                      \
    PATTERN(OP_max_width, no_change, "maximum over a width of 1 = x")                  \
    PATTERN(OP_select, select_same, "m ? x : x = x")                                   \
    PATTERN(OP_select, select_known, "[c1 > c2] ? x : y = x or y")                     \
    PATTERN(OP_select, select_nested, "m ? (m ? x : y) : z = m ? x : z, likewise below") \
    PATTERN(OP_part, part_of_join, "the first part of join(x, y) = x, the second y")
/* clang-format on */

/* -- asking --------------------------------------------------------------- */

static BuildSite site_of(const Node *node)
{
    return (BuildSite){node->loc, node->stage};
}

/* Whether every element of `x` is one number. */
static bool is_number(const Node *x, float *out_value)
{
    while (x->op == OP_expand)
        x = x->args[0];
    if (x->op != OP_constant)
        return false;
    *out_value = (float)x->attr.constant.value;
    return true;
}

static bool equals_number(const Node *x, float value)
{
    float number;
    return is_number(x, &number) && number == value;
}

/* y of -1 y, or NULL. */
static const Node *negated(const Node *x)
{
    return x->op == OP_mul && equals_number(x->args[1], -1) &&
                   type_equal(x->type, x->args[0]->type)
               ? x->args[0]
               : NULL;
}

/* -- numbers -------------------------------------------------------------- */

typedef double Formula(const double *args);

#define UNARY(name, formula)                                                             \
    static double formula_##name(const double *args)                                     \
    {                                                                                    \
        double x = args[0];                                                              \
        return formula;                                                                  \
    }
#define BINARY(name, formula)                                                            \
    static double formula_##name(const double *args)                                     \
    {                                                                                    \
        double a = args[0], b = args[1];                                                 \
        return formula;                                                                  \
    }
#define TERNARY(name, formula)                                                           \
    static double formula_##name(const double *args)                                     \
    {                                                                                    \
        double mask = args[0], a = args[1], b = args[2];                                 \
        return formula;                                                                  \
    }
#define PLACED(name) static Formula *const formula_##name = NULL;
#include "ir/formulas.def"

/* NULL: the op is not for numbers. */
static Formula *formula_of(OpKind op)
{
    switch (op) {
#define CLASS_map(name)                                                                  \
    case OP_##name:                                                                      \
        return formula_##name;
#define CLASS_other(name)                                                                \
    case OP_##name:                                                                      \
        return NULL;
#include "ir/class_ops.def"
    case OP_COUNT:
        break;
    }
    return NULL;
}

/* Results that are not finite stay what they are, to be found where they are computed. */
static const Node *numbers(Graph *graph, const Node *y)
{
    Formula *formula = formula_of(y->op);
    double values[3];
    if (!formula || !type_equal(y->type, TYPE_SCALAR))
        return NULL;
    for (uint32_t i = 0; i < y->arg_count; i++) {
        float value;
        if (y->args[i]->op != OP_constant || !is_number(y->args[i], &value))
            return NULL;
        values[i] = (double)value;
    }
    float result = (float)formula(values);
    return isfinite(result) ? graph_constant(graph, site_of(y), (double)result) : NULL;
}

/* -- operands ------------------------------------------------------------- */

static const Node *operand_order(Graph *graph, const Node *y)
{
    if (!(op_info(y->op)->traits & TRAIT_COMMUTES))
        return NULL;
    const Node *a = y->args[0], *b = y->args[1];
    bool a_number = a->op == OP_constant, b_number = b->op == OP_constant;
    bool in_order = a_number == b_number ? a->id <= b->id : b_number;
    return in_order ? NULL : graph_binary(graph, site_of(y), y->op, b, a);
}

static const Node *drop_expand(Graph *graph, const Node *y)
{
    const Node *args[3];
    if (!node_is_map(y) || y->arg_count < 2 || y->arg_count > 3)
        return NULL;
    for (uint32_t i = 0; i < y->arg_count; i++) {
        for (uint32_t j = 0; j < y->arg_count; j++)
            args[j] = y->args[j];
        if (args[i]->op != OP_expand)
            continue;
        args[i] = args[i]->args[0];
        const Node *tight = graph_node(graph, site_of(y), node_spec(y, args));
        if (tight && type_equal(tight->type, y->type))
            return tight;
    }
    return NULL;
}

/* -- algebra -------------------------------------------------------------- */

/* Operand `i` as the value of `y`, which may be wider. */
static const Node *as_result(Graph *graph, const Node *y, uint32_t i)
{
    return graph_expand(graph, site_of(y), y->args[i], y->type);
}

static const Node *add_zero(Graph *graph, const Node *y)
{
    if (equals_number(y->args[1], 0))
        return as_result(graph, y, 0);
    return equals_number(y->args[0], 0) ? as_result(graph, y, 1) : NULL;
}

static const Node *sub_zero(Graph *graph, const Node *y)
{
    return equals_number(y->args[1], 0) ? as_result(graph, y, 0) : NULL;
}

/* For x 1 and x / 1, and 1 x. */
static const Node *times_one(Graph *graph, const Node *y)
{
    if (equals_number(y->args[1], 1))
        return as_result(graph, y, 0);
    bool commutes = op_info(y->op)->traits & TRAIT_COMMUTES;
    return commutes && equals_number(y->args[0], 1) ? as_result(graph, y, 1) : NULL;
}

static const Node *add_negative(Graph *graph, const Node *y)
{
    for (uint32_t i = 0; i < 2; i++) {
        const Node *term = negated(y->args[i]);
        if (term)
            return graph_binary(graph, site_of(y), OP_sub, y->args[1 - i], term);
    }
    return NULL;
}

static const Node *sub_negative(Graph *graph, const Node *y)
{
    const Node *term = negated(y->args[1]);
    return term ? graph_binary(graph, site_of(y), OP_add, y->args[0], term) : NULL;
}

static const Node *same(Graph *graph, const Node *y)
{
    (void)graph;
    return y->args[0] == y->args[1] ? y->args[0] : NULL;
}

/* Asked of graphs that will not be differentiated. */
static const Node *stopped(Graph *graph, const Node *y)
{
    (void)graph;
    return y->args[0];
}

static const Node *keep_all(Graph *graph, const Node *y)
{
    (void)graph;
    return y->attr.dropout.p == 0 ? y->args[0] : NULL;
}

/* -- layout --------------------------------------------------------------- */

static const Node *no_change(Graph *graph, const Node *y)
{
    (void)graph;
    return type_equal(y->type, y->args[0]->type) ? y->args[0] : NULL;
}

static const Node *twice(Graph *graph, const Node *y)
{
    const Node *x = y->args[0];
    return x->op == y->op ? graph_node(graph, site_of(y), node_spec(y, x->args)) : NULL;
}

/* The digit of `order` for result dimension `dim` of `rank`. */
static int64_t source_dim(int64_t order, uint32_t rank, uint32_t dim)
{
    for (uint32_t i = rank - 1; i > dim; i--)
        order /= 10;
    return order % 10;
}

static const Node *in_order(Graph *graph, const Node *y)
{
    (void)graph;
    for (uint32_t i = 0; i < y->type.rank; i++)
        if (source_dim(y->attr.permute.order, y->type.rank, i) != i)
            return NULL;
    return y->args[0];
}

static const Node *permute_twice(Graph *graph, const Node *y)
{
    const Node *x = y->args[0];
    if (x->op != OP_permute)
        return NULL;
    uint32_t rank = y->type.rank;
    OpAttr attr = {.permute.order = 0};
    for (uint32_t i = 0; i < rank; i++) {
        int64_t middle = source_dim(y->attr.permute.order, rank, i);
        attr.permute.order = 10 * attr.permute.order +
                             source_dim(x->attr.permute.order, rank, (uint32_t)middle);
    }
    return graph_node(
        graph, site_of(y),
        (NodeSpec){.op = OP_permute, .attr = &attr, .args = x->args, .arg_count = 1});
}

static const Node *part_of_join(Graph *graph, const Node *y)
{
    (void)graph;
    const Node *x = y->args[0];
    return x->op == OP_join ? x->args[y->attr.part.index] : NULL;
}

/* -- select --------------------------------------------------------------- */

static const Node *select_same(Graph *graph, const Node *y)
{
    return y->args[1] == y->args[2] ? as_result(graph, y, 1) : NULL;
}

static const Node *select_known(Graph *graph, const Node *y)
{
    const Node *mask = y->args[0];
    float a, b;
    if (mask->op != OP_greater || !is_number(mask->args[0], &a) ||
        !is_number(mask->args[1], &b))
        return NULL;
    return as_result(graph, y, a > b ? 1 : 2);
}

static const Node *select_nested(Graph *graph, const Node *y)
{
    const Node *args[] = {y->args[0], y->args[1], y->args[2]};
    for (uint32_t i = 1; i <= 2; i++) {
        if (args[i]->op != OP_select || args[i]->args[0] != y->args[0])
            continue;
        args[i] = args[i]->args[i];
        const Node *flat = graph_node(
            graph, site_of(y), (NodeSpec){.op = OP_select, .args = args, .arg_count = 3});
        if (flat && type_equal(flat->type, y->type))
            return flat;
        args[i] = y->args[i];
    }
    return NULL;
}

/* -- the walk ------------------------------------------------------------- */

typedef struct Rule {
    unsigned op;
    PatternFn *apply;
    const char *text;
} Rule;

static const Rule patterns[] = {
#define PATTERN(op, function, text) {op, function, text},
    CATALOGUE(PATTERN)
#undef PATTERN
};

enum { PATTERN_COUNT = sizeof patterns / sizeof *patterns };

typedef struct SimplifyState {
    uint32_t fired[PATTERN_COUNT];
    bool before_autodiff;
} SimplifyState;

static bool will_be_differentiated(const Graph *graph)
{
    for (uint32_t i = 0; i < graph->output_count; i++)
        if (graph->outputs[i].role == OUTPUT_gradient)
            return false;
    return graph->kind == GRAPH_train;
}

static const Node *apply_first(Graph *graph, const Node *y, SimplifyState *walk)
{
    for (size_t i = 0; i < PATTERN_COUNT; i++) {
        if ((patterns[i].op != y->op && patterns[i].op != ANY) ||
            (patterns[i].apply == stopped && walk->before_autodiff))
            continue;
        const Node *value = patterns[i].apply(graph, y);
        if (value) {
            walk->fired[i]++;
            return value;
        }
    }
    return NULL;
}

static const Node *simplify_node(Rewrite *rw, const Node *node)
{
    const Node *y = rewrite_copy(rw, node);
    for (const Node *value = y; value; value = apply_first(rw->out, y, rw->state))
        y = value;
    return y;
}

static void print_report(const Graph *before, const Graph *after, const uint32_t *fired,
                         FILE *out)
{
    fprintf(out, "simplify @%s: %" PRIu32 " -> %" PRIu32 " nodes\n", after->name,
            before->node_count, after->node_count);
    for (size_t i = 0; i < PATTERN_COUNT; i++)
        if (fired[i])
            fprintf(out, "  %6" PRIu32 "  %s\n", fired[i], patterns[i].text);
}

Graph *pass_simplify(const Graph *in, PassContext *ctx)
{
    SimplifyState walk = {.before_autodiff = will_be_differentiated(in)};
    Graph *folded = rewrite_graph(in, simplify_node, NULL, &walk);
    if (!folded)
        return NULL;
    Graph *out = rewrite_graph(folded, rewrite_copy, NULL, NULL);
    graph_free(folded);
    if (out && ctx->report)
        print_report(in, out, walk.fired, ctx->report);
    return out;
}
