/* Where the values of one head are, in operands and in the scratch. */
#include "codegen/attention.h"
#include "codegen/names.h"

/* Parts that a forward kernel lacks begin with the first, at 0. */
static const char *part_name(const AttentionLayout *layout, int64_t offset)
{
    const struct {
        int64_t offset;
        const char *name;
    } parts[] = {{layout->keys_t, "keys_t"},        {layout->values_t, "values_t"},
                 {layout->scores, "scores"},        {layout->gradient, "gradient"},
                 {layout->scales, "scales"},        {layout->distances, "distances"},
                 {layout->ddistances, "ddistances"}};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (parts[i].offset == offset)
            return parts[i].name;
    return "scratch";
}

LLVMValueRef attention_scratch(const AttentionHead *h, int64_t offset)
{
    LLVMValueRef at = emit_at(h->e, h->e->f32, h->scratch, emit_i64(h->e, offset));
    emit_name(h->e, at, part_name(h->layout, offset));
    return at;
}

static LLVMValueRef head_side(const AttentionHead *h, int32_t operand, LLVMValueRef row,
                              int64_t head_width)
{
    Emit *e = h->e;
    LLVMValueRef width = emit_i64(e, head_width);
    LLVMValueRef at = LLVMBuildNSWMul(e->builder, row, emit_i64(e, h->layout->heads), "");
    at = LLVMBuildNSWAdd(e->builder, at, h->head, "");
    return emit_at(e, e->f32, h->operands[operand],
                   LLVMBuildNSWMul(e->builder, at, width, ""));
}

LLVMValueRef attention_q_side(const AttentionHead *h, int32_t operand, int64_t head_width)
{
    return head_side(h, operand, h->q_begin, head_width);
}

LLVMValueRef attention_k_side(const AttentionHead *h, int32_t operand, int64_t head_width)
{
    return head_side(h, operand, h->k_begin, head_width);
}

LLVMValueRef attention_row(const AttentionHead *h, int64_t offset, LLVMValueRef row)
{
    Emit *e = h->e;
    return emit_at(e, e->f32, attention_scratch(h, offset),
                   LLVMBuildNSWMul(e->builder, row, h->padded, ""));
}

LLVMValueRef attention_place(const AttentionHead *h, LLVMValueRef row)
{
    Emit *e = h->e;
    if (!h->layout->queries_last)
        return row;
    LLVMValueRef before = LLVMBuildNSWSub(e->builder, h->k_rows, h->q_rows, "");
    return LLVMBuildNSWAdd(e->builder, row, before, "");
}
