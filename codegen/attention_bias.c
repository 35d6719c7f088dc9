/* The relative bias of attention. It depends on the distance from query to key alone,
 * so it is laid out by distance once per kernel call and read in vectors along the
 * keys; its gradient is summed by distance the same way and added into the buckets at
 * the end. */
#include "codegen/attention.h"
#include "ir/bias.h"

int64_t attention_distance_count(const AttentionLayout *layout)
{
    return layout->covered > 0 ? 2 * layout->covered - 1 : 0;
}

/* The rows of the table, by distance from -(covered - 1) on: a constant of the module. */
static LLVMValueRef bucket_constant(const AttentionHead *h)
{
    static const char name[] = "buckets";
    Emit *e = h->e;
    LLVMValueRef global = LLVMGetNamedGlobal(e->module, name);
    if (global)
        return global;
    const AttentionLayout *layout = h->layout;
    uint32_t count = (uint32_t)attention_distance_count(layout);
    LLVMValueRef *rows = ARENA_ARRAY(e->arena, LLVMValueRef, count);
    for (uint32_t i = 0; i < count; i++)
        rows[i] =
            emit_i32(e, (uint32_t)relative_bucket((int64_t)i - (layout->covered - 1),
                                                  layout->bidirectional, layout->buckets,
                                                  layout->max_distance));
    LLVMValueRef array = LLVMConstArray2(e->i32, rows, count);
    global = LLVMAddGlobal(e->module, LLVMTypeOf(array), name);
    LLVMSetInitializer(global, array);
    LLVMSetGlobalConstant(global, 1);
    LLVMSetLinkage(global, LLVMPrivateLinkage);
    return global;
}

/* The address in the table of the element for distance number `distance` and a head. */
static LLVMValueRef table_element(const AttentionHead *h, int32_t operand,
                                  LLVMValueRef distance, LLVMValueRef head)
{
    Emit *e = h->e;
    LLVMValueRef bucket =
        emit_load(e, e->i32, emit_at(e, e->i32, bucket_constant(h), distance));
    LLVMValueRef row = LLVMBuildZExt(e->builder, bucket, e->i64, "");
    row = LLVMBuildMul(e->builder, row, emit_i64(e, h->layout->heads), "");
    return emit_at(e, e->f32, h->operands[operand],
                   LLVMBuildAdd(e->builder, row, head, ""));
}

static LLVMValueRef distances_of_head(const AttentionHead *h, int64_t offset,
                                      LLVMValueRef head)
{
    Emit *e = h->e;
    LLVMValueRef start = LLVMBuildMul(
        e->builder, head, emit_i64(e, attention_distance_count(h->layout)), "");
    return emit_at(e, e->f32, attention_scratch(h, offset), start);
}

void attention_make_distances(const AttentionHead *h)
{
    Emit *e = h->e;
    Loop head = loop_begin(e, emit_i64(e, 0), emit_i64(e, h->layout->heads), 1);
    LLVMValueRef bias = distances_of_head(h, h->layout->distances, head.index);
    Loop loop = loop_begin(e, emit_i64(e, 0),
                           emit_i64(e, attention_distance_count(h->layout)), 1);
    LLVMValueRef from =
        table_element(h, h->layout->operand_table, loop.index, head.index);
    emit_store(e, emit_load(e, e->f32, from), emit_at(e, e->f32, bias, loop.index));
    loop_end(e, &loop);
    loop_end(e, &head);
    if (h->layout->operand_dtable >= 0)
        emit_zero_floats(
            e, attention_scratch(h, h->layout->ddistances),
            emit_i64(e, h->layout->heads * attention_distance_count(h->layout)));
}

LLVMValueRef attention_distances_at(const AttentionHead *h, int64_t offset,
                                    LLVMValueRef row)
{
    Emit *e = h->e;
    LLVMValueRef first = LLVMBuildSub(e->builder, emit_i64(e, h->layout->covered - 1),
                                      attention_place(h, row), "");
    return emit_at(e, e->f32, distances_of_head(h, offset, h->head), first);
}

LLVMValueRef attention_covered_keys(const AttentionHead *h, LLVMValueRef row)
{
    Emit *e = h->e;
    LLVMValueRef keys = emit_least(e, h->covered, h->k_rows);
    LLVMValueRef place = attention_place(h, row);
    LLVMValueRef inside = LLVMBuildICmp(e->builder, LLVMIntSLT, place, h->covered, "");
    return LLVMBuildSelect(e->builder, inside, keys, emit_i64(e, 0), "");
}

void attention_sum_distances(const AttentionHead *h)
{
    Emit *e = h->e;
    int32_t dtable = h->layout->operand_dtable;
    LLVMValueRef heads = emit_i64(e, h->layout->heads);
    emit_zero_floats(e, h->operands[dtable],
                     emit_i64(e, h->layout->heads * h->layout->buckets));
    Loop head = loop_begin(e, emit_i64(e, 0), heads, 1);
    LLVMValueRef sums = distances_of_head(h, h->layout->ddistances, head.index);
    Loop loop = loop_begin(e, emit_i64(e, 0),
                           emit_i64(e, attention_distance_count(h->layout)), 1);
    LLVMValueRef to = table_element(h, dtable, loop.index, head.index);
    LLVMValueRef term = emit_load(e, e->f32, emit_at(e, e->f32, sums, loop.index));
    emit_store(e, LLVMBuildFAdd(e->builder, emit_load(e, e->f32, to), term, ""), to);
    loop_end(e, &loop);
    loop_end(e, &head);
}
