/* Elementary functions as straight-line code, on one float or on a vector of them.
 *
 * Greatest errors over all floats, in units in the last place of the result (ulp), swept
 * by tests/codegen/math_test.c against libm in double precision, with and without fused
 * multiply-add:
 *
 *     exp 2    log 2    tanh 4    erf 4    rsqrt 2    sqrt 1
 *
 * Infinities, NaN, zeros and subnormal numbers give what C's functions give. Polynomials
 * are minimax fits (Remez) of the function named beside them on the interval named there,
 * rounded to f32. */
#include "codegen/loops.h"

static LLVMValueRef like(Emit *e, LLVMValueRef x, LLVMValueRef scalar)
{
    bool vector = LLVMGetTypeKind(LLVMTypeOf(x)) == LLVMVectorTypeKind;
    return vector ? emit_splat(e, scalar) : scalar;
}

static LLVMValueRef real(Emit *e, LLVMValueRef x, double value)
{
    return like(e, x, emit_f32(e, value));
}

static LLVMValueRef integer(Emit *e, LLVMValueRef x, uint32_t value)
{
    return like(e, x, emit_i32(e, value));
}

static LLVMValueRef as_bits(Emit *e, LLVMValueRef x)
{
    bool vector = LLVMGetTypeKind(LLVMTypeOf(x)) == LLVMVectorTypeKind;
    return LLVMBuildBitCast(e->builder, x, vector ? e->vi : e->i32, "");
}

static LLVMValueRef as_real(Emit *e, LLVMValueRef bits)
{
    bool vector = LLVMGetTypeKind(LLVMTypeOf(bits)) == LLVMVectorTypeKind;
    return LLVMBuildBitCast(e->builder, bits, vector ? e->vf : e->f32, "");
}

/* where a predicate b holds, x; else y */
static LLVMValueRef where(Emit *e, LLVMRealPredicate predicate, LLVMValueRef a, double b,
                          LLVMValueRef x, LLVMValueRef y)
{
    LLVMValueRef holds = LLVMBuildFCmp(e->builder, predicate, a, real(e, a, b), "");
    return LLVMBuildSelect(e->builder, holds, x, y, "");
}

static LLVMValueRef at_most(Emit *e, LLVMValueRef x, double limit) /* keeps NaN */
{
    return where(e, LLVMRealOGT, x, limit, real(e, x, limit), x);
}

/* c[0] + c[1] x + ... + c[degree] x^degree */
static LLVMValueRef polynomial(Emit *e, LLVMValueRef x, const double *c, uint32_t degree)
{
    LLVMValueRef sum = real(e, x, c[degree]);
    for (uint32_t i = degree; i-- > 0;)
        sum = emit_fma(e, sum, x, real(e, x, c[i]));
    return sum;
}

static LLVMValueRef absolute(Emit *e, LLVMValueRef x)
{
    return emit_intrinsic(e, "llvm.fabs", &x, 1);
}

static LLVMValueRef copy_sign(Emit *e, LLVMValueRef magnitude, LLVMValueRef sign)
{
    LLVMValueRef args[] = {magnitude, sign};
    return emit_intrinsic(e, "llvm.copysign", args, 2);
}

/* -- exp --------------------------------------------------------------------------
 * e^x = 2^n e^r with n = round(x / ln 2), |r| <= ln 2 / 2. Adding 1.5 2^23 rounds to an
 * integer, and leaves it in the low bits. ln 2 is split so that n times its upper part is
 * exact. */

typedef struct Reduced {
    LLVMValueRef power;    /* e^r */
    LLVMValueRef exponent; /* n, i32 */
} Reduced;

static Reduced reduce_exp(Emit *e, LLVMValueRef x)
{
    static const double fit[] = {/* (e^r - 1 - r) / r^2 on [-0.35, 0.35] */
                                 0x1p-1,        0x1.555554p-3,  0x1.555486p-5,
                                 0x1.11127ep-7, 0x1.6d9446p-10, 0x1.9f02f0p-13};
    const double round = 0x1.8p23, ln2_high = 0x1.63p-1, ln2_low = -0x1.bd0105p-13;
    LLVMValueRef shifted = emit_fma(e, x, real(e, x, 0x1.715476p0), real(e, x, round));
    LLVMValueRef n = LLVMBuildFSub(e->builder, shifted, real(e, x, round), "");
    LLVMValueRef r = emit_fma(e, n, real(e, x, -ln2_high), x);
    r = emit_fma(e, n, real(e, x, -ln2_low), r);
    LLVMValueRef rest = LLVMBuildFMul(e->builder, polynomial(e, r, fit, 5), r, "");
    LLVMValueRef power = emit_fma(e, rest, r, r);
    return (Reduced){
        .power = LLVMBuildFAdd(e->builder, power, real(e, x, 1), ""),
        .exponent =
            LLVMBuildSub(e->builder, as_bits(e, shifted), integer(e, x, 0x4b400000), ""),
    };
}

/* 2^n for a normal result */
static LLVMValueRef power_of_two(Emit *e, LLVMValueRef n)
{
    LLVMValueRef biased = LLVMBuildAdd(e->builder, n, integer(e, n, 127), "");
    return as_real(e, LLVMBuildShl(e->builder, biased, integer(e, n, 23), ""));
}

LLVMValueRef emit_exp(Emit *e, LLVMValueRef x)
{
    /* Beyond the limits the result is infinite or 0 all the same. 2^n is applied in two
     * halves, for n may exceed the exponents there are where the result is subnormal or
     * just finite. */
    x = at_most(e, x, 90);
    x = where(e, LLVMRealOLT, x, -105, real(e, x, -105), x);
    Reduced reduced = reduce_exp(e, x);
    LLVMValueRef n = reduced.exponent;
    LLVMValueRef half = LLVMBuildAShr(e->builder, n, integer(e, n, 1), "");
    LLVMValueRef rest = LLVMBuildSub(e->builder, n, half, "");
    LLVMValueRef y = LLVMBuildFMul(e->builder, reduced.power, power_of_two(e, half), "");
    return LLVMBuildFMul(e->builder, y, power_of_two(e, rest), "");
}

LLVMValueRef emit_exp_of_negative(Emit *e, LLVMValueRef x)
{
    /* n >= -152, so 2^(n + 64) is normal, and all rounding is in the last product. */
    x = where(e, LLVMRealOLT, x, -105, real(e, x, -105), x);
    Reduced reduced = reduce_exp(e, x);
    LLVMValueRef n = LLVMBuildAdd(e->builder, reduced.exponent, integer(e, x, 64), "");
    LLVMValueRef y = LLVMBuildFMul(e->builder, reduced.power, power_of_two(e, n), "");
    return LLVMBuildFMul(e->builder, y, real(e, x, 0x1p-64), "");
}

/* e^x for |x| <= 80 */
static LLVMValueRef small_exp(Emit *e, LLVMValueRef x)
{
    Reduced reduced = reduce_exp(e, x);
    return LLVMBuildFMul(e->builder, reduced.power, power_of_two(e, reduced.exponent),
                         "");
}

/* -- log --------------------------------------------------------------------------
 * x = 2^n (1 + f) with 1 + f in [sqrt(1/2), sqrt(2)); log x = n ln 2 + f - f^2/2 + f^3
 * fit(f). */

LLVMValueRef emit_log(Emit *e, LLVMValueRef x)
{
    static const double fit[] = {/* (log(1 + f) - f + f^2/2) / f^3 */
                                 0x1.555546p-2,  -0x1.ffffeep-3, 0x1.99a546p-3,
                                 -0x1.5562e2p-3, 0x1.2332c4p-3,  -0x1.fb4334p-4,
                                 0x1.e65078p-4,  -0x1.e2e96cp-4, 0x1.1b42c0p-4};
    const uint32_t sqrt_half = 0x3f3504f3;
    LLVMBuilderRef b = e->builder;
    /* subnormal numbers first become normal */
    LLVMValueRef scaled = LLVMBuildFMul(b, x, real(e, x, 0x1p23), "");
    LLVMValueRef normal = where(e, LLVMRealOLT, x, 0x1p-126, scaled, x);
    LLVMValueRef shift =
        where(e, LLVMRealOLT, x, 0x1p-126, real(e, x, -23), real(e, x, 0));
    LLVMValueRef bits = LLVMBuildSub(b, as_bits(e, normal), integer(e, x, sqrt_half), "");
    LLVMValueRef exponent = LLVMBuildAShr(b, bits, integer(e, x, 23), "");
    LLVMValueRef n = LLVMBuildSIToFP(b, exponent, LLVMTypeOf(x), "");
    n = LLVMBuildFAdd(b, n, shift, "");
    bits = LLVMBuildAnd(b, bits, integer(e, x, 0x007fffff), "");
    bits = LLVMBuildAdd(b, bits, integer(e, x, sqrt_half), "");
    LLVMValueRef f = LLVMBuildFSub(b, as_real(e, bits), real(e, x, 1), "");
    LLVMValueRef square = LLVMBuildFMul(b, f, f, "");
    LLVMValueRef cubic =
        LLVMBuildFMul(b, LLVMBuildFMul(b, f, square, ""), polynomial(e, f, fit, 8), "");
    LLVMValueRef y = emit_fma(e, n, real(e, x, -0x1.bd0105p-13), cubic);
    y = emit_fma(e, square, real(e, x, -0.5), y);
    y = LLVMBuildFAdd(b, f, y, "");
    y = emit_fma(e, n, real(e, x, 0x1.63p-1), y);
    y = where(e, LLVMRealOEQ, x, 0, real(e, x, -__builtin_inf()), y);
    y = where(e, LLVMRealOEQ, x, __builtin_inf(), x, y);
    return where(e, LLVMRealOGE, x, 0, y, real(e, x, __builtin_nan("")));
}

/* -- tanh -------------------------------------------------------------------------
 * |x| < 0.625: x + x^3 fit(x^2); else 1 - 2 / (e^2|x| + 1) with the sign of x. */

LLVMValueRef emit_tanh(Emit *e, LLVMValueRef x)
{
    static const double fit[] = {/* (tanh(x) / x - 1) / x^2, in x^2 on [0, 0.4] */
                                 -0x1.555554p-2, 0x1.111058p-3,  -0x1.b9eba8p-5,
                                 0x1.636964p-6,  -0x1.0b43d6p-7, 0x1.163b84p-9};
    LLVMBuilderRef b = e->builder;
    LLVMValueRef size = absolute(e, x);
    LLVMValueRef square = LLVMBuildFMul(b, x, x, "");
    LLVMValueRef cube = LLVMBuildFMul(b, square, x, "");
    LLVMValueRef small = emit_fma(e, cube, polynomial(e, square, fit, 5), x);
    LLVMValueRef limited = at_most(e, size, 10);
    LLVMValueRef power = small_exp(e, LLVMBuildFAdd(b, limited, limited, ""));
    LLVMValueRef denominator = LLVMBuildFAdd(b, power, real(e, x, 1), "");
    LLVMValueRef large = LLVMBuildFDiv(b, real(e, x, 2), denominator, "");
    large = LLVMBuildFSub(b, real(e, x, 1), large, "");
    return where(e, LLVMRealOLT, size, 0.625, small, copy_sign(e, large, x));
}

/* -- erf --------------------------------------------------------------------------
 * |x| < 0.925: x + x fit(x^2); else 1 - e^-(t fit(t)) with t = |x| and the sign of x;
 * from t = 4 on that is 1. */

LLVMValueRef emit_erf(Emit *e, LLVMValueRef x)
{
    static const double near[] = {/* erf(x) / x - 1, in x^2 on [0, 0.87] */
                                  0x1.06eba8p-3,  -0x1.812744p-2, 0x1.ce2e14p-4,
                                  -0x1.b80f50p-6, 0x1.54cde4p-8,  -0x1.aa6a1cp-11,
                                  0x1.5d478cp-14};
    static const double far[] = {/* -log(1 - erf(t)) / t on [0.92, 3.95] */
                                 0x1.20ef5ap0,   0x1.453088p-1, 0x1.b34100p-4,
                                 -0x1.85b306p-6, 0x1.dee82ep-9, -0x1.557928p-12,
                                 0x1.82a132p-17};
    LLVMBuilderRef b = e->builder;
    LLVMValueRef size = absolute(e, x);
    LLVMValueRef square = LLVMBuildFMul(b, x, x, "");
    LLVMValueRef small = emit_fma(e, x, polynomial(e, square, near, 6), x);
    LLVMValueRef t = at_most(e, size, 4);
    LLVMValueRef power = LLVMBuildFMul(b, t, polynomial(e, t, far, 6), "");
    LLVMValueRef large = small_exp(e, LLVMBuildFNeg(b, power, ""));
    large = LLVMBuildFSub(b, real(e, x, 1), large, "");
    return where(e, LLVMRealOLT, size, 0.925, small, copy_sign(e, large, x));
}

/* -- roots --------------------------------------------------------------------- */

LLVMValueRef emit_sqrt(Emit *e, LLVMValueRef x)
{
    return emit_intrinsic(e, "llvm.sqrt", &x, 1);
}

LLVMValueRef emit_rsqrt(Emit *e, LLVMValueRef x)
{
    return LLVMBuildFDiv(e->builder, real(e, x, 1), emit_sqrt(e, x), "");
}
