/* Every op counts for the axis that it goes over: that of its result, else the one that
 * it sums. Row-local ops count by their operations alone, for they are fused and small
 * beside products; fields of the batch by their bytes. */
#include "ir/roofline.h"

#include "ir/cost.h"
#include "ir/frozen.h"
#include "ir/liveness.h"
#include "ir/lowering.h"

/* Of one core: products of many rows on AVX-512 or tiles, at the slower of both where
 * they differ, and reading from memory. */
static const double FLOP_RATE[PRECISION_COUNT] = {
    [PRECISION_highest] = 140e9,
    [PRECISION_high] = 300e9,
    [PRECISION_medium] = 600e9,
    [PRECISION_int8] = 500e9,
};
static const double BYTE_RATE = 10e9;

static double flop_rate(const Node *node)
{
    const AttrField *field = op_field_of(node->op, ATTR_precision);
    const attr_precision *precision =
        field ? (const void *)((const char *)&node->attr + field->offset) : NULL;
    return FLOP_RATE[precision ? *precision : PRECISION_highest];
}

static int32_t axis_of(const Node *node)
{
    if (type_is_ragged(node->type))
        return node->type.axis;
    for (uint32_t i = 0; i < node->arg_count; i++)
        if (type_is_ragged(node->args[i]->type))
            return node->args[i]->type.axis;
    return AXIS_STATIC;
}

static double static_bytes(Type type)
{
    return (double)type_static_rows(type) * (double)type_row_bytes(type);
}

static double row_seconds(const Graph *graph, const Node *node, const int64_t *rows,
                          int32_t axis)
{
    double seconds = node_flops(graph, node, rows) / flop_rate(node) / (double)rows[axis];
    if (node_is_field(node))
        seconds += (double)type_row_bytes(node->type) / BYTE_RATE;
    return seconds;
}

/* Integers are a byte each. */
static double factor_bytes(const Node *product, const Node *value)
{
    const AttrField *field = op_field_of(product->op, ATTR_precision);
    const void *at = (const char *)&product->attr + (field ? field->offset : 0);
    bool is_int8 = field && *(const attr_precision *)at == PRECISION_int8;
    return is_int8 ? (double)type_static_elements(value->type)
                   : static_bytes(value->type);
}

/* Bytes of parameters, and of what follows from frozen ones, that a node reads, all of
 * each; tables of which rows are picked are read as far as they are picked. */
static double bytes_read(const Node *node, const bool *frozen)
{
    double bytes = 0;
    if (op_info(node->op)->traits & TRAIT_PICKS)
        return 0;
    for (uint32_t i = 0; i < node->arg_count; i++) {
        const Node *value = storage_node(node->args[i]);
        if ((node_is_param(value) || frozen[value->id]) && !node_is_view(node))
            bytes += factor_bytes(node, value);
    }
    return bytes;
}

/* A gradient is made, and read with its sum, which is written. */
static double gradient_bytes(const Graph *graph)
{
    double bytes = 0;
    for (uint32_t i = 0; i < graph->output_count; i++)
        if (graph->outputs[i].role == OUTPUT_gradient)
            bytes += 4 * static_bytes(graph->outputs[i].value->type);
    return bytes;
}

Roofline graph_roofline(const Graph *graph, Arena *arena)
{
    Roofline out = {.once_bytes = gradient_bytes(graph),
                    .row = ARENA_ARRAY(arena, double, graph->axis_count)};
    const int64_t *longest = axis_rows_of_longest_sequence(graph, arena);
    const bool *frozen = frozen_nodes(graph, arena);
    for (uint32_t i = 0; i < graph->node_count; i++) {
        const Node *node = graph->nodes[i];
        if (frozen[i])
            continue;
        int32_t axis = axis_of(node);
        out.once_bytes += bytes_read(node, frozen);
        if (axis != AXIS_STATIC && longest[axis] > 0)
            out.row[axis] += row_seconds(graph, node, longest, axis);
    }
    out.once = out.once_bytes / BYTE_RATE;
    return out;
}

int64_t microbatches_wanted(int64_t fewest, int64_t lanes, int64_t most)
{
    int64_t of = lanes > 1 ? lanes : 1, wanted = (fewest + of - 1) / of * of;
    if (wanted > most)
        wanted = most;
    return wanted > fewest ? wanted : fewest;
}
