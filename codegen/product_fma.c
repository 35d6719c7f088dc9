/* Products by fused multiply-adds of whole vectors, in f32.
 *
 * A packed panel of A is [k][rows], so that the numbers of one k stand side by side; one
 * of B is [k][vectors]. Where a matrix lies the other way round it is transposed a tile
 * of registers at a time; a tile is written whole, and what it writes too much is
 * overwritten by its neighbour, or falls into room that scratch has for it. */
#include <stddef.h>

#include "codegen/product_unit.h"

enum { MAX_ROWS = 12, MAX_VECTORS = 3, UNROLLED = 4 };

/* What is read in steps too large for the processor to see a pattern, or faster than it
 * sees one, is asked for so many k before. */
enum { FETCH_AHEAD = 16 };

/* A packed panel comes from memory. With as many rows as this it is used so often that
 * this hardly counts; with fewer the next one is asked for meanwhile, a share of it by
 * each panel of A. */
enum { MOST_FETCHING_ROWS = 256, LINE_BYTES = 64 };

/* -- packing ------------------------------------------------------------------------- */

/* to[k][to_stride] = from[k][from_stride]: rows of `vectors` vectors. */
typedef struct Copy {
    LLVMValueRef to, from, from_stride, depth;
    int64_t to_stride;
    uint32_t vectors;
    LLVMValueRef mask;
} Copy;

static void emit_copy(Emit *e, const Copy *copy)
{
    LLVMValueRef to_stride = emit_i64(e, copy->to_stride);
    Loop loop = loop_begin(e, emit_i64(e, 0), copy->depth, 1);
    LLVMValueRef later = emit_plus(e, loop.index, emit_i64(e, FETCH_AHEAD));
    for (uint32_t i = 0; i < copy->vectors; i++) {
        LLVMValueRef column = emit_i64(e, (int64_t)i * e->width);
        LLVMValueRef from =
            emit_element(e, copy->from, loop.index, copy->from_stride, column);
        LLVMValueRef to = emit_element(e, copy->to, loop.index, to_stride, column);
        emit_store_vector(e, emit_load_vector(e, from, copy->mask), to, NULL);
        emit_prefetch(e, emit_element(e, copy->from, later, copy->from_stride, column));
    }
    loop_end(e, &loop);
}

/* Where the packed panel of A that begins with row `row` of the block is. */
static LLVMValueRef a_panel(const ProductBlock *b, LLVMValueRef row)
{
    return emit_at(b->e, b->e->f32, b->a_block, emit_times(b->e, row, b->depth));
}

/* A lies with its rows along memory: panels are columns of it. */
static void pack_columns_of_a(const ProductBlock *b)
{
    Emit *e = b->e;
    LLVMValueRef reach = LLVMBuildSub(e->builder, b->p->m, b->first_row, "");
    LLVMValueRef whole = LLVMBuildSub(e->builder, reach, emit_i64(e, e->width - 1), "");
    LLVMValueRef ends[] = {emit_least(e, whole, b->rows), b->rows};
    LLVMValueRef row = emit_i64(e, 0);
    for (uint32_t i = 0; i < 2; i++) {
        Loop loop = loop_begin(e, row, ends[i], b->unit->rows);
        emit_copy(e, &(Copy){.to = a_panel(b, loop.index),
                             .to_stride = b->unit->rows,
                             .from = emit_element(e, b->p->a, b->first_k, b->p->a_stride,
                                                  emit_plus(e, b->first_row, loop.index)),
                             .from_stride = b->p->a_stride,
                             .depth = b->depth,
                             .vectors = 1,
                             .mask = i ? emit_tail_mask(e, loop.index, reach) : NULL});
        loop_end(e, &loop);
        row = loop.index;
    }
}

static void pack_rows_of_a(const ProductBlock *b)
{
    Emit *e = b->e;
    Loop loop = loop_begin(e, emit_i64(e, 0), b->rows, b->unit->rows);
    LLVMValueRef left = LLVMBuildSub(e->builder, b->rows, loop.index, "");
    emit_transpose(
        e, &(Transpose){.from = emit_element(e, b->p->a,
                                             emit_plus(e, b->first_row, loop.index),
                                             b->p->a_stride, b->first_k),
                        .from_stride = b->p->a_stride,
                        .to = a_panel(b, loop.index),
                        .to_stride = emit_i64(e, b->unit->rows),
                        .rows = emit_least(e, left, emit_i64(e, b->unit->rows)),
                        .columns = b->depth});
    loop_end(e, &loop);
}

static void pack_a(const ProductBlock *b)
{
    if (b->p->form.transpose_a)
        pack_columns_of_a(b);
    else
        pack_rows_of_a(b);
}

/* A vector of k at a time: they may be in different panels. */
static void pack_turned_b(const ProductBlock *b)
{
    Emit *e = b->e;
    LLVMValueRef stride = emit_i64(e, (int64_t)b->vectors * e->width), from_stride;
    LLVMValueRef left = LLVMBuildSub(e->builder, b->p->n, b->column, "");
    Loop loop = loop_begin(e, emit_i64(e, 0), b->depth, e->width);
    LLVMValueRef from = product_turned_floats(
        b, b->column, emit_plus(e, b->first_k, loop.index), &from_stride);
    emit_transpose(e, &(Transpose){.from = from,
                                   .from_stride = from_stride,
                                   .to = emit_at(e, e->f32, b->b_panel,
                                                 emit_times(e, loop.index, stride)),
                                   .to_stride = stride,
                                   .rows = emit_least(e, left, stride),
                                   .columns = emit_i64(e, e->width)});
    loop_end(e, &loop);
}

static void pack_b(const ProductBlock *b)
{
    Emit *e = b->e;
    int64_t stride = (int64_t)b->vectors * e->width;
    if (b->p->form.stored == STORED_TURNED) {
        pack_turned_b(b);
        return;
    }
    if (!b->p->form.transpose_b) {
        emit_copy(e, &(Copy){.to = b->b_panel,
                             .to_stride = stride,
                             .from = emit_element(e, b->p->b, b->first_k, b->p->b_stride,
                                                  b->column),
                             .from_stride = b->p->b_stride,
                             .depth = b->depth,
                             .vectors = b->vectors,
                             .mask = b->mask});
        return;
    }
    LLVMValueRef left = LLVMBuildSub(e->builder, b->p->n, b->column, "");
    emit_transpose(e, &(Transpose){.from = emit_element(e, b->p->b, b->column,
                                                        b->p->b_stride, b->first_k),
                                   .from_stride = b->p->b_stride,
                                   .to = b->b_panel,
                                   .to_stride = emit_i64(e, stride),
                                   .rows = emit_least(e, left, emit_i64(e, stride)),
                                   .columns = b->depth});
}

/* -- multiplying --------------------------------------------------------------------- */

/* Some rows of a panel of A with the panel of B. */
typedef struct PanelSums {
    const ProductBlock *block;
    uint32_t rows;
    bool may_end;                   /* the last of them may not be there */
    LLVMValueRef row;               /* of the block: the first of them */
    LLVMValueRef a[MAX_ROWS];       /* their numbers at the run's first k */
    LLVMValueRef a_step;            /* from one k to the next */
    LLVMValueRef fetch, fetch_step; /* of the next panel of B: bytes a k; or NULL */
    LLVMValueRef starts[MAX_ROWS];  /* where C's rows begin */
    LLVMValueRef
        is_there[MAX_ROWS]; /* i1 of rows that may lie beyond the last, or NULL */
    LLVMValueRef sums[MAX_ROWS][MAX_VECTORS];
} PanelSums;

static LLVMValueRef mask_of(const PanelSums *s, uint32_t row)
{
    Emit *e = s->block->e;
    LLVMValueRef mask = s->block->mask;
    if (!s->is_there[row])
        return mask;
    LLVMValueRef all = emit_splat(e, s->is_there[row]);
    return mask ? LLVMBuildAnd(e->builder, all, mask, "") : all;
}

static LLVMValueRef vector_of(const PanelSums *s, uint32_t row, uint32_t vector)
{
    Emit *e = s->block->e;
    return emit_at(e, e->f32, s->starts[row], emit_i64(e, (int64_t)vector * e->width));
}

static void find_rows(PanelSums *s)
{
    const ProductBlock *b = s->block;
    Emit *e = b->e;
    for (uint32_t i = 0; i < s->rows; i++) {
        LLVMValueRef row = emit_plus(e, s->row, emit_i64(e, i));
        s->is_there[i] =
            s->may_end ? LLVMBuildICmp(e->builder, LLVMIntSLT, row, b->rows, "") : NULL;
        s->starts[i] = emit_element(e, b->p->c, emit_plus(e, b->first_row, row),
                                    b->p->c_stride, b->column);
    }
}

/* The sums so far: C, or zeros. Where nothing is added to C, it is not read either. */
static void load_sums(PanelSums *s)
{
    const ProductBlock *b = s->block;
    Emit *e = b->e;
    LLVMValueRef adds = emit_splat(e, LLVMBuildNot(e->builder, b->is_first, ""));
    for (uint32_t i = 0; i < s->rows; i++) {
        LLVMValueRef mask = mask_of(s, i);
        mask = mask ? LLVMBuildAnd(e->builder, mask, adds, "") : adds;
        for (uint32_t j = 0; j < b->vectors; j++)
            s->sums[i][j] = emit_load_vector(e, vector_of(s, i, j), mask);
    }
}

/* One k more: sums += a number of each row of A times a row of B's panel. */
static void multiply_add(PanelSums *s, LLVMValueRef k)
{
    const ProductBlock *b = s->block;
    Emit *e = b->e;
    LLVMValueRef vectors[MAX_VECTORS];
    LLVMValueRef b_stride = emit_i64(e, (int64_t)b->vectors * e->width);
    for (uint32_t j = 0; j < b->vectors; j++)
        vectors[j] = emit_load_vector(
            e,
            emit_element(e, b->b_panel, k, b_stride, emit_i64(e, (int64_t)j * e->width)),
            NULL);
    LLVMValueRef later =
        emit_times(e, emit_plus(e, k, emit_i64(e, FETCH_AHEAD)), s->a_step);
    emit_prefetch(e, emit_at(e, e->f32, s->a[0], later));
    for (uint32_t j = 0; s->fetch && j < b->vectors; j++) {
        LLVMValueRef at = emit_times(e, k, s->fetch_step);
        at = emit_plus(e, at, emit_i64(e, (int64_t)j * LINE_BYTES));
        emit_prefetch_second(e, emit_at(e, e->i8, s->fetch, at));
    }
    LLVMValueRef offset = emit_times(e, k, s->a_step);
    for (uint32_t i = 0; i < s->rows; i++) {
        LLVMValueRef copies =
            emit_splat(e, emit_load(e, e->f32, emit_at(e, e->f32, s->a[i], offset)));
        for (uint32_t j = 0; j < b->vectors; j++)
            s->sums[i][j] = emit_fma(e, copies, vectors[j], s->sums[i][j]);
    }
}

/* So many k a turn, from `k` on, while there are as many; where that ends. */
static LLVMValueRef add_turns(PanelSums *s, LLVMValueRef k, uint32_t many)
{
    const ProductBlock *b = s->block;
    Emit *e = b->e;
    LLVMValueRef end = LLVMBuildSub(e->builder, b->depth, emit_i64(e, many - 1), "");
    Loop loop = loop_begin(e, k, end, many);
    PanelSums before = *s;
    for (uint32_t i = 0; i < s->rows; i++)
        for (uint32_t j = 0; j < b->vectors; j++)
            before.sums[i][j] = loop_carry(e, &loop, s->sums[i][j]);
    PanelSums after = before;
    for (uint32_t i = 0; i < many; i++)
        multiply_add(&after, emit_plus(e, loop.index, emit_i64(e, i)));
    for (uint32_t i = 0; i < s->rows; i++)
        for (uint32_t j = 0; j < b->vectors; j++)
            loop_next(e, &loop, before.sums[i][j], after.sums[i][j]);
    loop_end(e, &loop);
    *s = before;
    return loop.index;
}

/* The rows of C that come after these. */
static void fetch_next_rows(const PanelSums *s)
{
    Emit *e = s->block->e;
    LLVMValueRef next = emit_times(e, s->block->p->c_stride, emit_i64(e, s->rows));
    for (uint32_t i = 0; i < s->rows; i++)
        for (uint32_t j = 0; j < s->block->vectors; j++)
            emit_prefetch(e, emit_at(e, e->f32, vector_of(s, i, j), next));
}

static void emit_sums(PanelSums *s)
{
    const ProductBlock *b = s->block;
    Emit *e = b->e;
    find_rows(s);
    load_sums(s);
    LLVMValueRef k = emit_i64(e, 0);
    if (!s->may_end) {
        fetch_next_rows(s);
        k = add_turns(s, k, UNROLLED);
    }
    add_turns(s, k, 1);
    for (uint32_t i = 0; i < s->rows; i++)
        for (uint32_t j = 0; j < b->vectors; j++)
            emit_store_vector(e, s->sums[i][j], vector_of(s, i, j), mask_of(s, i));
}

/* Numbers of A as they are packed: of the panel of A that begins with row `first`. */
static void find_packed(PanelSums *s, LLVMValueRef first)
{
    const ProductBlock *b = s->block;
    Emit *e = b->e;
    LLVMValueRef row = LLVMBuildSub(e->builder, s->row, first, "");
    LLVMValueRef a = emit_at(e, e->f32, a_panel(b, first), row);
    s->a_step = emit_i64(e, b->unit->rows);
    for (uint32_t i = 0; i < s->rows; i++)
        s->a[i] = emit_at(e, e->f32, a, emit_i64(e, i));
}

/* Where they lie in A; of the last row, if there is no such row. Frozen, a place is one
 * value: LLVM would make each out of the one before, in every turn. */
static void find_in_place(PanelSums *s)
{
    const ProductBlock *b = s->block;
    const Product *p = b->p;
    Emit *e = b->e;
    LLVMValueRef last = LLVMBuildSub(e->builder, p->m, emit_i64(e, 1), "");
    s->a_step = p->form.transpose_a ? p->a_stride : emit_i64(e, 1);
    for (uint32_t i = 0; i < s->rows; i++) {
        LLVMValueRef row = emit_plus(e, s->row, emit_i64(e, i));
        row = emit_plus(e, b->first_row, row);
        if (s->may_end)
            row = emit_least(e, row, last);
        LLVMValueRef place = p->form.transpose_a
                                 ? emit_element(e, p->a, b->first_k, p->a_stride, row)
                                 : emit_element(e, p->a, row, p->a_stride, b->first_k);
        s->a[i] = LLVMBuildFreeze(e->builder, place, "");
    }
}

/* The share of the panel after this one that the panel of A asks for which begins with
 * that row. */
static void find_fetch(PanelSums *s)
{
    const ProductBlock *b = s->block;
    Emit *e = b->e;
    int64_t width = (int64_t)b->vectors * e->width * (int64_t)sizeof(float);
    LLVMValueRef rows = emit_i64(e, b->unit->rows), bytes = emit_i64(e, width);
    LLVMValueRef panels = LLVMBuildUDiv(e->builder, b->rows, rows, "");
    LLVMValueRef panel = LLVMBuildUDiv(e->builder, s->row, rows, "");
    LLVMValueRef before = emit_times(e, panel, emit_times(e, b->depth, bytes));
    before = LLVMBuildUDiv(e->builder, before, panels, "");
    before = emit_plus(e, before, emit_times(e, b->p->k, bytes));
    s->fetch = emit_at(e, e->i8, b->b_panel, before);
    s->fetch_step = LLVMBuildUDiv(e->builder, bytes, panels, "");
}

/* Where the rows end that have the next panel of B fetched. */
static LLVMValueRef fetching_end(const ProductBlock *b, LLVMValueRef whole)
{
    Emit *e = b->e;
    LLVMValueRef few = LLVMBuildICmp(e->builder, LLVMIntSLE, b->rows,
                                     emit_i64(e, MOST_FETCHING_ROWS), "");
    return LLVMBuildSelect(e->builder, few, whole, emit_i64(e, 0), "");
}

/* Whole panels of A, then what is left of the last, a few rows at a time. */
static void multiply_rows(const ProductBlock *b, bool is_packed)
{
    enum { FETCHING, WHOLE, FEW, KINDS };
    Emit *e = b->e;
    LLVMValueRef whole =
        LLVMBuildSub(e->builder, b->rows, emit_i64(e, b->unit->rows - 1), "");
    const LLVMValueRef ends[] = {fetching_end(b, whole), whole, b->rows};
    const uint32_t heights[] = {b->unit->rows, b->unit->rows, b->unit->few_rows};
    LLVMValueRef row = emit_i64(e, 0);
    uint32_t first = product_reads_packed(b->unit, b->p->form) ? FETCHING : WHOLE;
    for (uint32_t i = first; i < KINDS; i++) {
        Loop loop = loop_begin(e, row, ends[i], heights[i]);
        PanelSums sums = {
            .block = b, .rows = heights[i], .row = loop.index, .may_end = i == FEW};
        if (i == FETCHING)
            find_fetch(&sums);
        if (is_packed)
            find_packed(&sums, i == FEW ? row : loop.index);
        else
            find_in_place(&sums);
        emit_sums(&sums);
        loop_end(e, &loop);
        row = loop.index;
    }
}

static void multiply(const ProductBlock *b)
{
    multiply_rows(b, true);
}

static void multiply_in_place(const ProductBlock *b)
{
    multiply_rows(b, false);
}

/* -- shapes -------------------------------------------------------------------------- */

/* Sums, a row of B's panel and a number of A fit the registers, 32, 16 and 16 of them; of
 * 32, four are left over, or LLVM runs out of them. */
#define UNIT(rows_, vectors_, few_rows_, packs, multiplies)                              \
    {                                                                                    \
        .name = "f32",                                                                   \
        .by = "multiply-adds",                                                           \
        .rows = (rows_),                                                                 \
        .vectors = (vectors_),                                                           \
        .few_rows = (few_rows_),                                                         \
        .has_few = true,                                                                 \
        .pack_a = (packs),                                                               \
        .pack_b = pack_b,                                                                \
        .multiply = (multiplies),                                                        \
    }
#define UNITS(...)                                                                       \
    {UNIT(__VA_ARGS__, pack_a, multiply), UNIT(__VA_ARGS__, NULL, multiply_in_place)}

/* The first packs A, the second does not. */
static const ProductUnit *units_of(const Processor *processor)
{
    static const ProductUnit of_16[] = UNITS(12, 2, 4), of_8[] = UNITS(6, 2, 2),
                             of_4[] = UNITS(4, 3, 2);
    switch (processor->vector_width) {
    case 16:
        return of_16;
    case 8:
        return of_8;
    }
    return of_4;
}

const ProductUnit *product_unit_fma(const Processor *processor)
{
    return &units_of(processor)[0];
}

const ProductUnit *product_unit_fma_in_place(const Processor *processor)
{
    return &units_of(processor)[1];
}
