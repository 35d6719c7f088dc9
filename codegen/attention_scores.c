/* From queries and keys to probabilities, one head of one sequence:
 *
 *     S = q k^T (+ bias)      P = softmax over the keys a query may look at      drop(P)
 *
 * Rows of S are whole vectors, so only the softmax needs to know where the keys end. */
#include <math.h>
#include <stddef.h>

#include "codegen/attention.h"
#include "ir/base/random.h"

void attention_scores(const AttentionHead *h)
{
    Emit *e = h->e;
    const AttentionLayout *layout = h->layout;
    LLVMValueRef width = emit_i64(e, layout->key_width);
    LLVMValueRef stride = emit_i64(e, layout->key_width * layout->heads);
    LLVMValueRef keys_t = attention_scratch(h, layout->keys_t);
    emit_transpose(e, &(Transpose){.from = attention_k_side(h, 1, layout->key_width),
                                   .from_stride = stride,
                                   .to = keys_t,
                                   .to_stride = h->padded,
                                   .rows = h->k_rows,
                                   .columns = width});
    emit_small_matmul(e, &(SmallMatmul){.a = attention_q_side(h, 0, layout->key_width),
                                        .a_row_stride = stride,
                                        .a_k_stride = emit_i64(e, 1),
                                        .b = keys_t,
                                        .b_stride = h->padded,
                                        .c = attention_scratch(h, layout->scores),
                                        .c_stride = h->padded,
                                        .m = h->q_rows,
                                        .n = h->padded,
                                        .k = width});
    if (layout->covered == 0)
        return;
    Loop loop = loop_begin(e, emit_i64(e, 0), h->q_rows, 1);
    emit_add_floats(e, attention_row(h, layout->scores, loop.index),
                    attention_distances_at(h, layout->distances, loop.index),
                    attention_covered_keys(h, loop.index));
    loop_end(e, &loop);
}

/* -- softmax ----------------------------------------------------------------------- */

/* Keys that query row `row` may look at. */
static LLVMValueRef visible_keys(const AttentionHead *h, LLVMValueRef row)
{
    Emit *e = h->e;
    if (!h->layout->causal)
        return h->k_rows;
    LLVMValueRef place = attention_place(h, row);
    return emit_least(e, emit_plus(e, place, emit_i64(e, 1)), h->k_rows);
}

/* One vector of a row: what is carried on after it. `mask` is NULL but at the end. */
typedef LLVMValueRef KeysBody(const AttentionHead *h, LLVMValueRef address,
                              LLVMValueRef mask, LLVMValueRef carried, void *state);

/* Over the first `keys` of a row of scores; only what is left of them needs a mask. */
static LLVMValueRef over_keys(const AttentionHead *h, LLVMValueRef scores,
                              LLVMValueRef keys, LLVMValueRef start, KeysBody *body,
                              void *state)
{
    Emit *e = h->e;
    LLVMValueRef whole =
        LLVMBuildAnd(e->builder, keys, emit_i64(e, -(int64_t)e->width), "");
    LLVMValueRef begin = emit_i64(e, 0), carried = start;
    for (int tail = 0; tail < 2; tail++) {
        LLVMValueRef end = tail ? keys : whole;
        Loop loop = loop_begin(e, begin, end, e->width);
        LLVMValueRef before = loop_carry(e, &loop, carried);
        LLVMValueRef mask = tail ? emit_tail_mask(e, loop.index, keys) : NULL;
        LLVMValueRef address = emit_at(e, e->f32, scores, loop.index);
        loop_next(e, &loop, before, body(h, address, mask, before, state));
        loop_end(e, &loop);
        begin = loop.index;
        carried = before;
    }
    return carried;
}

static LLVMValueRef larger_scores(const AttentionHead *h, LLVMValueRef address,
                                  LLVMValueRef mask, LLVMValueRef largest, void *state)
{
    Emit *e = h->e;
    (void)state;
    LLVMValueRef x = emit_load_vector(e, address, NULL);
    if (mask)
        x = LLVMBuildSelect(e->builder, mask, x, largest, "");
    return emit_larger_number(e, x, largest);
}

/* Makes the scores exponents and adds them up; `state` has the largest score. */
static LLVMValueRef add_exponents(const AttentionHead *h, LLVMValueRef address,
                                  LLVMValueRef mask, LLVMValueRef sum, void *state)
{
    Emit *e = h->e;
    LLVMValueRef *largest = state;
    LLVMValueRef x = emit_load_vector(e, address, NULL);
    x = emit_exp_of_negative(e, LLVMBuildFSub(e->builder, x, *largest, ""));
    if (mask)
        x = LLVMBuildSelect(e->builder, mask, x, LLVMConstNull(e->vf), "");
    emit_store_vector(e, x, address, NULL);
    return LLVMBuildFAdd(e->builder, sum, x, "");
}

/* Whole vectors of keys that a query does not see. */
static void zero_hidden(const AttentionHead *h, LLVMValueRef scores, LLVMValueRef keys)
{
    Emit *e = h->e;
    int64_t width = e->width;
    LLVMValueRef begin = LLVMBuildAdd(e->builder, keys, emit_i64(e, width - 1), "");
    begin = LLVMBuildAnd(e->builder, begin, emit_i64(e, -width), "");
    Loop loop = loop_begin(e, begin, h->padded, width);
    emit_store_vector(e, LLVMConstNull(e->vf), emit_at(e, e->f32, scores, loop.index),
                      NULL);
    loop_end(e, &loop);
}

/* A score that is NaN is found by its exponent, so the largest need not be. */
LLVMValueRef attention_exponents(const AttentionHead *h, LLVMValueRef row)
{
    Emit *e = h->e;
    LLVMValueRef scores = attention_row(h, h->layout->scores, row),
                 keys = visible_keys(h, row);
    LLVMValueRef least = emit_splat(e, emit_f32(e, -(double)INFINITY));
    LLVMValueRef largest = over_keys(h, scores, keys, least, larger_scores, NULL);
    largest = emit_splat(e, emit_max_number(e, largest));
    LLVMValueRef sum =
        over_keys(h, scores, keys, LLVMConstNull(e->vf), add_exponents, &largest);
    if (h->layout->causal)
        zero_hidden(h, scores, keys);
    return LLVMBuildFDiv(e->builder, emit_f32(e, 1), emit_sum_vector(e, sum), "");
}

/* -- dropout ----------------------------------------------------------------------- */

LLVMValueRef attention_row_key(const AttentionHead *h, LLVMValueRef row)
{
    Emit *e = h->e;
    if (h->layout->dropout == 0)
        return NULL;
    LLVMValueRef keys =
        emit_axis_field(e, ATTENTION_AXIS_Q, offsetof(AxisView, row_key), e->ptr);
    LLVMValueRef at = LLVMBuildAdd(e->builder, h->q_begin, row, "");
    LLVMValueRef row_key = emit_load(e, e->i32, emit_at(e, e->i32, keys, at));
    return emit_splat(e, emit_use_key(e, h->salted_step, row_key));
}

/* Head and key place make the column: head * 65536 + key. */
LLVMValueRef attention_scale(const AttentionHead *h, LLVMValueRef key,
                             LLVMValueRef column)
{
    Emit *e = h->e;
    LLVMValueRef first = LLVMBuildShl(e->builder, h->head, emit_i64(e, 16), "");
    first = LLVMBuildTrunc(e->builder, LLVMBuildAdd(e->builder, first, column, ""),
                           e->i32, "");
    LLVMValueRef bits = emit_random_bits(e, key, first);
    LLVMValueRef threshold =
        emit_splat(e, emit_i32(e, random_threshold(h->layout->dropout)));
    LLVMValueRef kept = LLVMBuildICmp(e->builder, LLVMIntUGE, bits, threshold, "");
    LLVMValueRef scale = emit_splat(e, emit_f32(e, 1 / (1 - h->layout->dropout)));
    return LLVMBuildSelect(e->builder, kept, scale, LLVMConstNull(e->vf), "");
}
