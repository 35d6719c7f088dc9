/* Addresses in `move` kernels. */
#include "codegen/move.h"

LLVMValueRef move_result(const Move *m)
{
    return emit_operand(m->e, m->node->arg_count);
}

LLVMValueRef move_row(Emit *e, LLVMValueRef base, LLVMValueRef row, int64_t width)
{
    LLVMValueRef offset = LLVMBuildNSWMul(e->builder, row, emit_i64(e, width), "");
    return emit_at(e, e->f32, base, offset);
}
