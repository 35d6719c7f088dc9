/* Products by the tiles of AMX: TDPBF16PS adds, to a tile of 16 x 16 sums, a tile of A of
 * 16 x 32 bf16 times one of B of 32 x 16, in pairs of k; TDPBSSD one of 16 x 64 integers
 * times one of 64 x 16, in groups of four, to sums that are integers.
 *
 * Sums of 2 x 2 tiles stay in four of the eight registers while k runs; A's two tiles and
 * B's are in the others. Each number is 1, 2 or 3 parts (product_split.c), and of the
 * products of parts those that count are made, in an order in which each differs from the
 * one before in one operand, so that one alone is loaded. With three parts the largest of
 * those left out is 2^-24 of the product, which is what f32 rounds to. */
#include <string.h>

#include "codegen/product_unit.h"

enum { SIDE_TILES = 2, FIRST_A = 4, FIRST_B = 6, SUM_BYTES_PER_ROW = 64 };

typedef struct PartPair {
    uint32_t a, b;
} PartPair;

static const PartPair pairs_of[][7] = {
    [1] = {{0, 0}},
    [2] = {{1, 0}, {0, 0}, {0, 1}},
    [3] = {{2, 0}, {1, 0}, {1, 1}, {0, 1}, {0, 0}, {0, 2}},
};
static const uint32_t pair_counts[] = {[1] = 1, [2] = 3, [3] = 6};

/* -- instructions -------------------------------------------------------------------- */

static void call(Emit *e, const char *name, LLVMValueRef *args, unsigned count)
{
    unsigned id = LLVMLookupIntrinsicID(name, strlen(name));
    LLVMValueRef callee = LLVMGetIntrinsicDeclaration(e->module, id, NULL, 0);
    LLVMBuildCall2(e->builder, LLVMIntrinsicGetType(e->context, id, NULL, 0), callee,
                   args, count, "");
}

static LLVMValueRef tile_number(Emit *e, uint32_t tile)
{
    return LLVMConstInt(e->i8, tile, 0);
}

static void zero_tile(Emit *e, uint32_t tile)
{
    LLVMValueRef args[] = {tile_number(e, tile)};
    call(e, "llvm.x86.tilezero", args, 1);
}

static void load_tile(Emit *e, uint32_t tile, LLVMValueRef from, int64_t stride)
{
    LLVMValueRef args[] = {tile_number(e, tile), from, emit_i64(e, stride)};
    call(e, "llvm.x86.tileloadd64", args, 3);
}

static void store_tile(Emit *e, uint32_t tile, LLVMValueRef to, int64_t stride)
{
    LLVMValueRef args[] = {tile_number(e, tile), to, emit_i64(e, stride)};
    call(e, "llvm.x86.tilestored64", args, 3);
}

static void multiply_tiles(Emit *e, bool is_int8, uint32_t sum, uint32_t a, uint32_t b)
{
    LLVMValueRef args[] = {tile_number(e, sum), tile_number(e, a), tile_number(e, b)};
    call(e, is_int8 ? "llvm.x86.tdpbssd" : "llvm.x86.tdpbf16ps", args, 3);
}

/* All eight registers are whole tiles: palette 1; bytes of a row; rows. */
static void begin(Emit *e)
{
    enum { CONFIG_BYTES = 64, COLUMNS_AT = 16, ROWS_AT = 48, TILES = 8 };
    char config[CONFIG_BYTES] = {1};
    for (int i = 0; i < TILES; i++) {
        config[COLUMNS_AT + 2 * i] = PRODUCT_TILE_BYTES / PRODUCT_TILE_SIDE;
        config[ROWS_AT + i] = PRODUCT_TILE_SIDE;
    }
    LLVMValueRef bytes = LLVMConstStringInContext(e->context, config, CONFIG_BYTES, 1);
    LLVMValueRef constant = LLVMAddGlobal(e->module, LLVMTypeOf(bytes), "tile_config");
    LLVMSetInitializer(constant, bytes);
    LLVMSetLinkage(constant, LLVMInternalLinkage);
    LLVMSetGlobalConstant(constant, 1);
    call(e, "llvm.x86.ldtilecfg", &constant, 1);
}

static void end(Emit *e)
{
    call(e, "llvm.x86.tilerelease", NULL, 0);
}

/* -- sums ---------------------------------------------------------------------------- */

/* One panel of A, or its first tile, with the panel of B. */
typedef struct TileSums {
    const ProductBlock *block;
    uint32_t row_tiles, column_tiles; /* 1 or 2 */
    LLVMValueRef row;                 /* of the block: the first */
    LLVMValueRef a;                   /* its tiles */
} TileSums;

static uint32_t sum_tile(uint32_t row, uint32_t column)
{
    return row * SIDE_TILES + column;
}

/* The tile of part `part` in run `run` of a panel. */
static LLVMValueRef tile_at(const TileSums *s, LLVMValueRef panel, LLVMValueRef run,
                            uint32_t part, uint32_t tile, uint32_t tiles)
{
    Emit *e = s->block->e;
    int64_t run_bytes = (int64_t)s->block->unit->parts * tiles * PRODUCT_TILE_BYTES;
    int64_t bytes = ((int64_t)part * tiles + tile) * PRODUCT_TILE_BYTES;
    LLVMValueRef at = emit_times(e, run, emit_i64(e, run_bytes));
    return emit_at(e, e->i8, panel, emit_plus(e, at, emit_i64(e, bytes)));
}

enum { ROW_BYTES = PRODUCT_TILE_BYTES / PRODUCT_TILE_SIDE };

/* Of integers, the rows of all tiles of the panel in turn are one row. */
static void load_b_tile(const TileSums *s, LLVMValueRef run, uint32_t part, uint32_t tile)
{
    Emit *e = s->block->e;
    const uint32_t tiles = s->column_tiles;
    LLVMValueRef panel = s->block->b_panel;
    if (!s->block->unit->is_int8) {
        load_tile(e, FIRST_B + tile, tile_at(s, panel, run, part, tile, tiles),
                  ROW_BYTES);
        return;
    }
    LLVMValueRef first = tile_at(s, panel, run, part, 0, tiles);
    LLVMValueRef at = emit_at(e, e->i8, first, emit_i64(e, (int64_t)tile * ROW_BYTES));
    load_tile(e, FIRST_B + tile, at, (int64_t)tiles * ROW_BYTES);
}

static void multiply_run(const TileSums *s, LLVMValueRef run)
{
    Emit *e = s->block->e;
    const bool is_int8 = s->block->unit->is_int8;
    const uint32_t parts = s->block->unit->parts;
    PartPair held = {parts, parts}; /* none */
    for (uint32_t i = 0; i < pair_counts[parts]; i++) {
        PartPair pair = pairs_of[parts][i];
        for (uint32_t t = 0; t < s->row_tiles && pair.a != held.a; t++)
            load_tile(e, FIRST_A + t, tile_at(s, s->a, run, pair.a, t, SIDE_TILES),
                      ROW_BYTES);
        for (uint32_t t = 0; t < s->column_tiles && pair.b != held.b; t++)
            load_b_tile(s, run, pair.b, t);
        for (uint32_t r = 0; r < s->row_tiles; r++)
            for (uint32_t c = 0; c < s->column_tiles; c++)
                multiply_tiles(e, is_int8, sum_tile(r, c), FIRST_A + r, FIRST_B + c);
        held = pair;
    }
}

static void each_sum(const TileSums *s, bool stores)
{
    Emit *e = s->block->e;
    int64_t stride = (int64_t)s->column_tiles * SUM_BYTES_PER_ROW;
    for (uint32_t r = 0; r < s->row_tiles; r++)
        for (uint32_t c = 0; c < s->column_tiles; c++) {
            int64_t at = r * stride * PRODUCT_TILE_SIDE + (int64_t)c * SUM_BYTES_PER_ROW;
            if (stores)
                store_tile(e, sum_tile(r, c),
                           emit_at(e, e->i8, s->block->sums, emit_i64(e, at)), stride);
            else
                zero_tile(e, sum_tile(r, c));
        }
}

static LLVMValueRef rows_left(const TileSums *s)
{
    Emit *e = s->block->e;
    return emit_least(e, LLVMBuildSub(e->builder, s->block->rows, s->row, ""),
                      emit_i64(e, (int64_t)s->row_tiles * PRODUCT_TILE_SIDE));
}

/* Vector `tile` of row `row` of the sums, of that type. */
static LLVMValueRef load_sum(const TileSums *s, LLVMTypeRef type, LLVMValueRef row,
                             uint32_t tile)
{
    Emit *e = s->block->e;
    LLVMValueRef stride = emit_i64(e, (int64_t)s->column_tiles * e->width);
    LLVMValueRef column = emit_i64(e, (int64_t)tile * e->width);
    LLVMValueRef at = emit_element(e, s->block->sums, row, stride, column);
    return emit_load_masked(e, type, at, NULL);
}

static void add_integers_to_c(const TileSums *s)
{
    Emit *e = s->block->e;
    Loop loop = loop_begin(e, emit_i64(e, 0), rows_left(s), 1);
    LLVMValueRef sums[SIDE_TILES];
    for (uint32_t i = 0; i < s->column_tiles; i++)
        sums[i] = load_sum(s, e->vi, loop.index, i);
    product_int8_add(s->block, emit_plus(e, s->row, loop.index), sums);
    loop_end(e, &loop);
}

/* i64: 1 if a sum is no number, else 0. */
static LLVMValueRef count_lost(const TileSums *s)
{
    Emit *e = s->block->e;
    Loop loop = loop_begin(e, emit_i64(e, 0), rows_left(s), 1);
    LLVMValueRef found = loop_carry(e, &loop, LLVMConstNull(e->vm));
    LLVMValueRef first = load_sum(s, e->vf, loop.index, 0),
                 last = load_sum(s, e->vf, loop.index, s->column_tiles - 1);
    LLVMValueRef is_none = LLVMBuildFCmp(e->builder, LLVMRealUNO, first, last, "");
    loop_next(e, &loop, found, LLVMBuildOr(e->builder, found, is_none, ""));
    loop_end(e, &loop);
    LLVMTypeRef bits = LLVMInt16TypeInContext(e->context);
    found = LLVMBuildBitCast(e->builder, found, bits, "");
    found = LLVMBuildICmp(e->builder, LLVMIntNE, found, LLVMConstNull(bits), "");
    return LLVMBuildZExt(e->builder, found, e->i64, "");
}

/* What the sums are of, as a product of its own. */
static Product product_of_sums(const TileSums *s)
{
    const ProductBlock *b = s->block;
    Emit *e = b->e;
    Product p = *b->p;
    int64_t columns = (int64_t)s->column_tiles * PRODUCT_TILE_SIDE;
    LLVMValueRef row = emit_plus(e, b->first_row, s->row);
    p.m = rows_left(s);
    p.n =
        emit_least(e, LLVMBuildSub(e->builder, p.n, b->column, ""), emit_i64(e, columns));
    p.k = b->depth;
    p.a = p.form.transpose_a ? emit_element(e, p.a, b->first_k, p.a_stride, row)
                             : emit_element(e, p.a, row, p.a_stride, b->first_k);
    p.form.stored = STORED_AS_ROWS;
    p.b = p.form.transpose_b
              ? emit_element(e, p.plain, b->column, p.b_stride, b->first_k)
              : emit_element(e, p.plain, b->first_k, p.b_stride, b->column);
    p.c = b->sums;
    p.c_stride = emit_i64(e, columns);
    p.accumulate = emit_i64(e, 0);
    p.scratch = b->few_scratch;
    return p;
}

/* Infinity in parts is infinity, 0, 0: times a number in parts that is no number, where
 * f32 has infinity. So is what rounds to infinity as a part. Numbers are seldom so large:
 * where a sum is no number, those beside it are made again with it in f32, before C takes
 * them in. */
static void make_lost_again(const TileSums *s)
{
    Emit *e = s->block->e;
    Loop once = loop_begin(e, emit_i64(e, 0), count_lost(s), 1);
    Product p = product_of_sums(s);
    product_few_rows(e, &p);
    loop_end(e, &once);
}

/* C = the sums, or += . */
static void add_to_c(const TileSums *s)
{
    const ProductBlock *b = s->block;
    Emit *e = b->e;
    LLVMValueRef adds = emit_splat(e, LLVMBuildNot(e->builder, b->is_first, ""));
    if (b->mask)
        adds = LLVMBuildAnd(e->builder, adds, b->mask, "");
    Loop loop = loop_begin(e, emit_i64(e, 0), rows_left(s), 1);
    LLVMValueRef row = LLVMBuildAdd(e->builder, b->first_row, s->row, "");
    row = LLVMBuildAdd(e->builder, row, loop.index, "");
    LLVMValueRef start = emit_element(e, b->p->c, row, b->p->c_stride, b->column);
    for (uint32_t i = 0; i < s->column_tiles; i++) {
        LLVMValueRef c = emit_at(e, e->f32, start, emit_i64(e, (int64_t)i * e->width));
        LLVMValueRef sum = load_sum(s, e->vf, loop.index, i);
        LLVMValueRef before = emit_load_vector(e, c, adds);
        emit_store_vector(e, LLVMBuildFAdd(e->builder, before, sum, ""), c, b->mask);
    }
    loop_end(e, &loop);
}

static void emit_sums(const TileSums *s)
{
    Emit *e = s->block->e;
    each_sum(s, false);
    const bool is_int8 = s->block->unit->is_int8;
    const int64_t depth = is_int8 ? ROW_BYTES : PRODUCT_TILE_DEPTH;
    LLVMValueRef runs =
        LLVMBuildAdd(e->builder, s->block->depth, emit_i64(e, depth - 1), "");
    runs = LLVMBuildSDiv(e->builder, runs, emit_i64(e, depth), "");
    Loop loop = loop_begin(e, emit_i64(e, 0), runs, 1);
    multiply_run(s, loop.index);
    loop_end(e, &loop);
    each_sum(s, true);
    if (s->block->unit->parts > 1)
        make_lost_again(s);
    if (is_int8)
        add_integers_to_c(s);
    else
        add_to_c(s);
}

static LLVMValueRef panel_at(const ProductBlock *b, LLVMValueRef row)
{
    return b->unit->is_int8 ? product_int8_panel(b, row) : product_a_tiles(b, row);
}

/* Panels of A of which more than one tile is left, then the one of which it is not. */
static void multiply(const ProductBlock *b)
{
    Emit *e = b->e;
    LLVMValueRef whole =
        LLVMBuildSub(e->builder, b->rows, emit_i64(e, PRODUCT_TILE_SIDE), "");
    Loop panel = loop_begin(e, emit_i64(e, 0), whole, b->unit->rows);
    emit_sums(&(TileSums){.block = b,
                          .row_tiles = SIDE_TILES,
                          .column_tiles = b->vectors,
                          .row = panel.index,
                          .a = panel_at(b, panel.index)});
    loop_end(e, &panel);
    Loop rest = loop_begin(e, panel.index, b->rows, PRODUCT_TILE_SIDE);
    emit_sums(&(TileSums){.block = b,
                          .row_tiles = 1,
                          .column_tiles = b->vectors,
                          .row = rest.index,
                          .a = panel_at(b, rest.index)});
    loop_end(e, &rest);
}

/* -- precisions ---------------------------------------------------------------------- */

#define AMX(name_, parts_)                                                               \
    .name = (name_), .by = "tiles of bf16", .parts = (parts_),                           \
    .rows = SIDE_TILES * PRODUCT_TILE_SIDE, .vectors = SIDE_TILES, .multiply = multiply, \
    .begin = begin, .end = end
#define SPLIT .pack_a = product_split_a, .pack_b = product_split_b

const ProductUnit *product_unit_amx(const Processor *processor, Precision precision)
{
    static const ProductUnit units[PRECISION_ANY_COUNT] = {
        [PRECISION_highest] = {AMX("tiles_3", 3), SPLIT},
        [PRECISION_high] = {AMX("tiles_2", 2), SPLIT},
        [PRECISION_medium] = {AMX("tiles_1", 1), SPLIT},
    };
    return processor->has_amx_bf16 && processor->vector_width == PRODUCT_TILE_SIDE
               ? &units[precision]
               : NULL;
}

const ProductUnit *product_unit_int8_amx(const Processor *processor)
{
    static const ProductUnit unit = {AMX("int8_tiles", 1), .is_int8 = true,
                                     .pack_a = product_int8_pack_a,
                                     .pack_b = product_int8_pack_b};
    return processor->has_amx_int8 && processor->vector_width == PRODUCT_TILE_SIDE ? &unit
                                                                                   : NULL;
}
