/* Products at precision `int8` against plain loops, to the bit, for every unit: sizes
 * about the edges of panels, runs of k, numbers that are hostile. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tests/codegen/numbers.h"
#include "tests/codegen/product_trial.h"
#include "tests/support/amx_emulator.h"

/* The memory for integers is that of the types, so they are the largest there are. */
enum { MOST_N = 192, MOST_K = 9000 };

/* -- plain loops --------------------------------------------------------------------- */

enum { RUN = 4096, MOST = 127 };

static float magnitude_of(const float *x, int64_t count, int64_t step)
{
    float largest = 0;
    for (int64_t i = 0; i < count; i++) {
        if (!isfinite(x[i * step]))
            return NAN;
        largest = fmaxf(largest, fabsf(x[i * step]));
    }
    return largest >= 0x1p-120F ? largest : 0;
}

/* Integers of `count` numbers; the scale. */
static float quantise(const float *x, int64_t count, int32_t *out)
{
    float largest = magnitude_of(x, count, 1);
    for (int64_t i = 0; i < count; i++)
        out[i] = largest > 0 ? (int32_t)lrintf(x[i] * ((float)MOST / largest)) : 0;
    return largest / (float)MOST;
}

typedef struct Weights {
    float *scales;
    int32_t *integers; /* as the matrix lies */
} Weights;

static Weights weights_of(const ProductTrial *t)
{
    int64_t rows = t->transpose_b ? t->size.n : t->size.k,
            columns = t->transpose_b ? t->size.k : t->size.n;
    Weights w = {calloc((size_t)rows + 1, sizeof *w.scales),
                 calloc((size_t)(rows * columns) + 1, sizeof *w.integers)};
    for (int64_t i = 0; i < rows; i++)
        w.scales[i] = quantise(t->b + i * columns, columns, w.integers + i * columns);
    return w;
}

/* Columns of C for one run of k of a row of A. */
static void add_run(const ProductTrial *t, const Weights *w, int64_t row, int64_t first,
                    int64_t depth)
{
    float x[RUN];
    int32_t integers[RUN];
    for (int64_t k = 0; k < depth; k++) {
        x[k] = t->a[row * t->size.k + first + k];
        x[k] *= t->transpose_b ? 1 : w->scales[first + k];
    }
    float scale = quantise(x, depth, integers);
    for (int64_t j = 0; j < t->size.n; j++) {
        int64_t sum = 0;
        for (int64_t k = 0; k < depth; k++) {
            int64_t at =
                t->transpose_b ? j * t->size.k + first + k : (first + k) * t->size.n + j;
            sum += (int64_t)integers[k] * w->integers[at];
        }
        float *c = &t->c[row * t->size.n + j];
        *c += (float)sum * (t->transpose_b ? scale * w->scales[j] : scale);
    }
}

static void multiply_plainly(const ProductTrial *t)
{
    Weights w = weights_of(t);
    memset(t->c, 0, (size_t)(t->size.m * t->size.n) * sizeof(float));
    for (int64_t row = 0; row < t->size.m; row++)
        for (int64_t first = 0; first < t->size.k; first += RUN)
            add_run(t, &w, row, first, t->size.k - first < RUN ? t->size.k - first : RUN);
    free(w.scales);
    free(w.integers);
}

/* What is no number may be any of them. */
static bool same_number(float a, float b)
{
    return isnan(a) ? isnan(b) : memcmp(&a, &b, sizeof a) == 0;
}

static void expect_same(ProductTrial *t, const char *what)
{
    float *got = t->c;
    int64_t count = t->size.m * t->size.n, differ = 0;
    t->c = calloc((size_t)count + 1, sizeof *t->c);
    multiply_plainly(t);
    for (int64_t i = 0; i < count; i++)
        if (!same_number(got[i], t->c[i]) && !differ++)
            CHECK(t->check, false, "%s, %d x %d x %d, %s, %s: %g at %d, expected %g",
                  what, (int)t->size.m, (int)t->size.n, (int)t->size.k,
                  t->transpose_b ? "nt" : "nn", t->processor ? t->processor : "native",
                  (double)got[i], (int)i, (double)t->c[i]);
    CHECK(t->check, differ == 0, "%s: %d numbers differ", what, (int)differ);
    free(t->c);
    t->c = got;
}

/* -- sizes --------------------------------------------------------------------------- */

static void test_size(ProductTrial *t, ProductSize size)
{
    trial_set_size(t, size);
    trial_multiply(t);
    expect_same(t, "random numbers");
    trial_drop_size(t);
}

static void test_sizes(ProductTrial *t)
{
    static const int64_t sides[] = {1, 3, 17, 33}, depths[] = {1, 3, 17, 33, 64, 130};
    for (int m = 0; m < 4; m++)
        for (int n = 0; n < 4; n++)
            for (int k = 0; k < 6; k++)
                test_size(t, (ProductSize){sides[m], sides[n], depths[k]});
    static const ProductSize others[] = {{0, 5, 7},     {5, 0, 7},      {5, 7, 0},
                                         {16, 64, 64},  {70, 192, 300}, {13, 48, 4096},
                                         {3, 20, 4097}, {14, 33, 8300}};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        test_size(t, others[i]);
}

/* All integers of the largest magnitude, and of one sign: the sums are the largest that
 * a run can have. */
static void test_largest(ProductTrial *t)
{
    for (int sign = -1; sign <= 1; sign += 2) {
        trial_set_size(t, (ProductSize){5, 17, 8200});
        for (int64_t i = 0; i < 5 * 8200; i++)
            t->a[i] = (float)sign;
        for (int64_t i = 0; i < 17 * 8200; i++)
            t->b[i] = 1;
        trial_multiply(t);
        expect_same(t, "the largest sums");
        bool close = true;
        for (int64_t i = 0; i < 5 * 17; i++)
            close = close && fabsf(t->c[i] - (float)sign * 8200) < 0.01F;
        CHECK(t->check, close, "%g where 8200 was expected", (double)t->c[0]);
        trial_drop_size(t);
    }
}

/* -- hostile numbers ----------------------------------------------------------------- */

/* Of one row of A and one of B as it lies. */
static void test_hostile(ProductTrial *t)
{
    static const float numbers[] = {INFINITY, -INFINITY, NAN,    3.4e38F,
                                    1e-45F,   1e-39F,    1e-36F, -3e37F};
    enum { M = 14, N = 20, K = 40, LAST = 2 };
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        for (int where = 0; where <= LAST; where++) {
            trial_set_size(t, (ProductSize){M, N, K});
            if (where != 1)
                t->a[3 * K + 7] = numbers[i];
            if (where != 0)
                t->b[25] = numbers[i];
            trial_multiply(t);
            expect_same(t, "a hostile number");
            for (int64_t column = 0; column < N && where == 0; column++)
                CHECK(t->check, isfinite(numbers[i]) || isnan(t->c[3 * N + column]),
                      "%g in a row of A has vanished", (double)numbers[i]);
            trial_drop_size(t);
        }
}

/* Rows of zeros, and rows whose numbers are all too small to count. */
static void test_nothing(ProductTrial *t)
{
    static const float numbers[] = {0, 1e-40F, 0x1p-121F};
    enum { M = 14, N = 20, K = 40 };
    for (size_t i = 0; i < 3; i++) {
        trial_set_size(t, (ProductSize){M, N, K});
        for (int64_t k = 0; k < K; k++)
            t->a[2 * K + k] = numbers[i];
        for (int64_t j = 0; j < (t->transpose_b ? K : N); j++)
            t->b[(t->transpose_b ? K : N) * 3 + j] = numbers[i];
        trial_multiply(t);
        expect_same(t, "rows of nothing");
        CHECK(t->check, t->c[2 * N + 5] == 0, "%g of a row of nothing",
              (double)t->c[2 * N + 5]);
        trial_drop_size(t);
    }
}

/* -- accuracy ------------------------------------------------------------------------ */

/* Each operand is off by half a step, 1/254 of its row's largest, and both at once. */
static void test_accuracy(ProductTrial *t)
{
    enum { M = 9, N = 40, K = 700 };
    trial_set_size(t, (ProductSize){M, N, K});
    trial_multiply(t);
    float row_largest[K];
    int64_t columns = t->transpose_b ? K : N, rows = t->transpose_b ? N : K;
    for (int64_t i = 0; i < rows; i++)
        row_largest[i] = magnitude_of(t->b + i * columns, columns, 1);
    double worst = 0;
    for (int64_t i = 0; i < M; i++) {
        double a_step = 0;
        for (int64_t k = 0; k < K; k++)
            a_step = fmax(a_step, fabs((double)t->a[i * K + k] *
                                       (t->transpose_b ? 1 : row_largest[k])));
        a_step /= 2 * MOST;
        for (int64_t j = 0; j < N; j++) {
            double want = 0, bound = 0;
            for (int64_t k = 0; k < K; k++) {
                double a = (double)t->a[i * K + k];
                double b = (double)t->b[t->transpose_b ? j * K + k : k * N + j];
                double b_step = (double)row_largest[t->transpose_b ? j : k];
                double off = t->transpose_b ? a_step : a_step / b_step;
                b_step /= 2 * MOST;
                want += a * b;
                bound += fabs(a) * b_step + off * fabs(b) + off * b_step;
            }
            worst = fmax(worst, fabs((double)t->c[i * N + j] - want) / bound);
        }
    }
    CHECK(t->check, worst <= 1.0001, "%g of the error that there may be", worst);
    CHECK(t->check, worst > 1e-3, "%g: no integers were used", worst);
    trial_drop_size(t);
}

/* -- all units ----------------------------------------------------------------------- */

static void test_processor(Check *check, const char *processor)
{
    for (int form = 0; form < 2; form++) {
        ProductTrial t = {.check = check,
                          .processor = processor,
                          .precision = PRECISION_int8,
                          .transpose_b = form,
                          .a_scale = 3,
                          .b_scale = 0.1};
        trial_open(&t, (ProductSize){1, MOST_N, MOST_K});
        test_sizes(&t);
        test_largest(&t);
        test_hostile(&t);
        test_nothing(&t);
        test_accuracy(&t);
        trial_close(&t);
    }
}

int main(void)
{
    Check check = {0};
    for (int p = 0; p < numbers_processor_count; p++)
        test_processor(&check, numbers_processors[p]);
#ifdef __x86_64__
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("avx512bf16"))
        test_processor(&check, "cooperlake");
    if (__builtin_cpu_supports("avx512dq"))
        test_processor(&check, "skylake-avx512");
#endif
    if (amx_can_be_emulated()) {
        amx_emulator_install();
        test_processor(&check, "sapphirerapids");
    }
    return check_finish(&check);
}
