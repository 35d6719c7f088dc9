/* Products of a few rows, and of few columns, by multiply-adds in f32.
 *
 * To pack B for a few rows is more work than to multiply by it: it is read once, where
 * it lies. If its rows are along C's, they are multiplied one after another, some k at a
 * time over many columns, and the sums wait in C, which the first cache holds. If its
 * columns are, a tile of registers is transposed, which leaves the sums in registers.
 *
 * C of few columns is the same with the sides changed, C^T = B^T A^T. Either way an
 * element is one chain of multiply-adds in the order of k, as in codegen/product_fma.c:
 * the same bits.
 *
 * Rows are taken FEW at a time; those beyond the last are the last once more, which makes
 * and stores the same numbers. */
#include <stdio.h>

#include "codegen/product_unit.h"

enum { FEW = 4, MAX_WIDTH = WIDEST_VECTOR, MAX_RUN = 4 };

/* Columns whose sums fit the first cache; rows of C of few columns. */
enum { CHUNK_COLUMNS = 1024, CHUNK_ROWS = 256 };

/* Rows far apart are more than the processor foresees: numbers so far on are asked
 * for. */
enum { FETCH_AHEAD = 128 };

/* In scratch: a tile of B, then C^T. */
enum { TRANSPOSED_AT = PRODUCT_FEW_ROWS_BYTES };

typedef struct FewRows {
    Emit *e;
    const Product *p;
    LLVMValueRef a[FEW], c[FEW]; /* where the rows begin */
    LLVMValueRef a_step;         /* from one k to the next */
} FewRows;

static FewRows rows_from(Emit *e, const Product *p, LLVMValueRef first)
{
    FewRows rows = {
        .e = e, .p = p, .a_step = p->form.transpose_a ? p->a_stride : emit_i64(e, 1)};
    LLVMValueRef last = LLVMBuildSub(e->builder, p->m, emit_i64(e, 1), "");
    for (uint32_t i = 0; i < FEW; i++) {
        LLVMValueRef row = emit_least(e, emit_plus(e, first, emit_i64(e, i)), last);
        LLVMValueRef a_row = p->form.transpose_a ? row : emit_times(e, row, p->a_stride);
        rows.a[i] = emit_at(e, e->f32, p->a, a_row);
        rows.c[i] = emit_at(e, e->f32, p->c, emit_times(e, row, p->c_stride));
    }
    return rows;
}

/* Copies of number k of a row of A. */
static LLVMValueRef copies_of(const FewRows *rows, uint32_t row, LLVMValueRef k)
{
    Emit *e = rows->e;
    LLVMValueRef at = emit_at(e, e->f32, rows->a[row], emit_times(e, k, rows->a_step));
    return emit_splat(e, emit_load(e, e->f32, at));
}

/* -- B's rows along C's -------------------------------------------------------------- */

typedef struct RunOfRows {
    FewRows rows;
    uint32_t turns; /* of k */
    LLVMValueRef b; /* its row at the first of them */
    LLVMValueRef copies[FEW][MAX_RUN];
} RunOfRows;

static void add_run_to_columns(Emit *e, LLVMValueRef column, LLVMValueRef mask,
                               void *state)
{
    const RunOfRows *run = state;
    LLVMValueRef sums[FEW], places[FEW];
    for (uint32_t i = 0; i < FEW; i++) {
        places[i] = emit_at(e, e->f32, run->rows.c[i], column);
        sums[i] = emit_load_vector(e, places[i], mask);
    }
    for (uint32_t k = 0; k < run->turns; k++) {
        LLVMValueRef stride = run->rows.p->b_stride;
        LLVMValueRef b = emit_load_vector(
            e, emit_element(e, run->b, emit_i64(e, k), stride, column), mask);
        emit_prefetch(
            e, emit_element(e, run->b, emit_i64(e, k + run->turns), stride, column));
        for (uint32_t i = 0; i < FEW; i++)
            sums[i] = emit_fma(e, run->copies[i][k], b, sums[i]);
    }
    for (uint32_t i = 0; i < FEW; i++)
        emit_store_vector(e, sums[i], places[i], mask);
}

/* So many k a turn, from `k` on, while there are as many; where that ends. */
static LLVMValueRef add_rows(RunOfRows *run, LLVMValueRef first, LLVMValueRef columns,
                             LLVMValueRef k, uint32_t turns)
{
    Emit *e = run->rows.e;
    const Product *p = run->rows.p;
    run->turns = turns;
    Loop loop = loop_begin(
        e, k, LLVMBuildSub(e->builder, p->k, emit_i64(e, turns - 1), ""), turns);
    for (uint32_t i = 0; i < FEW; i++)
        for (uint32_t j = 0; j < turns; j++)
            run->copies[i][j] =
                copies_of(&run->rows, i, emit_plus(e, loop.index, emit_i64(e, j)));
    run->b = emit_element(e, p->b, loop.index, p->b_stride, first);
    emit_columns(e, columns, add_run_to_columns, run);
    loop_end(e, &loop);
    return loop.index;
}

/* Sums begin with C, or with zeros. */
static void clear_rows(const FewRows *rows, LLVMValueRef columns)
{
    Emit *e = rows->e;
    LLVMValueRef overwrites =
        LLVMBuildICmp(e->builder, LLVMIntEQ, rows->p->accumulate, emit_i64(e, 0), "");
    LLVMValueRef count =
        LLVMBuildSelect(e->builder, overwrites, columns, emit_i64(e, 0), "");
    for (uint32_t i = 0; i < FEW; i++)
        emit_zero_floats(e, rows->c[i], count);
}

static void multiply_rows(Emit *e, const Product *p)
{
    Loop chunk = loop_begin(e, emit_i64(e, 0), p->n, CHUNK_COLUMNS);
    LLVMValueRef columns = emit_least(e, LLVMBuildSub(e->builder, p->n, chunk.index, ""),
                                      emit_i64(e, CHUNK_COLUMNS));
    Loop group = loop_begin(e, emit_i64(e, 0), p->m, FEW);
    RunOfRows run = {.rows = rows_from(e, p, group.index)};
    for (uint32_t i = 0; i < FEW; i++)
        run.rows.c[i] = emit_at(e, e->f32, run.rows.c[i], chunk.index);
    clear_rows(&run.rows, columns);
    /* Copies of A's numbers leave registers for the rest. */
    uint32_t turns = e->width == MAX_WIDTH ? MAX_RUN : 2;
    LLVMValueRef k = add_rows(&run, chunk.index, columns, emit_i64(e, 0), turns);
    add_rows(&run, chunk.index, columns, k, 1);
    loop_end(e, &group);
    loop_end(e, &chunk);
}

/* -- B's columns along C's ----------------------------------------------------------- */

typedef struct ColumnSums {
    FewRows rows;
    LLVMValueRef b[MAX_WIDTH]; /* where the rows of B begin that are the tile's columns */
    LLVMValueRef sums[FEW];
} ColumnSums;

/* Where k goes on beyond the end of a row: in that of the next tile. */
static LLVMValueRef fetch_place(const ColumnSums *s, LLVMValueRef k)
{
    Emit *e = s->rows.e;
    const Product *p = s->rows.p;
    LLVMValueRef is_there = LLVMBuildICmp(e->builder, LLVMIntSLT, k, p->k, "");
    LLVMValueRef next = LLVMBuildSub(e->builder, k, p->k, "");
    next = emit_plus(e, next, emit_times(e, p->b_stride, emit_i64(e, e->width)));
    return LLVMBuildSelect(e->builder, is_there, k, next, "");
}

/* A tile of B from `k` on, transposed: a vector of C's columns for each k. */
static void load_tile(const ColumnSums *s, LLVMValueRef k, LLVMValueRef mask,
                      LLVMValueRef *out_tile)
{
    Emit *e = s->rows.e;
    LLVMValueRef later = fetch_place(s, emit_plus(e, k, emit_i64(e, FETCH_AHEAD)));
    for (uint32_t i = 0; i < e->width; i++) {
        out_tile[i] = emit_load_vector(e, emit_at(e, e->f32, s->b[i], k), mask);
        emit_prefetch(e, emit_at(e, e->f32, s->b[i], later));
    }
    emit_transpose_vectors(e, out_tile);
}

static void carry_sums(ColumnSums *s, Loop *loop)
{
    for (uint32_t i = 0; i < FEW; i++)
        s->sums[i] = loop_carry(s->rows.e, loop, s->sums[i]);
}

static void add_vector(const ColumnSums *s, LLVMValueRef b, LLVMValueRef k,
                       LLVMValueRef *sums)
{
    for (uint32_t i = 0; i < FEW; i++)
        sums[i] = emit_fma(s->rows.e, copies_of(&s->rows, i, k), b, sums[i]);
}

static void next_sums(const ColumnSums *s, Loop *loop, const LLVMValueRef *sums)
{
    for (uint32_t i = 0; i < FEW; i++)
        loop_next(s->rows.e, loop, s->sums[i], sums[i]);
    loop_end(s->rows.e, loop);
}

/* Whole tiles; where they end. */
static LLVMValueRef add_tiles(ColumnSums *s)
{
    Emit *e = s->rows.e;
    LLVMValueRef end =
        LLVMBuildSub(e->builder, s->rows.p->k, emit_i64(e, e->width - 1), "");
    Loop loop = loop_begin(e, emit_i64(e, 0), end, e->width);
    carry_sums(s, &loop);
    LLVMValueRef tile[MAX_WIDTH], sums[FEW];
    load_tile(s, loop.index, NULL, tile);
    for (uint32_t i = 0; i < FEW; i++)
        sums[i] = s->sums[i];
    for (uint32_t k = 0; k < e->width; k++)
        add_vector(s, tile[k], emit_plus(e, loop.index, emit_i64(e, k)), sums);
    next_sums(s, &loop, sums);
    return loop.index;
}

/* What is left of k goes by scratch, so that no number beyond it takes part. */
static void add_rest(ColumnSums *s, LLVMValueRef first)
{
    Emit *e = s->rows.e;
    const Product *p = s->rows.p;
    LLVMValueRef width = emit_i64(e, e->width), tile[MAX_WIDTH], sums[FEW];
    load_tile(s, first, emit_tail_mask(e, first, p->k), tile);
    for (uint32_t i = 0; i < e->width; i++)
        emit_store_vector(
            e, tile[i],
            emit_at(e, e->f32, p->scratch, emit_i64(e, (int64_t)i * e->width)), NULL);
    Loop loop = loop_begin(e, first, p->k, 1);
    carry_sums(s, &loop);
    for (uint32_t i = 0; i < FEW; i++)
        sums[i] = s->sums[i];
    LLVMValueRef row = LLVMBuildSub(e->builder, loop.index, first, "");
    LLVMValueRef at = emit_element(e, p->scratch, row, width, emit_i64(e, 0));
    add_vector(s, emit_load_vector(e, at, NULL), loop.index, sums);
    next_sums(s, &loop, sums);
}

static void sum_tiles(ColumnSums *s, LLVMValueRef column, LLVMValueRef group)
{
    Emit *e = s->rows.e;
    const Product *p = s->rows.p;
    LLVMValueRef mask = emit_tail_mask(e, column, p->n);
    LLVMValueRef adds =
        LLVMBuildICmp(e->builder, LLVMIntNE, p->accumulate, emit_i64(e, 0), "");
    adds = LLVMBuildAnd(e->builder, mask, emit_splat(e, adds), "");
    s->rows = rows_from(e, p, group);
    for (uint32_t i = 0; i < FEW; i++) {
        s->rows.c[i] = emit_at(e, e->f32, s->rows.c[i], column);
        s->sums[i] = emit_load_vector(e, s->rows.c[i], adds);
    }
    add_rest(s, add_tiles(s));
    for (uint32_t i = 0; i < FEW; i++)
        emit_store_vector(e, s->sums[i], s->rows.c[i], mask);
}

static void multiply_columns(Emit *e, const Product *p)
{
    ColumnSums s = {.rows = {.e = e, .p = p}};
    LLVMValueRef last = LLVMBuildSub(e->builder, p->n, emit_i64(e, 1), "");
    Loop loop = loop_begin(e, emit_i64(e, 0), p->n, e->width);
    for (uint32_t i = 0; i < e->width; i++) {
        LLVMValueRef row = emit_least(e, emit_plus(e, loop.index, emit_i64(e, i)), last);
        s.b[i] = emit_at(e, e->f32, p->b, emit_times(e, row, p->b_stride));
    }
    Loop group = loop_begin(e, emit_i64(e, 0), p->m, FEW);
    sum_tiles(&s, loop.index, group.index);
    loop_end(e, &group);
    loop_end(e, &loop);
}

/* -- the function -------------------------------------------------------------------- */

enum { ARGUMENTS = 11 };

static Product parameters_of(LLVMValueRef function, const ProductForm *form)
{
    LLVMValueRef x[ARGUMENTS];
    LLVMGetParams(function, x);
    return (Product){.form = *form,
                     .m = x[0],
                     .n = x[1],
                     .k = x[2],
                     .a = x[3],
                     .a_stride = x[4],
                     .b = x[5],
                     .b_stride = x[6],
                     .c = x[7],
                     .c_stride = x[8],
                     .accumulate = x[9],
                     .scratch = x[10]};
}

static void emit_body(Emit *e, LLVMValueRef function, const void *form)
{
    const Product p = parameters_of(function, form);
    if (p.form.transpose_b)
        multiply_columns(e, &p);
    else
        multiply_rows(e, &p);
}

void product_few_rows(Emit *e, const Product *p)
{
    char name[32];
    snprintf(name, sizeof name, "product_%c%c_few", p->form.transpose_a ? 't' : 'n',
             p->form.transpose_b ? 't' : 'n');
    LLVMTypeRef types[ARGUMENTS] = {e->i64, e->i64, e->i64, e->ptr, e->i64, e->ptr,
                                    e->i64, e->ptr, e->i64, e->i64, e->ptr};
    LLVMValueRef arguments[ARGUMENTS] = {p->m,        p->n,          p->k,        p->a,
                                         p->a_stride, p->b,          p->b_stride, p->c,
                                         p->c_stride, p->accumulate, p->scratch};
    const LocalFunction function = {
        .name = name,
        .type = LLVMFunctionType(LLVMVoidTypeInContext(e->context), types, ARGUMENTS, 0),
        .body = emit_body,
        .context = &p->form};
    emit_call(e, &function, arguments, ARGUMENTS);
}

/* -- few columns --------------------------------------------------------------------- */

/* Between C^T, a row of it this long, and rows of C. */
static void exchange(Emit *e, const Product *p, const Product *transposed, bool to_c)
{
    Loop i = loop_begin(e, emit_i64(e, 0), transposed->m, 1);
    Loop j = loop_begin(e, emit_i64(e, 0), transposed->n, 1);
    LLVMValueRef at = emit_element(e, transposed->c, i.index, transposed->c_stride,
                                   j.index),
                 c = emit_element(e, p->c, j.index, p->c_stride, i.index);
    if (to_c)
        emit_store(e, emit_load(e, e->f32, at), c);
    else
        emit_store(e, emit_load(e, e->f32, c), at);
    loop_end(e, &j);
    loop_end(e, &i);
}

/* Rows of C from `first` on, as many as there are in a chunk. */
static void multiply_chunk(Emit *e, const Product *all, LLVMValueRef first)
{
    Product p = *all;
    LLVMValueRef none = emit_i64(e, 0);
    p.c = emit_element(e, p.c, first, p.c_stride, none);
    p.a = p.form.transpose_a ? emit_at(e, e->f32, p.a, first)
                             : emit_element(e, p.a, first, p.a_stride, none);
    Product transposed = p;
    transposed.form.transpose_a = !p.form.transpose_b;
    transposed.form.transpose_b = !p.form.transpose_a;
    transposed.m = p.n;
    transposed.n =
        emit_least(e, LLVMBuildSub(e->builder, p.m, first, ""), emit_i64(e, CHUNK_ROWS));
    transposed.a = p.b;
    transposed.a_stride = p.b_stride;
    transposed.b = p.a;
    transposed.b_stride = p.a_stride;
    transposed.c = emit_at(e, e->i8, p.scratch, emit_i64(e, TRANSPOSED_AT));
    transposed.c_stride = emit_i64(e, CHUNK_ROWS);
    Product before = transposed;
    before.m = LLVMBuildSelect(
        e->builder, LLVMBuildICmp(e->builder, LLVMIntNE, p.accumulate, none, ""), p.n,
        none, "");
    exchange(e, &p, &before, false);
    product_few_rows(e, &transposed);
    exchange(e, &p, &transposed, true);
}

void product_few_columns(Emit *e, const Product *p)
{
    Loop loop = loop_begin(e, emit_i64(e, 0), p->m, CHUNK_ROWS);
    multiply_chunk(e, p, loop.index);
    loop_end(e, &loop);
}
