/* What the files that emit row kernels share: the state of one emission. */
#ifndef VLG_CODEGEN_ROWS_EMIT_H
#define VLG_CODEGEN_ROWS_EMIT_H

#include "codegen/loops.h"
#include "codegen/rows_layout.h"

/* Accumulators of a reduction: column vector i is added to number i mod ROWS_SUMS. The
 * order of additions depends on nothing but the width, so a value is the same in whatever
 * group. */
enum { ROWS_SUMS = 4 };

typedef struct RowsEmit {
    Emit *e;
    const RowsLayout *layout;
    LLVMValueRef *pointers; /* by operand */
    LLVMValueRef scratch;
    LLVMValueRef *step_keys; /* by value, dropout: of step and salt */
    /* Of the current row, by value: */
    LLVMValueRef *own_rows; /* i64 */
    LLVMValueRef *bases;    /* address of the row, of what is in memory */
    LLVMValueRef *scalars;  /* narrow: the number */
    LLVMValueRef *keys;     /* dropout: i32 */
    /* Of the current phase: */
    uint32_t phase;
    LLVMValueRef *splats;       /* by value, narrow: the number in every element */
    const uint32_t *reductions; /* values reduced in this loop */
    uint32_t reduction_count;
    LLVMValueRef *sums;    /* [reduction_count * ROWS_SUMS] */
    LLVMValueRef *vectors; /* by value, at the current columns; NULL: not computed yet */
} RowsEmit;

/* A value at `column`..+width-1; elements outside `mask` (NULL: none) are arbitrary. */
LLVMValueRef rows_vector(RowsEmit *re, uint32_t index, LLVMValueRef column,
                         LLVMValueRef mask);
/* The result of a map from operands that are all scalars or all vectors. */
LLVMValueRef rows_formula(RowsEmit *re, uint32_t index, LLVMValueRef *args,
                          LLVMValueRef column);

LLVMValueRef rows_load_bits(RowsEmit *re, LLVMValueRef base, LLVMValueRef column,
                            LLVMValueRef mask);
void rows_store_bits(RowsEmit *re, LLVMValueRef bits, LLVMValueRef base,
                     LLVMValueRef column, LLVMValueRef mask);
LLVMValueRef rows_load_scalar(RowsEmit *re, const RowValue *value, LLVMValueRef base);
void rows_store_scalar(RowsEmit *re, const RowValue *value, LLVMValueRef number,
                       LLVMValueRef base);
/* Address of row buffer `buffer` at `column`. */
LLVMValueRef rows_buffer(RowsEmit *re, int32_t buffer, LLVMValueRef column);

#endif
