/* Packed matrices: all panels of B end to end, each for all of k, as the unit's pack_b
 * makes them of a run. Panels are as wide as they go, then single vectors, the last of
 * them filled up. So a product reads them in the order in which they lie, and no longer
 * packs.
 *
 * What is one or two bf16 parts lies as tiles of parts. What is three lies as f32: split
 * once it would take 6 bytes a number instead of 4, for memory and for products of few
 * rows, which wait for memory; and three parts make six products of each number, beside
 * which splitting it counts least.
 *
 * A product that uses the matrix the other way round packs a panel of the run as from
 * rows in memory, but these are rows of panels: its k runs through the columns of the
 * matrix that is packed. Tiles of parts are not split again: halves of pairs change
 * places, and the tile is transposed. */
#include "codegen/product_unit.h"

uint32_t product_packed_parts(const ProductUnit *unit)
{
    enum { MOST_PARTS = 2 };
    return unit->parts <= MOST_PARTS ? unit->parts : 0;
}

bool product_reads_packed(const ProductUnit *unit, ProductForm form)
{
    return form.stored == STORED_IN_PANELS && !unit->is_int8 &&
           product_packed_parts(unit) == unit->parts;
}

/* -- places -------------------------------------------------------------------------- */

/* A matrix of `rows` of k and `columns` of n, packed. */
typedef struct Packed {
    const ProductBlock *block;
    LLVMValueRef rows, columns;
} Packed;

/* The one that a product reads the other way round. */
static Packed turned(const ProductBlock *b)
{
    return (Packed){b, b->p->n, b->p->k};
}

static LLVMValueRef runs_of(Emit *e, LLVMValueRef depth)
{
    LLVMValueRef up = emit_plus(e, depth, emit_i64(e, PRODUCT_TILE_DEPTH - 1));
    return LLVMBuildUDiv(e->builder, up, emit_i64(e, PRODUCT_TILE_DEPTH), "");
}

/* Where column `column`, the first of a vector, lies: in a panel as wide as they go, or
 * in one of a single vector. */
typedef struct PanelPlace {
    LLVMValueRef width;  /* of the panel */
    LLVMValueRef inside; /* columns before it in the panel */
} PanelPlace;

static PanelPlace panel_of(const Packed *m, LLVMValueRef column)
{
    Emit *e = m->block->e;
    LLVMValueRef widest = emit_i64(e, (int64_t)m->block->unit->vectors * e->width);
    LLVMValueRef rest = LLVMBuildURem(e->builder, m->columns, widest, "");
    LLVMValueRef whole = LLVMBuildSub(e->builder, m->columns, rest, "");
    LLVMValueRef is_whole = LLVMBuildICmp(e->builder, LLVMIntULT, column, whole, "");
    LLVMValueRef inside = LLVMBuildURem(e->builder, column, widest, "");
    return (PanelPlace){
        LLVMBuildSelect(e->builder, is_whole, widest, emit_i64(e, e->width), ""),
        LLVMBuildSelect(e->builder, is_whole, inside, emit_i64(e, 0), "")};
}

/* f32: row `row` from that column on. */
static LLVMValueRef floats_at(const Packed *m, LLVMValueRef row, LLVMValueRef column,
                              PanelPlace place)
{
    Emit *e = m->block->e;
    LLVMValueRef before = LLVMBuildSub(e->builder, column, place.inside, "");
    LLVMValueRef at =
        emit_plus(e, emit_times(e, before, m->rows), emit_times(e, row, place.width));
    return emit_at(e, e->f32, m->block->p->b, emit_plus(e, at, place.inside));
}

/* Parts: the tile of run `run` of rows, and of 16 columns from that one on. */
static LLVMValueRef tile_at(const Packed *m, LLVMValueRef run, LLVMValueRef column,
                            uint32_t part)
{
    Emit *e = m->block->e;
    const LLVMValueRef side = emit_i64(e, PRODUCT_TILE_SIDE);
    PanelPlace place = panel_of(m, column);
    LLVMValueRef tiles = LLVMBuildUDiv(e->builder, place.width, side, "");
    LLVMValueRef inside = LLVMBuildUDiv(e->builder, place.inside, side, "");
    LLVMValueRef before = LLVMBuildSub(e->builder, column, place.inside, "");
    before = LLVMBuildUDiv(e->builder, before, side, "");
    LLVMValueRef parts = emit_i64(e, m->block->unit->parts);
    before = emit_times(e, before, emit_times(e, runs_of(e, m->rows), parts));
    LLVMValueRef at = emit_plus(e, emit_times(e, run, parts), emit_i64(e, part));
    at = emit_plus(e, emit_plus(e, emit_times(e, at, tiles), inside), before);
    return emit_at(e, e->i8, m->block->p->b,
                   emit_times(e, at, emit_i64(e, PRODUCT_TILE_BYTES)));
}

LLVMValueRef product_packed_panel(const ProductBlock *b, LLVMValueRef base)
{
    Emit *e = b->e;
    const uint32_t parts = product_packed_parts(b->unit);
    LLVMValueRef width = emit_i64(e, (int64_t)b->vectors * e->width);
    LLVMValueRef depth = b->p->k;
    if (parts)
        depth = emit_times(e, runs_of(e, depth), emit_i64(e, PRODUCT_TILE_DEPTH));
    LLVMValueRef at =
        emit_plus(e, emit_times(e, b->column, depth), emit_times(e, b->first_k, width));
    int64_t bytes = parts ? (int64_t)parts * PRODUCT_PART_BYTES : (int64_t)sizeof(float);
    return emit_at(e, e->i8, base, emit_times(e, at, emit_i64(e, bytes)));
}

LLVMValueRef product_turned_floats(const ProductBlock *b, LLVMValueRef row,
                                   LLVMValueRef column, LLVMValueRef *out_stride)
{
    Packed m = turned(b);
    PanelPlace place = panel_of(&m, column);
    *out_stride = place.width;
    return floats_at(&m, row, column, place);
}

/* -- turning tiles of parts ---------------------------------------------------------- */

/* Of two tiles side by side, whose rows are pairs of k: the first or the second numbers
 * of one row's pairs, which are 32 numbers of k of another. */
static LLVMValueRef halves(Emit *e, LLVMValueRef a, LLVMValueRef b, uint32_t which)
{
    enum { NUMBERS = 2 * PRODUCT_TILE_SIDE };
    LLVMTypeRef type = LLVMVectorType(LLVMInt16TypeInContext(e->context), NUMBERS);
    LLVMValueRef order[NUMBERS];
    for (uint32_t i = 0; i < NUMBERS; i++)
        order[i] = emit_i32(e, 2 * i + which);
    LLVMValueRef turned_row = LLVMBuildShuffleVector(
        e->builder, LLVMBuildBitCast(e->builder, a, type, ""),
        LLVMBuildBitCast(e->builder, b, type, ""), LLVMConstVector(order, NUMBERS), "");
    return LLVMBuildBitCast(e->builder, turned_row, e->vi, "");
}

/* One tile of the panel: its 16 columns are half of a run of the packed rows, and its
 * run of k 32 columns, of which 16 may be missing. */
static void turn_tile(const ProductBlock *b, LLVMValueRef run, uint32_t tile,
                      uint32_t part, LLVMValueRef to)
{
    enum { ROW_BYTES = PRODUCT_TILE_BYTES / PRODUCT_TILE_SIDE };
    Emit *e = b->e;
    const Packed m = turned(b);
    LLVMValueRef row = emit_plus(e, b->column, emit_i64(e, tile * PRODUCT_TILE_SIDE));
    LLVMValueRef depth = emit_i64(e, PRODUCT_TILE_DEPTH);
    LLVMValueRef rows_run = LLVMBuildUDiv(e->builder, row, depth, "");
    LLVMValueRef first_pair = LLVMBuildUDiv(
        e->builder, LLVMBuildURem(e->builder, row, depth, ""), emit_i64(e, 2), "");
    LLVMValueRef k = emit_plus(e, b->first_k, emit_times(e, run, depth));
    LLVMValueRef second = emit_plus(e, k, emit_i64(e, PRODUCT_TILE_SIDE));
    LLVMValueRef is_there = LLVMBuildICmp(e->builder, LLVMIntULT, second, b->p->k, "");
    second = LLVMBuildSelect(e->builder, is_there, second, k, "");
    LLVMValueRef mask = emit_splat(e, is_there);
    LLVMValueRef tiles[] = {tile_at(&m, rows_run, k, part),
                            tile_at(&m, rows_run, second, part)};
    for (uint32_t i = 0; i < PRODUCT_TILE_SIDE / 2; i++) {
        LLVMValueRef pair = emit_times(e, emit_plus(e, first_pair, emit_i64(e, i)),
                                       emit_i64(e, ROW_BYTES));
        LLVMValueRef x =
            emit_load_masked(e, e->vi, emit_at(e, e->i8, tiles[0], pair), NULL);
        LLVMValueRef y =
            emit_load_masked(e, e->vi, emit_at(e, e->i8, tiles[1], pair), mask);
        for (uint32_t which = 0; which < 2; which++)
            emit_store_vector(
                e, halves(e, x, y, which),
                emit_at(e, e->i8, to, emit_i64(e, (2 * i + which) * ROW_BYTES)), NULL);
    }
    emit_transpose_tile(e, to);
}

void product_turn_b(const ProductBlock *b)
{
    Emit *e = b->e;
    const uint32_t parts = b->unit->parts;
    int64_t run_bytes = (int64_t)parts * b->vectors * PRODUCT_TILE_BYTES;
    Loop run = loop_begin(e, emit_i64(e, 0), runs_of(e, b->depth), 1);
    LLVMValueRef to =
        emit_at(e, e->i8, b->b_panel, emit_times(e, run.index, emit_i64(e, run_bytes)));
    for (uint32_t part = 0; part < parts; part++)
        for (uint32_t tile = 0; tile < b->vectors; tile++) {
            int64_t at = ((int64_t)part * b->vectors + tile) * PRODUCT_TILE_BYTES;
            turn_tile(b, run.index, tile, part, emit_at(e, e->i8, to, emit_i64(e, at)));
        }
    loop_end(e, &run);
}
