#include "runtime/exec/parts.h"

#include "ir/axis.h"
#include "ir/liveness.h"
#include "runtime/lanes/spin.h"

/* -- sharing ------------------------------------------------------------------------- */

static bool is_on(const Node *node, int32_t axis)
{
    return type_is_ragged(node->type) && node->type.axis == axis;
}

static bool reads(const Node *node, int32_t axis)
{
    for (uint32_t i = 0; i < node->arg_count; i++)
        if (is_on(node->args[i], axis))
            return true;
    return false;
}

/* Each query over all rows, whatever other queries there are. */
static bool sees_all(const Node *node, int32_t axis)
{
    enum { QUERIES, KEYS, VALUES, OPERANDS };
    return node->op == OP_attention && node->arg_count == OPERANDS &&
           !node->attr.attention.causal && node->attr.attention.dropout <= 0 &&
           !is_on(node->args[QUERIES], axis) && is_on(node->args[KEYS], axis) &&
           is_on(node->args[VALUES], axis);
}

static bool makes_axis(const Graph *graph, int32_t axis)
{
    for (uint32_t a = 0; a < graph->axis_count; a++)
        for (uint32_t i = 0; i < axis_part_count(&graph->axes[a]); i++)
            if (graph->axes[a].of[i] == axis)
                return true;
    return false;
}

bool parts_can_share(const Graph *graph, int32_t axis)
{
    if (graph->axes[axis].kind != AXIS_KIND_primary || makes_axis(graph, axis))
        return false;
    for (uint32_t i = 0; i < graph->node_count; i++) {
        const Node *node = graph->nodes[i];
        if (is_on(node, axis) ? node->op != OP_input
                              : reads(node, axis) && !sees_all(node, axis))
            return false;
    }
    return true;
}

/* -- what is done of a call ---------------------------------------------------------- */

static bool reads_shared(const Graph *graph, const Call *call)
{
    for (uint32_t i = 0; i < call->axis_count; i++)
        if (parts_can_share(graph, call->axes[i]))
            return true;
    return false;
}

/* What has no rows, or is looked at as a whole when the call is done. */
static bool is_indivisible(const Call *call)
{
    for (uint32_t i = 0; i < call->operand_count; i++) {
        const Node *node = call->operands[i].node;
        if (call->operands[i].written &&
            (!type_is_ragged(node->type) || node->op == OP_vocab_argmax))
            return true;
    }
    return false;
}

static bool reads_packed(const Call *call)
{
    for (uint32_t i = 0; i < call->operand_count; i++)
        if (!call->operands[i].written &&
            call->operands[i].node->type.dtype == DTYPE_packed)
            return call->node->op == OP_matmul;
    return false;
}

static Reach reach_of(const Graph *graph, const Call *call)
{
    return is_indivisible(call)        ? REACH_all
           : reads_packed(call)        ? REACH_columns
           : reads_shared(graph, call) ? REACH_groups
                                       : REACH_rows;
}

Parts *parts_new(const Program *program, _Atomic int64_t *meetings, Arena *arena)
{
    const Graph *graph = program->graph;
    Parts *parts = ARENA_ARRAY(arena, Parts, 1);
    *parts = (Parts){
        .program = program, .tables = axis_tables_new(graph), .meetings = meetings};
    parts->reach = ARENA_ARRAY(arena, Reach, program->call_count);
    parts->groups = ARENA_ARRAY(arena, AxisView, graph->axis_count);
    parts->group_offsets = ARENA_ARRAY(arena, int32_t *, graph->axis_count);
    for (uint32_t c = 0; c < program->call_count; c++)
        parts->reach[c] = reach_of(graph, &program->calls[c]);
    for (uint32_t a = 0; a < graph->axis_count; a++)
        parts->group_offsets[a] =
            ARENA_ARRAY(arena, int32_t, graph->axes[AXIS_BATCH].capacity + 1);
    return parts;
}

void parts_free(Parts *parts)
{
    if (parts)
        axis_tables_free(parts->tables);
}

/* -- a micro-batch ------------------------------------------------------------------- */

/* Whole groups, as many for each lane. */
static SequenceRange share_of(SequenceRange all, int64_t group, int64_t lane,
                              int64_t lanes)
{
    int64_t groups = all.count / group, begin = groups * lane / lanes;
    int64_t end = groups * (lane + 1) / lanes;
    return (SequenceRange){all.first + begin * group, (end - begin) * group};
}

static void set_groups(Parts *parts, int64_t group)
{
    int64_t count = parts->range.count / group;
    for (uint32_t a = 0; a < parts->tables->axis_count; a++) {
        int32_t *offsets = parts->group_offsets[a];
        for (int64_t i = 0; i <= count; i++)
            offsets[i] = parts->tables->offsets[a][i * group];
        parts->groups[a] = parts->tables->views[a];
        parts->groups[a].offsets = offsets;
    }
}

static void set_contexts(Parts *parts, const LaneContext *context, int64_t group)
{
    for (int reach = 0; reach < REACH_COUNT; reach++)
        parts->contexts[reach] = *context;
    parts->contexts[REACH_rows].sequences = parts->range.count;
    parts->contexts[REACH_groups].sequences = parts->range.count / group;
    parts->contexts[REACH_columns].part = parts->lane;
    parts->contexts[REACH_columns].other_parts = parts->lanes - 1;
}

void parts_bind(Parts *parts, const BatchLayout *layout, int64_t index, uint32_t lane,
                uint32_t lanes, const LaneContext *context)
{
    int64_t group = layout_group(layout);
    SequenceRange all = layout->ranges[index];
    parts->layout = layout;
    parts->first = all.first;
    parts->lane = lane;
    parts->lanes = lanes;
    parts->met = index == 0 ? 0 : parts->met;
    parts->range = share_of(all, group, lane, lanes);
    axis_tables_set(parts->tables, layout, parts->range);
    set_groups(parts, group);
    set_contexts(parts, context, group);
}

const AxisView *parts_view(const Parts *parts, uint32_t call, int32_t axis,
                           const AxisTables *whole)
{
    switch (parts->reach[call]) {
    case REACH_rows:
        return &parts->tables->views[axis];
    case REACH_groups:
        return &parts->groups[axis];
    default:
        return &whole->views[axis];
    }
}

/* Bytes from the micro-batch's first row of a value to the lane's. */
static int64_t shift(const Parts *parts, Type type)
{
    if (!type_is_ragged(type))
        return 0;
    const int64_t *starts = parts->layout->starts[type.axis];
    return (starts[parts->range.first] - starts[parts->first]) * type_row_bytes(type);
}

void parts_place(const Parts *parts, void *const *values, const uint32_t *first,
                 void **pointers)
{
    for (uint32_t c = 0; c < parts->program->call_count; c++) {
        const Call *call = &parts->program->calls[c];
        if (parts->reach[c] != REACH_rows && parts->reach[c] != REACH_groups)
            continue;
        for (uint32_t i = 0; i < call->operand_count; i++) {
            const Node *node = storage_node(call->operands[i].node);
            pointers[first[c] + i] = (char *)values[node->id] + shift(parts, node->type);
        }
    }
}

bool parts_does(const Parts *parts, uint32_t call)
{
    if (!parts)
        return true;
    switch (parts->reach[call]) {
    case REACH_columns:
        return true;
    case REACH_all:
        return parts->lane == 0;
    default:
        return parts->range.count > 0;
    }
}

bool parts_is_first(const Parts *parts)
{
    return !parts || parts->lane == 0;
}

void parts_meet(Parts *parts)
{
    if (!parts || parts->lanes < 2)
        return;
    atomic_fetch_add_explicit(parts->meetings, 1, memory_order_acq_rel);
    parts->met += parts->lanes;
    spin_until(parts->meetings, parts->met);
}
