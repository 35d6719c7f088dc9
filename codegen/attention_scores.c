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
    LLVMValueRef pair[] = {LLVMBuildAdd(e->builder, place, emit_i64(e, 1), ""),
                           h->k_rows};
    return emit_intrinsic(e, "llvm.smin", pair, 2);
}

static LLVMValueRef row_maximum(const AttentionHead *h, LLVMValueRef scores,
                                LLVMValueRef keys)
{
    Emit *e = h->e;
    LLVMValueRef least = emit_splat(e, emit_f32(e, -(double)INFINITY));
    Loop loop = loop_begin(e, emit_i64(e, 0), h->padded, e->width);
    LLVMValueRef largest = loop_carry(e, &loop, least);
    LLVMValueRef x = emit_load_vector(e, emit_at(e, e->f32, scores, loop.index), NULL);
    LLVMValueRef mask = emit_tail_mask(e, loop.index, keys);
    x = LLVMBuildSelect(e->builder, mask, x, least, "");
    loop_next(e, &loop, largest, emit_larger(e, x, largest));
    loop_end(e, &loop);
    return emit_max_vector(e, largest);
}

LLVMValueRef attention_exponents(const AttentionHead *h, LLVMValueRef row)
{
    Emit *e = h->e;
    LLVMValueRef scores = attention_row(h, h->layout->scores, row),
                 keys = visible_keys(h, row);
    LLVMValueRef largest = emit_splat(e, row_maximum(h, scores, keys));
    LLVMValueRef zero = LLVMConstNull(e->vf);
    Loop loop = loop_begin(e, emit_i64(e, 0), h->padded, e->width);
    LLVMValueRef sum = loop_carry(e, &loop, zero);
    LLVMValueRef address = emit_at(e, e->f32, scores, loop.index);
    LLVMValueRef x = emit_load_vector(e, address, NULL);
    x = emit_exp(e, LLVMBuildFSub(e->builder, x, largest, ""));
    x = LLVMBuildSelect(e->builder, emit_tail_mask(e, loop.index, keys), x, zero, "");
    emit_store_vector(e, x, address, NULL);
    loop_next(e, &loop, sum, LLVMBuildFAdd(e->builder, sum, x, ""));
    loop_end(e, &loop);
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
LLVMValueRef attention_drop(const AttentionHead *h, LLVMValueRef x, LLVMValueRef key,
                            LLVMValueRef column)
{
    Emit *e = h->e;
    if (!key)
        return x;
    LLVMValueRef first = LLVMBuildShl(e->builder, h->head, emit_i64(e, 16), "");
    first = LLVMBuildTrunc(e->builder, LLVMBuildAdd(e->builder, first, column, ""),
                           e->i32, "");
    LLVMValueRef columns =
        LLVMBuildAdd(e->builder, emit_splat(e, first), emit_element_numbers(e), "");
    LLVMValueRef bits = emit_random_bits(e, key, columns);
    LLVMValueRef threshold =
        emit_splat(e, emit_i32(e, random_threshold(h->layout->dropout)));
    LLVMValueRef kept = LLVMBuildICmp(e->builder, LLVMIntUGE, bits, threshold, "");
    LLVMValueRef scale = emit_splat(e, emit_f32(e, 1 / (1 - h->layout->dropout)));
    scale = LLVMBuildSelect(e->builder, kept, scale, LLVMConstNull(e->vf), "");
    return LLVMBuildFMul(e->builder, x, scale, "");
}
