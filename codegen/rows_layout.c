/* Row groups: the layout of every value in their space, phases, buffers and
 * description. */
#include "codegen/rows_layout.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "ir/lowering.h"
#include "ir/step_rules.h"

/* -- values -------------------------------------------------------------------- */

typedef struct RowsBuilder {
    KernelStep *step;
    Arena *arena;
    RowsLayout *layout;
    RowSpace space;
    uint32_t value_capacity;
} RowsBuilder;

/* Fills `dims`: how the value's own row follows from the group's. */
static void lay_out(const RowsBuilder *builder, RowValue *value)
{
    const RowSpace *space = &builder->space;
    Type type = value->node->type;
    if (type_is_ragged(type)) {
        value->dims[value->dim_count++] = (RowDim){1, 0, 1};
        return;
    }
    int64_t divide = 1, stride = 1;
    for (uint32_t i = 1; i < space->rank && i < type.rank; i++) {
        int64_t most = space->dims[space->rank - 1 - i],
                dim = type.dims[type.rank - 1 - i];
        RowDim *last = value->dim_count ? &value->dims[value->dim_count - 1] : NULL;
        if (dim != 1 && last && last->divide * last->modulo == divide &&
            last->stride * last->modulo == stride)
            last->modulo *= most;
        else if (dim != 1)
            value->dims[value->dim_count++] = (RowDim){divide, most, stride};
        divide *= most;
        stride *= dim;
    }
    for (uint32_t i = 0; i < value->dim_count; i++)
        if (value->dims[i].divide * value->dims[i].modulo == builder->layout->rows)
            value->dims[i].modulo = 0;
}

static uint32_t add_value(RowsBuilder *builder, RowKind kind, const Node *node)
{
    RowsLayout *layout = builder->layout;
    assert(layout->value_count < builder->value_capacity);
    RowValue *value = &layout->values[layout->value_count];
    *value =
        (RowValue){.kind = kind, .node = node, .operand = -1, .phase = -1, .buffer = -1};
    bool is_sum = kind == ROW_node && node_has_fact(node, LOWERING_COMPLETE_LAST);
    if (kind != ROW_constant && !is_sum) {
        value->wide = layout->width > 1 && type_width(node->type) == layout->width;
        lay_out(builder, value);
    }
    return layout->value_count++;
}

static uint32_t add_operand(KernelStep *step, const Node *node, bool written)
{
    for (uint32_t i = 0; i < step->operand_count && !written; i++)
        if (step->operands[i].node == node && !step->operands[i].written)
            return i;
    step->operands[step->operand_count] = (Operand){.node = node, .written = written};
    return step->operand_count++;
}

/* Index of the value of `arg` as a node of the group reads it. */
static uint32_t find_value(RowsBuilder *builder, const Node *arg)
{
    const RowsLayout *layout = builder->layout;
    const Node *storage = storage_node(arg);
    bool constant = storage->op == OP_constant;
    for (uint32_t i = 0; i < layout->value_count; i++) {
        const RowValue *value = &layout->values[i];
        if (value->kind == ROW_node || constant ? value->node == storage
                                                : value->node == arg)
            return i;
    }
    uint32_t found =
        add_value(builder, constant ? ROW_constant : ROW_input, constant ? storage : arg);
    if (!constant)
        layout->values[found].operand =
            (int32_t)add_operand(builder->step, storage, false);
    return found;
}

static void add_nodes(RowsBuilder *builder)
{
    const KernelStep *step = builder->step;
    RowValue *values = builder->layout->values;
    for (uint32_t i = 0; i < step->node_count; i++) {
        const Node *node = step->nodes[i];
        uint32_t args[3] = {0};
        uint32_t level = 0;
        for (uint32_t j = 0; j < node->arg_count; j++) {
            args[j] = find_value(builder, node->args[j]);
            const RowValue *arg = &values[args[j]];
            uint32_t after = arg->level + (arg->reduces ? 1 : 0);
            level = after > level ? after : level;
        }
        RowValue *value = &values[add_value(builder, ROW_node, node)];
        memcpy(value->args, args, sizeof args);
        value->level = level;
        value->reduces =
            op_info(node->op)->lowering == LOWER_reduce && values[args[0]].wide;
    }
}

static void add_salts(RowsBuilder *builder)
{
    KernelStep *step = builder->step;
    step->numbers = ARENA_ARRAY(builder->arena, uint32_t, step->node_count);
    uint32_t count = 0;
    for (uint32_t i = 0; i < builder->layout->value_count; i++) {
        RowValue *value = &builder->layout->values[i];
        if (value->node->op != OP_dropout || value->kind != ROW_node)
            continue;
        value->salt = count;
        step->numbers[count++] = (uint32_t)value->node->attr.dropout.salt;
    }
}

static void add_outputs(RowsBuilder *builder)
{
    KernelStep *step = builder->step;
    for (uint32_t i = 0; i < builder->layout->value_count; i++) {
        RowValue *value = &builder->layout->values[i];
        if (value->kind != ROW_node || !step->escapes[value->node->id])
            continue;
        value->operand = (int32_t)add_operand(step, value->node, true);
        value->in_place = step->in_place && step->in_place[value->node->id];
    }
}

/* -- flat groups --------------------------------------------------------------- */

static bool is_single(const RowsLayout *layout, const RowValue *value)
{
    return value->kind == ROW_constant || (value->dim_count == 0 && !value->wide) ||
           (layout->axis == AXIS_STATIC && type_static_elements(value->node->type) == 1);
}

static bool is_full(const RowsLayout *layout, const RowValue *value)
{
    Type type = value->node->type;
    if (layout->axis != AXIS_STATIC)
        return type_is_ragged(type) && type_width(type) == layout->width;
    return type_static_elements(type) == layout->rows * layout->width;
}

static bool is_flat(const RowsLayout *layout)
{
    for (uint32_t i = 0; i < layout->value_count; i++) {
        const RowValue *value = &layout->values[i];
        if (value->kind == ROW_node &&
            (!node_is_map(value->node) ||
             (op_info(value->node->op)->traits & TRAIT_ROW_INDEX)))
            return false;
        if (!is_single(layout, value) && !is_full(layout, value))
            return false;
        /* Whole vectors of bits only: 16 is the widest vector. */
        if (row_value_has_dtype(value, DTYPE_bit) && layout->width % 16 != 0)
            return false;
    }
    return layout->axis != AXIS_STATIC || layout->rows * layout->width > 1;
}

static void flatten(RowsLayout *layout)
{
    if (!is_flat(layout))
        return;
    layout->flat = true;
    for (uint32_t i = 0; i < layout->value_count; i++) {
        RowValue *value = &layout->values[i];
        value->wide = !is_single(layout, value);
        value->dim_count = 0;
    }
}

/* -- phases -------------------------------------------------------------------- */

bool row_value_is_rowsum(const RowValue *value)
{
    return value->kind == ROW_node && node_has_fact(value->node, LOWERING_COMPLETE_LAST);
}

bool row_value_is_output(const RowValue *value)
{
    return value->kind == ROW_node && value->operand >= 0 && !row_value_is_rowsum(value);
}

/* Variables are overwritten last, when nothing of the row is read any more. */
uint32_t row_output_phase(const RowsLayout *layout, const RowValue *value)
{
    return value->in_place ? layout->phase_count - 1 : value->level;
}

int64_t rows_buffer_stride(const RowsLayout *layout)
{
    return (layout->width + 15) / 16 * 16;
}

static bool is_repeated(const RowValue *value)
{
    return (op_info(value->node->op)->traits & TRAIT_CHEAP) != 0;
}

/* The value is needed in phase `phase`, which is no earlier than those asked about
 * before. */
static void demand(RowsLayout *layout, uint32_t index, uint32_t phase)
{
    RowValue *value = &layout->values[index];
    if (value->kind != ROW_node || !value->wide || value->phase == (int32_t)phase)
        return;
    if (value->phase >= 0) {
        if (row_value_is_output(value) && !value->in_place)
            return;
        if (!is_repeated(value)) {
            if (value->buffer < 0)
                value->buffer = (int32_t)layout->buffer_count++;
            return;
        }
    } else {
        value->phase = (int32_t)phase;
    }
    for (uint32_t i = 0; i < value->node->arg_count; i++)
        demand(layout, value->args[i], phase);
}

static bool is_wide_sum(const RowsLayout *layout, const RowValue *value)
{
    return row_value_is_rowsum(value) && layout->values[value->args[0]].wide;
}

static void find_phases(RowsLayout *layout)
{
    for (uint32_t i = 0; i < layout->value_count; i++) {
        const RowValue *value = &layout->values[i];
        uint32_t count = value->level + 1;
        bool loops = value->reduces || is_wide_sum(layout, value) ||
                     (row_value_is_output(value) && value->wide);
        if (loops && layout->phase_count < count)
            layout->phase_count = count;
        if (layout->level_count < count)
            layout->level_count = count;
    }
    for (uint32_t phase = 0; phase < layout->phase_count; phase++) {
        for (uint32_t i = 0; i < layout->value_count; i++) {
            const RowValue *value = &layout->values[i];
            if ((value->reduces || is_wide_sum(layout, value)) && value->level == phase)
                demand(layout, value->args[0], phase);
            if (row_value_is_output(value) && value->wide &&
                row_output_phase(layout, value) == phase)
                demand(layout, i, phase);
        }
    }
}

/* -- the kernel class ---------------------------------------------------------- */

void rows_operands(KernelStep *step, Arena *arena)
{
    uint32_t capacity = step->node_count;
    for (uint32_t i = 0; i < step->node_count; i++)
        capacity += step->nodes[i]->arg_count;
    RowsLayout *layout = ARENA_ARRAY(arena, RowsLayout, 1);
    RowsBuilder builder = {
        .step = step, .arena = arena, .layout = layout, .value_capacity = capacity};
    builder.space = row_space_of(step->nodes, step->node_count);
    layout->axis = builder.space.axis;
    layout->width = builder.space.width;
    layout->rows = layout->axis == AXIS_STATIC ? row_space_rows(&builder.space) : 0;
    layout->values = ARENA_ARRAY(arena, RowValue, capacity);
    step->operands = ARENA_ARRAY(arena, Operand, capacity);
    add_nodes(&builder);
    add_outputs(&builder);
    add_salts(&builder);
    flatten(layout);
    find_phases(layout);
    if (layout->axis != AXIS_STATIC) {
        step->axes = ARENA_ARRAY(arena, int32_t, 1);
        step->axes[0] = layout->axis;
        step->axis_count = 1;
    }
    step->scratch_bytes = (int64_t)4 * layout->buffer_count * rows_buffer_stride(layout);
    step->layout = layout;
}

static void describe_value(const RowValue *value, FILE *out)
{
    const Node *node = value->node;
    if (value->kind == ROW_constant) {
        fprintf(out, "constant %a\n", node->attr.constant.value);
        return;
    }
    fprintf(out, "%s%s %s", value->kind == ROW_input ? "input" : op_info(node->op)->name,
            value->wide ? " wide" : "", dtype_names[node->type.dtype]);
    for (uint32_t i = 0; i < value->dim_count; i++)
        fprintf(out, " (%" PRId64 " %" PRId64 " %" PRId64 ")", value->dims[i].divide,
                value->dims[i].modulo, value->dims[i].stride);
    for (uint32_t i = 0; value->kind == ROW_node && i < node->arg_count; i++)
        fprintf(out, " %%%u", value->args[i]);
    if (!type_is_ragged(node->type))
        fputs(" static", out);
    if (value->operand >= 0)
        fprintf(out, " @%d%s", value->operand, value->in_place ? " in place" : "");
    fputc('\n', out);
}

/* Phases, levels and buffers follow from what is written here. */
void rows_describe(const KernelStep *step, FILE *out)
{
    const RowsLayout *layout = step->layout;
    if (layout->axis != AXIS_STATIC)
        fprintf(out, "rows of axis by %" PRId64 "%s\n", layout->width,
                layout->flat ? " flat" : "");
    else if (layout->flat)
        fprintf(out, "%" PRId64 " flat\n", layout->rows * layout->width);
    else
        fprintf(out, "%" PRId64 " by %" PRId64 "\n", layout->rows, layout->width);
    for (uint32_t i = 0; i < layout->value_count; i++)
        describe_value(&layout->values[i], out);
}
