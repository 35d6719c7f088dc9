/* Attention and its gradients, per sequence and head, from the definition:
 *
 *     S = q k^T + bias    P = softmax(S)    M = dropout mask / (1 - p)    y = (P M) v
 *     dP = (dy v^T) M     dS = P (dP - rowsum(P dP))
 *     dq = dS k           dk = dS^T q       dv = (P M)^T dy
 *     dtable[bucket(j - i)] += dS_ij
 *
 * where i is the query's place among the keys. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ir/axis.h"
#include "ir/base/heap.h"
#include "ir/bias.h"
#include "ir/base/random.h"
#include "runtime/check/reference.h"

typedef struct Attention {
    const ReferenceContext *ctx;
    const Node *node;
    const float *q, *k, *v, *dy, *table;
    const AxisView *queries, *keys;
    int64_t heads, width, value_width; /* of all heads together */
    int64_t sequence, head;
    bool queries_last; /* the queries are the last of the keys */
    int64_t biased;    /* rows of the sequence that the bias covers */
    double *p, *m;     /* [keys of the sequence] of one query row */
    double *ds;
} Attention;

static Attention attention_open(const ReferenceContext *ctx, const Node *node,
                                const void *const *args, bool has_dy)
{
    Attention at = {.ctx = ctx, .node = node, .q = args[0], .k = args[1], .v = args[2]};
    uint32_t table = has_dy ? 4 : 3;
    at.dy = has_dy ? args[3] : NULL;
    at.table = node->arg_count > table ? args[table] : NULL;
    at.queries = &ctx->views[node->args[0]->type.axis];
    at.keys = &ctx->views[node->args[1]->type.axis];
    at.queries_last =
        axis_ends_with(ctx->graph, node->args[1]->type.axis, node->args[0]->type.axis);
    at.heads = node->attr.attention.heads;
    at.width = type_width(node->args[0]->type);
    at.value_width = type_width(node->args[2]->type);
    size_t most = (size_t)at.keys->rows + 1;
    at.p = heap_array(3 * most, sizeof *at.p);
    at.m = at.p + most;
    at.ds = at.m + most;
    return at;
}

static void attention_close(Attention *at)
{
    free(at->p);
}

/* Head h of row r. */
static const float *head_row(const float *x, int64_t width, const Attention *at,
                             int64_t row)
{
    return x + row * width + at->head * (width / at->heads);
}

static double dot(const float *a, const float *b, int64_t count)
{
    double sum = 0;
    for (int64_t i = 0; i < count; i++)
        sum += (double)a[i] * (double)b[i];
    return sum;
}

static int64_t key_count(const Attention *at)
{
    return at->keys->offsets[at->sequence + 1] - at->keys->offsets[at->sequence];
}

static int64_t bias_row(const Attention *at, int64_t i, int64_t j)
{
    if (!at->table || i >= at->biased || j >= at->biased)
        return -1;
    uint32_t table = at->dy ? 4 : 3;
    return relative_bucket(j - i, at->node->attr.attention.bidirectional,
                           type_static_rows(at->node->args[table]->type),
                           at->node->attr.attention.max_distance);
}

/* The place among the keys of a query, which is `row` of its axis. */
static int64_t query_place(const Attention *at, int64_t row)
{
    int64_t first = at->queries->offsets[at->sequence];
    int64_t rows = at->queries->offsets[at->sequence + 1] - first;
    return row - first + (at->queries_last ? key_count(at) - rows : 0);
}

/* P and M of the query at place i of the sequence, the query being `row` of the axis. */
static void attention_row(Attention *at, int64_t i, int64_t row)
{
    int64_t keys = key_count(at), first = at->keys->offsets[at->sequence];
    int64_t seen = at->node->attr.attention.causal && i + 1 < keys ? i + 1 : keys;
    double largest = -INFINITY, sum = 0, p = at->node->attr.attention.dropout;
    uint32_t key = random_use_key(at->ctx->step_key, at->queries->row_key[row],
                                  (uint32_t)at->node->attr.attention.salt);
    for (int64_t j = 0; j < keys; j++) {
        int64_t bucket = bias_row(at, i, j);
        at->p[j] = dot(head_row(at->q, at->width, at, row),
                       head_row(at->k, at->width, at, first + j), at->width / at->heads);
        at->p[j] += bucket < 0 ? 0 : (double)at->table[bucket * at->heads + at->head];
        if (j < seen && at->p[j] > largest)
            largest = at->p[j];
    }
    for (int64_t j = 0; j < keys; j++)
        sum += at->p[j] = j < seen ? exp(at->p[j] - largest) : 0;
    for (int64_t j = 0; j < keys; j++) {
        at->p[j] /= sum;
        bool is_dropped = p > 0 && random_bits(key, (uint32_t)(at->head * 65536 + j)) <
                                       random_threshold(p);
        at->m[j] = is_dropped ? 0 : 1 / (1 - p);
    }
}

/* dS of the same query, after attention_row. */
static void attention_ds(Attention *at, int64_t row)
{
    int64_t keys = key_count(at), first = at->keys->offsets[at->sequence];
    double sum = 0;
    for (int64_t j = 0; j < keys; j++) {
        double dp = dot(head_row(at->dy, at->value_width, at, row),
                        head_row(at->v, at->value_width, at, first + j),
                        at->value_width / at->heads) *
                    at->m[j];
        at->ds[j] = dp;
        sum += at->p[j] * dp;
    }
    for (int64_t j = 0; j < keys; j++)
        at->ds[j] = at->p[j] * (at->ds[j] - sum);
}

/* What one query adds to the sums of an output. */
typedef void AttentionTerm(Attention *at, int64_t i, int64_t row, double *sums);

/* scale x into the head's columns of row `row` of sums [rows, width] */
static void add_scaled(const Attention *at, double *sums, int64_t width, int64_t row,
                       double scale, const float *x)
{
    int64_t columns = width / at->heads;
    double *to = sums + row * width + at->head * columns;
    for (int64_t i = 0; i < columns; i++)
        to[i] += scale * (double)x[i];
}

static void attention_sum(Attention *at, AttentionTerm *term, float *out)
{
    int64_t elements = reference_elements(at->ctx, at->node->type);
    double *sums = heap_alloc((size_t)elements * sizeof *sums + 1);
    memset(sums, 0, (size_t)elements * sizeof *sums);
    const AxisView *covered = &at->ctx->views[at->node->attr.attention.bias_axis];
    for (at->sequence = 0; at->sequence < at->ctx->sequences; at->sequence++) {
        int64_t first = at->queries->offsets[at->sequence];
        int64_t end = at->queries->offsets[at->sequence + 1];
        at->biased = covered->offsets[at->sequence + 1] - covered->offsets[at->sequence];
        for (at->head = 0; at->head < at->heads; at->head++)
            for (int64_t row = first; row < end; row++) {
                int64_t place = query_place(at, row);
                attention_row(at, place, row);
                if (at->dy)
                    attention_ds(at, row);
                term(at, place, row, sums);
            }
    }
    for (int64_t i = 0; i < elements; i++)
        out[i] = (float)sums[i];
    free(sums);
    attention_close(at);
}

static void term_y(Attention *at, int64_t i, int64_t row, double *sums)
{
    (void)i;
    int64_t first = at->keys->offsets[at->sequence];
    for (int64_t j = 0; j < key_count(at); j++)
        add_scaled(at, sums, at->value_width, row, at->p[j] * at->m[j],
                   head_row(at->v, at->value_width, at, first + j));
}

static void term_dq(Attention *at, int64_t i, int64_t row, double *sums)
{
    (void)i;
    int64_t first = at->keys->offsets[at->sequence];
    for (int64_t j = 0; j < key_count(at); j++)
        add_scaled(at, sums, at->width, row, at->ds[j],
                   head_row(at->k, at->width, at, first + j));
}

static void term_dk(Attention *at, int64_t i, int64_t row, double *sums)
{
    (void)i;
    int64_t first = at->keys->offsets[at->sequence];
    for (int64_t j = 0; j < key_count(at); j++)
        add_scaled(at, sums, at->width, first + j, at->ds[j],
                   head_row(at->q, at->width, at, row));
}

static void term_dv(Attention *at, int64_t i, int64_t row, double *sums)
{
    (void)i;
    int64_t first = at->keys->offsets[at->sequence];
    for (int64_t j = 0; j < key_count(at); j++)
        add_scaled(at, sums, at->value_width, first + j, at->p[j] * at->m[j],
                   head_row(at->dy, at->value_width, at, row));
}

static void term_dtable(Attention *at, int64_t i, int64_t row, double *sums)
{
    (void)row;
    for (int64_t j = 0; j < key_count(at); j++) {
        int64_t bucket = bias_row(at, i, j);
        if (bucket >= 0)
            sums[bucket * at->heads + at->head] += at->ds[j];
    }
}

#define ATTENTION(name, has_dy, term)                                                    \
    void reference_##name(const ReferenceContext *ctx, const Node *node,                 \
                          const void *const *args, void *out)                            \
    {                                                                                    \
        Attention at = attention_open(ctx, node, args, has_dy);                          \
        attention_sum(&at, term, out);                                                   \
    }

ATTENTION(attention, false, term_y)
ATTENTION(attention_dq, true, term_dq)
ATTENTION(attention_dk, true, term_dk)
ATTENTION(attention_dv, true, term_dv)
ATTENTION(attention_dtable, true, term_dtable)
