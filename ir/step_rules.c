/* A rule per kind of kernel. Row kernels: one space for all values, and nothing that is
 * complete only after the last row may be read inside. Attention and the vocabulary: one
 * set of operands. Matrix products: one left operand. What moves rows is a group of its
 * own. */
#include "ir/step_rules.h"

#include <string.h>

#include "ir/liveness.h"
#include "ir/lowering.h"

static const int64_t MOST_SPACE = INT64_C(1) << 40;

/* -- the space --------------------------------------------------------------------- */

static void space_cover(RowSpace *space, Type type)
{
    if (space->width < type_width(type))
        space->width = type_width(type);
    if (type_is_ragged(type)) {
        space->axis = type.axis;
        return;
    }
    int64_t dims[TYPE_MAX_RANK];
    uint32_t rank = type.rank > space->rank ? type.rank : space->rank;
    for (uint32_t i = 0; i < rank; i++) {
        int64_t old = i + space->rank >= rank ? space->dims[i + space->rank - rank] : 1;
        int64_t new = i + type.rank >= rank ? type.dims[i + type.rank - rank] : 1;
        dims[i] = new > old ? new : old;
    }
    memcpy(space->dims, dims, rank * sizeof dims[0]);
    space->rank = rank;
}

/* What the nodes range over: results of maps, and what reductions and sums read. */
RowSpace row_space_of(const Node *const *nodes, uint32_t count)
{
    RowSpace space = {.axis = AXIS_STATIC, .width = 1};
    for (uint32_t i = 0; i < count; i++)
        space_cover(&space, node_row_space(nodes[i]));
    return space;
}

int64_t row_space_rows(const RowSpace *space)
{
    int64_t rows = 1;
    for (uint32_t i = 0; i + 1 < space->rank; i++)
        rows *= space->dims[i];
    return rows;
}

static bool is_too_large(const RowSpace *space)
{
    int64_t elements = space->width;
    for (uint32_t i = 0; space->axis == AXIS_STATIC && i + 1 < space->rank; i++)
        if (__builtin_mul_overflow(elements, space->dims[i], &elements))
            return true;
    return elements > MOST_SPACE;
}

static const char *type_refuse(const RowSpace *space, Type type)
{
    if (type.dtype == DTYPE_i32)
        return "it holds indices";
    if (type_width(type) != 1 && type_width(type) != space->width)
        return "widths differ";
    if (type_is_ragged(type))
        return type.axis == space->axis ? NULL : "row axes differ";
    if (space->axis != AXIS_STATIC)
        return type_static_rows(type) == 1 ? NULL : "rows differ";
    for (uint32_t i = 1; i < type.rank; i++) {
        int64_t dim = type.dims[type.rank - 1 - i], most = 1;
        if (i < space->rank)
            most = space->dims[space->rank - 1 - i];
        if (dim != 1 && dim != most)
            return "rows differ";
    }
    return NULL;
}

static bool has_all_rows(const RowSpace *space, Type type)
{
    if (space->axis != AXIS_STATIC)
        return type_is_ragged(type);
    return type_static_rows(type) == row_space_rows(space);
}

/* Whether a static type has the rows of another at the same places: the same dimensions
 * but for leading ones. */
static bool same_places(Type a, Type b)
{
    uint32_t least = a.rank < b.rank ? a.rank : b.rank;
    for (uint32_t i = 1; i <= least; i++)
        if (a.dims[a.rank - i] != b.dims[b.rank - i])
            return false;
    return type_static_elements(a) == type_static_elements(b);
}

/* -- row kernels ------------------------------------------------------------------- */

static const char *arg_refuse(const RowSpace *space, const Node *node, const Node *arg)
{
    const Node *storage = storage_node(arg);
    if (storage->op == OP_constant)
        return NULL;
    if (storage->group != NO_GROUP && storage->group == node->group) {
        if (node_has_fact(storage, LOWERING_COMPLETE_LAST))
            return "it reads a sum over rows that it makes";
        if (storage != arg && !same_places(storage->type, arg->type))
            return "a view changes the rows of a value inside it";
    }
    return type_refuse(space, arg->type);
}

/* What is the same in many rows is computed and written again in each of them. A number
 * alone is read before the first. */
static bool is_rewritten(const RowSpace *space, const Node *node)
{
    return !has_all_rows(space, node->type) &&
           (type_is_ragged(node->type) || type_static_elements(node->type) > 1);
}

static const char *row_node_refuse(const RowSpace *space, const Node *node, bool in_place)
{
    for (uint32_t i = 0; i < node->arg_count; i++) {
        const char *reason = arg_refuse(space, node, node->args[i]);
        if (reason)
            return reason;
    }
    if (node_has_fact(node, LOWERING_COMPLETE_LAST))
        return has_all_rows(space, node->args[0]->type)
                   ? NULL
                   : "a sum is over fewer rows than the group has";
    if (in_place && is_rewritten(space, node))
        return "a variable would be updated once per row";
    return type_refuse(space, node->type);
}

static const char *rows_refuse(const Node *const *nodes, uint32_t count,
                               const bool *in_place, const Node **out_node)
{
    RowSpace space = row_space_of(nodes, count);
    if (count > MOST_ROW_NODES)
        return "too many operations";
    if (is_too_large(&space))
        return "its rows are too many";
    for (uint32_t i = 0; i < count; i++) {
        const char *reason =
            row_node_refuse(&space, nodes[i], in_place && in_place[nodes[i]->id]);
        *out_node = nodes[i];
        if (reason)
            return reason;
    }
    return NULL;
}

/* -- kernels over one set of operands ---------------------------------------------- */

/* The operand of that name, or NULL. */
static const Node *named_arg(const Node *node, const char *name)
{
    uint32_t i = op_find_arg(node->op, name);
    return i < node->arg_count ? node->args[i] : NULL;
}

/* Two ops of one kernel take operands of one name from one place; what only one of them
 * takes may be missing in the other. */
static bool operands_agree(const Node *a, const Node *b)
{
    for (uint32_t i = 0; i < a->arg_count; i++) {
        const Node *arg = named_arg(b, op_info(a->op)->arg_names[i]);
        if (arg && arg != a->args[i])
            return false;
    }
    return true;
}

static bool reads_own(const Node *node)
{
    for (uint32_t i = 0; i < node->arg_count; i++)
        if (storage_node(node->args[i])->group == node->group)
            return true;
    return false;
}

static const char *attentions_refuse(const Node *a, const Node *b)
{
    if (a->op == OP_attention || b->op == OP_attention)
        return "attention is a group of its own";
    if (a->op == b->op)
        return "the same gradient twice";
    return a->arg_count == b->arg_count && operands_agree(a, b) &&
                   op_attr_equal(a->op, &a->attr, &b->attr)
               ? NULL
               : "gradients of different attentions";
}

static const char *logits_refuse(const Node *a, const Node *b)
{
    bool has_bias = named_arg(a, "bias") != NULL;
    return a->op != b->op && has_bias == (named_arg(b, "bias") != NULL) &&
                   operands_agree(a, b) && op_attr_equal(a->op, &a->attr, &b->attr)
               ? NULL
               : "operations over different logits";
}

typedef const char *PairRule(const Node *a, const Node *b);

/* Each against all before it: ops differ, so that there are few. */
static const char *pairs_refuse(const Node *const *nodes, uint32_t count, PairRule *rule,
                                const Node **out_node)
{
    for (uint32_t i = 0; i < count; i++) {
        *out_node = nodes[i];
        if (reads_own(nodes[i]))
            return "it reads what it makes";
        for (uint32_t j = 0; j < i; j++) {
            const char *reason = rule(nodes[j], nodes[i]);
            if (reason)
                return reason;
        }
    }
    return NULL;
}

/* -- all kernels ------------------------------------------------------------------- */

typedef const char *KernelRule(const Node *const *nodes, uint32_t count,
                               const bool *in_place, const Node **out_node);

static const char *attention_refuse(const Node *const *nodes, uint32_t count,
                                    const bool *in_place, const Node **out_node)
{
    (void)in_place;
    return pairs_refuse(nodes, count, attentions_refuse, out_node);
}

static const char *vocab_refuse(const Node *const *nodes, uint32_t count,
                                const bool *in_place, const Node **out_node)
{
    (void)in_place;
    return pairs_refuse(nodes, count, logits_refuse, out_node);
}

static const char *sides_refuse(const Node *node)
{
    for (uint32_t i = 0; i < node->arg_count; i++) {
        Type type = node->args[i]->type;
        if (type_width(type) > INT32_MAX ||
            (!type_is_ragged(type) && type_static_rows(type) > INT32_MAX))
            return "a matrix product with a side longer than 2147483647";
    }
    return NULL;
}

bool products_share_left(const Node *product)
{
    return product->attr.matmul.precision != PRECISION_int8 ||
           product->attr.matmul.transpose_b;
}

bool products_packed_alike(const Node *a, const Node *b)
{
    const Node *x = a->args[1], *y = b->args[1];
    bool is_packed = x->op == OP_pack;
    return is_packed == (y->op == OP_pack) &&
           (!is_packed || op_attr_equal(OP_pack, &x->attr, &y->attr));
}

/* Products with one left operand. */
static const char *matmul_refuse(const Node *const *nodes, uint32_t count,
                                 const bool *in_place, const Node **out_node)
{
    (void)in_place;
    for (uint32_t i = 0; i < count; i++) {
        *out_node = nodes[i];
        const char *reason = sides_refuse(nodes[i]);
        if (reason)
            return reason;
        if (reads_own(nodes[i]))
            return "it reads what it makes";
        if (nodes[i]->args[0] != nodes[0]->args[0])
            return "matrix products with different left operands";
        if (!op_attr_equal(OP_matmul, &nodes[i]->attr, &nodes[0]->attr))
            return "matrix products of different forms";
        if (!products_packed_alike(nodes[0], nodes[i]))
            return "matrix products with right operands that are packed differently";
        if (i > 0 && !products_share_left(nodes[i]))
            return "products of integers whose left operands are scaled apart";
    }
    return count <= MOST_PRODUCTS ? NULL : "too many matrix products";
}

static const char *pack_refuse(const Node *const *nodes, uint32_t count,
                               const bool *in_place, const Node **out_node)
{
    (void)in_place, (void)out_node;
    Type type = nodes[0]->type;
    if (type_width(type) > INT32_MAX || type_static_rows(type) > INT32_MAX)
        return "a packed matrix with a side longer than 2147483647";
    return count == 1 ? NULL : "a packed matrix is a group of its own";
}

static const char *move_refuse(const Node *const *nodes, uint32_t count,
                               const bool *in_place, const Node **out_node)
{
    (void)nodes, (void)in_place, (void)out_node;
    return count == 1 ? NULL : "an operation that moves rows is a group of its own";
}

static const char *none_refuse(const Node *const *nodes, uint32_t count,
                               const bool *in_place, const Node **out_node)
{
    (void)nodes, (void)count, (void)in_place, (void)out_node;
    return "no kernel runs it";
}

static KernelRule *const kernel_rules[KERNEL_COUNT] = {
#define KERNEL(name) [KERNEL_##name] = name##_refuse,
#define LOWERING(name, ...)
#include "ir/lowerings.def"
};

const char *step_refuse(const Node *const *nodes, uint32_t count, const bool *in_place,
                        const Node **out_node)
{
    KernelKind kind = node_kernel(nodes[0]);
    for (uint32_t i = 1; i < count; i++) {
        *out_node = nodes[i];
        if (node_kernel(nodes[i]) != kind)
            return "operations of different kinds";
    }
    *out_node = nodes[0];
    return kernel_rules[kind](nodes, count, in_place, out_node);
}

bool *values_in_place(const Graph *graph, Arena *arena)
{
    bool *in_place = ARENA_ARRAY(arena, bool, graph->node_count + 1);
    for (uint32_t i = 0; i < graph->output_count; i++) {
        const Node *value = storage_node(graph->outputs[i].value);
        if (graph->outputs[i].role == OUTPUT_assign && value->offset == NO_OFFSET &&
            !node_is_source(value))
            in_place[value->id] = true;
    }
    return in_place;
}
