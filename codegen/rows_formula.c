/* Row kernels: the formula of every element-wise op, for one number or a vector. */
#include "codegen/rows_emit.h"
#include "ir/base/random.h"

/* `number` (of type i32 or f32) in the shape of `like`. */
static LLVMValueRef spread_like(Emit *e, LLVMValueRef number, LLVMValueRef like)
{
    bool vector = LLVMGetTypeKind(LLVMTypeOf(like)) == LLVMVectorTypeKind;
    return vector ? emit_splat(e, number) : number;
}

/* x / (1 - p) where the element's bits are at least the threshold of p, else 0 x: what is
 * not finite is not lost. */
static LLVMValueRef dropout(RowsEmit *re, uint32_t index, LLVMValueRef x,
                            LLVMValueRef column)
{
    Emit *e = re->e;
    double p = re->layout->values[index].node->attr.dropout.p;
    if (p == 0)
        return x;
    LLVMValueRef first =
        column ? LLVMBuildTrunc(e->builder, column, e->i32, "") : emit_i32(e, 0);
    LLVMValueRef bits = emit_random_bits(e, spread_like(e, re->keys[index], x), first);
    LLVMValueRef threshold = spread_like(e, emit_i32(e, random_threshold(p)), x);
    LLVMValueRef kept = LLVMBuildICmp(e->builder, LLVMIntUGE, bits, threshold, "");
    LLVMValueRef scale = spread_like(e, emit_f32(e, 1 / (1 - p)), x);
    scale = LLVMBuildSelect(e->builder, kept, scale, LLVMConstNull(LLVMTypeOf(x)), "");
    return LLVMBuildFMul(e->builder, x, scale, "");
}

typedef LLVMValueRef MapFormula(RowsEmit *re, uint32_t index, LLVMValueRef *args,
                                LLVMValueRef column);

#define MAP(name, formula)                                                               \
    static LLVMValueRef map_##name(RowsEmit *re, uint32_t index, LLVMValueRef *args,     \
                                   LLVMValueRef column)                                  \
    {                                                                                    \
        Emit *e = re->e;                                                                 \
        (void)e, (void)index, (void)column;                                              \
        return formula;                                                                  \
    }
MAP(add, LLVMBuildFAdd(e->builder, args[0], args[1], ""))
MAP(sub, LLVMBuildFSub(e->builder, args[0], args[1], ""))
MAP(mul, LLVMBuildFMul(e->builder, args[0], args[1], ""))
MAP(div, LLVMBuildFDiv(e->builder, args[0], args[1], ""))
MAP(maximum, emit_larger(e, args[0], args[1]))
MAP(minimum, emit_smaller(e, args[0], args[1]))
MAP(greater, LLVMBuildFCmp(e->builder, LLVMRealOGT, args[0], args[1], ""))
MAP(select, LLVMBuildSelect(e->builder, args[0], args[1], args[2], ""))
MAP(exp, emit_exp(e, args[0]))
MAP(log, emit_log(e, args[0]))
MAP(tanh, emit_tanh(e, args[0]))
MAP(erf, emit_erf(e, args[0]))
MAP(sqrt, emit_sqrt(e, args[0]))
MAP(rsqrt, emit_rsqrt(e, args[0]))
MAP(dropout, dropout(re, index, args[0], column))
MAP(expand, args[0])
MAP(stop_gradient, args[0])

static MapFormula *const formulas[OP_COUNT] = {
#define CLASS_map(name) [OP_##name] = map_##name,
#include "ir/class_ops.def"
};

LLVMValueRef rows_formula(RowsEmit *re, uint32_t index, LLVMValueRef *args,
                          LLVMValueRef column)
{
    MapFormula *formula = formulas[re->layout->values[index].node->op];
    /* What reduces a single column is that column. */
    return formula ? formula(re, index, args, column) : args[0];
}
