/* Attention kernels: forward, or any of the gradients over the same operands.
 *
 * Arguments are the operands of the nodes, then a result per node; axes those of q and
 * k, and that of the bias if there is one. The scratch is sized for the longest
 * sequence of each axis. */
#include <inttypes.h>
#include <stddef.h>

#include "codegen/attention.h"
#include "ir/axis.h"

/* -- the plan ---------------------------------------------------------------------- */

/* Hands out scratch: returns where `floats` of it begin. */
static int64_t take(int64_t *floats_used, int64_t floats)
{
    int64_t start = *floats_used;
    *floats_used += whole_vectors(floats);
    return start;
}

static int64_t lay_out_scratch(AttentionPlan *plan, const Axis *q, const Axis *k)
{
    int64_t used = 0, padded = whole_vectors(k->longest);
    plan->keys_t = take(&used, whole_vectors(plan->key_width) * padded);
    plan->scores = take(&used, q->longest * padded);
    plan->distances = take(&used, plan->heads * attention_distance_count(plan));
    if (plan->backward) {
        plan->values_t = take(&used, whole_vectors(plan->value_width) * padded);
        plan->gradient = take(&used, q->longest * padded);
        plan->ddistances = take(&used, plan->heads * attention_distance_count(plan));
    }
    return used * (int64_t)sizeof(float);
}

static int32_t *result_operand(AttentionPlan *plan, OpKind op)
{
    switch (op) {
    case OP_attention_dq:
        return &plan->operand_dq;
    case OP_attention_dk:
        return &plan->operand_dk;
    case OP_attention_dv:
        return &plan->operand_dv;
    case OP_attention_dtable:
        return &plan->operand_dtable;
    default:
        return &plan->operand_y;
    }
}

static void plan_operands(KernelStep *step, AttentionPlan *plan, Arena *arena)
{
    const Node *first = step->nodes[0];
    plan->operand_dy = plan->operand_table = plan->operand_y = plan->operand_dq = -1;
    plan->operand_dk = plan->operand_dv = plan->operand_dtable = -1;
    plan->backward = first->op != OP_attention;
    step->operands = ARENA_ARRAY(arena, Operand, first->arg_count + step->node_count);
    for (uint32_t i = 0; i < first->arg_count; i++)
        step->operands[step->operand_count++].node = storage_node(first->args[i]);
    uint32_t table = plan->backward ? 4 : 3;
    if (plan->backward)
        plan->operand_dy = 3;
    if (first->arg_count > table)
        plan->operand_table = (int32_t)table;
    for (uint32_t i = 0; i < step->node_count; i++) {
        *result_operand(plan, step->nodes[i]->op) = (int32_t)step->operand_count;
        step->operands[step->operand_count++] =
            (Operand){.node = step->nodes[i], .written = true};
    }
}

static void attention_operands(KernelStep *step, Arena *arena)
{
    const Node *first = step->nodes[0];
    AttentionPlan *plan = ARENA_ARRAY(arena, AttentionPlan, 1);
    plan_operands(step, plan, arena);
    step->axes = ARENA_ARRAY(arena, int32_t, ATTENTION_AXES);
    step->axes[ATTENTION_AXIS_Q] = first->args[0]->type.axis;
    step->axes[ATTENTION_AXIS_K] = first->args[1]->type.axis;
    step->axes[ATTENTION_AXIS_BIAS] = first->attr.attention.bias_axis;
    step->axis_count = plan->operand_table >= 0 ? ATTENTION_AXES : ATTENTION_AXIS_BIAS;
    step->salts = ARENA_ARRAY(arena, uint32_t, 1);
    step->salts[0] = (uint32_t)first->attr.attention.salt;
    plan->heads = first->attr.attention.heads;
    plan->key_width = type_width(first->args[0]->type) / plan->heads;
    plan->value_width = type_width(first->args[2]->type) / plan->heads;
    plan->causal = first->attr.attention.causal != 0;
    plan->bidirectional = first->attr.attention.bidirectional != 0;
    plan->queries_last = axis_ends_with(step->graph, step->axes[ATTENTION_AXIS_K],
                                        step->axes[ATTENTION_AXIS_Q]);
    plan->dropout = first->attr.attention.dropout;
    plan->max_distance = first->attr.attention.max_distance;
    if (plan->operand_table >= 0) {
        plan->covered = step->graph->axes[step->axes[ATTENTION_AXIS_BIAS]].longest;
        plan->buckets = first->args[plan->operand_table]->type.dims[0];
    }
    step->scratch_bytes =
        lay_out_scratch(plan, &step->graph->axes[step->axes[ATTENTION_AXIS_Q]],
                        &step->graph->axes[step->axes[ATTENTION_AXIS_K]]);
    step->plan = plan;
}

static void attention_describe(const KernelStep *step, FILE *out)
{
    const AttentionPlan *plan = step->plan;
    fprintf(out, "heads %" PRId64 " widths %" PRId64 " %" PRId64 "%s%s p %a\n",
            plan->heads, plan->key_width, plan->value_width,
            plan->causal ? " causal" : "", plan->queries_last ? " queries last" : "",
            plan->dropout);
    fprintf(out, "operands %d %d %d, %d %d %d %d\n", plan->operand_dy,
            plan->operand_table, plan->operand_y, plan->operand_dq, plan->operand_dk,
            plan->operand_dv, plan->operand_dtable);
    if (plan->operand_table >= 0)
        fprintf(out, "bias of %" PRId64 ", %" PRId64 " buckets to %" PRId64 "%s\n",
                plan->covered, plan->buckets, plan->max_distance,
                plan->bidirectional ? " bidirectional" : "");
    fprintf(out, "scratch %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 "\n",
            plan->values_t, plan->scores, plan->gradient, plan->distances,
            plan->ddistances);
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
    if (h->plan->operand_table >= 0)
        h->covered = emit_sequence_rows(e, ATTENTION_AXIS_BIAS, sequence).count;
}

/* P, dropped out, into `scores`. */
static void finish_probabilities(const AttentionHead *h)
{
    Emit *e = h->e;
    Loop row = loop_begin(e, emit_i64(e, 0), h->q_rows, 1);
    LLVMValueRef inverse = emit_splat(e, attention_exponents(h, row.index));
    LLVMValueRef key = attention_row_key(h, row.index);
    LLVMValueRef scores = attention_row(h, h->plan->scores, row.index);
    Loop loop = loop_begin(e, emit_i64(e, 0), h->padded, e->width);
    LLVMValueRef address = emit_at(e, e->f32, scores, loop.index);
    LLVMValueRef x =
        LLVMBuildFMul(e->builder, emit_load_vector(e, address, NULL), inverse, "");
    emit_store_vector(e, attention_drop(h, x, key, loop.index), address, NULL);
    loop_end(e, &loop);
    loop_end(e, &row);
}

static void attention_forward(const AttentionHead *h)
{
    Emit *e = h->e;
    const AttentionPlan *plan = h->plan;
    LLVMValueRef stride = emit_i64(e, plan->value_width * plan->heads);
    attention_scores(h);
    finish_probabilities(h);
    emit_small_matmul(
        e, &(SmallMatmul){.a = attention_scratch(h, plan->scores),
                          .a_row_stride = h->padded,
                          .a_k_stride = emit_i64(e, 1),
                          .b = attention_k_side(h, 2, plan->value_width),
                          .b_stride = stride,
                          .c = attention_q_side(h, plan->operand_y, plan->value_width),
                          .c_stride = stride,
                          .m = h->q_rows,
                          .n = emit_i64(e, plan->value_width),
                          .k = h->k_rows});
}

static void attention_emit(Emit *e, const KernelStep *step)
{
    const AttentionPlan *plan = step->plan;
    AttentionHead h = {.e = e, .plan = plan};
    h.operands = ARENA_ARRAY(e->arena, LLVMValueRef, step->operand_count);
    for (uint32_t i = 0; i < step->operand_count; i++)
        h.operands[i] = emit_operand(e, i);
    h.scratch = emit_lane_field(e, offsetof(LaneContext, scratch), e->ptr);
    if (plan->dropout > 0)
        h.salted_step = emit_salted_step(e, 0);
    if (plan->operand_table >= 0)
        attention_make_distances(&h);
    Loop sequence = loop_begin(e, emit_i64(e, 0), emit_sequences(e), 1);
    enter_sequence(&h, sequence.index);
    Loop head = loop_begin(e, emit_i64(e, 0), emit_i64(e, plan->heads), 1);
    h.head = head.index;
    if (plan->backward)
        attention_backward(&h);
    else
        attention_forward(&h);
    loop_end(e, &head);
    loop_end(e, &sequence);
    if (plan->operand_dtable >= 0)
        attention_sum_distances(&h);
    LLVMBuildRetVoid(e->builder);
}

const KernelClass kernel_attention = {
    .name = "attention",
    .operands = attention_operands,
    .describe = attention_describe,
    .emit = attention_emit,
};
