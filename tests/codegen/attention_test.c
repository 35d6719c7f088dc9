/* Attention kernels against plain loops in double precision: heads of all sizes, self,
 * cross and causal attention, bias that covers some rows, dropout, sequences without
 * rows. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ir/bias.h"
#include "ir/base/random.h"
#include "tests/check.h"
#include "tests/codegen/fixture.h"
#include "tests/codegen/numbers.h"

enum { MOST_SEQUENCES = 4, DQ = 1, DK = 2, DV = 4, DTABLE = 8 };

typedef struct Case {
    int64_t heads, key_width, value_width;
    int64_t sequences;
    int32_t q[MOST_SEQUENCES], k[MOST_SEQUENCES]; /* k[0] < 0: self attention */
    int32_t bias[MOST_SEQUENCES];                 /* bias[0] < 0: none */
    int64_t buckets, max_distance;
    bool causal, bidirectional;
    double dropout;
    unsigned gradients; /* DQ | ... */
    bool queries_last;  /* k's axis is a join that ends with q's */
} Case;

#define SELF {-1}
#define NO_BIAS {-1}

static const Case cases[] = {
    {1, 4, 4, 1, {1}, SELF, NO_BIAS, 0, 0, false, false, 0, DQ | DK | DV, false},
    {2, 4, 4, 3, {3, 0, 2}, SELF, NO_BIAS, 0, 0, false, false, 0, DQ | DK | DV, false},
    {12,
     64,
     64,
     2,
     {56, 40},
     SELF,
     {20, 17},
     32,
     128,
     false,
     true,
     0,
     DQ | DK | DV | DTABLE,
     false},
    {3,
     64,
     64,
     3,
     {5, 1, 9},
     SELF,
     {5, 1, 9},
     32,
     128,
     true,
     false,
     0,
     DQ | DK | DV | DTABLE,
     false},
    {3,
     16,
     16,
     2,
     {70, 7},
     SELF,
     {70, 7},
     8,
     20,
     true,
     false,
     0.3,
     DQ | DK | DV | DTABLE,
     false},
    {2,
     16,
     16,
     3,
     {5, 2, 8},
     {17, 33, 4},
     NO_BIAS,
     0,
     0,
     false,
     false,
     0.1,
     DQ | DK | DV,
     false},
    {2,
     16,
     8,
     4,
     {5, 0, 8, 3},
     {17, 33, 0, 0},
     NO_BIAS,
     0,
     0,
     false,
     false,
     0,
     DQ | DK | DV,
     false},
    {5,
     7,
     9,
     3,
     {13, 6, 31},
     SELF,
     {4, 6, 0},
     16,
     30,
     false,
     true,
     0.25,
     DQ | DK | DV | DTABLE,
     false},
    {2,
     8,
     8,
     2,
     {12, 19},
     {5, 23},
     {9, 9},
     32,
     16,
     false,
     true,
     0,
     DQ | DK | DV | DTABLE,
     false},
    {4, 16, 16, 2, {31, 8}, SELF, NO_BIAS, 0, 0, false, false, 0.5, DV, false},
    {4, 16, 16, 2, {31, 8}, SELF, {31, 8}, 32, 128, false, true, 0.5, DQ, false},
    {4, 16, 16, 2, {31, 8}, SELF, {31, 8}, 32, 128, false, true, 0, DTABLE, false},
    {2, 4, 20, 2, {16, 48}, {64, 15}, NO_BIAS, 0, 0, false, false, 0, DK | DV, false},
    {2,
     8,
     8,
     4,
     {1, 3, 5, 2},
     {20, 3, 9, 40},
     {20, 3, 4, 39},
     8,
     20,
     true,
     false,
     0,
     DQ | DK | DV | DTABLE,
     true},
    {3, 16, 8, 2, {4, 17}, {4, 33}, NO_BIAS, 0, 0, true, false, 0.2, DQ | DK | DV, true},
};

/* -- plain loops ------------------------------------------------------------------- */

typedef struct Reference {
    const Case *c;
    const AxisView *q_axis, *k_axis, *bias_axis;
    const float *q, *k, *v, *dy, *table;
    uint32_t step_key;
    double *y, *dq, *dk, *dv, *dtable;
} Reference;

enum { SALT = 5 };

static bool is_biased(const Case *c)
{
    return c->bias[0] >= 0;
}

/* What a probability is multiplied by: 0 or 1 / (1 - p). */
static double drop_factor(const Reference *r, int64_t head, int64_t row, int64_t place)
{
    uint32_t key = random_use_key(r->step_key, r->q_axis->row_key[row], SALT);
    uint32_t bits = random_bits(key, (uint32_t)(head * 65536 + place));
    return bits < random_threshold(r->c->dropout) ? 0 : 1 / (1 - r->c->dropout);
}

static double *table_gradient(const Reference *r, int64_t head, int64_t i, int64_t j,
                              int64_t s)
{
    int64_t covered = r->bias_axis->offsets[s + 1] - r->bias_axis->offsets[s];
    if (i >= covered || j >= covered)
        return NULL;
    int64_t bucket =
        relative_bucket(j - i, r->c->bidirectional, r->c->buckets, r->c->max_distance);
    return &r->dtable[bucket * r->c->heads + head];
}

/* The place among the keys of a query row. */
static int64_t query_place(const Reference *r, int64_t s, int64_t row)
{
    int64_t begin = r->q_axis->offsets[s], end = r->q_axis->offsets[s + 1];
    int64_t keys = r->k_axis->offsets[s + 1] - r->k_axis->offsets[s];
    return row - begin + (r->c->queries_last ? keys - (end - begin) : 0);
}

/* One query row: fills p[keys]. */
static void probabilities(const Reference *r, int64_t s, int64_t head, int64_t row,
                          double *p)
{
    const Case *c = r->c;
    int64_t begin = r->k_axis->offsets[s], keys = r->k_axis->offsets[s + 1] - begin;
    int64_t i = query_place(r, s, row);
    double largest = -(double)INFINITY, sum = 0;
    for (int64_t j = 0; j < keys; j++) {
        const float *q = &r->q[(row * c->heads + head) * c->key_width];
        const float *k = &r->k[((begin + j) * c->heads + head) * c->key_width];
        p[j] = 0;
        for (int64_t d = 0; d < c->key_width; d++)
            p[j] += (double)q[d] * (double)k[d];
        const double *cell = is_biased(c) ? table_gradient(r, head, i, j, s) : NULL;
        if (cell)
            p[j] += (double)r->table[cell - r->dtable];
        if (c->causal && j > i)
            p[j] = -(double)INFINITY;
        largest = fmax(largest, p[j]);
    }
    for (int64_t j = 0; j < keys; j++)
        sum += p[j] = exp(p[j] - largest);
    for (int64_t j = 0; j < keys; j++)
        p[j] /= sum;
}

static void reference_row(const Reference *r, int64_t s, int64_t head, int64_t row)
{
    const Case *c = r->c;
    int64_t begin = r->k_axis->offsets[s], keys = r->k_axis->offsets[s + 1] - begin;
    int64_t q_at = (row * c->heads + head) * c->key_width;
    int64_t y_at = (row * c->heads + head) * c->value_width;
    double p[128], dp[128], product = 0;
    probabilities(r, s, head, row, p);
    for (int64_t j = 0; j < keys; j++) {
        double factor = drop_factor(r, head, row, j);
        int64_t v_at = ((begin + j) * c->heads + head) * c->value_width;
        dp[j] = 0;
        for (int64_t d = 0; d < c->value_width; d++) {
            r->y[y_at + d] += p[j] * factor * (double)r->v[v_at + d];
            r->dv[v_at + d] += p[j] * factor * (double)r->dy[y_at + d];
            dp[j] += factor * (double)r->dy[y_at + d] * (double)r->v[v_at + d];
        }
        product += p[j] * dp[j];
    }
    for (int64_t j = 0; j < keys; j++) {
        double ds = p[j] * (dp[j] - product);
        int64_t k_at = ((begin + j) * c->heads + head) * c->key_width;
        for (int64_t d = 0; d < c->key_width; d++) {
            r->dq[q_at + d] += ds * (double)r->k[k_at + d];
            r->dk[k_at + d] += ds * (double)r->q[q_at + d];
        }
        double *cell =
            is_biased(c) ? table_gradient(r, head, query_place(r, s, row), j, s) : NULL;
        if (cell)
            *cell += ds;
    }
}

static void reference_run(const Reference *r)
{
    for (int64_t s = 0; s < r->c->sequences; s++)
        for (int64_t head = 0; head < r->c->heads; head++)
            for (int64_t row = r->q_axis->offsets[s]; row < r->q_axis->offsets[s + 1];
                 row++)
                reference_row(r, s, head, row);
}

/* -- the kernels ------------------------------------------------------------------- */

typedef struct Trial {
    const Case *c;
    Fixture f;
    int32_t q_axis, k_axis, bias_axis;
    const Node *q, *k, *v, *dy, *table;
    const Node *y, *dq, *dk, *dv, *dtable;
} Trial;

static const Node *attention_node(Trial *t, OpKind op)
{
    const Case *c = t->c;
    OpAttr attr;
    memset(&attr, 0, sizeof attr);
    attr.attention.heads = c->heads;
    attr.attention.causal = c->causal;
    attr.attention.dropout = c->dropout;
    attr.attention.salt = SALT;
    attr.attention.bias_axis = is_biased(c) ? t->bias_axis : AXIS_BATCH;
    attr.attention.bidirectional = c->bidirectional;
    attr.attention.max_distance = is_biased(c) ? c->max_distance : 128;
    const Node *args[5] = {t->q, t->k, t->v};
    uint32_t count = 3;
    if (op != OP_attention)
        args[count++] = t->dy;
    if (t->table)
        args[count++] = t->table;
    const Node *node =
        graph_node(t->f.graph, (BuildSite){0},
                   (NodeSpec){.op = op, .attr = &attr, .args = args, .arg_count = count});
    t->f.graph->nodes[node->id]->group = op != OP_attention;
    fixture_result(&t->f, op_info(op)->name, node);
    return node;
}

/* The axis of k: of its own, or the rows that are missing before those of q. */
static int32_t key_axis(Trial *t)
{
    const Case *c = t->c;
    if (!c->queries_last)
        return fixture_axis(&t->f, "k", c->k, c->sequences);
    int32_t before[MOST_SEQUENCES];
    for (int64_t s = 0; s < c->sequences; s++)
        before[s] = c->k[s] - c->q[s];
    int32_t first = fixture_axis(&t->f, "before", before, c->sequences);
    Axis join = {.name = intern(t->f.module->interns, "k"),
                 .kind = AXIS_KIND_join,
                 .of = {first, t->q_axis}};
    return fixture_axis_like(&t->f, join, c->k, c->sequences);
}

static void build(Trial *t)
{
    const Case *c = t->c;
    fixture_open(&t->f);
    t->q_axis = t->k_axis = fixture_axis(&t->f, "q", c->q, c->sequences);
    if (c->k[0] >= 0)
        t->k_axis = key_axis(t);
    if (is_biased(c))
        t->bias_axis = fixture_axis(&t->f, "bias", c->bias, c->sequences);
    int64_t key_columns = c->heads * c->key_width,
            value_columns = c->heads * c->value_width;
    t->q = fixture_input(&t->f, "q", type_rows(DTYPE_f32, t->q_axis, key_columns));
    t->k = fixture_input(&t->f, "k", type_rows(DTYPE_f32, t->k_axis, key_columns));
    t->v = fixture_input(&t->f, "v", type_rows(DTYPE_f32, t->k_axis, value_columns));
    t->dy = fixture_input(&t->f, "dy", type_rows(DTYPE_f32, t->q_axis, value_columns));
    if (is_biased(c))
        t->table =
            fixture_input(&t->f, "table", type_matrix(DTYPE_f32, c->buckets, c->heads));
    t->y = attention_node(t, OP_attention);
    t->dq = c->gradients & DQ ? attention_node(t, OP_attention_dq) : NULL;
    t->dk = c->gradients & DK ? attention_node(t, OP_attention_dk) : NULL;
    t->dv = c->gradients & DV ? attention_node(t, OP_attention_dv) : NULL;
    t->dtable = c->gradients & DTABLE ? attention_node(t, OP_attention_dtable) : NULL;
    t->f.graph->fused = true;
}

static int64_t element_count(const Trial *t, const Node *node)
{
    return fixture_rows(&t->f, node->type) * type_width(node->type);
}

static const float *filled(const Trial *t, const Node *node, uint32_t seed, double scale)
{
    if (!node)
        return NULL;
    numbers_fill(fixture_floats(&t->f, node), element_count(t, node), seed, scale);
    return fixture_floats(&t->f, node);
}

static double *zeros(const Trial *t, int64_t count)
{
    return ARENA_ARRAY(t->f.arena, double, count + 1);
}

static void compare(Check *check, const Trial *t, const Node *node, const double *want,
                    const char *processor)
{
    if (!node)
        return;
    double error =
        numbers_error(fixture_floats(&t->f, node), want, element_count(t, node));
    CHECK(check, error < 2e-6, "case %d, %s on %s: error %g", (int)(t->c - cases),
          op_info(node->op)->name, processor ? processor : "this processor", error);
}

static void run_case(Check *check, const Case *c, const char *processor)
{
    Trial t = {.c = c};
    build(&t);
    bool compiled = fixture_compile(&t.f, &(JitOptions){.processor = processor});
    CHECK(check, compiled, "case %d does not compile", (int)(c - cases));
    if (compiled) {
        double spread = 2 / sqrt((double)c->key_width);
        Reference r = {.c = c, .step_key = t.f.lane.step_key};
        r.q_axis = &t.f.views[t.q_axis];
        r.k_axis = &t.f.views[t.k_axis];
        r.bias_axis = &t.f.views[t.bias_axis];
        r.q = filled(&t, t.q, 1, spread * 2);
        r.k = filled(&t, t.k, 2, spread);
        r.v = filled(&t, t.v, 3, 1);
        r.dy = filled(&t, t.dy, 4, 1);
        r.table = filled(&t, t.table, 5, 2);
        r.y = zeros(&t, element_count(&t, t.dy));
        r.dq = zeros(&t, element_count(&t, t.q));
        r.dk = zeros(&t, element_count(&t, t.k));
        r.dv = zeros(&t, element_count(&t, t.v));
        r.dtable = zeros(&t, c->buckets * c->heads);
        reference_run(&r);
        fixture_run(&t.f);
        compare(check, &t, t.y, r.y, processor);
        compare(check, &t, t.dq, r.dq, processor);
        compare(check, &t, t.dk, r.dk, processor);
        compare(check, &t, t.dv, r.dv, processor);
        compare(check, &t, t.dtable, r.dtable, processor);
    }
    fixture_close(&t.f);
}

static void test_refusal(Check *check)
{
    Trial t = {.c = &cases[0]};
    build(&t);
    t.f.graph->nodes[t.y->id]->group = 1;
    CHECK(check, fixture_is_refused(&t.f, "attention is a group of its own"),
          "attention and its gradients in one group");
    fixture_close(&t.f);
}

int main(void)
{
    Check check = {0};
    test_refusal(&check);
    for (int i = 0; i < numbers_processor_count; i++)
        for (size_t j = 0; j < sizeof cases / sizeof cases[0]; j++)
            run_case(&check, &cases[j], numbers_processors[i]);
    return check_finish(&check);
}
