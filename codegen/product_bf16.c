/* Products by VDPBF16PS, which adds to each of 16 sums the products of a pair of bf16: of
 * AMD's processors with AVX-512, at the precision of one part. Intel's take two cycles
 * for each, in which they do as many multiply-adds of f32, which are more accurate.
 *
 * Operands are packed as for tiles. A row of a tile of B, 16 columns of a pair of k, is a
 * vector; a pair of a row of A is repeated 16 times. */
#include <string.h>

#include "codegen/product_unit.h"

/* 16 sums, two vectors of B and a pair of A leave registers to spare. */
enum { ROWS = 8, VECTORS = 2, PAIR_BYTES = 4 };

typedef struct DotSums {
    const ProductBlock *block;
    LLVMValueRef row; /* of the block: the first */
    LLVMValueRef sums[ROWS][VECTORS];
} DotSums;

static LLVMValueRef dot(Emit *e, LLVMValueRef sum, LLVMValueRef a, LLVMValueRef b)
{
    static const char name[] = "llvm.x86.avx512bf16.dpbf16ps.512";
    unsigned id = LLVMLookupIntrinsicID(name, strlen(name));
    LLVMValueRef callee = LLVMGetIntrinsicDeclaration(e->module, id, NULL, 0);
    LLVMTypeRef type =
        LLVMVectorType(LLVMBFloatTypeInContext(e->context), 2 * PRODUCT_TILE_SIDE);
    LLVMValueRef args[] = {sum, LLVMBuildBitCast(e->builder, a, type, ""),
                           LLVMBuildBitCast(e->builder, b, type, "")};
    return LLVMBuildCall2(e->builder, LLVMIntrinsicGetType(e->context, id, NULL, 0),
                          callee, args, 3, "");
}

/* The bytes before pair `pair` of a panel of so many tiles: its run's tiles, and in the
 * tile as many rows of B, or pairs of a row of A, as `step` is long. */
static LLVMValueRef pair_offset(Emit *e, LLVMValueRef pair, uint32_t tiles, int64_t step)
{
    const int64_t pairs = PRODUCT_TILE_DEPTH / 2;
    LLVMValueRef run = LLVMBuildSDiv(e->builder, pair, emit_i64(e, pairs), "");
    LLVMValueRef rest = LLVMBuildAnd(e->builder, pair, emit_i64(e, pairs - 1), "");
    run = emit_times(e, run, emit_i64(e, (int64_t)tiles * PRODUCT_TILE_BYTES));
    rest = emit_times(e, rest, emit_i64(e, step));
    return emit_plus(e, run, rest);
}

static void add_pair(DotSums *s, LLVMValueRef a_panel, LLVMValueRef a_row, Loop *loop)
{
    const ProductBlock *b = s->block;
    Emit *e = b->e;
    const int64_t row_bytes = PRODUCT_TILE_BYTES / PRODUCT_TILE_SIDE;
    LLVMValueRef at = pair_offset(e, loop->index, b->vectors, row_bytes);
    LLVMValueRef vectors[VECTORS];
    for (uint32_t j = 0; j < b->vectors; j++)
        vectors[j] = emit_load_masked(
            e, e->vi,
            emit_at(e, e->i8, b->b_panel,
                    emit_plus(e, at, emit_i64(e, (int64_t)j * PRODUCT_TILE_BYTES))),
            NULL);
    LLVMValueRef a = emit_at(
        e, e->i8, a_panel,
        pair_offset(e, loop->index, b->unit->rows / PRODUCT_TILE_SIDE, PAIR_BYTES));
    for (uint32_t i = 0; i < ROWS; i++) {
        LLVMValueRef row = emit_plus(e, a_row, emit_i64(e, i * row_bytes));
        LLVMValueRef pair = emit_load(e, e->i32, emit_at(e, e->i8, a, row));
        for (uint32_t j = 0; j < b->vectors; j++)
            loop_next(e, loop, s->sums[i][j],
                      dot(e, s->sums[i][j], emit_splat(e, pair), vectors[j]));
    }
}

/* -- C ------------------------------------------------------------------------------- */

/* Row `i` of the sums in C, and the mask of what is there of it. */
static LLVMValueRef row_of(const DotSums *s, uint32_t i, LLVMValueRef *out_mask)
{
    const ProductBlock *b = s->block;
    Emit *e = b->e;
    LLVMValueRef row = emit_plus(e, s->row, emit_i64(e, i));
    *out_mask = emit_splat(e, LLVMBuildICmp(e->builder, LLVMIntSLT, row, b->rows, ""));
    if (b->mask)
        *out_mask = LLVMBuildAnd(e->builder, *out_mask, b->mask, "");
    row = emit_plus(e, b->first_row, row);
    return emit_element(e, b->p->c, row, b->p->c_stride, b->column);
}

/* Where nothing is added to C, it is not read either. */
static void load_sums(DotSums *s)
{
    const ProductBlock *b = s->block;
    Emit *e = b->e;
    LLVMValueRef adds = emit_splat(e, LLVMBuildNot(e->builder, b->is_first, "")), mask;
    for (uint32_t i = 0; i < ROWS; i++) {
        LLVMValueRef row = row_of(s, i, &mask);
        mask = LLVMBuildAnd(e->builder, mask, adds, "");
        for (uint32_t j = 0; j < b->vectors; j++) {
            LLVMValueRef at = emit_at(e, e->f32, row, emit_i64(e, (int64_t)j * e->width));
            s->sums[i][j] = emit_load_vector(e, at, mask);
        }
    }
}

static void store_sums(const DotSums *s)
{
    Emit *e = s->block->e;
    LLVMValueRef mask;
    for (uint32_t i = 0; i < ROWS; i++) {
        LLVMValueRef row = row_of(s, i, &mask);
        for (uint32_t j = 0; j < s->block->vectors; j++)
            emit_store_vector(e, s->sums[i][j],
                              emit_at(e, e->f32, row, emit_i64(e, (int64_t)j * e->width)),
                              mask);
    }
}

/* -- the block ----------------------------------------------------------------------- */

static void emit_sums(DotSums *s, LLVMValueRef a_panel, LLVMValueRef a_row)
{
    const ProductBlock *b = s->block;
    Emit *e = b->e;
    load_sums(s);
    LLVMValueRef pairs = LLVMBuildSDiv(e->builder, emit_plus(e, b->depth, emit_i64(e, 1)),
                                       emit_i64(e, 2), "");
    Loop loop = loop_begin(e, emit_i64(e, 0), pairs, 1);
    for (uint32_t i = 0; i < ROWS; i++)
        for (uint32_t j = 0; j < b->vectors; j++)
            s->sums[i][j] = loop_carry(e, &loop, s->sums[i][j]);
    add_pair(s, a_panel, a_row, &loop);
    loop_end(e, &loop);
    store_sums(s);
}

/* Half a tile of A at a time. */
static void multiply(const ProductBlock *b)
{
    Emit *e = b->e;
    Loop loop = loop_begin(e, emit_i64(e, 0), b->rows, ROWS);
    LLVMValueRef in_panel =
        LLVMBuildAnd(e->builder, loop.index, emit_i64(e, b->unit->rows - 1), "");
    LLVMValueRef panel =
        product_a_tiles(b, LLVMBuildSub(e->builder, loop.index, in_panel, ""));
    LLVMValueRef row_bytes = emit_i64(e, PRODUCT_TILE_BYTES / PRODUCT_TILE_SIDE);
    DotSums sums = {.block = b, .row = loop.index};
    emit_sums(&sums, panel, emit_times(e, in_panel, row_bytes));
    loop_end(e, &loop);
}

const ProductUnit *product_unit_bf16(const Processor *processor, Precision precision)
{
    static const ProductUnit unit = {.name = "dots",
                                     .by = "dot products of bf16",
                                     .parts = 1,
                                     .rows = PRODUCT_TILE_SIDE,
                                     .vectors = VECTORS,
                                     .pack_a = product_split_a,
                                     .pack_b = product_split_b,
                                     .multiply = multiply};
    bool is_amd = strncmp(processor->name, "znver", strlen("znver")) == 0;
    bool is_fast = is_amd && processor->has_avx512_bf16 &&
                   processor->vector_width == PRODUCT_TILE_SIDE;
    return is_fast && precision == PRECISION_medium ? &unit : NULL;
}
