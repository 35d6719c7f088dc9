/* Numbers as integers of 8 bits with a scale for each row: ir/int8.h.
 *
 * A matrix is stored as f32 scales of its rows, then its rows of bytes; rows and columns
 * are whole multiples of INT8_SIDE, with zeros beyond the matrix. Where `is_unsigned`,
 * bytes are the integers plus 128. */
#ifndef VLG_CODEGEN_INT8_H
#define VLG_CODEGEN_INT8_H

#include "codegen/loops.h"
#include "ir/int8.h"

enum { INT8_SIDE = 64, INT8_SHIFT = 128 };

static inline int64_t int8_padded(int64_t count)
{
    return (count + INT8_SIDE - 1) / INT8_SIDE * INT8_SIDE;
}

/* Bytes of a matrix as it is stored. */
static inline int64_t int8_matrix_bytes(int64_t rows, int64_t columns)
{
    return int8_padded(rows) * (int8_padded(columns) + (int64_t)sizeof(float));
}

/* A row of numbers on its way. Numbers are i64. */
typedef struct Int8Row {
    LLVMValueRef from, factors; /* f32; the factors of its numbers, or NULL */
    LLVMValueRef count, padded; /* of its numbers; and of the bytes written */
    LLVMValueRef to;
    int64_t run_stride; /* bytes from one run of 4 vectors to the next */
    bool is_unsigned;
} Int8Row;

/* Writes the row's integers. `out_scale` is f32; `out_sum`, of the integers, i32; that
 * may be NULL. */
void emit_int8_row(Emit *e, const Int8Row *row, LLVMValueRef *out_scale,
                   LLVMValueRef *out_sum);

/* Where a stored matrix of so many rows and columns has its row scales and bytes, and the
 * bytes from one row to the next. */
typedef struct Int8Matrix {
    LLVMValueRef scales, bytes, stride;
} Int8Matrix;
Int8Matrix emit_int8_matrix(Emit *e, LLVMValueRef at, LLVMValueRef rows,
                            LLVMValueRef columns);

/* Stores a matrix of f32, row-major, at `to`, which is aligned to 64. */
void emit_int8_store(Emit *e, LLVMValueRef from, LLVMValueRef rows, LLVMValueRef columns,
                     LLVMValueRef to, bool is_unsigned);

#endif
