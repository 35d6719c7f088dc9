/* Kernels over the vocabulary against plain loops in double precision: chunks that do
 * not divide the rows, vocabularies that are no multiple of a vector, no rows at all,
 * ties, numbers that are too large for a part of f32. */
#include <float.h>
#include <math.h>
#include <string.h>

#include "tests/check.h"
#include "tests/codegen/fixture.h"
#include "tests/codegen/numbers.h"
#include "tests/support/amx_emulator.h"

/* What a case asks for; and a large number of x, in a chunk that is not the first. */
enum { LOSS = 1, DX = 2, DTABLE = 4, DBIAS = 8, ARGMAX = 16, ALL = 31, LARGE = 32 };

typedef struct Case {
    int32_t rows; /* of one sequence; negative: as many static rows */
    int64_t words, width, chunk;
    bool bias;
    unsigned wanted;
} Case;

static const Case cases[] = {
    {1, 5, 3, 64, false, ALL & ~DBIAS},
    {10, 37, 7, 3, true, ALL},
    {9, 64, 16, 3, false, ALL & ~DBIAS},
    {-6, 129, 20, 4, true, ALL},
    {8, 100, 8, 8, true, LOSS},
    {8, 100, 8, 5, true, DX},
    {8, 100, 8, 5, false, DTABLE},
    {8, 100, 8, 5, true, DBIAS | LOSS},
    {0, 40, 8, 4, true, ALL},
    {5, 40, 8, 2, true, ARGMAX},
    {5, 40, 8, 2, false, ARGMAX | LOSS},
    {10, 37, 7, 3, true, ALL | LARGE},
};

static void plain_gemm(int transpose_a, int transpose_b, int64_t m, int64_t n, int64_t k,
                       const float *a, int64_t lda, const float *b, int64_t ldb, float *c,
                       int64_t ldc, int accumulate)
{
    for (int64_t i = 0; i < m; i++)
        for (int64_t j = 0; j < n; j++) {
            double sum = accumulate ? (double)c[i * ldc + j] : 0;
            for (int64_t l = 0; l < k; l++)
                sum += (double)(transpose_a ? a[l * lda + i] : a[i * lda + l]) *
                       (double)(transpose_b ? b[j * ldb + l] : b[l * ldb + j]);
            c[i * ldc + j] = (float)sum;
        }
}

typedef struct Trial {
    const Case *c;
    Fixture f;
    int64_t rows;
    const Node *x, *table, *label, *dy, *bias;
    const Node *loss, *dx, *dtable, *dbias, *argmax;
    double *want_loss, *want_dx, *want_dtable, *want_dbias;
    int32_t *want_argmax;
} Trial;

static const Node *vocab_node(Trial *t, OpKind op, bool labelled, bool gradient)
{
    const Node *args[5] = {t->x, t->table};
    uint32_t count = 2;
    if (labelled)
        args[count++] = t->label;
    if (gradient)
        args[count++] = t->dy;
    if (t->bias)
        args[count++] = t->bias;
    OpAttr attr;
    memset(&attr, 0, sizeof attr);
    attr.chunked.chunk = t->c->chunk;
    const Node *node =
        graph_node(t->f.graph, (BuildSite){0},
                   (NodeSpec){.op = op, .attr = &attr, .args = args, .arg_count = count});
    t->f.graph->nodes[node->id]->group = 0;
    fixture_result(&t->f, op_info(op)->name, node);
    return node;
}

static void build(Trial *t)
{
    const Case *c = t->c;
    fixture_open(&t->f);
    t->rows = c->rows < 0 ? -c->rows : c->rows;
    Type index = {.dtype = DTYPE_i32, .axis = AXIS_STATIC, .rank = 1, .dims = {t->rows}};
    Type x = type_matrix(DTYPE_f32, t->rows, c->width),
         dy = type_matrix(DTYPE_f32, t->rows, 1);
    if (c->rows >= 0) {
        int32_t axis = fixture_axis(&t->f, "dec", &c->rows, 1);
        x = type_rows(DTYPE_f32, axis, c->width);
        dy = type_rows(DTYPE_f32, axis, 1);
        index = type_index(axis);
    }
    t->x = fixture_input(&t->f, "x", x);
    t->table = fixture_input(&t->f, "table", type_matrix(DTYPE_f32, c->words, c->width));
    t->label = fixture_input(&t->f, "label", index);
    t->dy = fixture_input(&t->f, "dy", dy);
    t->bias =
        c->bias ? fixture_input(&t->f, "bias", type_vector(DTYPE_f32, c->words)) : NULL;
    if (c->wanted & LOSS)
        t->loss = vocab_node(t, OP_cross_entropy, true, false);
    if (c->wanted & DX)
        t->dx = vocab_node(t, OP_cross_entropy_dx, true, true);
    if (c->wanted & DTABLE)
        t->dtable = vocab_node(t, OP_cross_entropy_dtable, true, true);
    if (c->wanted & DBIAS)
        t->dbias = vocab_node(t, OP_cross_entropy_dbias, true, true);
    if (c->wanted & ARGMAX)
        t->argmax = vocab_node(t, OP_vocab_argmax, false, false);
    t->f.graph->fused = true;
}

/* The largest number in that column of x, which logits do not feel: their products with
 * it are 0. */
static void fill_large(Trial *t, int64_t column)
{
    const Case *c = t->c;
    for (int64_t i = 0; i < c->words; i++)
        fixture_floats(&t->f, t->table)[i * c->width + column] = 0;
    for (int64_t i = 0; i < t->rows; i++)
        fixture_floats(&t->f, t->x)[i * c->width + column] = 0;
    fixture_floats(&t->f, t->x)[(t->rows - 3) * c->width + column] = FLT_MAX;
}

/* Operands; words 1 and words - 1 are twins, so that rows pointing their way end in a
 * tie. */
static void fill(Trial *t)
{
    const Case *c = t->c;
    float *x = fixture_floats(&t->f, t->x), *table = fixture_floats(&t->f, t->table);
    int32_t *label = t->f.values[t->label->id];
    numbers_fill(x, t->rows * c->width, 1, 2);
    numbers_fill(table, c->words * c->width, 2, 1);
    numbers_fill(fixture_floats(&t->f, t->dy), t->rows, 3, 1);
    memcpy(&table[(c->words - 1) * c->width], &table[c->width],
           (size_t)c->width * sizeof(float));
    for (int64_t i = 0; i < t->rows; i += 2)
        for (int64_t j = 0; j < c->width; j++)
            x[i * c->width + j] = 4 * table[c->width + j];
    for (int64_t i = 0; i < t->rows; i++)
        label[i] = (int32_t)((i * 7 + c->words - 1) % c->words);
    if (c->wanted & LARGE)
        fill_large(t, 1);
    if (t->bias) {
        float *bias = fixture_floats(&t->f, t->bias);
        numbers_fill(bias, c->words, 4, 1);
        bias[1] = bias[c->words - 1] = 2;
    }
}

static void reference_row(Trial *t, int64_t row)
{
    const Case *c = t->c;
    const float *x = &fixture_floats(&t->f, t->x)[row * c->width];
    const float *table = fixture_floats(&t->f, t->table);
    double dy = (double)fixture_floats(&t->f, t->dy)[row];
    int32_t label = ((const int32_t *)t->f.values[t->label->id])[row];
    double logits[256], largest = -(double)INFINITY, sum = 0;
    for (int64_t i = 0; i < c->words; i++) {
        logits[i] = t->bias ? (double)fixture_floats(&t->f, t->bias)[i] : 0;
        for (int64_t j = 0; j < c->width; j++)
            logits[i] += (double)x[j] * (double)table[i * c->width + j];
        if (logits[i] > largest)
            t->want_argmax[row] = (int32_t)i;
        largest = fmax(largest, logits[i]);
    }
    for (int64_t i = 0; i < c->words; i++)
        sum += exp(logits[i] - largest);
    t->want_loss[row] = largest + log(sum) - logits[label];
    for (int64_t i = 0; i < c->words; i++) {
        double gradient = (exp(logits[i] - largest) / sum - (i == label ? 1 : 0)) * dy;
        t->want_dbias[i] += gradient;
        for (int64_t j = 0; j < c->width; j++) {
            t->want_dx[row * c->width + j] += gradient * (double)table[i * c->width + j];
            t->want_dtable[i * c->width + j] += gradient * (double)x[j];
        }
    }
}

static void compare(Check *check, const Trial *t, const Node *node, const double *want,
                    int64_t count)
{
    if (!node)
        return;
    double error = numbers_error(fixture_floats(&t->f, node), want, count);
    CHECK(check, error < 2e-6, "case %d, %s: error %g", (int)(t->c - cases),
          op_info(node->op)->name, error);
}

static void compare_all(Check *check, Trial *t)
{
    const Case *c = t->c;
    compare(check, t, t->loss, t->want_loss, t->rows);
    compare(check, t, t->dx, t->want_dx, t->rows * c->width);
    compare(check, t, t->dtable, t->want_dtable, c->words * c->width);
    compare(check, t, t->dbias, t->want_dbias, c->words);
    for (int64_t i = 0; t->argmax && i < t->rows; i++) {
        int32_t got = ((const int32_t *)t->f.values[t->argmax->id])[i];
        CHECK(check, got == t->want_argmax[i], "case %d, row %d: argmax %d, not %d",
              (int)(t->c - cases), (int)i, got, t->want_argmax[i]);
    }
}

static void run_case(Check *check, const Case *c, const JitOptions *options)
{
    Trial t = {.c = c};
    build(&t);
    bool compiled = fixture_compile(&t.f, options);
    CHECK(check, compiled, "case %d does not compile", (int)(c - cases));
    if (compiled) {
        t.f.lane.gemm = options->calls_gemm ? plain_gemm : NULL;
        fill(&t);
        t.want_loss = ARENA_ARRAY(t.f.arena, double, t.rows + 1);
        t.want_dx = ARENA_ARRAY(t.f.arena, double, t.rows * c->width + 1);
        t.want_dtable = ARENA_ARRAY(t.f.arena, double, c->words * c->width);
        t.want_dbias = ARENA_ARRAY(t.f.arena, double, c->words);
        t.want_argmax = ARENA_ARRAY(t.f.arena, int32_t, t.rows + 1);
        for (int64_t row = 0; row < t.rows; row++)
            reference_row(&t, row);
        fixture_run(&t.f);
        compare_all(check, &t);
    }
    fixture_close(&t.f);
}

static void test_refusal(Check *check)
{
    Trial t = {.c = &cases[0]};
    build(&t);
    t.label = fixture_input(&t.f, "other", t.label->type);
    vocab_node(&t, OP_cross_entropy, true, false);
    CHECK(check, fixture_is_refused(&t.f, "different logits"), "two labels in one group");
    fixture_close(&t.f);
}

int main(void)
{
    enum { COUNT = sizeof cases / sizeof cases[0] };
    Check check = {0};
    test_refusal(&check);
    for (int i = 0; i < numbers_processor_count; i++)
        for (size_t j = 0; j < COUNT; j++)
            for (int calls = 0; calls < 2; calls++)
                run_case(&check, &cases[j],
                         &(JitOptions){.processor = numbers_processors[i],
                                       .calls_gemm = calls});
    if (amx_can_be_emulated()) {
        amx_emulator_install();
        run_case(&check, &cases[COUNT - 1], &(JitOptions){.processor = "sapphirerapids"});
    }
    return check_finish(&check);
}
