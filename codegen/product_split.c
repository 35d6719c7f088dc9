/* Numbers in parts: x = high + middle + low, each a bf16 of 8 bits, so that products of
 * parts are exact in f32 and three parts are x itself. The first part is x rounded, each
 * other the rounded rest (Henry, Tang and Heinecke, "Leveraging the bfloat16 Artificial
 * Intelligence Datatype For Higher-Precision Computations", ARITH 2019).
 *
 * A packed tile of A is [16 rows][32 k], one of B [16 pairs of k][16 columns][2]. The
 * tiles of a panel stand in the order [run of 32 k][part][tile of the panel's 1 or 2].
 * Whichever way a matrix lies in memory, one of the two forms can be written at once;
 * where the other is wanted, its tile, as 16 x 16 pairs, is transposed in place. */
#include "codegen/product_unit.h"

enum { MOST_PARTS = 3 };

/* Rows of A, or columns of B: what is not summed over. */
typedef struct PartSplit {
    const ProductBlock *block;
    LLVMValueRef from, stride; /* the matrix, at the run's first k and the first side */
    LLVMValueRef sides;        /* how many there are */
    LLVMValueRef to;           /* of the panel */
    uint32_t tiles;            /* of the panel */
    bool k_along_rows;         /* a row of memory is numbers of one side */
    bool transposes;           /* the other form is wanted */
    bool is_turned;            /* `from` is nothing: rows are those of packed panels */
    LLVMTypeRef bf16, bits;    /* vectors of parts, and of their bits */
} PartSplit;

/* -- parts --------------------------------------------------------------------------- */

/* What is left of x without its part; nothing of what is not finite, so that infinity
 * stays what it is. */
static LLVMValueRef rest_of(Emit *e, LLVMValueRef x, LLVMValueRef part)
{
    LLVMValueRef rounded = LLVMBuildFPExt(e->builder, part, e->vf, "");
    LLVMValueRef rest = LLVMBuildFSub(e->builder, x, rounded, "");
    LLVMValueRef is_number = LLVMBuildFCmp(e->builder, LLVMRealORD, rest, rest, "");
    return LLVMBuildSelect(e->builder, is_number, rest, LLVMConstNull(e->vf), "");
}

/* The bits of the parts of <width x f32>, as <width x i16>. */
static void split_vector(const PartSplit *s, LLVMValueRef x, LLVMValueRef *out_parts)
{
    Emit *e = s->block->e;
    for (uint32_t i = 0; i < s->block->unit->parts; i++) {
        LLVMValueRef part = LLVMBuildFPTrunc(e->builder, x, s->bf16, "");
        out_parts[i] = LLVMBuildBitCast(e->builder, part, s->bits, "");
        if (i + 1 < s->block->unit->parts)
            x = rest_of(e, x, part);
    }
}

/* -- tiles --------------------------------------------------------------------------- */

/* Row `row` of the tile of run `run`, side tile `tile`, in part `part`. */
static LLVMValueRef tile_row(const PartSplit *s, LLVMValueRef run, LLVMValueRef tile,
                             uint32_t part, LLVMValueRef row)
{
    Emit *e = s->block->e;
    LLVMValueRef index = emit_times(e, run, emit_i64(e, s->block->unit->parts));
    index = emit_plus(e, index, emit_i64(e, part));
    index = emit_plus(e, emit_times(e, index, emit_i64(e, s->tiles)), tile);
    LLVMValueRef byte = emit_plus(
        e, emit_times(e, index, emit_i64(e, PRODUCT_TILE_BYTES)),
        emit_times(e, row, emit_i64(e, PRODUCT_TILE_BYTES / PRODUCT_TILE_SIDE)));
    return emit_at(e, e->i8, s->to, byte);
}

/* Numbers `column` on of memory's row `row`, as many as there are before `end`; zeros if
 * there is no such row. */
static LLVMValueRef load_numbers(const PartSplit *s, LLVMValueRef row, LLVMValueRef rows,
                                 LLVMValueRef column, LLVMValueRef end)
{
    Emit *e = s->block->e;
    LLVMValueRef is_there = LLVMBuildICmp(e->builder, LLVMIntSLT, row, rows, "");
    LLVMValueRef count = LLVMBuildSelect(e->builder, is_there, end, emit_i64(e, 0), "");
    LLVMValueRef mask = emit_tail_mask(e, column, count), stride;
    if (!s->is_turned)
        return emit_load_vector(e, emit_element(e, s->from, row, s->stride, column),
                                mask);
    const ProductBlock *b = s->block;
    return emit_load_vector(e,
                            product_turned_floats(b, emit_plus(e, b->column, row),
                                                  emit_plus(e, b->first_k, column),
                                                  &stride),
                            mask);
}

/* The two vectors that make one row of a tile, joined part by part: end to end, or their
 * numbers in turn. */
static void store_row(const PartSplit *s, const LLVMValueRef *x, bool in_turn,
                      LLVMValueRef run, LLVMValueRef tile, LLVMValueRef row)
{
    Emit *e = s->block->e;
    LLVMValueRef first[MOST_PARTS], second[MOST_PARTS];
    LLVMValueRef order[2 * PRODUCT_TILE_SIDE];
    for (uint32_t i = 0; i < 2 * PRODUCT_TILE_SIDE; i++)
        order[i] = emit_i32(e, in_turn ? i / 2 + i % 2 * PRODUCT_TILE_SIDE : i);
    LLVMValueRef shuffle = LLVMConstVector(order, 2 * PRODUCT_TILE_SIDE);
    split_vector(s, x[0], first);
    split_vector(s, x[1], second);
    for (uint32_t i = 0; i < s->block->unit->parts; i++) {
        LLVMValueRef joined =
            LLVMBuildShuffleVector(e->builder, first[i], second[i], shuffle, "");
        emit_store_vector(e, joined, tile_row(s, run, tile, i, row), NULL);
    }
}

/* A side's 32 numbers are a row of a tile. */
static void split_row(const PartSplit *s, LLVMValueRef run, LLVMValueRef tile,
                      LLVMValueRef row)
{
    Emit *e = s->block->e;
    LLVMValueRef side =
        emit_plus(e, emit_times(e, tile, emit_i64(e, PRODUCT_TILE_SIDE)), row);
    LLVMValueRef k = emit_times(e, run, emit_i64(e, PRODUCT_TILE_DEPTH));
    LLVMValueRef depth = s->block->depth;
    const LLVMValueRef x[] = {
        load_numbers(s, side, s->sides, k, depth),
        load_numbers(s, side, s->sides, emit_plus(e, k, emit_i64(e, PRODUCT_TILE_SIDE)),
                     depth)};
    store_row(s, x, false, run, tile, row);
}

/* Two numbers of each of 16 sides are a row of a tile. */
static void split_pair(const PartSplit *s, LLVMValueRef run, LLVMValueRef tile,
                       LLVMValueRef row)
{
    Emit *e = s->block->e;
    LLVMValueRef side = emit_times(e, tile, emit_i64(e, PRODUCT_TILE_SIDE));
    LLVMValueRef k = emit_plus(e, emit_times(e, run, emit_i64(e, PRODUCT_TILE_DEPTH)),
                               emit_times(e, row, emit_i64(e, 2)));
    LLVMValueRef depth = s->block->depth;
    const LLVMValueRef x[] = {
        load_numbers(s, k, depth, side, s->sides),
        load_numbers(s, emit_plus(e, k, emit_i64(e, 1)), depth, side, s->sides)};
    store_row(s, x, true, run, tile, row);
}

static void transpose_tiles(const PartSplit *s, LLVMValueRef run, LLVMValueRef tile)
{
    Emit *e = s->block->e;
    for (uint32_t i = 0; i < s->block->unit->parts; i++)
        emit_transpose_tile(e, tile_row(s, run, tile, i, emit_i64(e, 0)));
}

static void split_panel(const PartSplit *s)
{
    Emit *e = s->block->e;
    LLVMValueRef runs = LLVMBuildAdd(e->builder, s->block->depth,
                                     emit_i64(e, PRODUCT_TILE_DEPTH - 1), "");
    runs = LLVMBuildSDiv(e->builder, runs, emit_i64(e, PRODUCT_TILE_DEPTH), "");
    Loop tile = loop_begin(e, emit_i64(e, 0), emit_i64(e, s->tiles), 1);
    Loop run = loop_begin(e, emit_i64(e, 0), runs, 1);
    Loop row = loop_begin(e, emit_i64(e, 0), emit_i64(e, PRODUCT_TILE_SIDE), 1);
    if (s->k_along_rows)
        split_row(s, run.index, tile.index, row.index);
    else
        split_pair(s, run.index, tile.index, row.index);
    loop_end(e, &row);
    if (s->transposes)
        transpose_tiles(s, run.index, tile.index);
    loop_end(e, &run);
    loop_end(e, &tile);
}

/* -- operands ------------------------------------------------------------------------ */

static PartSplit split_of(const ProductBlock *b)
{
    Emit *e = b->e;
    return (PartSplit){
        .block = b,
        .bf16 = LLVMVectorType(LLVMBFloatTypeInContext(e->context), e->width),
        .bits = LLVMVectorType(LLVMInt16TypeInContext(e->context), e->width)};
}

LLVMValueRef product_a_tiles(const ProductBlock *b, LLVMValueRef row)
{
    Emit *e = b->e;
    int64_t bytes = (int64_t)b->unit->parts * PRODUCT_PART_BYTES;
    LLVMValueRef depth =
        LLVMBuildAdd(e->builder, b->depth, emit_i64(e, PRODUCT_TILE_DEPTH - 1), "");
    depth = LLVMBuildAnd(e->builder, depth, emit_i64(e, -PRODUCT_TILE_DEPTH), "");
    LLVMValueRef row_bytes = emit_times(e, depth, emit_i64(e, bytes));
    return emit_at(e, e->i8, b->a_block, emit_times(e, row, row_bytes));
}

void product_split_a(const ProductBlock *b)
{
    Emit *e = b->e;
    Loop loop = loop_begin(e, emit_i64(e, 0), b->rows, b->unit->rows);
    LLVMValueRef row = emit_plus(e, b->first_row, loop.index);
    PartSplit s = split_of(b);
    s.stride = b->p->a_stride;
    s.from = b->p->form.transpose_a ? emit_element(e, b->p->a, b->first_k, s.stride, row)
                                    : emit_element(e, b->p->a, row, s.stride, b->first_k);
    s.sides = emit_least(e, LLVMBuildSub(e->builder, b->rows, loop.index, ""),
                         emit_i64(e, b->unit->rows));
    s.to = product_a_tiles(b, loop.index);
    s.tiles = b->unit->rows / PRODUCT_TILE_SIDE;
    s.k_along_rows = !b->p->form.transpose_a;
    s.transposes = b->p->form.transpose_a;
    split_panel(&s);
    loop_end(e, &loop);
}

/* Where a panel of B's numbers are read, and whether k is along rows there. */
static void find_b(PartSplit *s)
{
    const ProductBlock *b = s->block;
    Emit *e = b->e;
    bool transposed = b->p->form.transpose_b;
    s->is_turned = b->p->form.stored == STORED_TURNED;
    s->k_along_rows = s->is_turned;
    if (b->p->form.stored == STORED_IN_PANELS) {
        s->stride = emit_i64(e, (int64_t)b->vectors * e->width);
        s->from = product_packed_panel(b, b->p->b);
    } else if (!s->is_turned) {
        s->stride = b->p->b_stride;
        s->from = transposed ? emit_element(e, b->p->b, b->column, s->stride, b->first_k)
                             : emit_element(e, b->p->b, b->first_k, s->stride, b->column);
        s->k_along_rows = transposed;
    }
}

void product_split_b(const ProductBlock *b)
{
    Emit *e = b->e;
    if (b->p->form.stored == STORED_TURNED && product_packed_parts(b->unit)) {
        product_turn_b(b);
        return;
    }
    PartSplit s = split_of(b);
    find_b(&s);
    s.sides = emit_least(e, LLVMBuildSub(e->builder, b->p->n, b->column, ""),
                         emit_i64(e, (int64_t)b->vectors * e->width));
    s.to = b->b_panel;
    s.tiles = b->vectors;
    s.transposes = s.k_along_rows;
    split_panel(&s);
}
