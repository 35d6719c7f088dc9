/* Products of integers of 8 bits: A is made integers while it is packed, B is stored so
 * (codegen/int8.h).
 *
 * Where B's rows are k, its scales are multiplied into A's columns first; else they are
 * of C's columns. Four numbers of k stand side by side. Of a B whose rows are along C's
 * columns that is a transposition of groups of four bytes, else four rows take turns. */
#include "codegen/int8.h"
#include "codegen/product_unit.h"

enum { GROUP = 4 };

static int64_t run_numbers(const Emit *e)
{
    return (int64_t)GROUP * e->width;
}

static Int8Matrix matrix_of(const ProductBlock *b)
{
    const Product *p = b->p;
    bool transposed = p->form.transpose_b;
    return emit_int8_matrix(b->e, p->b, transposed ? p->n : p->k,
                            transposed ? p->k : p->n);
}

/* -- A ------------------------------------------------------------------------------- */

LLVMValueRef product_int8_depth(const ProductBlock *b)
{
    Emit *e = b->e;
    LLVMValueRef depth = emit_plus(e, b->depth, emit_i64(e, run_numbers(e) - 1));
    return LLVMBuildAnd(e->builder, depth, emit_i64(e, -run_numbers(e)), "");
}

LLVMValueRef product_int8_panel(const ProductBlock *b, LLVMValueRef row)
{
    Emit *e = b->e;
    return emit_at(e, e->i8, b->a_block, emit_times(e, row, product_int8_depth(b)));
}

/* Row `row` of the block, which is row `in_panel` of a panel. The sum of A's integers
 * times 128 is what B's without a sign add too much. */
static void pack_row(const ProductBlock *b, LLVMValueRef panel, LLVMValueRef row,
                     LLVMValueRef in_panel)
{
    Emit *e = b->e;
    LLVMValueRef scale, sum;
    LLVMValueRef factors = emit_at(e, e->f32, matrix_of(b).scales, b->first_k);
    LLVMValueRef first = emit_plus(e, b->first_row, row);
    emit_int8_row(
        e,
        &(Int8Row){.from = emit_element(e, b->p->a, first, b->p->a_stride, b->first_k),
                   .factors = b->p->form.transpose_b ? NULL : factors,
                   .count = b->depth,
                   .padded = product_int8_depth(b),
                   .to = emit_at(e, e->i8, panel,
                                 emit_times(e, in_panel, emit_i64(e, run_numbers(e)))),
                   .run_stride = b->unit->rows * run_numbers(e)},
        &scale, &sum);
    emit_store(e, scale, emit_at(e, e->f32, b->row_scales, row));
    if (!b->unit->adds_128)
        return;
    LLVMValueRef start = LLVMBuildMul(e->builder, sum, emit_i32(e, INT8_SHIFT), "");
    start = LLVMBuildNeg(e->builder, start, "");
    emit_store(e, start, emit_at(e, e->i32, b->row_starts, row));
}

void product_int8_pack_a(const ProductBlock *b)
{
    Emit *e = b->e;
    Loop panel = loop_begin(e, emit_i64(e, 0), b->rows, b->unit->rows);
    LLVMValueRef to = product_int8_panel(b, panel.index);
    LLVMValueRef left = LLVMBuildSub(e->builder, b->rows, panel.index, "");
    LLVMValueRef rows = emit_least(e, left, emit_i64(e, b->unit->rows));
    Loop row = loop_begin(e, emit_i64(e, 0), rows, 1);
    pack_row(b, to, emit_plus(e, panel.index, row.index), row.index);
    loop_end(e, &row);
    loop_end(e, &panel);
}

/* -- B ------------------------------------------------------------------------------- */

/* Columns of the panel, rows of B as it is stored. */
static void pack_rows_of_b(const ProductBlock *b, Int8Matrix from)
{
    Emit *e = b->e;
    const int64_t columns = (int64_t)b->vectors * e->width;
    LLVMValueRef start = emit_plus(e, emit_times(e, b->column, from.stride), b->first_k);
    LLVMValueRef groups =
        LLVMBuildSDiv(e->builder, product_int8_depth(b), emit_i64(e, GROUP), "");
    emit_transpose(e, &(Transpose){.from = emit_at(e, e->i8, from.bytes, start),
                                   .from_stride = LLVMBuildSDiv(e->builder, from.stride,
                                                                emit_i64(e, GROUP), ""),
                                   .to = b->b_panel,
                                   .to_stride = emit_i64(e, columns),
                                   .rows = emit_i64(e, columns),
                                   .columns = groups});
}

/* The elements of two vectors in turn. */
static LLVMValueRef in_turn(Emit *e, LLVMValueRef a, LLVMValueRef b)
{
    LLVMValueRef order[2 * WIDEST_VECTOR];
    for (uint32_t i = 0; i < 2 * e->width; i++)
        order[i] = emit_i32(e, i / 2 + i % 2 * e->width);
    return LLVMBuildShuffleVector(e->builder, a, b, LLVMConstVector(order, 2 * e->width),
                                  "");
}

static LLVMValueRef pairs_in_turn(Emit *e, LLVMValueRef a, LLVMValueRef b)
{
    LLVMTypeRef pairs = LLVMVectorType(LLVMInt16TypeInContext(e->context), e->width);
    return in_turn(e, LLVMBuildBitCast(e->builder, a, pairs, ""),
                   LLVMBuildBitCast(e->builder, b, pairs, ""));
}

/* Four rows of B as it is stored. Those beyond it have A's zeros. */
static void pack_columns_of_b(const ProductBlock *b, Int8Matrix from)
{
    Emit *e = b->e;
    LLVMTypeRef bytes = LLVMVectorType(e->i8, e->width);
    Loop loop = loop_begin(e, emit_i64(e, 0), product_int8_depth(b), GROUP);
    LLVMValueRef first = emit_plus(e, b->first_k, loop.index);
    LLVMValueRef to =
        emit_times(e, loop.index, emit_i64(e, (int64_t)b->vectors * e->width));
    for (uint32_t j = 0; j < b->vectors; j++) {
        LLVMValueRef rows[GROUP];
        LLVMValueRef column = emit_plus(e, b->column, emit_i64(e, j * e->width));
        for (uint32_t i = 0; i < GROUP; i++) {
            LLVMValueRef row = emit_plus(e, first, emit_i64(e, i));
            LLVMValueRef at = emit_plus(e, emit_times(e, row, from.stride), column);
            rows[i] = emit_load_masked(e, bytes, emit_at(e, e->i8, from.bytes, at), NULL);
        }
        LLVMValueRef group =
            pairs_in_turn(e, in_turn(e, rows[0], rows[1]), in_turn(e, rows[2], rows[3]));
        LLVMValueRef at = emit_plus(e, to, emit_i64(e, j * run_numbers(e)));
        emit_store_vector(e, group, emit_at(e, e->i8, b->b_panel, at), NULL);
    }
    loop_end(e, &loop);
}

void product_int8_pack_b(const ProductBlock *b)
{
    if (b->p->form.transpose_b)
        pack_rows_of_b(b, matrix_of(b));
    else
        pack_columns_of_b(b, matrix_of(b));
}

/* -- C ------------------------------------------------------------------------------- */

void product_int8_add(const ProductBlock *b, LLVMValueRef row, const LLVMValueRef *sums)
{
    Emit *e = b->e;
    LLVMValueRef mask =
        emit_splat(e, LLVMBuildICmp(e->builder, LLVMIntSLT, row, b->rows, ""));
    if (b->mask)
        mask = LLVMBuildAnd(e->builder, mask, b->mask, "");
    LLVMValueRef adds = emit_splat(e, LLVMBuildNot(e->builder, b->is_first, ""));
    adds = LLVMBuildAnd(e->builder, adds, mask, "");
    LLVMValueRef row_scale =
        emit_splat(e, emit_load(e, e->f32, emit_at(e, e->f32, b->row_scales, row)));
    LLVMValueRef start = emit_element(e, b->p->c, emit_plus(e, b->first_row, row),
                                      b->p->c_stride, b->column);
    LLVMValueRef scales = emit_at(e, e->f32, matrix_of(b).scales, b->column);
    for (uint32_t j = 0; j < b->vectors; j++) {
        LLVMValueRef column = emit_i64(e, (int64_t)j * e->width);
        LLVMValueRef scale = row_scale, at = emit_at(e, e->f32, start, column);
        if (b->p->form.transpose_b)
            scale = LLVMBuildFMul(
                e->builder, scale,
                emit_load_vector(e, emit_at(e, e->f32, scales, column), NULL), "");
        LLVMValueRef sum = LLVMBuildSIToFP(e->builder, sums[j], e->vf, "");
        sum = LLVMBuildFMul(e->builder, sum, scale, "");
        sum = LLVMBuildFAdd(e->builder, emit_load_vector(e, at, adds), sum, "");
        emit_store_vector(e, sum, at, mask);
    }
}
