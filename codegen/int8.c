/* A row is read twice: for its largest magnitude, which as bits is the largest integer,
 * infinity and NaN above all numbers; then it is multiplied and rounded. Adding 1.5 2^23
 * rounds to the nearest even and leaves the integer in the low bits. */
#include "codegen/int8.h"

#include <math.h>

enum { VECTORS = 4 }; /* of a run */

static const double ROUNDER = 0x1.8p23;
enum {
    ROUNDER_BITS = 0x4b400000,
    MAGNITUDE_BITS = 0x7fffffff,
    INFINITY_BITS = 0x7f800000
};

static LLVMValueRef run_of(Emit *e, LLVMValueRef count)
{
    LLVMValueRef numbers = emit_i64(e, (int64_t)VECTORS * e->width);
    return LLVMBuildSDiv(e->builder, count, numbers, "");
}

static LLVMValueRef load_numbers(Emit *e, const Int8Row *row, LLVMValueRef column,
                                 LLVMValueRef mask)
{
    LLVMValueRef x = emit_load_vector(e, emit_at(e, e->f32, row->from, column), mask);
    if (!row->factors)
        return x;
    LLVMValueRef factors =
        emit_load_vector(e, emit_at(e, e->f32, row->factors, column), mask);
    return LLVMBuildFMul(e->builder, x, factors, "");
}

/* -- the scale ----------------------------------------------------------------------- */

typedef struct Largest {
    const Int8Row *row;
    LLVMValueRef bits; /* a vector, so far */
} Largest;

static void larger_bits(Emit *e, Largest *largest, LLVMValueRef column, LLVMValueRef mask)
{
    LLVMValueRef x = load_numbers(e, largest->row, column, mask);
    LLVMValueRef bits = LLVMBuildBitCast(e->builder, x, e->vi, "");
    bits = LLVMBuildAnd(e->builder, bits, emit_splat(e, emit_i32(e, MAGNITUDE_BITS)), "");
    LLVMValueRef pair[] = {largest->bits, bits};
    largest->bits = emit_intrinsic(e, "llvm.umax", pair, 2);
}

/* The bits of the largest magnitude, i32. */
static LLVMValueRef largest_of(Emit *e, const Int8Row *row)
{
    Largest largest = {row, LLVMConstNull(e->vi)};
    int64_t step = (int64_t)VECTORS * e->width;
    LLVMValueRef whole = emit_times(e, run_of(e, row->count), emit_i64(e, step));
    Loop loop = loop_begin(e, emit_i64(e, 0), whole, step);
    LLVMValueRef found = loop_carry(e, &loop, largest.bits);
    largest.bits = found;
    for (uint32_t i = 0; i < VECTORS; i++)
        larger_bits(e, &largest, emit_plus(e, loop.index, emit_i64(e, i * e->width)),
                    NULL);
    loop_next(e, &loop, found, largest.bits);
    loop_end(e, &loop);
    Loop tail = loop_begin(e, whole, row->count, e->width);
    LLVMValueRef all = loop_carry(e, &tail, found);
    largest.bits = all;
    larger_bits(e, &largest, tail.index, emit_tail_mask(e, tail.index, row->count));
    loop_next(e, &tail, all, largest.bits);
    loop_end(e, &tail);
    LLVMValueRef only[] = {all};
    return emit_intrinsic(e, "llvm.vector.reduce.umax", only, 1);
}

typedef struct Int8Scale {
    LLVMValueRef scale, inverse; /* f32 */
} Int8Scale;

static Int8Scale scale_of(Emit *e, const Int8Row *row)
{
    LLVMValueRef bits = largest_of(e, row), most = emit_f32(e, INT8_MOST);
    LLVMValueRef x = LLVMBuildBitCast(e->builder, bits, e->f32, "");
    LLVMValueRef zero = emit_f32(e, 0), none = emit_f32(e, (double)NAN);
    LLVMValueRef is_finite =
        LLVMBuildICmp(e->builder, LLVMIntULT, bits, emit_i32(e, INFINITY_BITS), "");
    LLVMValueRef counts =
        LLVMBuildFCmp(e->builder, LLVMRealOGE, x, emit_f32(e, (double)INT8_LEAST), "");
    LLVMValueRef scale = LLVMBuildFDiv(e->builder, x, most, "");
    scale = LLVMBuildSelect(e->builder, counts, scale, zero, "");
    LLVMValueRef inverse = LLVMBuildFDiv(e->builder, most, x, "");
    inverse = LLVMBuildSelect(e->builder, counts, inverse, zero, "");
    return (Int8Scale){.scale = LLVMBuildSelect(e->builder, is_finite, scale, none, ""),
                       .inverse =
                           LLVMBuildSelect(e->builder, is_finite, inverse, zero, "")};
}

/* -- integers ------------------------------------------------------------------------ */

typedef struct Writer {
    const Int8Row *row;
    LLVMValueRef inverse, sum; /* vectors */
} Writer;

static void write_vector(Emit *e, Writer *w, LLVMValueRef column, LLVMValueRef to,
                         LLVMValueRef mask)
{
    LLVMTypeRef bytes = LLVMVectorType(e->i8, e->width);
    LLVMValueRef x = load_numbers(e, w->row, column, mask);
    x = LLVMBuildFMul(e->builder, x, w->inverse, "");
    x = LLVMBuildFAdd(e->builder, x, emit_splat(e, emit_f32(e, ROUNDER)), "");
    x = LLVMBuildBitCast(e->builder, x, e->vi, "");
    LLVMValueRef integers =
        LLVMBuildSub(e->builder, x, emit_splat(e, emit_i32(e, ROUNDER_BITS)), "");
    w->sum = LLVMBuildAdd(e->builder, w->sum, integers, "");
    if (w->row->is_unsigned)
        x = LLVMBuildAdd(e->builder, x, emit_splat(e, emit_i32(e, INT8_SHIFT)), "");
    emit_store_vector(e, LLVMBuildTrunc(e->builder, x, bytes, ""), to, NULL);
}

static LLVMValueRef write_runs(Emit *e, Writer *w, LLVMValueRef first, LLVMValueRef end,
                               bool is_whole)
{
    Loop loop = loop_begin(e, first, end, 1);
    LLVMValueRef sum = loop_carry(e, &loop, w->sum);
    w->sum = sum;
    LLVMValueRef to = emit_at(e, e->i8, w->row->to,
                              emit_times(e, loop.index, emit_i64(e, w->row->run_stride)));
    LLVMValueRef start =
        emit_times(e, loop.index, emit_i64(e, (int64_t)VECTORS * e->width));
    for (uint32_t i = 0; i < VECTORS; i++) {
        LLVMValueRef bytes = emit_i64(e, (int64_t)i * e->width);
        LLVMValueRef column = emit_plus(e, start, bytes);
        write_vector(e, w, column, emit_at(e, e->i8, to, bytes),
                     is_whole ? NULL : emit_tail_mask(e, column, w->row->count));
    }
    loop_next(e, &loop, sum, w->sum);
    loop_end(e, &loop);
    w->sum = sum;
    return loop.index;
}

void emit_int8_row(Emit *e, const Int8Row *row, LLVMValueRef *out_scale,
                   LLVMValueRef *out_sum)
{
    Int8Scale scale = scale_of(e, row);
    Writer w = {row, emit_splat(e, scale.inverse), LLVMConstNull(e->vi)};
    LLVMValueRef whole = write_runs(e, &w, emit_i64(e, 0), run_of(e, row->count), true);
    write_runs(e, &w, whole, run_of(e, row->padded), false);
    *out_scale = scale.scale;
    LLVMValueRef sums[] = {w.sum};
    if (out_sum)
        *out_sum = emit_intrinsic(e, "llvm.vector.reduce.add", sums, 1);
}

/* -- matrices ------------------------------------------------------------------------ */

static LLVMValueRef padded(Emit *e, LLVMValueRef count)
{
    return LLVMBuildAnd(e->builder, emit_plus(e, count, emit_i64(e, INT8_SIDE - 1)),
                        emit_i64(e, -INT8_SIDE), "");
}

Int8Matrix emit_int8_matrix(Emit *e, LLVMValueRef at, LLVMValueRef rows,
                            LLVMValueRef columns)
{
    return (Int8Matrix){.scales = at,
                        .bytes = emit_at(e, e->f32, at, padded(e, rows)),
                        .stride = padded(e, columns)};
}

typedef struct Storing {
    LLVMValueRef from, columns;
    Int8Matrix to;
    bool is_unsigned;
} Storing;

/* Rows beyond the matrix have no numbers. */
static void store_rows(Emit *e, const Storing *s, LLVMValueRef first, LLVMValueRef end,
                       bool is_there)
{
    Loop loop = loop_begin(e, first, end, 1);
    LLVMValueRef start = emit_times(e, loop.index, s->to.stride), scale;
    emit_int8_row(e,
                  &(Int8Row){.from = emit_element(e, s->from, loop.index, s->columns,
                                                  emit_i64(e, 0)),
                             .count = is_there ? s->columns : emit_i64(e, 0),
                             .padded = s->to.stride,
                             .to = emit_at(e, e->i8, s->to.bytes, start),
                             .run_stride = (int64_t)VECTORS * e->width,
                             .is_unsigned = s->is_unsigned},
                  &scale, NULL);
    emit_store(e, scale, emit_at(e, e->f32, s->to.scales, loop.index));
    loop_end(e, &loop);
}

void emit_int8_store(Emit *e, LLVMValueRef from, LLVMValueRef rows, LLVMValueRef columns,
                     LLVMValueRef to, bool is_unsigned)
{
    const Storing s = {from, columns, emit_int8_matrix(e, to, rows, columns),
                       is_unsigned};
    store_rows(e, &s, emit_i64(e, 0), rows, true);
    store_rows(e, &s, rows, padded(e, rows), false);
}
