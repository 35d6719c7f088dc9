/* Products of a packed matrix are those of the matrix in rows, bit by bit: for every
 * unit, for either way in which it is packed and used, about the edges of tiles and
 * panels, and where numbers are not finite. Nothing is written beyond what it takes.
 *
 * Sizes are arguments of kernels, so one graph for each form serves all of them. */
#include <math.h>
#include <string.h>

#include "tests/check.h"
#include "tests/codegen/fixture.h"
#include "tests/codegen/numbers.h"
#include "tests/support/amx_emulator.h"

enum { CALL_pack, CALL_packed, CALL_plain };

typedef struct Size {
    int64_t m, n, k;
} Size;

typedef struct Trial {
    Check *check;
    Fixture f;
    const char *processor;
    Precision precision;
    bool pack_transposed, transpose_b;
} Trial;

/* -- the kernels --------------------------------------------------------------------- */

static const Node *add_product(Trial *t, const Node *a, const Node *b, int32_t group)
{
    OpAttr attr = {.matmul = {.transpose_b = t->transpose_b, .precision = t->precision}};
    const Node *args[] = {a, b};
    const Node *c = graph_node(
        t->f.graph, (BuildSite){0},
        (NodeSpec){.op = OP_matmul, .attr = &attr, .args = args, .arg_count = 2});
    t->f.graph->nodes[c->id]->group = group;
    return c;
}

static void open_trial(Trial *t)
{
    fixture_open(&t->f);
    Type one = type_matrix(DTYPE_f32, 1, 1);
    const Node *a = fixture_input(&t->f, "a", one), *b = fixture_input(&t->f, "b", one);
    OpAttr attr = {.pack = {.transpose = t->pack_transposed, .precision = t->precision}};
    const Node *packed =
        graph_node(t->f.graph, (BuildSite){0},
                   (NodeSpec){.op = OP_pack, .attr = &attr, .args = &b, .arg_count = 1});
    t->f.graph->nodes[packed->id]->group = CALL_pack;
    fixture_result(&t->f, "c", add_product(t, a, packed, CALL_packed));
    fixture_result(&t->f, "d", add_product(t, a, b, CALL_plain));
    fixture_group(&t->f);
    CHECK(t->check, fixture_compile(&t->f, &(JitOptions){.processor = t->processor}),
          "compiles");
}

/* What the matrix may take: columns to whole vectors, or 16; rows to whole tiles; two
 * vectors by one that a transposition may write too much. */
static size_t most_packed_bytes(const Trial *t, Size size)
{
    enum { SPARE = 3 * 16 * 16 };
    int64_t n = t->pack_transposed == t->transpose_b ? size.n : size.k;
    int64_t k = t->pack_transposed == t->transpose_b ? size.k : size.n;
    return (size_t)((n + 15) / 16 * 16 * ((k + 31) / 32 * 32) + SPARE) * sizeof(float);
}

static void run_call(const Trial *t, uint32_t call, void *const *operands,
                     const uint32_t *numbers)
{
    t->f.program->calls[call].kernel(operands, NULL, &t->f.lane, numbers);
}

/* -- a size -------------------------------------------------------------------------- */

typedef struct Numbers {
    Size size;
    float *a, *b, *c, *d;
    void *packed;
} Numbers;

static size_t bytes_of(int64_t rows, int64_t columns)
{
    return (size_t)(rows * columns) * sizeof(float);
}

static Numbers numbers_new(const Trial *t, Size size)
{
    Numbers x = {.size = size,
                 .a = guarded_new(bytes_of(size.m, size.k)),
                 .b = guarded_new(bytes_of(size.k, size.n)),
                 .c = guarded_new(bytes_of(size.m, size.n)),
                 .d = guarded_new(bytes_of(size.m, size.n)),
                 .packed = guarded_new(most_packed_bytes(t, size))};
    numbers_fill(x.a, size.m * size.k, 1, 1);
    numbers_fill(x.b, size.k * size.n, 2, 1);
    memset(x.c, 0xff, bytes_of(size.m, size.n));
    memset(x.packed, 0xff, most_packed_bytes(t, size));
    return x;
}

static void numbers_free(const Trial *t, Numbers *x)
{
    guarded_free(x->a, bytes_of(x->size.m, x->size.k));
    guarded_free(x->b, bytes_of(x->size.k, x->size.n));
    guarded_free(x->c, bytes_of(x->size.m, x->size.n));
    guarded_free(x->d, bytes_of(x->size.m, x->size.n));
    guarded_free(x->packed, most_packed_bytes(t, x->size));
}

/* To the bit, but for what says that a number is none. */
static bool are_equal(const float *a, const float *b, int64_t count)
{
    bool equal = true;
    for (int64_t i = 0; i < count; i++)
        equal = equal && ((isnan(a[i]) && isnan(b[i])) || memcmp(&a[i], &b[i], 4) == 0);
    return equal;
}

static void expect_equal(const Trial *t, const Numbers *x)
{
    uint32_t m = (uint32_t)x->size.m, n = (uint32_t)x->size.n, k = (uint32_t)x->size.k;
    const uint32_t sides[] = {m, k, t->transpose_b ? n : k, t->transpose_b ? k : n};
    void *pack[] = {x->b, x->packed}, *packed[] = {x->a, x->packed, x->c, x->b};
    void *plain[] = {x->a, x->b, x->d};
    run_call(t, CALL_pack, pack, sides + 2);
    run_call(t, CALL_packed, packed, sides);
    run_call(t, CALL_plain, plain, sides);
    CHECK(t->check, are_equal(x->c, x->d, x->size.m * x->size.n),
          "%d x %d x %d, packed %d, transposed %d, %s, %s", (int)m, (int)n, (int)k,
          t->pack_transposed, t->transpose_b, t->processor ? t->processor : "native",
          precision_names[t->precision]);
}

static void test_size(const Trial *t, Size size)
{
    static const float specials[] = {INFINITY, -INFINITY, 3.4e38F, NAN, 1e-40F};
    Numbers x = numbers_new(t, size);
    expect_equal(t, &x);
    for (size_t i = 0; i < sizeof specials / sizeof *specials && size.n * size.k > 7;
         i++) {
        x.b[7 * i % (size_t)(size.n * size.k)] = specials[i];
        expect_equal(t, &x);
    }
    numbers_free(t, &x);
}

/* -- all forms ----------------------------------------------------------------------- */

static void test_forms(Check *check, const char *processor, Precision precision)
{
    static const Size sizes[] = {
        {1, 1, 1},    {1, 16, 32},  {15, 17, 33}, {16, 15, 31}, {17, 32, 64},
        {31, 33, 63}, {3, 48, 32},  {3, 47, 65},  {9, 31, 3},   {2, 64, 17},
        {7, 5, 40},   {5, 70, 96},  {3, 20, 600}, {2, 600, 20}, {3, 80, 49},
        {2, 49, 80},  {2, 23, 550}, {0, 20, 20},
    };
    for (int form = 0; form < 4; form++) {
        Trial t = {.check = check,
                   .processor = processor,
                   .precision = precision,
                   .pack_transposed = form & 1,
                   .transpose_b = form >> 1};
        open_trial(&t);
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
            test_size(&t, sizes[i]);
        fixture_close(&t.f);
    }
}

int main(void)
{
    Check check = {0};
    for (int p = 0; p < numbers_processor_count; p++)
        test_forms(&check, numbers_processors[p], PRECISION_highest);
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512bf16"))
        test_forms(&check, "znver4", PRECISION_medium);
    if (amx_can_be_emulated()) {
        amx_emulator_install();
        for (Precision precision = 0; precision < PRECISION_ANY_COUNT; precision++)
            test_forms(&check, "sapphirerapids", precision);
    }
    return check_finish(&check);
}
