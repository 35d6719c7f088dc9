/* The vector mathematics of generated code against libm in double precision: floats of
 * every exponent and sign, and special values, on every kind of vector this processor can
 * run. */
#include <math.h>
#include <string.h>

#include "tests/check.h"
#include "tests/codegen/fixture.h"

enum { COUNT = 1 << 14, STRIDE = 1021 };

typedef struct Function {
    OpKind op;
    double (*exact)(double);
    double bound; /* ulp, as codegen/math.c states */
} Function;

static double exact_rsqrt(double x)
{
    return 1 / sqrt(x);
}

static const Function functions[] = {
    {OP_exp, exp, 2}, {OP_log, log, 2},   {OP_tanh, tanh, 4},
    {OP_erf, erf, 4}, {OP_sqrt, sqrt, 1}, {OP_rsqrt, exact_rsqrt, 2},
};

/* Distance of `got` from `exact` in units of the last place of the float nearest to
 * it. */
static double ulps(float got, double exact)
{
    float rounded = (float)exact;
    if (isnan(exact) || isnan(got))
        return isnan(exact) && isnan(got) ? 0 : INFINITY;
    if (isinf(rounded) || isinf(got))
        return rounded == got || (isinf(got) && fabs(exact) > 3.40282346e38) ? 0
                                                                             : INFINITY;
    int exponent;
    frexp(rounded, &exponent);
    if (exponent < -125 || rounded == 0)
        exponent = -125;
    return fabs((double)got - exact) / ldexp(1, exponent - 24);
}

typedef struct Sweep {
    double worst;
    float worst_x;
} Sweep;

static void sweep_block(Sweep *sweep, const Function *function, const float *x,
                        const float *y)
{
    for (int i = 0; i < COUNT; i++) {
        double error = ulps(y[i], function->exact((double)x[i]));
        if (error > sweep->worst)
            *sweep = (Sweep){error, x[i]};
    }
}

/* Every STRIDE-th float, first the special ones. */
static uint32_t sample(uint64_t index)
{
    static const uint32_t special[] = {0x00000000, 0x80000000, 0x7f800000, 0xff800000,
                                       0x7fc00000, 0x00000001, 0x80000001, 0x007fffff,
                                       0x00800000, 0x7f7fffff, 0xff7fffff, 0x3f800000};
    size_t count = sizeof special / sizeof special[0];
    return index < count ? special[index] : (uint32_t)((index - count) * STRIDE);
}

static void test_function(Check *check, const Function *function, const char *processor)
{
    Fixture f;
    fixture_open(&f);
    const Node *x = fixture_input(&f, "x", type_vector(DTYPE_f32, COUNT));
    const Node *y = fixture_op(&f, function->op, x, NULL);
    fixture_result(&f, "y", y);
    fixture_group(&f);
    bool ok = fixture_compile(&f, &(JitOptions){.processor = processor});
    CHECK(check, ok, "%s does not compile", op_info(function->op)->name);
    Sweep sweep = {0};
    for (uint64_t start = 0; ok && start * STRIDE < UINT64_C(1) << 32; start += COUNT) {
        for (uint64_t i = 0; i < COUNT; i++) {
            uint32_t bits = sample(start + i);
            memcpy(&fixture_floats(&f, x)[i], &bits, sizeof bits);
        }
        fixture_run(&f);
        sweep_block(&sweep, function, fixture_floats(&f, x), fixture_floats(&f, y));
    }
    printf("%-6s %-10s %.3f ulp at %a, bound %g\n", op_info(function->op)->name,
           processor ? processor : "host", sweep.worst, (double)sweep.worst_x,
           function->bound);
    CHECK(check, sweep.worst <= function->bound, "%s: %g ulp at %a",
          op_info(function->op)->name, sweep.worst, (double)sweep.worst_x);
    fixture_close(&f);
}

/* Narrow values are computed by the same code on scalars. */
static void test_scalar(Check *check, const Function *function)
{
    Fixture f;
    fixture_open(&f);
    const Node *x = fixture_input(&f, "x", TYPE_SCALAR);
    const Node *y = fixture_op(&f, function->op, x, NULL);
    fixture_result(&f, "y", y);
    fixture_group(&f);
    bool ok = fixture_compile(&f, &(JitOptions){0});
    CHECK(check, ok, "%s does not compile", op_info(function->op)->name);
    for (int i = 0; ok && i < 4096; i++) {
        uint32_t bits = (uint32_t)i << 20 | 0x54321;
        memcpy(fixture_floats(&f, x), &bits, sizeof bits);
        fixture_run(&f);
        double error =
            ulps(*fixture_floats(&f, y), function->exact((double)*fixture_floats(&f, x)));
        CHECK(check, error <= function->bound, "scalar %s of %a: %g ulp",
              op_info(function->op)->name, (double)*fixture_floats(&f, x), error);
    }
    fixture_close(&f);
}

int main(void)
{
    Check check = {0};
    for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++) {
        test_function(&check, &functions[i], NULL);
#ifdef __x86_64__
        test_function(&check, &functions[i], "x86-64");
        if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
            test_function(&check, &functions[i], "x86-64-v3");
#endif
        test_scalar(&check, &functions[i]);
    }
    return check_finish(&check);
}
