/* Transposition of a small matrix, a tile of width x width at a time in registers.
 *
 * Interleaving row i with row i + width/2, for all i, sends element (r, c) to where
 * the bits of r c are rotated by one; after log2(width) rounds r and c have changed
 * places. */
#include "codegen/loops.h"

/* Rows far apart are more than the processor foresees: columns so far on are asked
 * for. */
enum { MAX_WIDTH = 16, FETCH_AHEAD = 64 };

/* The lower or the upper halves of a and b, their elements in turn. */
static LLVMValueRef interleave(Emit *e, LLVMValueRef a, LLVMValueRef b, uint32_t first)
{
    LLVMValueRef elements[MAX_WIDTH];
    for (uint32_t i = 0; i < e->width; i += 2) {
        elements[i] = emit_i32(e, first + i / 2);
        elements[i + 1] = emit_i32(e, e->width + first + i / 2);
    }
    return LLVMBuildShuffleVector(e->builder, a, b, LLVMConstVector(elements, e->width),
                                  "");
}

void emit_transpose_vectors(Emit *e, LLVMValueRef *tile)
{
    uint32_t half = e->width / 2;
    for (uint32_t round = e->width; round > 1; round /= 2) {
        LLVMValueRef next[MAX_WIDTH];
        for (uint32_t i = 0; i < half; i++) {
            next[(size_t)2 * i] = interleave(e, tile[i], tile[i + half], 0);
            next[2 * i + 1] = interleave(e, tile[i], tile[i + half], half);
        }
        for (uint32_t i = 0; i < e->width; i++)
            tile[i] = next[i];
    }
}

void emit_transpose_tile(Emit *e, LLVMValueRef at)
{
    LLVMValueRef tile[MAX_WIDTH], places[MAX_WIDTH];
    for (uint32_t i = 0; i < e->width; i++) {
        places[i] = emit_at(e, e->f32, at, emit_i64(e, (int64_t)i * e->width));
        tile[i] = emit_load_vector(e, places[i], NULL);
    }
    emit_transpose_vectors(e, tile);
    for (uint32_t i = 0; i < e->width; i++)
        emit_store_vector(e, tile[i], places[i], NULL);
}

typedef struct TileRows {
    const Transpose *transpose;
    LLVMValueRef row;
    LLVMValueRef starts[MAX_WIDTH]; /* of the rows of `from` */
} TileRows;

static void tile_columns(Emit *e, LLVMValueRef column, LLVMValueRef mask, void *state)
{
    const TileRows *rows = state;
    LLVMValueRef tile[MAX_WIDTH];
    for (uint32_t i = 0; i < e->width; i++)
        tile[i] = emit_load_vector(e, emit_at(e, e->f32, rows->starts[i], column), mask);
    LLVMValueRef later = emit_plus(e, column, emit_i64(e, FETCH_AHEAD));
    for (uint32_t i = 0; i < e->width; i++)
        emit_prefetch(e, emit_at(e, e->f32, rows->starts[i], later));
    emit_transpose_vectors(e, tile);
    LLVMValueRef stride = rows->transpose->to_stride;
    LLVMValueRef to = emit_plus(e, emit_times(e, column, stride), rows->row);
    for (uint32_t i = 0; i < e->width; i++) {
        emit_store_vector(e, tile[i], emit_at(e, e->f32, rows->transpose->to, to), NULL);
        to = emit_plus(e, to, stride);
    }
}

void emit_transpose(Emit *e, const Transpose *t)
{
    TileRows rows = {.transpose = t};
    LLVMValueRef last = LLVMBuildSub(e->builder, t->rows, emit_i64(e, 1), "");
    Loop loop = loop_begin(e, emit_i64(e, 0), t->rows, e->width);
    rows.row = loop.index;
    for (uint32_t i = 0; i < e->width; i++) {
        LLVMValueRef row = emit_least(e, emit_plus(e, loop.index, emit_i64(e, i)), last);
        rows.starts[i] = emit_at(e, e->f32, t->from, emit_times(e, row, t->from_stride));
    }
    emit_columns(e, t->columns, tile_columns, &rows);
    loop_end(e, &loop);
}
