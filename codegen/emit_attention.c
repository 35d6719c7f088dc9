/* Attention kernels: forward, or any of the gradients over the same operands.
 *
 * Arguments are the operands of the nodes, then a result per node; axes those of q and
 * k, and that of the bias if there is one. The scratch is sized for the longest
 * sequence of each axis. */
#include <inttypes.h>
#include <stddef.h>

#include "codegen/attention.h"
#include "codegen/names.h"
#include "ir/axis.h"

/* -- the layout -------------------------------------------------------------------- */

/* Hands out scratch: returns where `floats` of it begin. */
static int64_t take(int64_t *floats_used, int64_t floats)
{
    int64_t start = *floats_used;
    *floats_used += whole_vectors(floats);
    return start;
}

static int64_t lay_out_scratch(AttentionLayout *layout, const Axis *q, const Axis *k)
{
    int64_t used = 0, padded = whole_vectors(k->longest);
    layout->keys_t = take(&used, whole_vectors(layout->key_width) * padded);
    layout->scores = take(&used, q->longest * padded);
    layout->distances = take(&used, layout->heads * attention_distance_count(layout));
    if (layout->backward) {
        layout->values_t = take(&used, whole_vectors(layout->value_width) * padded);
        layout->gradient = take(&used, q->longest * padded);
        layout->scales = take(&used, padded);
        layout->ddistances =
            take(&used, layout->heads * attention_distance_count(layout));
    }
    return used * (int64_t)sizeof(float);
}

/* Where the layout notes the operand that an op writes. */
enum {
    RESULT_attention = offsetof(AttentionLayout, operand_y),
    RESULT_attention_dq = offsetof(AttentionLayout, operand_dq),
    RESULT_attention_dk = offsetof(AttentionLayout, operand_dk),
    RESULT_attention_dv = offsetof(AttentionLayout, operand_dv),
    RESULT_attention_dtable = offsetof(AttentionLayout, operand_dtable)
};

static const size_t results[OP_COUNT] = {
#define CLASS_attention(name) [OP_##name] = RESULT_##name,
#include "ir/class_ops.def"
};

static int32_t *result_operand(AttentionLayout *layout, OpKind op)
{
    return (int32_t *)(void *)((char *)layout + results[op]);
}

static void plan_operands(KernelStep *step, AttentionLayout *layout, Arena *arena)
{
    const Node *first = step->nodes[0];
    layout->operand_dy = layout->operand_table = layout->operand_y = layout->operand_dq =
        -1;
    layout->operand_dk = layout->operand_dv = layout->operand_dtable = -1;
    layout->backward = first->op != OP_attention;
    step->operands = ARENA_ARRAY(arena, Operand, first->arg_count + step->node_count);
    for (uint32_t i = 0; i < first->arg_count; i++)
        step->operands[step->operand_count++].node = storage_node(first->args[i]);
    uint32_t table = layout->backward ? 4 : 3;
    if (layout->backward)
        layout->operand_dy = 3;
    if (first->arg_count > table)
        layout->operand_table = (int32_t)table;
    for (uint32_t i = 0; i < step->node_count; i++) {
        *result_operand(layout, step->nodes[i]->op) = (int32_t)step->operand_count;
        step->operands[step->operand_count++] =
            (Operand){.node = step->nodes[i], .written = true};
    }
}

static void attention_operands(KernelStep *step, Arena *arena)
{
    const Node *first = step->nodes[0];
    AttentionLayout *layout = ARENA_ARRAY(arena, AttentionLayout, 1);
    plan_operands(step, layout, arena);
    step->axes = ARENA_ARRAY(arena, int32_t, ATTENTION_AXES);
    step->axes[ATTENTION_AXIS_Q] = first->args[0]->type.axis;
    step->axes[ATTENTION_AXIS_K] = first->args[1]->type.axis;
    step->axes[ATTENTION_AXIS_BIAS] = first->attr.attention.bias_axis;
    step->axis_count = layout->operand_table >= 0 ? ATTENTION_AXES : ATTENTION_AXIS_BIAS;
    step->numbers = ARENA_ARRAY(arena, uint32_t, 1);
    step->numbers[0] = (uint32_t)first->attr.attention.salt;
    layout->heads = first->attr.attention.heads;
    layout->key_width = type_width(first->args[0]->type) / layout->heads;
    layout->value_width = type_width(first->args[2]->type) / layout->heads;
    layout->causal = first->attr.attention.causal != 0;
    layout->bidirectional = first->attr.attention.bidirectional != 0;
    layout->queries_last = axis_ends_with(step->graph, step->axes[ATTENTION_AXIS_K],
                                          step->axes[ATTENTION_AXIS_Q]);
    layout->dropout = first->attr.attention.dropout;
    layout->max_distance = first->attr.attention.max_distance;
    if (layout->operand_table >= 0) {
        layout->covered = step->graph->axes[step->axes[ATTENTION_AXIS_BIAS]].longest;
        layout->buckets = first->args[layout->operand_table]->type.dims[0];
    }
    step->scratch_bytes =
        lay_out_scratch(layout, &step->graph->axes[step->axes[ATTENTION_AXIS_Q]],
                        &step->graph->axes[step->axes[ATTENTION_AXIS_K]]);
    step->layout = layout;
}

static void attention_describe(const KernelStep *step, FILE *out)
{
    const AttentionLayout *layout = step->layout;
    fprintf(out, "heads %" PRId64 " widths %" PRId64 " %" PRId64 "%s%s p %a\n",
            layout->heads, layout->key_width, layout->value_width,
            layout->causal ? " causal" : "", layout->queries_last ? " queries last" : "",
            layout->dropout);
    fprintf(out, "operands %d %d %d, %d %d %d %d\n", layout->operand_dy,
            layout->operand_table, layout->operand_y, layout->operand_dq,
            layout->operand_dk, layout->operand_dv, layout->operand_dtable);
    if (layout->operand_table >= 0)
        fprintf(out, "bias of %" PRId64 ", %" PRId64 " buckets to %" PRId64 "%s\n",
                layout->covered, layout->buckets, layout->max_distance,
                layout->bidirectional ? " bidirectional" : "");
    fprintf(out, "scratch %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 "\n",
            layout->values_t, layout->scores, layout->gradient, layout->distances,
            layout->ddistances);
}

/* -- the kernel -------------------------------------------------------------------- */

static void enter_sequence(AttentionHead *h, LLVMValueRef sequence)
{
    Emit *e = h->e;
    RowRange q = emit_sequence_rows(e, ATTENTION_AXIS_Q, sequence);
    RowRange k = emit_sequence_rows(e, ATTENTION_AXIS_K, sequence);
    h->q_begin = q.begin;
    h->q_rows = q.count;
    h->k_begin = k.begin;
    h->k_rows = k.count;
    h->padded = LLVMBuildAnd(
        e->builder, LLVMBuildAdd(e->builder, h->k_rows, emit_i64(e, e->width - 1), ""),
        emit_i64(e, -(int64_t)e->width), "");
    emit_name(e, h->padded, "padded");
    if (h->layout->operand_table >= 0)
        h->covered = emit_sequence_rows(e, ATTENTION_AXIS_BIAS, sequence).count;
}

/* P, dropped out, into `scores`. */
static void finish_probabilities(const AttentionHead *h)
{
    Emit *e = h->e;
    Loop row = loop_begin(e, emit_i64(e, 0), h->q_rows, 1);
    LLVMValueRef inverse = emit_splat(e, attention_exponents(h, row.index));
    LLVMValueRef key = attention_row_key(h, row.index);
    LLVMValueRef scores = attention_row(h, h->layout->scores, row.index);
    Loop loop = loop_begin(e, emit_i64(e, 0), h->padded, e->width);
    LLVMValueRef address = emit_at(e, e->f32, scores, loop.index);
    LLVMValueRef x =
        LLVMBuildFMul(e->builder, emit_load_vector(e, address, NULL), inverse, "");
    if (key)
        x = LLVMBuildFMul(e->builder, x, attention_scale(h, key, loop.index), "");
    emit_store_vector(e, x, address, NULL);
    loop_end(e, &loop);
    loop_end(e, &row);
}

static void attention_forward(const AttentionHead *h)
{
    Emit *e = h->e;
    const AttentionLayout *layout = h->layout;
    LLVMValueRef stride = emit_i64(e, layout->value_width * layout->heads);
    attention_scores(h);
    finish_probabilities(h);
    emit_small_matmul(e, &(SmallMatmul){.a = attention_scratch(h, layout->scores),
                                        .a_row_stride = h->padded,
                                        .a_k_stride = emit_i64(e, 1),
                                        .b = attention_k_side(h, 2, layout->value_width),
                                        .b_stride = stride,
                                        .c = attention_q_side(h, layout->operand_y,
                                                              layout->value_width),
                                        .c_stride = stride,
                                        .m = h->q_rows,
                                        .n = emit_i64(e, layout->value_width),
                                        .k = h->k_rows});
}

static void attention_emit(Emit *e, const KernelStep *step)
{
    const AttentionLayout *layout = step->layout;
    AttentionHead h = {.e = e, .layout = layout};
    h.operands = ARENA_ARRAY(e->arena, LLVMValueRef, step->operand_count);
    for (uint32_t i = 0; i < step->operand_count; i++)
        h.operands[i] = emit_operand(e, i);
    h.scratch = emit_lane_field(e, offsetof(LaneContext, scratch), e->ptr);
    emit_name(e, h.scratch, "scratch");
    if (layout->dropout > 0)
        h.salted_step = emit_salted_step(e, 0);
    if (layout->operand_table >= 0)
        attention_make_distances(&h);
    Loop sequence = loop_begin(e, emit_i64(e, 0), emit_sequences(e), 1);
    emit_name(e, sequence.index, "sequence");
    enter_sequence(&h, sequence.index);
    Loop head = loop_begin(e, emit_i64(e, 0), emit_i64(e, layout->heads), 1);
    h.head = head.index;
    emit_name(e, h.head, "head");
    if (layout->backward)
        attention_backward(&h);
    else
        attention_forward(&h);
    loop_end(e, &head);
    loop_end(e, &sequence);
    if (layout->operand_dtable >= 0)
        attention_sum_distances(&h);
    LLVMBuildRetVoid(e->builder);
}

const KernelClass kernel_attention = {
    .name = "attention",
    .operands = attention_operands,
    .describe = attention_describe,
    .emit = attention_emit,
};
