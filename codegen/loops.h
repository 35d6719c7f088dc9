/* Loop nests, vector memory access and small matrix products, written once for all
 * emitters. */
#ifndef VLG_CODEGEN_LOOPS_H
#define VLG_CODEGEN_LOOPS_H

#include "codegen/emit.h"

/* The widest vector of any processor: scratch in rows of whole vectors suits them all. */
enum { WIDEST_VECTOR = 16 };
static inline int64_t whole_vectors(int64_t floats)
{
    return (floats + WIDEST_VECTOR - 1) / WIDEST_VECTOR * WIDEST_VECTOR;
}

/* -- loading what a kernel was given ----------------------------------------------- */
LLVMValueRef emit_operand(Emit *e, uint32_t index);   /* its pointer */
LLVMValueRef emit_axis_rows(Emit *e, uint32_t index); /* i64 AxisView.rows */
LLVMValueRef emit_axis_field(Emit *e, uint32_t index, uint32_t byte_offset,
                             LLVMTypeRef type);
LLVMValueRef emit_lane_field(Emit *e, uint32_t byte_offset, LLVMTypeRef type);
LLVMValueRef emit_i64(Emit *e, int64_t value);
LLVMValueRef emit_i32(Emit *e, uint32_t value);
LLVMValueRef emit_f32(Emit *e, double value);
LLVMValueRef emit_splat(Emit *e, LLVMValueRef scalar);  /* vector of width copies */
LLVMValueRef emit_sequences(Emit *e);                   /* i64, of the micro-batch */
LLVMValueRef emit_load_number(Emit *e, uint32_t index); /* of the kernel's, as i64 */
/* i32 element `index` of an array, as i64 */
LLVMValueRef emit_load_index(Emit *e, LLVMValueRef base, LLVMValueRef index);
/* The rows [begin, end) of one sequence on an axis. */
typedef struct RowRange {
    LLVMValueRef begin, end, count;
} RowRange;
RowRange emit_sequence_rows(Emit *e, uint32_t axis, LLVMValueRef sequence);
/* base + index elements of `type`; a typed element address */
LLVMValueRef emit_at(Emit *e, LLVMTypeRef type, LLVMValueRef base, LLVMValueRef index);
/* Element (row, column) of a matrix of floats, `stride` from one row to the next. */
LLVMValueRef emit_element(Emit *e, LLVMValueRef base, LLVMValueRef row,
                          LLVMValueRef stride, LLVMValueRef column);
/* Of i64, as of places in memory: neither wraps around. */
LLVMValueRef emit_plus(Emit *e, LLVMValueRef a, LLVMValueRef b);
LLVMValueRef emit_times(Emit *e, LLVMValueRef a, LLVMValueRef b);
LLVMValueRef emit_least(Emit *e, LLVMValueRef a, LLVMValueRef b);
LLVMValueRef emit_load(Emit *e, LLVMTypeRef type, LLVMValueRef address);
void emit_store(Emit *e, LLVMValueRef value, LLVMValueRef address);
/* Of the function at hand, until it returns; not more in a loop. */
LLVMValueRef emit_local_memory(Emit *e, LLVMTypeRef type);

/* -- loops ------------------------------------------------------------------------- */
/* for (i = begin; i < end; i += step): returns i (i64) with the builder inside the
 * body. */
typedef struct Loop {
    LLVMBasicBlockRef head, body, exit;
    LLVMValueRef index;
    LLVMValueRef step;
} Loop;
Loop loop_begin(Emit *e, LLVMValueRef begin, LLVMValueRef end, int64_t step);
void loop_end(Emit *e, Loop *loop); /* the builder stands after the loop */
/* A value carried through a loop: loop_carry after loop_begin, loop_next before loop_end;
 * after loop_end the phi holds the last value (or `start` if no turn was taken). */
LLVMValueRef loop_carry(Emit *e, Loop *loop, LLVMValueRef start);
void loop_next(Emit *e, Loop *loop, LLVMValueRef phi, LLVMValueRef next);
/* A row of `count` columns, a vector at a time: calls `body` for whole vectors (mask
 * NULL) in a loop, then for the tail with its mask; parts that cannot occur are left
 * out. */
typedef void ColumnBody(Emit *e, LLVMValueRef column, LLVMValueRef mask, void *state);
void emit_columns(Emit *e, LLVMValueRef count, ColumnBody *body, void *state);
void emit_zero_floats(Emit *e, LLVMValueRef to, LLVMValueRef count);
void emit_copy_floats(Emit *e, LLVMValueRef to, LLVMValueRef from, LLVMValueRef count);
void emit_add_floats(Emit *e, LLVMValueRef to, LLVMValueRef from,
                     LLVMValueRef count); /* += */

/* -- functions ----------------------------------------------------------------------
 * Calls a function of the kernel's module, which is made the first time: `body` emits it
 * up to its return. Every call by a name is of the same type and body. */
typedef void FunctionBody(Emit *e, LLVMValueRef function, const void *context);
typedef struct LocalFunction {
    const char *name;
    LLVMTypeRef type;
    FunctionBody *body;
    const void *context; /* of `body` */
} LocalFunction;
void emit_call(Emit *e, const LocalFunction *function, LLVMValueRef *arguments,
               unsigned count);

/* -- vectors ----------------------------------------------------------------------- */
/* Mask of the elements column + 0..width-1 < count, for a tail. */
LLVMValueRef emit_tail_mask(Emit *e, LLVMValueRef column, LLVMValueRef count);
LLVMValueRef emit_element_numbers(Emit *e); /* <0, 1, 2, ...> as i32 */
/* mask NULL: all. Alignment 4 is assumed. Elements that are masked out load zero. */
LLVMValueRef emit_load_masked(Emit *e, LLVMTypeRef type, LLVMValueRef address,
                              LLVMValueRef mask); /* of a vector type */
LLVMValueRef emit_load_vector(Emit *e, LLVMValueRef address, LLVMValueRef mask);
void emit_store_vector(Emit *e, LLVMValueRef value, LLVMValueRef address,
                       LLVMValueRef mask);
/* The line is wanted soon; nothing happens if there is no memory. */
void emit_prefetch(Emit *e, LLVMValueRef address);
/* The same, but no nearer than the second cache. */
void emit_prefetch_second(Emit *e, LLVMValueRef address);
LLVMValueRef emit_sum_vector(Emit *e, LLVMValueRef vector); /* fixed pairwise order */
LLVMValueRef emit_max_vector(Emit *e, LLVMValueRef vector);
LLVMValueRef emit_max_number(Emit *e, LLVMValueRef vector); /* by emit_larger_number */
/* The larger or smaller of two numbers, of either sign if both are zero; NaN if one
 * is. */
LLVMValueRef emit_larger(Emit *e, LLVMValueRef a, LLVMValueRef b);
/* One instruction, where NaN does not matter: b if a is NaN. */
LLVMValueRef emit_larger_number(Emit *e, LLVMValueRef a, LLVMValueRef b);
LLVMValueRef emit_smaller(Emit *e, LLVMValueRef a, LLVMValueRef b);
LLVMValueRef emit_fma(Emit *e, LLVMValueRef a, LLVMValueRef b, LLVMValueRef c);
/* Calls an overloaded intrinsic such as "llvm.fma" on the type of its first argument. */
LLVMValueRef emit_intrinsic(Emit *e, const char *name, LLVMValueRef *args,
                            unsigned count);

/* -- random bits (ir/base/random.h), codegen/random_bits.c: scalar or vector i32 ----- */
LLVMValueRef emit_mix32(Emit *e, LLVMValueRef x);
/* Of this step and the kernel's salt of that index, then of a row: random_use_key in
 * two parts. */
LLVMValueRef emit_salted_step(Emit *e, uint32_t salt);
LLVMValueRef emit_use_key(Emit *e, LLVMValueRef salted_step, LLVMValueRef row_key);
/* Of column `first`, an i32; of it and those that follow if the key is a vector. */
LLVMValueRef emit_random_bits(Emit *e, LLVMValueRef use_key, LLVMValueRef first);

/* -- small matrix products ------------------------------------------------------------
 * C[i, j] = sum_k A[i, k] B[k, j] with j along vectors: A element by element with any
 * strides, B and C with unit stride in j. Register-blocked over i and j; tails are
 * masked. */
typedef struct SmallMatmul {
    LLVMValueRef a, a_row_stride, a_k_stride; /* in floats */
    LLVMValueRef b, b_stride;
    LLVMValueRef c, c_stride;
    LLVMValueRef m, n, k;
} SmallMatmul;
void emit_small_matmul(Emit *e, const SmallMatmul *product);

/* to[c * to_stride + r] = from[r * from_stride + c]; rows, columns and strides are
 * i64. Whole tiles are written: `to` has room for `columns` rows of to_stride >= rows,
 * both rounded up to the vector width; what is beyond is zero or a copy of the last
 * row. */
typedef struct Transpose {
    LLVMValueRef from, from_stride;
    LLVMValueRef to, to_stride;
    LLVMValueRef rows, columns;
} Transpose;
void emit_transpose(Emit *e, const Transpose *transpose);
/* width x width numbers of 32 bits, end to end, in place. */
void emit_transpose_tile(Emit *e, LLVMValueRef at);
/* The same in registers: width vectors of width numbers. */
void emit_transpose_vectors(Emit *e, LLVMValueRef *tile);

/* -- vector mathematics, codegen/math.c: x is f32 or <width x f32> --------------------
 * Bounds, in units in the last place over the whole range, are in math.c and swept by
 * a test. */
LLVMValueRef emit_exp(Emit *e, LLVMValueRef x);
LLVMValueRef emit_exp_of_negative(Emit *e, LLVMValueRef x); /* x <= 0 or NaN: same bits */
LLVMValueRef emit_log(Emit *e, LLVMValueRef x);
LLVMValueRef emit_tanh(Emit *e, LLVMValueRef x);
LLVMValueRef emit_erf(Emit *e, LLVMValueRef x);
LLVMValueRef emit_rsqrt(Emit *e, LLVMValueRef x);
LLVMValueRef emit_sqrt(Emit *e, LLVMValueRef x);

#endif
