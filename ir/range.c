/* Ranges of integers, by interval arithmetic in one walk over the nodes; a rule per op,
 * named by ir/ops.def. */
#include "ir/range.h"

#include <inttypes.h>
#include <string.h>

#include "ir/liveness.h"
#include "ir/lowering.h"
#include "ir/verify_fault.h"

/* -- what is indexed --------------------------------------------------------------- */

static bool is_result(const char *name)
{
    return strcmp(name, "result") == 0;
}

int64_t indexed_rows(const Node *node, uint32_t arg)
{
    const char *of = op_info(node->op)->arg_indexes[arg];
    if (!of)
        return -1;
    return type_static_rows(is_result(of) ? node->type
                                          : node->args[op_find_arg(node->op, of)]->type);
}

/* -- limits of inputs -------------------------------------------------------------- */

/* A view or a site hands its operand's numbers on. */
static const Node *handed_on(const Node *node)
{
    if (node_is_view(node))
        return node->args[0];
    return node->op == OP_site ? node->args[1] : NULL;
}

static void limit(int64_t *limits, const Node *node, int64_t most)
{
    if (most < limits[node->id])
        limits[node->id] = most;
}

int64_t *index_limits(const Graph *graph, Arena *arena)
{
    int64_t *limits = ARENA_ARRAY(arena, int64_t, graph->node_count + 1);
    for (uint32_t i = 0; i < graph->node_count; i++)
        limits[i] = INT64_MAX;
    for (uint32_t i = graph->node_count; i-- > 0;) {
        const Node *node = graph->nodes[i], *from = handed_on(node);
        if (from)
            limit(limits, from, limits[i]);
        for (uint32_t arg = 0; arg < node->arg_count; arg++)
            if (op_info(node->op)->arg_indexes[arg])
                limit(limits, node->args[arg], indexed_rows(node, arg));
    }
    return limits;
}

/* -- the rules --------------------------------------------------------------------- */

/* What a rule sees: the node, and by node id the limits of all and the ranges so far. */
typedef struct Ranges {
    const Graph *graph;
    const int64_t *limits;
    const Range *ranges;
} Ranges;

typedef Range RangeRule(const Ranges *known, const Node *node);

static int64_t times(int64_t a, int64_t b)
{
    int64_t product;
    if (!__builtin_mul_overflow(a, b, &product))
        return product;
    return (a < 0) == (b < 0) ? INT64_MAX : INT64_MIN;
}

static int64_t plus(int64_t a, int64_t b)
{
    int64_t sum;
    if (!__builtin_add_overflow(a, b, &sum))
        return sum;
    return a < 0 ? INT64_MIN : INT64_MAX;
}

static Range range_any(const Ranges *known, const Node *node)
{
    (void)known, (void)node;
    return (Range){INT32_MIN, INT32_MAX};
}

static Range range_handed_on(const Ranges *known, const Node *node)
{
    return known->ranges[handed_on(node)->id];
}

/* Batches are held to what indexes with them. */
static Range range_input(const Ranges *known, const Node *node)
{
    int64_t limit = known->limits[node->id];
    if (limit == INT64_MAX)
        return range_any(known, node);
    return (Range){0, limit <= INT32_MAX ? limit - 1 : INT32_MAX};
}

/* offset + scale * ((place / quotient) mod modulus), place from 0 to longest - 1 */
static Range range_position(const Ranges *known, const Node *node)
{
    int64_t scale = node->attr.position.scale, offset = node->attr.position.offset;
    int64_t last = (known->graph->axes[node->attr.position.axis].longest - 1) /
                   node->attr.position.quotient;
    if (node->attr.position.modulus != 0 && last >= node->attr.position.modulus)
        last = node->attr.position.modulus - 1;
    int64_t end = plus(offset, times(scale, last));
    return offset < end ? (Range){offset, end} : (Range){end, offset};
}

static Range range_vocab_argmax(const Ranges *known, const Node *node)
{
    (void)known;
    return (Range){0, type_static_rows(node->args[1]->type) - 1};
}

static RangeRule *const rules[OP_COUNT] = {
#define OP(name, args, attrs, shape, gradient, range, ...) [OP_##name] = range_##range,
#include "ir/ops.def"
};

Range *ranges_of(const Graph *graph, Arena *arena)
{
    const int64_t *limits = index_limits(graph, arena);
    Range *ranges = ARENA_ARRAY(arena, Range, graph->node_count + 1);
    Ranges known = {graph, limits, ranges};
    for (uint32_t i = 0; i < graph->node_count; i++)
        if (graph->nodes[i]->type.dtype == DTYPE_i32)
            ranges[i] = rules[graph->nodes[i]->op](&known, graph->nodes[i]);
    return ranges;
}

/* -- the check --------------------------------------------------------------------- */

enum { TEXT = 160 };

/* "position on axis 'text', whose longest sequence has 400 rows" */
static void print_origin(const Graph *graph, const Node *node, char *text)
{
    while (handed_on(node))
        node = handed_on(node);
    if (node->op == OP_position) {
        const Axis *axis = &graph->axes[node->attr.position.axis];
        snprintf(text, TEXT, "position on axis '%s', of %" PRId64 " rows at most",
                 axis->name, axis->longest);
    } else if (node->op == OP_vocab_argmax) {
        const Node *table = storage_node(node->args[1]);
        bool is_source = node_is_source(table);
        snprintf(text, TEXT, "vocab_argmax over table %s%s%s of %" PRId64 " rows",
                 is_source ? "'" : "", is_source ? table->attr.named.name : "",
                 is_source ? "'" : op_info(table->op)->name,
                 type_static_rows(node->args[1]->type));
    } else {
        snprintf(text, TEXT, "%s", op_info(node->op)->name);
    }
}

static void print_table(const Node *node, const char *of, char *text)
{
    const Node *table = is_result(of) ? NULL : node->args[op_find_arg(node->op, of)];
    const Node *storage = table ? storage_node(table) : NULL;
    if (storage && node_is_source(storage) && storage->op != OP_constant)
        snprintf(text, TEXT, "%s '%s'", of, storage->attr.named.name);
    else
        snprintf(text, TEXT, "%s", of);
}

static bool verify_index(const Graph *graph, const Node *node, uint32_t arg, Range range,
                         Diags *diags)
{
    int64_t rows = indexed_rows(node, arg);
    if (range.least >= 0 && range.most < rows)
        return true;
    char origin[TEXT], table[TEXT];
    print_origin(graph, node->args[arg], origin);
    print_table(node, op_info(node->op)->arg_indexes[arg], table);
    return verify_fault(
        graph, node, diags, "%s may be %" PRId64 " (%s), but its %s has %" PRId64 " rows",
        op_info(node->op)->arg_names[arg], range.most < rows ? range.least : range.most,
        origin, table, rows);
}

static bool verify_node_ranges(const Graph *graph, const Node *node, const Range *ranges,
                               Diags *diags)
{
    Range range = ranges[node->id];
    if (node->type.dtype == DTYPE_i32 &&
        (range.least < INT32_MIN || range.most > INT32_MAX)) {
        char origin[TEXT];
        print_origin(graph, node, origin);
        return verify_fault(graph, node, diags,
                            "may be %" PRId64 " (%s), which 32 bits do not hold",
                            range.most > INT32_MAX ? range.most : range.least, origin);
    }
    bool ok = true;
    for (uint32_t arg = 0; arg < node->arg_count; arg++)
        if (op_info(node->op)->arg_indexes[arg])
            ok &= verify_index(graph, node, arg, ranges[node->args[arg]->id], diags);
    return ok;
}

bool verify_ranges(const Graph *graph, Diags *diags)
{
    Arena *arena = arena_new();
    const Range *ranges = ranges_of(graph, arena);
    bool ok = true;
    for (uint32_t i = 0; i < graph->node_count; i++)
        ok &= verify_node_ranges(graph, graph->nodes[i], ranges, diags);
    arena_free(arena);
    return ok;
}
