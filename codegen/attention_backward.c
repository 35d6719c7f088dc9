/* Gradients of attention, one head of one sequence, from probabilities made anew:
 *
 *     y = M v, M = drop(P)        dM = dy v^T,  dv = M^T dy
 *     M = m P, m = 0 or 1/(1-p)   dP = m dM
 *     P = softmax(S)              dS = P (dP - sum over keys of P dP)
 *     S = q k^T + bias            dq = dS k,  dk = dS^T q,  dbias = dS, by distance */
#include "codegen/attention.h"

typedef struct GradientRow {
    const AttentionHead *h;
    LLVMValueRef scores, gradient; /* the row in both */
    LLVMValueRef inverse;          /* 1 / sum of the exponents, in all elements */
    LLVMValueRef key;              /* of dropout, or NULL */
    LLVMValueRef scales;           /* of dropout */
} GradientRow;

static bool wants_scores_gradient(const AttentionLayout *layout)
{
    return layout->operand_dq >= 0 || layout->operand_dk >= 0 ||
           layout->operand_dtable >= 0;
}

/* dM = dy v^T, into `gradient`. */
static void weight_gradient(const AttentionHead *h)
{
    Emit *e = h->e;
    const AttentionLayout *layout = h->layout;
    LLVMValueRef width = emit_i64(e, layout->value_width);
    LLVMValueRef stride = emit_i64(e, layout->value_width * layout->heads);
    LLVMValueRef values_t = attention_scratch(h, layout->values_t);
    emit_transpose(e, &(Transpose){.from = attention_k_side(h, 2, layout->value_width),
                                   .from_stride = stride,
                                   .to = values_t,
                                   .to_stride = h->padded,
                                   .rows = h->k_rows,
                                   .columns = width});
    LLVMValueRef dy = attention_q_side(h, layout->operand_dy, layout->value_width);
    emit_small_matmul(e, &(SmallMatmul){.a = dy,
                                        .a_row_stride = stride,
                                        .a_k_stride = emit_i64(e, 1),
                                        .b = values_t,
                                        .b_stride = h->padded,
                                        .c = attention_scratch(h, layout->gradient),
                                        .c_stride = h->padded,
                                        .m = h->q_rows,
                                        .n = h->padded,
                                        .k = width});
}

static LLVMValueRef probabilities(const GradientRow *row, LLVMValueRef column)
{
    Emit *e = row->h->e;
    LLVMValueRef x = emit_load_vector(e, emit_at(e, e->f32, row->scores, column), NULL);
    return LLVMBuildFMul(e->builder, x, row->inverse, "");
}

/* Those of the forward pass are made once, for several uses of a row. */
static void make_scales(const GradientRow *row)
{
    Emit *e = row->h->e;
    Loop loop = loop_begin(e, emit_i64(e, 0), row->h->padded, e->width);
    emit_store_vector(e, attention_scale(row->h, row->key, loop.index),
                      emit_at(e, e->f32, row->scales, loop.index), NULL);
    loop_end(e, &loop);
}

static LLVMValueRef drop(const GradientRow *row, LLVMValueRef x, LLVMValueRef column)
{
    Emit *e = row->h->e;
    if (!row->key)
        return x;
    LLVMValueRef scale =
        emit_load_vector(e, emit_at(e, e->f32, row->scales, column), NULL);
    return LLVMBuildFMul(e->builder, x, scale, "");
}

/* dP = drop(dM) */
static LLVMValueRef probability_gradient(const GradientRow *row, LLVMValueRef column)
{
    Emit *e = row->h->e;
    LLVMValueRef x = emit_load_vector(e, emit_at(e, e->f32, row->gradient, column), NULL);
    return drop(row, x, column);
}

/* The sum over keys of P dP. */
static LLVMValueRef row_product(const GradientRow *row)
{
    Emit *e = row->h->e;
    Loop loop = loop_begin(e, emit_i64(e, 0), row->h->padded, e->width);
    LLVMValueRef sum = loop_carry(e, &loop, LLVMConstNull(e->vf));
    loop_next(e, &loop, sum,
              emit_fma(e, probabilities(row, loop.index),
                       probability_gradient(row, loop.index), sum));
    loop_end(e, &loop);
    return emit_splat(e, emit_sum_vector(e, sum));
}

/* The row of dM becomes dS, that of the exponents becomes drop(P). */
static void finish_row(const GradientRow *row)
{
    Emit *e = row->h->e;
    bool wanted = wants_scores_gradient(row->h->layout);
    if (row->key)
        make_scales(row);
    LLVMValueRef product = wanted ? row_product(row) : NULL;
    Loop loop = loop_begin(e, emit_i64(e, 0), row->h->padded, e->width);
    LLVMValueRef p = probabilities(row, loop.index);
    if (wanted) {
        LLVMValueRef dp = probability_gradient(row, loop.index);
        LLVMValueRef ds =
            LLVMBuildFMul(e->builder, p, LLVMBuildFSub(e->builder, dp, product, ""), "");
        emit_store_vector(e, ds, emit_at(e, e->f32, row->gradient, loop.index), NULL);
    }
    emit_store_vector(e, drop(row, p, loop.index),
                      emit_at(e, e->f32, row->scores, loop.index), NULL);
    loop_end(e, &loop);
}

static void each_row(const AttentionHead *h)
{
    Emit *e = h->e;
    const AttentionLayout *layout = h->layout;
    Loop loop = loop_begin(e, emit_i64(e, 0), h->q_rows, 1);
    GradientRow row = {.h = h,
                       .scores = attention_row(h, layout->scores, loop.index),
                       .gradient = attention_row(h, layout->gradient, loop.index),
                       .inverse = emit_splat(e, attention_exponents(h, loop.index)),
                       .key = attention_row_key(h, loop.index),
                       .scales = attention_scratch(h, layout->scales)};
    finish_row(&row);
    if (layout->operand_dtable >= 0)
        emit_add_floats(e, attention_distances_at(h, layout->ddistances, loop.index),
                        row.gradient, attention_covered_keys(h, loop.index));
    loop_end(e, &loop);
}

/* gradient^T of the keys' side: result = weights^T times the head's columns of a
 * query-side operand. */
static void transposed_product(const AttentionHead *h, int64_t weights, int32_t queries,
                               int32_t result, int64_t head_width)
{
    Emit *e = h->e;
    LLVMValueRef stride = emit_i64(e, head_width * h->layout->heads);
    emit_small_matmul(e, &(SmallMatmul){.a = attention_scratch(h, weights),
                                        .a_row_stride = emit_i64(e, 1),
                                        .a_k_stride = h->padded,
                                        .b = attention_q_side(h, queries, head_width),
                                        .b_stride = stride,
                                        .c = attention_k_side(h, result, head_width),
                                        .c_stride = stride,
                                        .m = h->k_rows,
                                        .n = emit_i64(e, head_width),
                                        .k = h->q_rows});
}

void attention_backward(const AttentionHead *h)
{
    Emit *e = h->e;
    const AttentionLayout *layout = h->layout;
    attention_scores(h);
    if (wants_scores_gradient(layout))
        weight_gradient(h);
    each_row(h);
    if (layout->operand_dq >= 0) {
        LLVMValueRef stride = emit_i64(e, layout->key_width * layout->heads);
        emit_small_matmul(e,
                          &(SmallMatmul){.a = attention_scratch(h, layout->gradient),
                                         .a_row_stride = h->padded,
                                         .a_k_stride = emit_i64(e, 1),
                                         .b = attention_k_side(h, 1, layout->key_width),
                                         .b_stride = stride,
                                         .c = attention_q_side(h, layout->operand_dq,
                                                               layout->key_width),
                                         .c_stride = stride,
                                         .m = h->q_rows,
                                         .n = emit_i64(e, layout->key_width),
                                         .k = h->k_rows});
    }
    if (layout->operand_dk >= 0)
        transposed_product(h, layout->gradient, 0, layout->operand_dk, layout->key_width);
    if (layout->operand_dv >= 0)
        transposed_product(h, layout->scores, layout->operand_dy, layout->operand_dv,
                           layout->value_width);
}
