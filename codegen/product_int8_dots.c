/* Products of integers by VPDPBUSD, which adds to each of a vector's sums the products of
 * four bytes without a sign, B's, and four with one, A's: four times the multiply-adds of
 * f32. 128 was added to B's, so sums begin with what that makes too much. Other vectors
 * of AVX2 and AVX-512 widen bytes to pairs of 16 bits, whose products VPMADDWD adds:
 * about as many as of f32. All others multiply byte by byte. */
#include <string.h>

#include "codegen/int8.h"
#include "codegen/product_unit.h"

enum { MAX_ROWS = 12, MAX_VECTORS = 2, GROUP = 4, GROUPS_AT_ONCE = 4 };

/* Some rows of a panel of A with the panel of B. */
typedef struct IntegerSums {
    const ProductBlock *block;
    uint32_t rows;
    LLVMValueRef row; /* of the block: the first */
    LLVMValueRef a;   /* its bytes at the first k */
    LLVMValueRef sums[MAX_ROWS][MAX_VECTORS];
} IntegerSums;

/* -- one group of four --------------------------------------------------------------- */

/* The groups of one row of A, the same in all places, or of a vector of columns of B, as
 * the unit multiplies them: bytes; bytes 0 and 2, then 1 and 3, as pairs of 16 bits; or
 * each byte as i32. */
enum { MOST_PIECES = 4 };
typedef struct Group {
    LLVMValueRef pieces[MOST_PIECES];
} Group;

static uint32_t pieces_of(const ProductBlock *b)
{
    enum { BYTES = 1, PAIRS = 2, SINGLE = 4 };
    return b->unit->adds_128 ? BYTES : b->e->width > SINGLE ? PAIRS : SINGLE;
}

/* Numbers of so many bits in `x`, of which some bits are moved to the top, and then down
 * with their sign. */
static LLVMValueRef widened(Emit *e, LLVMValueRef x, uint32_t bits, uint32_t up)
{
    enum { BYTE_BITS = 8, I32_BITS = 32 };
    uint32_t count = e->width * I32_BITS / bits;
    LLVMTypeRef number = LLVMIntTypeInContext(e->context, bits);
    LLVMValueRef left[2 * WIDEST_VECTOR], right[2 * WIDEST_VECTOR];
    for (uint32_t i = 0; i < count; i++) {
        left[i] = LLVMConstInt(number, up, 0);
        right[i] = LLVMConstInt(number, bits - BYTE_BITS, 0);
    }
    x = LLVMBuildBitCast(e->builder, x, LLVMVectorType(number, count), "");
    x = LLVMBuildShl(e->builder, x, LLVMConstVector(left, count), "");
    return LLVMBuildAShr(e->builder, x, LLVMConstVector(right, count), "");
}

static Group group_of(const ProductBlock *b, LLVMValueRef bytes)
{
    enum { BYTE_BITS = 8, PAIR_BITS = 16, I32_BITS = 32 };
    const uint32_t pieces = pieces_of(b), bits = pieces == 2 ? PAIR_BITS : I32_BITS;
    Group group = {{bytes}};
    for (uint32_t i = 0; i < pieces && pieces > 1; i++)
        group.pieces[i] = widened(b->e, bytes, bits, bits - BYTE_BITS * (i + 1));
    return group;
}

static LLVMValueRef call(Emit *e, const char *name, LLVMValueRef *args, unsigned count)
{
    unsigned id = LLVMLookupIntrinsicID(name, strlen(name));
    LLVMValueRef callee = LLVMGetIntrinsicDeclaration(e->module, id, NULL, 0);
    return LLVMBuildCall2(e->builder, LLVMIntrinsicGetType(e->context, id, NULL, 0),
                          callee, args, count, "");
}

static LLVMValueRef dot(const ProductBlock *b, LLVMValueRef sum, const Group *row,
                        const Group *column)
{
    Emit *e = b->e;
    const uint32_t pieces = pieces_of(b);
    LLVMValueRef bytes[] = {sum, column->pieces[0], row->pieces[0]};
    if (pieces == 1)
        return call(e, "llvm.x86.avx512.vpdpbusd.512", bytes, 3);
    for (uint32_t i = 0; i < pieces; i++) {
        LLVMValueRef pair[] = {row->pieces[i], column->pieces[i]};
        LLVMValueRef product =
            pieces == MOST_PIECES       ? LLVMBuildMul(e->builder, pair[0], pair[1], "")
            : e->width == WIDEST_VECTOR ? call(e, "llvm.x86.avx512.pmaddw.d.512", pair, 2)
                                        : call(e, "llvm.x86.avx2.pmadd.wd", pair, 2);
        sum = LLVMBuildAdd(e->builder, sum, product, "");
    }
    return sum;
}

/* Group `group` of the run of 4 vectors of k at `a` and `b`. */
static void add_group(IntegerSums *s, LLVMValueRef a, LLVMValueRef b, LLVMValueRef group)
{
    Emit *e = s->block->e;
    const uint32_t vectors = s->block->vectors, row_bytes = GROUP * e->width;
    Group columns[MAX_VECTORS];
    LLVMValueRef at = emit_times(e, group, emit_i64(e, vectors * row_bytes));
    for (uint32_t j = 0; j < vectors; j++) {
        LLVMValueRef place = emit_plus(e, at, emit_i64(e, j * row_bytes));
        columns[j] = group_of(
            s->block, emit_load_masked(e, e->vi, emit_at(e, e->i8, b, place), NULL));
    }
    at = emit_times(e, group, emit_i64(e, GROUP));
    for (uint32_t i = 0; i < s->rows; i++) {
        LLVMValueRef place = emit_plus(e, at, emit_i64(e, i * row_bytes));
        LLVMValueRef bytes = emit_load(e, e->i32, emit_at(e, e->i8, a, place));
        Group row = group_of(s->block, emit_splat(e, bytes));
        for (uint32_t j = 0; j < vectors; j++)
            s->sums[i][j] = dot(s->block, s->sums[i][j], &row, &columns[j]);
    }
}

/* -- sums ---------------------------------------------------------------------------- */

static void start_sums(IntegerSums *s)
{
    Emit *e = s->block->e;
    for (uint32_t i = 0; i < s->rows; i++) {
        LLVMValueRef at = emit_at(e, e->i32, s->block->row_starts,
                                  emit_plus(e, s->row, emit_i64(e, i)));
        LLVMValueRef start = s->block->unit->adds_128
                                 ? emit_splat(e, emit_load(e, e->i32, at))
                                 : LLVMConstNull(e->vi);
        for (uint32_t j = 0; j < s->block->vectors; j++)
            s->sums[i][j] = start;
    }
}

/* The sums as phis of a loop; and what they are in the next turn. */
static IntegerSums carry_sums(const IntegerSums *s, Loop *loop)
{
    IntegerSums phis = *s;
    for (uint32_t i = 0; i < s->rows; i++)
        for (uint32_t j = 0; j < s->block->vectors; j++)
            phis.sums[i][j] = loop_carry(s->block->e, loop, s->sums[i][j]);
    return phis;
}

static void next_sums(const IntegerSums *phis, const IntegerSums *next, Loop *loop)
{
    for (uint32_t i = 0; i < phis->rows; i++)
        for (uint32_t j = 0; j < phis->block->vectors; j++)
            loop_next(phis->block->e, loop, phis->sums[i][j], next->sums[i][j]);
}

static void add_run(IntegerSums *s, LLVMValueRef run)
{
    const ProductBlock *b = s->block;
    Emit *e = b->e;
    const int64_t run_bytes = (int64_t)GROUP * e->width;
    LLVMValueRef a_step = emit_i64(e, b->unit->rows * run_bytes),
                 b_step = emit_i64(e, b->vectors * run_bytes * e->width);
    LLVMValueRef a = emit_at(e, e->i8, s->a, emit_times(e, run, a_step)),
                 columns = emit_at(e, e->i8, b->b_panel, emit_times(e, run, b_step));
    Loop loop = loop_begin(e, emit_i64(e, 0), emit_i64(e, e->width), GROUPS_AT_ONCE);
    IntegerSums phis = carry_sums(s, &loop);
    IntegerSums next = phis;
    for (uint32_t i = 0; i < GROUPS_AT_ONCE; i++)
        add_group(&next, a, columns, emit_plus(e, loop.index, emit_i64(e, i)));
    next_sums(&phis, &next, &loop);
    loop_end(e, &loop);
    *s = phis;
}

static void emit_sums(IntegerSums *s)
{
    const ProductBlock *b = s->block;
    Emit *e = b->e;
    start_sums(s);
    LLVMValueRef runs = LLVMBuildSDiv(e->builder, product_int8_depth(b),
                                      emit_i64(e, (int64_t)GROUP * e->width), "");
    Loop loop = loop_begin(e, emit_i64(e, 0), runs, 1);
    IntegerSums phis = carry_sums(s, &loop);
    IntegerSums next = phis;
    add_run(&next, loop.index);
    next_sums(&phis, &next, &loop);
    loop_end(e, &loop);
    for (uint32_t i = 0; i < s->rows; i++)
        product_int8_add(b, emit_plus(e, s->row, emit_i64(e, i)), phis.sums[i]);
}

/* Whole panels of A, then what is left of the last, a few rows at a time. */
static void multiply(const ProductBlock *b)
{
    Emit *e = b->e;
    LLVMValueRef whole =
        LLVMBuildSub(e->builder, b->rows, emit_i64(e, b->unit->rows - 1), "");
    Loop panel = loop_begin(e, emit_i64(e, 0), whole, b->unit->rows);
    emit_sums(&(IntegerSums){.block = b,
                             .rows = b->unit->rows,
                             .row = panel.index,
                             .a = product_int8_panel(b, panel.index)});
    loop_end(e, &panel);
    LLVMValueRef last = product_int8_panel(b, panel.index);
    Loop rest = loop_begin(e, panel.index, b->rows, b->unit->few_rows);
    LLVMValueRef before = LLVMBuildSub(e->builder, rest.index, panel.index, "");
    before = emit_times(e, before, emit_i64(e, (int64_t)GROUP * e->width));
    emit_sums(&(IntegerSums){.block = b,
                             .rows = b->unit->few_rows,
                             .row = rest.index,
                             .a = emit_at(e, e->i8, last, before)});
    loop_end(e, &rest);
}

/* -- shapes -------------------------------------------------------------------------- */

#define FUNCTIONS                                                                        \
    .is_int8 = true, .pack_a = product_int8_pack_a, .pack_b = product_int8_pack_b,       \
    .multiply = multiply
static const ProductUnit
    dots = {.name = "int8_dots",
            .adds_128 = true,
            .rows = 12,
            .vectors = 2,
            .few_rows = 4,
            FUNCTIONS},
    pairs_16 = {.name = "int8", .rows = 8, .vectors = 2, .few_rows = 4, FUNCTIONS},
    pairs_8 = {.name = "int8", .rows = 4, .vectors = 2, .few_rows = 2, FUNCTIONS},
    single = {.name = "int8", .rows = 4, .vectors = 1, .few_rows = 2, FUNCTIONS};

const ProductUnit *product_unit_int8_dots(const Processor *processor)
{
    switch (processor->vector_width) {
    case 16:
        return processor->has_avx512_vnni ? &dots : &pairs_16;
    case 8:
        return &pairs_8;
    }
    return &single;
}
