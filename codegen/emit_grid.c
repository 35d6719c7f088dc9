/* Kernels over square grids: a sequence's rows are the cells of one or several, row by
 * row. */
#include "codegen/move.h"

/* -- max_pool ---------------------------------------------------------------------- */

typedef struct Window {
    LLVMValueRef begin, end;
} Window;

/* Window o of a side cut into `pieces`: [floor(o side / pieces), ceil((o + 1) side /
 * pieces)). */
static Window window_of(Emit *e, LLVMValueRef o, LLVMValueRef side, int64_t pieces)
{
    LLVMValueRef count = emit_i64(e, pieces);
    LLVMValueRef begin = LLVMBuildMul(e->builder, o, side, "");
    LLVMValueRef end = LLVMBuildAdd(e->builder, begin, side, "");
    end = LLVMBuildAdd(e->builder, end, emit_i64(e, pieces - 1), "");
    return (Window){LLVMBuildUDiv(e->builder, begin, count, ""),
                    LLVMBuildUDiv(e->builder, end, count, "")};
}

typedef struct Pool {
    LLVMValueRef grid, side; /* first row of the image; rows and columns of its grid */
    Window across, down;
    LLVMValueRef to;
    int64_t width;
} Pool;

static void pool_columns(Emit *e, LLVMValueRef column, LLVMValueRef mask, void *state)
{
    const Pool *pool = state;
    LLVMValueRef least = emit_splat(e, LLVMConstReal(e->f32, -(double)__builtin_inff()));
    Loop down = loop_begin(e, pool->down.begin, pool->down.end, 1);
    LLVMValueRef outer = loop_carry(e, &down, least);
    LLVMValueRef line = move_row(
        e, pool->grid, LLVMBuildMul(e->builder, down.index, pool->side, ""), pool->width);
    Loop across = loop_begin(e, pool->across.begin, pool->across.end, 1);
    LLVMValueRef inner = loop_carry(e, &across, outer);
    LLVMValueRef from = move_row(e, line, across.index, pool->width);
    LLVMValueRef x = emit_load_vector(e, emit_at(e, e->f32, from, column), mask);
    loop_next(e, &across, inner, emit_larger(e, x, inner));
    loop_end(e, &across);
    loop_next(e, &down, outer, inner);
    loop_end(e, &down);
    emit_store_vector(e, outer, emit_at(e, e->f32, pool->to, column), mask);
}

/* The side of a square of `area` cells: exact, as square roots are correctly rounded. */
static LLVMValueRef square_side(Emit *e, LLVMValueRef area)
{
    LLVMTypeRef f64 = LLVMDoubleTypeInContext(e->context);
    LLVMValueRef root = LLVMBuildSIToFP(e->builder, area, f64, "");
    return LLVMBuildFPToSI(e->builder, emit_intrinsic(e, "llvm.sqrt", &root, 1), e->i64,
                           "");
}

/* One image: side x side windows over its grid. */
static void pool_image(Emit *e, Pool *pool, LLVMValueRef to, int64_t side)
{
    Loop down = loop_begin(e, emit_i64(e, 0), emit_i64(e, side), 1);
    pool->down = window_of(e, down.index, pool->side, side);
    LLVMValueRef line = move_row(e, to, down.index, pool->width * side);
    Loop across = loop_begin(e, emit_i64(e, 0), emit_i64(e, side), 1);
    pool->across = window_of(e, across.index, pool->side, side);
    pool->to = move_row(e, line, across.index, pool->width);
    emit_columns(e, emit_i64(e, pool->width), pool_columns, pool);
    loop_end(e, &across);
    loop_end(e, &down);
}

void emit_max_pool(const Move *m)
{
    Emit *e = m->e;
    const Axis *axis = &m->graph->axes[m->node->type.axis];
    LLVMValueRef x = emit_operand(e, 0), y = move_result(m);
    Pool pool = {.width = m->width};
    Loop loop = loop_begin(e, emit_i64(e, 0), emit_sequences(e), 1);
    RowRange from = emit_sequence_rows(e, 0, loop.index);
    RowRange to = emit_sequence_rows(e, 1, loop.index);
    LLVMValueRef area =
        LLVMBuildUDiv(e->builder, from.count, emit_i64(e, axis->images), "");
    pool.side = square_side(e, area);
    Loop image = loop_begin(e, emit_i64(e, 0), emit_i64(e, axis->images), 1);
    LLVMValueRef first = LLVMBuildMul(e->builder, image.index, area, "");
    pool.grid = move_row(e, x, LLVMBuildAdd(e->builder, from.begin, first, ""), m->width);
    LLVMValueRef base = move_row(e, y, to.begin, m->width);
    pool_image(e, &pool,
               move_row(e, base, image.index, m->width * axis->side * axis->side),
               axis->side);
    loop_end(e, &image);
    loop_end(e, &loop);
}
