/* Random bits as ir/base/random.h has them, in code. */
#include <stddef.h>

#include "codegen/loops.h"

/* `value` as an i32, or as many copies as x has lanes. */
static LLVMValueRef integer_like(Emit *e, LLVMValueRef x, uint32_t value)
{
    LLVMValueRef scalar = emit_i32(e, value);
    return LLVMGetTypeKind(LLVMTypeOf(x)) == LLVMVectorTypeKind ? emit_splat(e, scalar)
                                                                : scalar;
}

static LLVMValueRef xor_shift(Emit *e, LLVMValueRef x, uint32_t bits)
{
    return LLVMBuildXor(e->builder, x,
                        LLVMBuildLShr(e->builder, x, integer_like(e, x, bits), ""), "");
}

LLVMValueRef emit_mix32(Emit *e, LLVMValueRef x)
{
    x = xor_shift(e, x, 16);
    x = LLVMBuildMul(e->builder, x, integer_like(e, x, 0x7feb352dU), "");
    x = xor_shift(e, x, 15);
    x = LLVMBuildMul(e->builder, x, integer_like(e, x, 0x846ca68bU), "");
    return xor_shift(e, x, 16);
}

LLVMValueRef emit_salted_step(Emit *e, uint32_t salt)
{
    LLVMValueRef key = emit_lane_field(e, offsetof(LaneContext, step_key), e->i32);
    LLVMValueRef number =
        emit_load(e, e->i32, emit_at(e, e->i32, e->numbers, emit_i64(e, salt)));
    return emit_mix32(e, LLVMBuildXor(e->builder, key, number, ""));
}

LLVMValueRef emit_use_key(Emit *e, LLVMValueRef salted_step, LLVMValueRef row_key)
{
    return emit_mix32(e, LLVMBuildAdd(e->builder, row_key, salted_step, ""));
}

/* The columns are multiplied once for all: (first + i) s = first s + i s. */
LLVMValueRef emit_random_bits(Emit *e, LLVMValueRef use_key, LLVMValueRef first)
{
    const uint32_t factor = 0x9e3779b9U;
    LLVMValueRef spread = LLVMBuildMul(e->builder, first, emit_i32(e, factor), "");
    if (LLVMGetTypeKind(LLVMTypeOf(use_key)) == LLVMVectorTypeKind) {
        LLVMValueRef steps[16];
        for (uint32_t i = 0; i < e->width; i++)
            steps[i] = emit_i32(e, i * factor);
        spread = LLVMBuildAdd(e->builder, emit_splat(e, spread),
                              LLVMConstVector(steps, e->width), "");
    }
    return emit_mix32(e, LLVMBuildXor(e->builder, use_key, spread, ""));
}
