/* Matrix products against a plain loop in double, for every form and unit: sizes about
 * the edges of panels, empty ones, long sums, several blocks. Then what holds to the bit:
 * an element does not depend on what is beside it.
 *
 * Sizes are arguments of a kernel, so one per form serves all of them. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tests/codegen/numbers.h"
#include "tests/codegen/product_trial.h"
#include "tests/support/amx_emulator.h"

/* -- against a plain loop ------------------------------------------------------------ */

static double a_at(const ProductTrial *t, int64_t i, int64_t k)
{
    return (double)t->a[t->transpose_a ? k * t->size.m + i : i * t->size.k + k];
}

static double b_at(const ProductTrial *t, int64_t k, int64_t j)
{
    return (double)t->b[t->transpose_b ? j * t->size.k + k : k * t->size.n + j];
}

/* A number is off by 2^-16 of itself as two parts, and by 2^-8 as one; a chain of k
 * roundings is far from its worst. */
static double bound_of(const ProductTrial *t)
{
    static const double of_parts[PRECISION_COUNT] = {
        [PRECISION_high] = 0x3p-16, [PRECISION_medium] = 0x2.1p-8};
    return of_parts[t->precision] + 1.2e-7 * sqrt((double)t->size.k + 1);
}

/* Against the sum of the terms' magnitudes. */
static void expect_product(const ProductTrial *t)
{
    double worst = 0;
    for (int64_t i = 0; i < t->size.m; i++)
        for (int64_t j = 0; j < t->size.n; j++) {
            double want = 0, magnitude = 0;
            for (int64_t k = 0; k < t->size.k; k++) {
                double term = a_at(t, i, k) * b_at(t, k, j);
                want += term;
                magnitude += fabs(term);
            }
            double error = fabs(want - (double)t->c[i * t->size.n + j]);
            error = magnitude > 0 ? error / magnitude : error;
            worst = error <= worst ? worst : error;
        }
    CHECK(t->check, worst <= bound_of(t),
          "%d x %d x %d, transposed %d %d, %s, %s: error %g", (int)t->size.m,
          (int)t->size.n, (int)t->size.k, t->transpose_a, t->transpose_b,
          t->processor ? t->processor : "native", precision_names[t->precision], worst);
}

static void test_size(ProductTrial *t, ProductSize size)
{
    trial_set_size(t, size);
    trial_multiply(t);
    expect_product(t);
    trial_drop_size(t);
}

/* About the edges of tiles; not all sizes, as they may be emulated. */
static void test_tiles(ProductTrial *t)
{
    static const ProductSize sizes[] = {
        {1, 1, 1},    {1, 16, 32},  {15, 17, 33}, {16, 15, 31}, {17, 32, 64},
        {31, 33, 63}, {32, 48, 32}, {33, 47, 65}, {49, 31, 3},  {64, 64, 0},
        {70, 5, 40},  {5, 70, 96},  {3, 20, 600}, {0, 20, 20},  {20, 0, 20},
    };
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        test_size(t, sizes[i]);
}

static void test_sizes(ProductTrial *t)
{
    static const int64_t depths[] = {0, 1, 16, 31};
    for (int64_t m = 0; m <= 26; m += m < 15 ? 1 : 5)
        for (int64_t n = 0; n <= 70; n += n < 36 ? 1 : 7)
            for (int d = 0; d < 4; d++)
                test_size(t, (ProductSize){m, n, depths[d]});
    static const ProductSize large[] = {{530, 33, 20}, {3, 40, 1100}, {1100, 5, 530}};
    for (size_t i = 0; i < sizeof large / sizeof *large; i++)
        test_size(t, large[i]);
}

/* -- to the bit ---------------------------------------------------------------------- */

/* to[i][j] = from[i][j]: the first rows and columns of a matrix of longer rows. */
static void copy_corner(float *to, int64_t rows, int64_t columns, const float *from,
                        int64_t from_columns)
{
    for (int64_t i = 0; i < rows; i++)
        memcpy(to + i * columns, from + i * from_columns,
               (size_t)columns * sizeof(float));
}

/* Makes a product of the first rows of A and the first columns of B: they are those of
 * the whole. */
static void expect_part(const ProductTrial *whole, int64_t m, int64_t n)
{
    ProductTrial t = *whole;
    int64_t k = whole->size.k;
    trial_set_size(&t, (ProductSize){m, n, k});
    copy_corner(t.a, t.transpose_a ? k : m, t.transpose_a ? m : k, whole->a,
                t.transpose_a ? whole->size.m : k);
    copy_corner(t.b, t.transpose_b ? n : k, t.transpose_b ? k : n, whole->b,
                t.transpose_b ? k : whole->size.n);
    trial_multiply(&t);
    bool same = true;
    for (int64_t i = 0; i < m; i++)
        same = same && memcmp(t.c + i * n, whole->c + i * whole->size.n,
                              (size_t)n * sizeof(float)) == 0;
    CHECK(t.check, same, "%d x %d alone differ from those of %d x %d, transposed %d %d",
          (int)m, (int)n, (int)whole->size.m, (int)whole->size.n, t.transpose_a,
          t.transpose_b);
    trial_drop_size(&t);
}

/* An element is the same whatever rows and columns are beside it: few of them are
 * multiplied in another way. */
static void test_parts(ProductTrial *t)
{
    enum { ROWS = 50, COLUMNS = 150, DEPTH = 550, MOST = 40 };
    trial_set_size(t, (ProductSize){ROWS, COLUMNS, DEPTH});
    trial_multiply(t);
    for (int64_t few = 1; few <= MOST; few++) {
        expect_part(t, few, COLUMNS);
        expect_part(t, ROWS / 2, few);
        expect_part(t, few, 3);
    }
    trial_drop_size(t);
}

/* -- not finite ---------------------------------------------------------------------- */

/* Infinities, what is too large for a part, and what is no number, as in f32. */
static void test_special(ProductTrial *t, ProductSize size, float special)
{
    trial_set_size(t, size);
    for (int64_t j = 0; j < size.n * size.k; j++)
        t->b[j] *= 0.25F;
    t->a[size.k + 1] = special;
    trial_multiply(t);
    bool same = true;
    for (int64_t row = 0; row < size.m; row++)
        for (int64_t column = 0; column < size.n; column++) {
            double want = 0;
            for (int64_t k = 0; k < size.k; k++)
                want += a_at(t, row, k) * b_at(t, k, column);
            double got = (double)t->c[row * size.n + column];
            same = same && (isnan(want)   ? isnan(got)
                            : isinf(want) ? got == want
                                          : isfinite(got));
        }
    CHECK(t->check, same, "%g among the numbers of %d x %d x %d", (double)special,
          (int)size.m, (int)size.n, (int)size.k);
    trial_drop_size(t);
}

static void test_specials(ProductTrial *t)
{
    static const float specials[] = {INFINITY, -INFINITY, 3.4e38F, NAN};
    static const ProductSize sizes[] = {{18, 20, 40}, {3, 20, 40}, {18, 3, 40}};
    for (size_t i = 0; i < sizeof specials / sizeof *specials; i++)
        for (size_t j = 0; j < sizeof sizes / sizeof *sizes; j++)
            test_special(t, sizes[j], specials[i]);
}

/* -- ragged rows --------------------------------------------------------------------- */

/* Any number of rows of an axis, none included, of the result or summed away. */
static void test_ragged(Check *check, const char *processor, bool sums,
                        const int32_t *lengths)
{
    ProductTrial t = {.check = check,
                      .processor = processor,
                      .transpose_a = sums,
                      .transpose_b = !sums};
    Fixture *f = &t.f;
    fixture_open(f);
    int32_t axis = fixture_axis(f, "rows", lengths, 2);
    int64_t rows = f->views[axis].rows;
    t.size = (ProductSize){sums ? 20 : rows, 35, sums ? rows : 20};
    const Node *args[] = {fixture_input(f, "a", type_rows(DTYPE_f32, axis, 20)),
                          fixture_input(f, "b",
                                        sums ? type_rows(DTYPE_f32, axis, 35)
                                             : type_matrix(DTYPE_f32, 35, 20))};
    OpAttr attr;
    memset(&attr, 0, sizeof attr);
    attr.matmul.transpose_a = sums;
    attr.matmul.transpose_b = !sums;
    const Node *c = graph_node(
        f->graph, (BuildSite){0},
        (NodeSpec){.op = OP_matmul, .attr = &attr, .args = args, .arg_count = 2});
    fixture_result(f, "c", c);
    fixture_group(f);
    bool compiled = fixture_compile(f, &(JitOptions){.processor = processor});
    CHECK(check, compiled, "does not compile");
    if (compiled) {
        t.a = fixture_floats(f, args[0]);
        t.b = fixture_floats(f, args[1]);
        t.c = fixture_floats(f, c);
        numbers_fill(t.a, rows * 20, 1, 1);
        numbers_fill(t.b, t.size.k * t.size.n, 2, 1);
        fixture_run(f);
        expect_product(&t);
    }
    fixture_close(f);
}

/* -- all forms ----------------------------------------------------------------------- */

typedef void FormTest(ProductTrial *t);

static void test_forms(const ProductTrial *like, FormTest *test)
{
    for (int form = 0; form < 4; form++) {
        ProductTrial t = *like;
        t.a_scale = t.b_scale = 1;
        t.transpose_a = form & 1;
        t.transpose_b = form >> 1;
        trial_open(&t, (ProductSize){1, 1, 1});
        test(&t);
        test_parts(&t);
        if (t.precision != PRECISION_medium)
            test_specials(&t);
        trial_close(&t);
    }
}

/* By dot products of bf16, which only a processor that has them can show; on this
 * processor's own tiles, or emulated ones. */
static void test_precisions(Check *check)
{
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512bf16"))
        test_forms(&(ProductTrial){.check = check,
                                   .processor = "znver4",
                                   .precision = PRECISION_medium},
                   test_sizes);
    if (!amx_can_be_emulated())
        return;
    amx_emulator_install();
    for (Precision precision = 0; precision < PRECISION_ANY_COUNT; precision++)
        test_forms(&(ProductTrial){.check = check,
                                   .processor = "sapphirerapids",
                                   .precision = precision},
                   test_tiles);
}

int main(void)
{
    Check check = {0};
    static const int32_t lengths[][2] = {{0, 0}, {0, 13}, {29, 31}};
    for (int p = 0; p < numbers_processor_count; p++) {
        test_forms(&(ProductTrial){.check = &check, .processor = numbers_processors[p]},
                   test_sizes);
        for (int i = 0; i < 6; i++)
            test_ragged(&check, numbers_processors[p], i & 1, lengths[i / 2]);
    }
    test_precisions(&check);
    return check_finish(&check);
}
