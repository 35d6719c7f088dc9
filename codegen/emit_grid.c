/* Kernels over square grids: a sequence's rows are the cells of one or several, row by
 * row. */
#include "codegen/move.h"
#include "ir/axis.h"

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

/* -- patches ----------------------------------------------------------------------- */

typedef struct Windows {
    const Move *m;
    int64_t side, steps; /* cells, and windows, along each side of the grid */
    int64_t channels, columns;
    LLVMValueRef grid, windows; /* first rows of the sequence */
} Windows;

/* `count` channels (all, or none of a cell outside) at a place of a window. */
typedef void MovePlace(const Windows *w, LLVMValueRef window, LLVMValueRef place,
                       LLVMValueRef cell, LLVMValueRef count);

/* cell + padding = start + step; whether it is on the grid */
static LLVMValueRef place_on_side(const Windows *w, LLVMValueRef window,
                                  LLVMValueRef step, LLVMValueRef *out_inside)
{
    Emit *e = w->m->e;
    LLVMValueRef stride = emit_i64(e, w->m->node->attr.window.stride);
    LLVMValueRef cell =
        LLVMBuildAdd(e->builder, LLVMBuildMul(e->builder, window, stride, ""), step, "");
    cell =
        LLVMBuildSub(e->builder, cell, emit_i64(e, w->m->node->attr.window.padding), "");
    *out_inside = LLVMBuildICmp(e->builder, LLVMIntULT, cell, emit_i64(e, w->side), "");
    return cell;
}

/* All places of the window at (down, across). */
static void each_place(const Windows *w, LLVMValueRef down, LLVMValueRef across,
                       MovePlace *move)
{
    Emit *e = w->m->e;
    LLVMValueRef kernel = emit_i64(e, w->m->node->attr.window.kernel);
    LLVMValueRef zero = emit_i64(e, 0), is_row, is_column;
    LLVMValueRef window = LLVMBuildAdd(
        e->builder, LLVMBuildMul(e->builder, down, emit_i64(e, w->steps), ""), across,
        "");
    window = move_row(e, w->windows, window, w->columns);
    Loop row = loop_begin(e, zero, kernel, 1);
    LLVMValueRef y = place_on_side(w, down, row.index, &is_row);
    y = LLVMBuildMul(e->builder, y, emit_i64(e, w->side), "");
    LLVMValueRef line = LLVMBuildMul(e->builder, row.index, kernel, "");
    Loop column = loop_begin(e, zero, kernel, 1);
    LLVMValueRef x = place_on_side(w, across, column.index, &is_column);
    LLVMValueRef inside = LLVMBuildAnd(e->builder, is_row, is_column, "");
    LLVMValueRef cell =
        LLVMBuildSelect(e->builder, inside, LLVMBuildAdd(e->builder, y, x, ""), zero, "");
    LLVMValueRef count =
        LLVMBuildSelect(e->builder, inside, emit_i64(e, w->channels), zero, "");
    move(w, window, LLVMBuildAdd(e->builder, line, column.index, ""),
         move_row(e, w->grid, cell, w->channels), count);
    loop_end(e, &column);
    loop_end(e, &row);
}

/* All windows of all sequences; the grid is operand `grid`, the windows are the other,
 * and so are their axes. */
static void each_window(const Move *m, uint32_t grid, int64_t channels, MovePlace *move)
{
    Emit *e = m->e;
    const Node *x = m->node->args[0];
    int32_t axes[] = {x->type.axis, m->node->type.axis};
    Windows w = {.m = m,
                 .side = axis_grid_side(&m->graph->axes[axes[grid]]),
                 .steps = axis_grid_side(&m->graph->axes[axes[1 - grid]]),
                 .channels = channels};
    w.columns = channels * m->node->attr.window.kernel * m->node->attr.window.kernel;
    LLVMValueRef zero = emit_i64(e, 0), steps = emit_i64(e, w.steps);
    Loop loop = loop_begin(e, zero, emit_sequences(e), 1);
    w.grid = move_row(e, emit_operand(e, grid),
                      emit_sequence_rows(e, grid, loop.index).begin, w.channels);
    w.windows = move_row(e, emit_operand(e, 1 - grid),
                         emit_sequence_rows(e, 1 - grid, loop.index).begin, w.columns);
    Loop down = loop_begin(e, zero, steps, 1);
    Loop across = loop_begin(e, zero, steps, 1);
    each_place(&w, down.index, across.index, move);
    loop_end(e, &across);
    loop_end(e, &down);
    loop_end(e, &loop);
}

/* Where channel 0 of a place stands in the window's row, and how far apart channels
 * are. */
static LLVMValueRef first_column(const Windows *w, LLVMValueRef window,
                                 LLVMValueRef place, int64_t *out_stride)
{
    bool by_place = w->m->node->attr.window.by_place;
    *out_stride = by_place ? 1 : w->columns / w->channels;
    return move_row(w->m->e, window, place, by_place ? w->channels : 1);
}

static void take_place(const Windows *w, LLVMValueRef window, LLVMValueRef place,
                       LLVMValueRef cell, LLVMValueRef count)
{
    Emit *e = w->m->e;
    int64_t stride;
    LLVMValueRef to = first_column(w, window, place, &stride);
    LLVMValueRef channels = emit_i64(e, w->channels);
    if (stride == 1) {
        emit_copy_floats(e, to, cell, count);
        emit_zero_floats(e, emit_at(e, e->f32, to, count),
                         LLVMBuildSub(e->builder, channels, count, ""));
        return;
    }
    Loop inside = loop_begin(e, emit_i64(e, 0), count, 1);
    LLVMValueRef x = emit_load(e, e->f32, emit_at(e, e->f32, cell, inside.index));
    emit_store(e, x, move_row(e, to, inside.index, stride));
    loop_end(e, &inside);
    Loop outside = loop_begin(e, count, channels, 1);
    emit_store(e, emit_f32(e, 0), move_row(e, to, outside.index, stride));
    loop_end(e, &outside);
}

static void add_place(const Windows *w, LLVMValueRef window, LLVMValueRef place,
                      LLVMValueRef cell, LLVMValueRef count)
{
    Emit *e = w->m->e;
    int64_t stride;
    LLVMValueRef from = first_column(w, window, place, &stride);
    if (stride == 1) {
        emit_add_floats(e, cell, from, count);
        return;
    }
    Loop loop = loop_begin(e, emit_i64(e, 0), count, 1);
    LLVMValueRef to = emit_at(e, e->f32, cell, loop.index);
    LLVMValueRef x = emit_load(e, e->f32, move_row(e, from, loop.index, stride));
    emit_store(e, LLVMBuildFAdd(e->builder, emit_load(e, e->f32, to), x, ""), to);
    loop_end(e, &loop);
}

void emit_patches(const Move *m)
{
    each_window(m, 0, type_width(m->node->args[0]->type), take_place);
}

/* Windows are added in order, so that sums have the same bits whatever the vectors. */
void emit_add_patches(const Move *m)
{
    Emit *e = m->e;
    LLVMValueRef floats =
        LLVMBuildNSWMul(e->builder, emit_axis_rows(e, 1), emit_i64(e, m->width), "");
    emit_zero_floats(e, move_result(m), floats);
    each_window(m, 1, m->width, add_place);
}
