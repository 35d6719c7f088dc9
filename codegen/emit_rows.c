/* Row kernels: loops over rows, phases and columns, as rows_layout.h lays them out. */
#include <math.h>
#include <stddef.h>
#include <string.h>

#include "codegen/names.h"
#include "codegen/rows_emit.h"
#include "ir/base/random.h"

/* -- before the rows ----------------------------------------------------------- */

static LLVMValueRef *value_table(RowsEmit *re)
{
    return ARENA_ARRAY(re->e->arena, LLVMValueRef, re->layout->value_count + 1);
}

static void prepare(RowsEmit *re, const KernelStep *step)
{
    Emit *e = re->e;
    re->pointers = ARENA_ARRAY(e->arena, LLVMValueRef, step->operand_count + 1);
    for (uint32_t i = 0; i < step->operand_count; i++)
        re->pointers[i] = emit_operand(e, i);
    if (re->layout->buffer_count)
        re->scratch = emit_lane_field(e, offsetof(LaneContext, scratch), e->ptr);
    re->step_keys = value_table(re);
    re->own_rows = value_table(re);
    re->bases = value_table(re);
    re->scalars = value_table(re);
    re->keys = value_table(re);
    re->splats = value_table(re);
    re->vectors = value_table(re);
    for (uint32_t i = 0; i < re->layout->value_count; i++) {
        const RowValue *value = &re->layout->values[i];
        if (value->kind == ROW_constant)
            re->scalars[i] = emit_f32(e, value->node->attr.constant.value);
        else if (value->kind == ROW_node && value->node->op == OP_dropout)
            re->step_keys[i] = emit_salted_step(e, value->salt);
        if (value->kind == ROW_input && !value->wide && value->dim_count == 0)
            re->scalars[i] = rows_load_scalar(re, value, re->pointers[value->operand]);
    }
}

/* -- columns ------------------------------------------------------------------- */

typedef void ColumnStep(RowsEmit *re, LLVMValueRef column, LLVMValueRef mask,
                        uint32_t turn);

/* Columns in a loop; -1 if only known when it runs. */
static int64_t known_columns(const RowsLayout *layout)
{
    if (!layout->flat)
        return layout->width;
    return layout->axis == AXIS_STATIC ? layout->rows * layout->width : -1;
}

static LLVMValueRef column_count(RowsEmit *re)
{
    Emit *e = re->e;
    int64_t known = known_columns(re->layout);
    if (known >= 0)
        return emit_i64(e, known);
    return LLVMBuildMul(e->builder, emit_axis_rows(e, 0), emit_i64(e, re->layout->width),
                        "");
}

typedef struct ColumnRange {
    LLVMValueRef begin, end;
    uint32_t turns;          /* vectors in one turn of the loop */
    LLVMValueRef tail_count; /* of all columns, if this is the masked tail; else NULL */
} ColumnRange;

static LLVMValueRef carry_sum(RowsEmit *re, Loop *loop, uint32_t index)
{
    const RowValue *value = &re->layout->values[re->reductions[index / ROWS_SUMS]];
    LLVMValueRef sum = loop_carry(re->e, loop, re->sums[index]);
    emit_name_node(re->e, sum, value->node, "part");
    return sum;
}

static void column_loop(RowsEmit *re, const ColumnRange *range, ColumnStep *step)
{
    Emit *e = re->e;
    uint32_t width = e->width, sum_count = re->reduction_count * ROWS_SUMS;
    LLVMValueRef *carried = ARENA_ARRAY(e->arena, LLVMValueRef, sum_count + 1);
    Loop loop = loop_begin(e, range->begin, range->end, (int64_t)width * range->turns);
    for (uint32_t i = 0; i < sum_count; i++)
        if (i % ROWS_SUMS < range->turns)
            re->sums[i] = carried[i] = carry_sum(re, &loop, i);
    for (uint32_t turn = 0; turn < range->turns; turn++) {
        LLVMValueRef column =
            LLVMBuildAdd(e->builder, loop.index, emit_i64(e, (int64_t)turn * width), "");
        LLVMValueRef mask =
            range->tail_count ? emit_tail_mask(e, column, range->tail_count) : NULL;
        memset(re->vectors, 0, re->layout->value_count * sizeof re->vectors[0]);
        step(re, column, mask, turn);
    }
    for (uint32_t i = 0; i < sum_count; i++)
        if (i % ROWS_SUMS < range->turns)
            loop_next(e, &loop, carried[i], re->sums[i]);
    loop_end(e, &loop);
    for (uint32_t i = 0; i < sum_count; i++)
        if (i % ROWS_SUMS < range->turns)
            re->sums[i] = carried[i];
}

/* Several vectors a turn, then one by one, then the masked rest. */
static void column_loops(RowsEmit *re, uint32_t turns, ColumnStep *step)
{
    Emit *e = re->e;
    int64_t known = known_columns(re->layout), width = e->width, block = width * turns;
    LLVMValueRef count = column_count(re);
    LLVMValueRef blocks_end = LLVMBuildAnd(e->builder, count, emit_i64(e, -block), "");
    LLVMValueRef vectors_end = LLVMBuildAnd(e->builder, count, emit_i64(e, -width), "");
    if (known < 0 || known >= block)
        column_loop(re, &(ColumnRange){emit_i64(e, 0), blocks_end, turns, NULL}, step);
    if (turns > 1 && (known < 0 || known % block >= width))
        column_loop(re, &(ColumnRange){blocks_end, vectors_end, 1, NULL}, step);
    if (re->layout->width % width != 0 && (known < 0 || known % width != 0))
        column_loop(re, &(ColumnRange){vectors_end, count, 1, count}, step);
}

static void zero_step(RowsEmit *re, LLVMValueRef column, LLVMValueRef mask, uint32_t turn)
{
    (void)turn;
    Emit *e = re->e;
    for (uint32_t i = 0; i < re->layout->value_count; i++) {
        const RowValue *value = &re->layout->values[i];
        if (row_value_is_rowsum(value) && re->layout->values[value->args[0]].wide)
            emit_store_vector(e, LLVMConstNull(e->vf),
                              emit_at(e, e->f32, re->pointers[value->operand], column),
                              mask);
    }
}

/* -- one phase ----------------------------------------------------------------- */

typedef struct Reduction {
    double identity;
    LLVMValueRef (*join)(Emit *e, LLVMValueRef a, LLVMValueRef b);
    LLVMValueRef (*join_vector)(Emit *e, LLVMValueRef vector); /* to one number */
} Reduction;

static LLVMValueRef emit_sum(Emit *e, LLVMValueRef a, LLVMValueRef b)
{
    return LLVMBuildFAdd(e->builder, a, b, "");
}

static const Reduction reduce_sum_width = {0, emit_sum, emit_sum_vector},
                       reduce_max_width = {-INFINITY, emit_larger, emit_max_vector};

static const Reduction *const reductions_by_op[OP_COUNT] = {
#define CLASS_reduce(name) [OP_##name] = &reduce_##name,
#include "ir/class_ops.def"
};

static const Reduction *reduction_of(const RowsEmit *re, uint32_t reduction)
{
    return reductions_by_op[re->layout->values[re->reductions[reduction]].node->op];
}

static void reduce_step(RowsEmit *re, uint32_t reduction, LLVMValueRef column,
                        LLVMValueRef mask, uint32_t turn)
{
    Emit *e = re->e;
    const RowValue *value = &re->layout->values[re->reductions[reduction]];
    const Reduction *reduce = reduction_of(re, reduction);
    LLVMValueRef x = rows_vector(re, value->args[0], column, mask);
    if (mask) {
        LLVMValueRef identity = emit_splat(e, emit_f32(e, reduce->identity));
        x = LLVMBuildSelect(e->builder, mask, x, identity, "");
    }
    LLVMValueRef *sum = &re->sums[reduction * ROWS_SUMS + turn];
    *sum = reduce->join(e, *sum, x);
}

static void add_to_rowsum(RowsEmit *re, const RowValue *value, LLVMValueRef x,
                          LLVMValueRef column, LLVMValueRef mask)
{
    Emit *e = re->e;
    LLVMValueRef address = emit_at(e, e->f32, re->pointers[value->operand], column);
    LLVMValueRef sum = emit_load_vector(e, address, mask);
    emit_store_vector(e, LLVMBuildFAdd(e->builder, sum, x, ""), address, mask);
}

static void store_vector(RowsEmit *re, uint32_t index, LLVMValueRef x,
                         LLVMValueRef column, LLVMValueRef mask)
{
    Emit *e = re->e;
    if (row_value_has_dtype(&re->layout->values[index], DTYPE_bit))
        rows_store_bits(re, x, re->bases[index], column, mask);
    else
        emit_store_vector(e, x, emit_at(e, e->f32, re->bases[index], column), mask);
}

static bool is_stored_now(const RowsEmit *re, const RowValue *value)
{
    return row_value_is_output(value) && value->wide &&
           row_output_phase(re->layout, value) == re->phase;
}

static bool is_summed_now(const RowsEmit *re, const RowValue *value)
{
    return row_value_is_rowsum(value) && re->layout->values[value->args[0]].wide &&
           value->level == re->phase;
}

/* All is computed before anything is stored, for an output may overwrite an input in
 * place. */
static void phase_step(RowsEmit *re, LLVMValueRef column, LLVMValueRef mask,
                       uint32_t turn)
{
    for (uint32_t i = 0; i < re->reduction_count; i++)
        reduce_step(re, i, column, mask, turn);
    for (int store = 0; store < 2; store++) {
        for (uint32_t i = 0; i < re->layout->value_count; i++) {
            const RowValue *value = &re->layout->values[i];
            if (is_stored_now(re, value)) {
                LLVMValueRef x = rows_vector(re, i, column, mask);
                if (store)
                    store_vector(re, i, x, column, mask);
            } else if (is_summed_now(re, value)) {
                LLVMValueRef x = rows_vector(re, value->args[0], column, mask);
                if (store)
                    add_to_rowsum(re, value, x, column, mask);
            }
        }
    }
}

/* Results of maps do not depend on how loops are unrolled, reductions do: theirs is
 * fixed. */
static uint32_t phase_turns(const RowsEmit *re)
{
    if (re->reduction_count)
        return ROWS_SUMS;
    uint32_t nodes = 0;
    for (uint32_t i = 0; i < re->layout->value_count; i++)
        nodes += re->layout->values[i].phase == (int32_t)re->phase;
    return nodes <= 4 ? 4 : nodes <= 12 ? 2 : 1;
}

static void phase_begin(RowsEmit *re)
{
    Emit *e = re->e;
    const RowsLayout *layout = re->layout;
    uint32_t *reductions = ARENA_ARRAY(e->arena, uint32_t, layout->value_count + 1);
    re->reduction_count = 0;
    for (uint32_t i = 0; i < layout->value_count; i++) {
        re->splats[i] = re->scalars[i] ? emit_splat(e, re->scalars[i]) : NULL;
        if (layout->values[i].reduces && layout->values[i].level == re->phase)
            reductions[re->reduction_count++] = i;
    }
    re->reductions = reductions;
    re->sums = ARENA_ARRAY(e->arena, LLVMValueRef, re->reduction_count * ROWS_SUMS + 1);
    for (uint32_t i = 0; i < re->reduction_count * ROWS_SUMS; i++) {
        double identity = reduction_of(re, i / ROWS_SUMS)->identity;
        re->sums[i] = emit_splat(e, emit_f32(e, identity));
    }
}

static void phase_end(RowsEmit *re)
{
    Emit *e = re->e;
    for (uint32_t i = 0; i < re->reduction_count; i++) {
        const Reduction *reduce = reduction_of(re, i);
        LLVMValueRef *sums = &re->sums[(size_t)i * ROWS_SUMS];
        LLVMValueRef left = reduce->join(e, sums[0], sums[1]);
        LLVMValueRef right = reduce->join(e, sums[2], sums[3]);
        LLVMValueRef sum = reduce->join(e, left, right);
        uint32_t index = re->reductions[i];
        re->scalars[index] = reduce->join_vector(e, sum);
        emit_name_node(e, re->scalars[index], re->layout->values[index].node, NULL);
    }
    re->reduction_count = 0;
}

/* -- one row ------------------------------------------------------------------- */

static LLVMValueRef own_row(RowsEmit *re, const RowValue *value, LLVMValueRef row)
{
    Emit *e = re->e;
    LLVMValueRef own = emit_i64(e, 0);
    for (uint32_t i = 0; i < value->dim_count; i++) {
        RowDim dim = value->dims[i];
        LLVMValueRef place = row;
        if (dim.divide != 1)
            place = LLVMBuildUDiv(e->builder, place, emit_i64(e, dim.divide), "");
        if (dim.modulo != 0)
            place = LLVMBuildURem(e->builder, place, emit_i64(e, dim.modulo), "");
        place = LLVMBuildMul(e->builder, place, emit_i64(e, dim.stride), "");
        own = LLVMBuildAdd(e->builder, own, place, "");
    }
    return own;
}

/* random_use_key of the row. */
static LLVMValueRef use_key(RowsEmit *re, uint32_t index)
{
    Emit *e = re->e;
    LLVMValueRef row = re->own_rows[index], key;
    if (type_is_ragged(re->layout->values[index].node->type)) {
        LLVMValueRef keys = emit_axis_field(e, 0, offsetof(AxisView, row_key), e->ptr);
        key = emit_load(e, e->i32, emit_at(e, e->i32, keys, row));
    } else {
        LLVMValueRef place = LLVMBuildTrunc(e->builder, row, e->i32, "");
        LLVMValueRef sequence = emit_i32(e, random_mix32(0xffffffffU));
        key = emit_mix32(e, LLVMBuildAdd(e->builder, sequence, place, ""));
    }
    return emit_use_key(e, re->step_keys[index], key);
}

static void row_begin(RowsEmit *re, LLVMValueRef row)
{
    Emit *e = re->e;
    for (uint32_t i = 0; i < re->layout->value_count; i++) {
        const RowValue *value = &re->layout->values[i];
        if (value->kind == ROW_constant || row_value_is_rowsum(value))
            continue;
        re->own_rows[i] = own_row(re, value, row);
        if (value->operand >= 0) {
            LLVMValueRef bytes = emit_i64(e, type_row_bytes(value->node->type));
            bytes = LLVMBuildMul(e->builder, re->own_rows[i], bytes, "");
            re->bases[i] = emit_at(e, e->i8, re->pointers[value->operand], bytes);
            emit_name_node(e, re->bases[i], value->node, "row");
        }
        if (re->step_keys[i])
            re->keys[i] = use_key(re, i);
        if (value->kind == ROW_input && !value->wide && value->dim_count)
            re->scalars[i] = rows_load_scalar(re, value, re->bases[i]);
        else if (value->kind == ROW_node)
            re->scalars[i] = NULL;
    }
}

/* Narrow nodes between phases: those of this level. */
static void narrow_nodes(RowsEmit *re, uint32_t level)
{
    Emit *e = re->e;
    for (uint32_t i = 0; i < re->layout->value_count; i++) {
        const RowValue *value = &re->layout->values[i];
        if (value->kind != ROW_node || value->wide || value->reduces ||
            value->level != level || row_value_is_rowsum(value))
            continue;
        LLVMValueRef args[3] = {0};
        for (uint32_t j = 0; j < value->node->arg_count; j++)
            args[j] = re->scalars[value->args[j]];
        re->scalars[i] = rows_formula(re, i, args, NULL);
        emit_name_node(e, re->scalars[i], value->node, NULL);
    }
}

static void row_end(RowsEmit *re, LLVMValueRef *totals)
{
    Emit *e = re->e;
    for (uint32_t i = 0; i < re->layout->value_count; i++) {
        const RowValue *value = &re->layout->values[i];
        if (row_value_is_output(value) && !value->wide) {
            rows_store_scalar(re, value, re->scalars[i], re->bases[i]);
        } else if (totals[i]) {
            LLVMTypeRef f64 = LLVMDoubleTypeInContext(e->context);
            LLVMValueRef x =
                LLVMBuildFPExt(e->builder, re->scalars[value->args[0]], f64, "");
            LLVMValueRef total = LLVMBuildLoad2(e->builder, f64, totals[i], "");
            LLVMBuildStore(e->builder, LLVMBuildFAdd(e->builder, total, x, ""),
                           totals[i]);
        }
    }
}

static void emit_row(RowsEmit *re, LLVMValueRef row, LLVMValueRef *totals)
{
    row_begin(re, row);
    for (uint32_t level = 0; level < re->layout->level_count; level++) {
        narrow_nodes(re, level);
        if (level >= re->layout->phase_count)
            continue;
        re->phase = level;
        phase_begin(re);
        column_loops(re, phase_turns(re), phase_step);
        phase_end(re);
    }
    row_end(re, totals);
}

/* -- the kernel ---------------------------------------------------------------- */

/* Sums over rows of narrow values are kept in double precision, by value; others are
 * NULL. */
static LLVMValueRef *totals_begin(RowsEmit *re)
{
    Emit *e = re->e;
    LLVMTypeRef f64 = LLVMDoubleTypeInContext(e->context);
    LLVMValueRef *totals = value_table(re);
    for (uint32_t i = 0; i < re->layout->value_count; i++) {
        const RowValue *value = &re->layout->values[i];
        if (!row_value_is_rowsum(value) || re->layout->values[value->args[0]].wide)
            continue;
        totals[i] = LLVMBuildAlloca(e->builder, f64, "");
        emit_name_node(e, totals[i], value->node, "total");
        LLVMBuildStore(e->builder, LLVMConstNull(f64), totals[i]);
    }
    return totals;
}

static void totals_end(RowsEmit *re, LLVMValueRef *totals)
{
    Emit *e = re->e;
    LLVMTypeRef f64 = LLVMDoubleTypeInContext(e->context);
    for (uint32_t i = 0; i < re->layout->value_count; i++) {
        if (!totals[i])
            continue;
        LLVMValueRef total = LLVMBuildLoad2(e->builder, f64, totals[i], "");
        emit_store(e, LLVMBuildFPTrunc(e->builder, total, e->f32, ""),
                   re->pointers[re->layout->values[i].operand]);
    }
}

static bool has_wide_sums(const RowsLayout *layout)
{
    for (uint32_t i = 0; i < layout->value_count; i++)
        if (row_value_is_rowsum(&layout->values[i]) &&
            layout->values[layout->values[i].args[0]].wide)
            return true;
    return false;
}

static void rows_emit(Emit *e, const KernelStep *step)
{
    RowsEmit re = {.e = e, .layout = step->layout};
    prepare(&re, step);
    LLVMValueRef *totals = totals_begin(&re);
    if (has_wide_sums(re.layout))
        column_loops(&re, ROWS_SUMS, zero_step);
    if (re.layout->flat || (re.layout->axis == AXIS_STATIC && re.layout->rows == 1)) {
        emit_row(&re, emit_i64(e, 0), totals);
    } else {
        bool ragged = re.layout->axis != AXIS_STATIC;
        LLVMValueRef rows = ragged ? emit_axis_rows(e, 0) : emit_i64(e, re.layout->rows);
        Loop loop = loop_begin(e, emit_i64(e, 0), rows, 1);
        emit_row(&re, loop.index, totals);
        loop_end(e, &loop);
    }
    totals_end(&re, totals);
    LLVMBuildRetVoid(e->builder);
}

const KernelClass kernel_rows = {
    .name = "rows",
    .operands = rows_operands,
    .describe = rows_describe,
    .emit = rows_emit,
};
