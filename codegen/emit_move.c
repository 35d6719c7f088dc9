/* Kernels that copy, add or pick whole rows: a kernel per op, its emitter found in a
 * table.
 *
 * Operands are the node's arguments, then its result. Axes are those of ragged
 * arguments, then that of a ragged result, then the axis the op names if it is
 * another. Indices were checked when the batch was made, so no kernel looks at their
 * range. */
#include "codegen/move.h"

#include <assert.h>
#include <inttypes.h>
#include <stddef.h>

/* Rows [from_begin, from_begin + count) of one table to those from to_begin of
 * another. Whole rows stand end to end, so it is one copy. */
static void copy_run(const Move *m, LLVMValueRef to, LLVMValueRef to_begin,
                     LLVMValueRef from, LLVMValueRef from_begin, LLVMValueRef count)
{
    Emit *e = m->e;
    LLVMValueRef floats = LLVMBuildNSWMul(e->builder, count, emit_i64(e, m->width), "");
    emit_copy_floats(e, move_row(e, to, to_begin, m->width),
                     move_row(e, from, from_begin, m->width), floats);
}

/* -- by index ---------------------------------------------------------------------- */

void emit_gather(const Move *m)
{
    Emit *e = m->e;
    LLVMValueRef table = emit_operand(e, 0), index = emit_operand(e, 1),
                 y = move_result(m);
    LLVMValueRef rows =
        m->axis_count ? emit_axis_rows(e, 0) : emit_i64(e, m->node->type.dims[0]);
    Loop loop = loop_begin(e, emit_i64(e, 0), rows, 1);
    LLVMValueRef from = emit_load_index(e, index, loop.index);
    emit_copy_floats(e, move_row(e, y, loop.index, m->width),
                     move_row(e, table, from, m->width), emit_i64(e, m->width));
    loop_end(e, &loop);
}

/* Rows are added in order, so equal indices always sum to the same bits. */
void emit_scatter_add(const Move *m)
{
    Emit *e = m->e;
    LLVMValueRef index = emit_operand(e, 0), x = emit_operand(e, 1), y = move_result(m);
    emit_zero_floats(e, y, emit_i64(e, type_static_elements(m->node->type)));
    LLVMValueRef rows = m->axis_count ? emit_axis_rows(e, 0)
                                      : emit_i64(e, m->node->args[1]->type.dims[0]);
    Loop loop = loop_begin(e, emit_i64(e, 0), rows, 1);
    LLVMValueRef to = emit_load_index(e, index, loop.index);
    emit_add_floats(e, move_row(e, y, to, m->width), move_row(e, x, loop.index, m->width),
                    emit_i64(e, m->width));
    loop_end(e, &loop);
}

/* -- permute ----------------------------------------------------------------------- */

typedef struct Permutation {
    uint32_t rank;
    int64_t dims[TYPE_MAX_RANK];    /* of the result */
    int64_t strides[TYPE_MAX_RANK]; /* in the source, of the result's dimensions */
} Permutation;

static Permutation permutation_of(const Node *node)
{
    Type from = node->args[0]->type;
    int64_t strides[TYPE_MAX_RANK], stride = 1, order = node->attr.permute.order;
    for (uint32_t i = from.rank; i-- > 0; stride *= from.dims[i])
        strides[i] = stride;
    Permutation p = {.rank = from.rank};
    for (uint32_t i = from.rank; i-- > 0; order /= 10) {
        p.dims[i] = node->type.dims[i];
        p.strides[i] = strides[order % 10];
    }
    return p;
}

/* Loops over dimensions from `dim` on; `to` and `from` point at what the outer ones
 * chose. */
static void permute_dims(Emit *e, const Permutation *p, uint32_t dim, LLVMValueRef to,
                         LLVMValueRef from)
{
    bool last = dim + 1 == p->rank;
    if (last && p->strides[dim] == 1) {
        emit_copy_floats(e, to, from, emit_i64(e, p->dims[dim]));
        return;
    }
    int64_t to_stride = 1;
    for (uint32_t i = dim + 1; i < p->rank; i++)
        to_stride *= p->dims[i];
    Loop loop = loop_begin(e, emit_i64(e, 0), emit_i64(e, p->dims[dim]), 1);
    to = move_row(e, to, loop.index, to_stride);
    from = move_row(e, from, loop.index, p->strides[dim]);
    if (last)
        emit_store(e, emit_load(e, e->f32, from), to);
    else
        permute_dims(e, p, dim + 1, to, from);
    loop_end(e, &loop);
}

void emit_permute(const Move *m)
{
    Permutation p = permutation_of(m->node);
    permute_dims(m->e, &p, 0, move_result(m), emit_operand(m->e, 0));
}

/* -- columns ----------------------------------------------------------------------- */

/* Columns of each row of the operand, to or from columns of wider rows. */
static void copy_columns(const Move *m, int64_t count, int64_t to_start,
                         int64_t from_start)
{
    Emit *e = m->e;
    Type from = m->node->args[0]->type;
    LLVMValueRef rows = type_is_ragged(from)
                            ? emit_axis_rows(e, 0)
                            : emit_i64(e, type_static_elements(from) / type_width(from));
    LLVMValueRef to = emit_at(e, e->f32, move_result(m), emit_i64(e, to_start));
    LLVMValueRef x = emit_at(e, e->f32, emit_operand(e, 0), emit_i64(e, from_start));
    Loop loop = loop_begin(e, emit_i64(e, 0), rows, 1);
    emit_copy_floats(e, move_row(e, to, loop.index, m->width),
                     move_row(e, x, loop.index, type_width(from)), emit_i64(e, count));
    loop_end(e, &loop);
}

void emit_slice(const Move *m)
{
    copy_columns(m, m->width, 0, m->node->attr.columns.start);
}

void emit_pad(const Move *m)
{
    Emit *e = m->e;
    Type type = m->node->type;
    LLVMValueRef floats =
        type_is_ragged(type)
            ? LLVMBuildNSWMul(e->builder, emit_axis_rows(e, 0), emit_i64(e, m->width), "")
            : emit_i64(e, type_static_elements(type));
    emit_zero_floats(e, move_result(m), floats);
    copy_columns(m, type_width(m->node->args[0]->type), m->node->attr.columns.start, 0);
}

/* -- places and counts ------------------------------------------------------------- */

void emit_position(const Move *m)
{
    Emit *e = m->e;
    LLVMValueRef y = move_result(m);
    LLVMValueRef offsets = emit_axis_field(e, 0, offsetof(AxisView, offsets), e->ptr);
    LLVMValueRef sequence = emit_axis_field(e, 0, offsetof(AxisView, sequence), e->ptr);
    Loop loop = loop_begin(e, emit_i64(e, 0), emit_axis_rows(e, 0), 1);
    LLVMValueRef begin =
        emit_load_index(e, offsets, emit_load_index(e, sequence, loop.index));
    LLVMValueRef number = LLVMBuildSub(e->builder, loop.index, begin, "");
    number = LLVMBuildUDiv(e->builder, number,
                           emit_i64(e, m->node->attr.position.quotient), "");
    if (m->node->attr.position.modulus)
        number = LLVMBuildURem(e->builder, number,
                               emit_i64(e, m->node->attr.position.modulus), "");
    number =
        LLVMBuildMul(e->builder, number, emit_i64(e, m->node->attr.position.scale), "");
    number =
        LLVMBuildAdd(e->builder, number, emit_i64(e, m->node->attr.position.offset), "");
    emit_store(e, LLVMBuildTrunc(e->builder, number, e->i32, ""),
               emit_at(e, e->i32, y, loop.index));
    loop_end(e, &loop);
}

void emit_lengths(const Move *m)
{
    Emit *e = m->e;
    LLVMValueRef y = move_result(m);
    Loop loop = loop_begin(e, emit_i64(e, 0), emit_sequences(e), 1);
    LLVMValueRef count = emit_sequence_rows(e, m->axis_count - 1, loop.index).count;
    emit_store(e, LLVMBuildSIToFP(e->builder, count, e->f32, ""),
               emit_at(e, e->f32, y, loop.index));
    loop_end(e, &loop);
}

void emit_total(const Move *m)
{
    Emit *e = m->e;
    LLVMValueRef rows =
        emit_axis_field(e, m->axis_count - 1, offsetof(AxisView, total_rows), e->i64);
    emit_store(e, LLVMBuildSIToFP(e->builder, rows, e->f32, ""), move_result(m));
}

/* -- sequences --------------------------------------------------------------------- */

void emit_join(const Move *m)
{
    Emit *e = m->e;
    LLVMValueRef parts[] = {emit_operand(e, 0), emit_operand(e, 1)}, y = move_result(m);
    Loop loop = loop_begin(e, emit_i64(e, 0), emit_sequences(e), 1);
    LLVMValueRef to = emit_sequence_rows(e, 2, loop.index).begin;
    for (uint32_t i = 0; i < 2; i++) {
        RowRange rows = emit_sequence_rows(e, i, loop.index);
        copy_run(m, y, to, parts[i], rows.begin, rows.count);
        to = LLVMBuildAdd(e->builder, to, rows.count, "");
    }
    loop_end(e, &loop);
}

void emit_part(const Move *m)
{
    Emit *e = m->e;
    LLVMValueRef x = emit_operand(e, 0), y = move_result(m);
    Loop loop = loop_begin(e, emit_i64(e, 0), emit_sequences(e), 1);
    RowRange whole = emit_sequence_rows(e, 0, loop.index);
    RowRange rows = emit_sequence_rows(e, 1, loop.index);
    LLVMValueRef from = m->node->attr.part.index == 0
                            ? whole.begin
                            : LLVMBuildSub(e->builder, whole.end, rows.count, "");
    copy_run(m, y, rows.begin, x, from, rows.count);
    loop_end(e, &loop);
}

void emit_spread(const Move *m)
{
    Emit *e = m->e;
    LLVMValueRef x = emit_operand(e, 0), y = move_result(m);
    LLVMValueRef sequence = emit_axis_field(e, 1, offsetof(AxisView, sequence), e->ptr);
    Loop loop = loop_begin(e, emit_i64(e, 0), emit_axis_rows(e, 1), 1);
    LLVMValueRef from = emit_load_index(e, sequence, loop.index);
    emit_copy_floats(e, move_row(e, y, loop.index, m->width),
                     move_row(e, x, from, m->width), emit_i64(e, m->width));
    loop_end(e, &loop);
}

void emit_sum_sequence(const Move *m)
{
    Emit *e = m->e;
    LLVMValueRef x = emit_operand(e, 0), y = move_result(m);
    Loop loop = loop_begin(e, emit_i64(e, 0), emit_sequences(e), 1);
    LLVMValueRef to = move_row(e, y, loop.index, m->width);
    emit_zero_floats(e, to, emit_i64(e, m->width));
    RowRange rows = emit_sequence_rows(e, 0, loop.index);
    Loop row = loop_begin(e, rows.begin, rows.end, 1);
    emit_add_floats(e, to, move_row(e, x, row.index, m->width), emit_i64(e, m->width));
    loop_end(e, &row);
    loop_end(e, &loop);
}

/* -- the class --------------------------------------------------------------------- */

static EmitMove *const emitters[OP_COUNT] = {
#define CLASS_move(name) [OP_##name] = emit_##name,
#include "ir/class_ops.def"
};

/* The axis the op names, or AXIS_STATIC. */
static int32_t named_axis(const Node *node)
{
    uint32_t count;
    const AttrField *fields = op_fields(node->op, &count);
    for (uint32_t i = 0; i < count; i++)
        if (fields[i].kind == ATTR_axis)
            return *(const int32_t *)((const char *)&node->attr + fields[i].offset);
    return AXIS_STATIC;
}

static void add_axis(KernelStep *step, int32_t axis)
{
    if (axis != AXIS_STATIC)
        step->axes[step->axis_count++] = axis;
}

static void move_operands(KernelStep *step, Arena *arena)
{
    const Node *node = step->nodes[0];
    step->operands = ARENA_ARRAY(arena, Operand, node->arg_count + 1);
    step->axes = ARENA_ARRAY(arena, int32_t, node->arg_count + 2);
    for (uint32_t i = 0; i < node->arg_count; i++) {
        step->operands[step->operand_count++].node = storage_node(node->args[i]);
        add_axis(step, node->args[i]->type.axis);
    }
    step->operands[step->operand_count++] = (Operand){.node = node, .written = true};
    add_axis(step, node->type.axis);
    if (named_axis(node) != node->type.axis)
        add_axis(step, named_axis(node));
}

static void describe_type(Type type, FILE *out)
{
    fputs(type_is_ragged(type) ? " ragged" : " static", out);
    for (uint32_t i = 0; i < type.rank; i++)
        fprintf(out, " %" PRId64, type.dims[i]);
}

static void move_describe(const KernelStep *step, FILE *out)
{
    const Node *node = step->nodes[0];
    for (uint32_t i = 0; i < node->arg_count; i++)
        describe_type(node->args[i]->type, out);
    describe_type(node->type, out);
    for (uint32_t i = 0; i < step->axis_count; i++) {
        const Axis *axis = &step->graph->axes[step->axes[i]];
        fprintf(out, " %s axis %" PRId64 " %" PRId64 " %" PRId64,
                axis_kind_names[axis->kind], axis->count, axis->images, axis->side);
    }
}

static void move_emit(Emit *e, const KernelStep *step)
{
    const Node *node = step->nodes[0];
    assert(emitters[node->op]);
    emitters[node->op](&(Move){.e = e,
                               .graph = step->graph,
                               .node = node,
                               .axis_count = step->axis_count,
                               .width = type_width(node->type)});
    LLVMBuildRetVoid(e->builder);
}

const KernelClass kernel_move = {
    .name = "move",
    .operands = move_operands,
    .describe = move_describe,
    .emit = move_emit,
};
