/* Row kernels: single values, as scalars and as vectors of columns. */
#include "codegen/names.h"
#include "codegen/rows_emit.h"

/* -- memory -------------------------------------------------------------------- */

LLVMValueRef rows_load_scalar(RowsEmit *re, const RowValue *value, LLVMValueRef base)
{
    Emit *e = re->e;
    bool is_bit = row_value_has_dtype(value, DTYPE_bit);
    LLVMValueRef number = emit_load(e, is_bit ? e->i8 : e->f32, base);
    if (is_bit)
        number = LLVMBuildTrunc(e->builder, number, e->i1, "");
    emit_name_node(e, number, value->node, NULL);
    return number;
}

void rows_store_scalar(RowsEmit *re, const RowValue *value, LLVMValueRef number,
                       LLVMValueRef base)
{
    Emit *e = re->e;
    if (row_value_has_dtype(value, DTYPE_bit))
        number = LLVMBuildZExt(e->builder, number, e->i8, "");
    emit_store(e, number, base);
}

/* Bit c of a row is bit c mod 8 of its byte c / 8. The last vector of a row may end
 * within it, so it touches only the bytes the row has; their spare bits are zero. */
static uint32_t bit_bytes(const RowsEmit *re, LLVMValueRef mask)
{
    uint32_t width = re->e->width;
    uint32_t count = mask ? (uint32_t)(re->layout->width % width) : width;
    return (count + 7) / 8;
}

static LLVMValueRef bit_address(Emit *e, LLVMValueRef base, LLVMValueRef column)
{
    LLVMValueRef byte = LLVMBuildLShr(e->builder, column, emit_i64(e, 3), "");
    return emit_at(e, e->i8, base, byte);
}

/* 0 or 4: where a vector of four starts in its byte; only used where width is 4. */
static LLVMValueRef nibble_shift(Emit *e, LLVMValueRef column)
{
    LLVMValueRef shift = LLVMBuildAnd(e->builder, column, emit_i64(e, 4), "");
    return LLVMBuildTrunc(e->builder, shift, e->i8, "");
}

LLVMValueRef rows_load_bits(RowsEmit *re, LLVMValueRef base, LLVMValueRef column,
                            LLVMValueRef mask)
{
    Emit *e = re->e;
    LLVMTypeRef word = LLVMIntTypeInContext(e->context, e->width);
    LLVMValueRef address = bit_address(e, base, column), bits;
    if (e->width < 8) {
        LLVMValueRef byte = emit_load(e, e->i8, address);
        byte = LLVMBuildLShr(e->builder, byte, nibble_shift(e, column), "");
        bits = LLVMBuildTrunc(e->builder, byte, word, "");
        return LLVMBuildBitCast(e->builder, bits, e->vm, "");
    }
    bits = LLVMConstInt(word, 0, 0);
    for (uint32_t i = 0; i < bit_bytes(re, mask); i++) {
        LLVMValueRef byte =
            emit_load(e, e->i8, emit_at(e, e->i8, address, emit_i64(e, i)));
        byte = LLVMBuildZExt(e->builder, byte, word, "");
        byte = LLVMBuildShl(e->builder, byte, LLVMConstInt(word, 8ULL * i, 0), "");
        bits = LLVMBuildOr(e->builder, bits, byte, "");
    }
    return LLVMBuildBitCast(e->builder, bits, e->vm, "");
}

void rows_store_bits(RowsEmit *re, LLVMValueRef bits, LLVMValueRef base,
                     LLVMValueRef column, LLVMValueRef mask)
{
    Emit *e = re->e;
    LLVMTypeRef word = LLVMIntTypeInContext(e->context, e->width);
    if (mask)
        bits = LLVMBuildAnd(e->builder, bits, mask, "");
    bits = LLVMBuildBitCast(e->builder, bits, word, "");
    LLVMValueRef address = bit_address(e, base, column);
    if (e->width < 8) {
        LLVMValueRef shift = nibble_shift(e, column);
        LLVMValueRef old = emit_load(e, e->i8, address);
        old = LLVMBuildAnd(e->builder, old, LLVMConstInt(e->i8, 15, 0), "");
        LLVMValueRef first =
            LLVMBuildICmp(e->builder, LLVMIntEQ, shift, LLVMConstInt(e->i8, 0, 0), "");
        old = LLVMBuildSelect(e->builder, first, LLVMConstInt(e->i8, 0, 0), old, "");
        LLVMValueRef byte = LLVMBuildZExt(e->builder, bits, e->i8, "");
        byte = LLVMBuildShl(e->builder, byte, shift, "");
        emit_store(e, LLVMBuildOr(e->builder, old, byte, ""), address);
        return;
    }
    for (uint32_t i = 0; i < bit_bytes(re, mask); i++) {
        LLVMValueRef byte =
            LLVMBuildLShr(e->builder, bits, LLVMConstInt(word, 8ULL * i, 0), "");
        byte = LLVMBuildTruncOrBitCast(e->builder, byte, e->i8, "");
        emit_store(e, byte, emit_at(e, e->i8, address, emit_i64(e, i)));
    }
}

LLVMValueRef rows_buffer(RowsEmit *re, int32_t buffer, LLVMValueRef column)
{
    Emit *e = re->e;
    LLVMValueRef start = emit_i64(e, buffer * rows_buffer_stride(re->layout));
    return emit_at(e, e->f32, re->scratch, LLVMBuildAdd(e->builder, start, column, ""));
}

/* -- vectors ------------------------------------------------------------------- */

static LLVMValueRef load_vector(RowsEmit *re, const RowValue *value, uint32_t index,
                                LLVMValueRef column, LLVMValueRef mask)
{
    Emit *e = re->e;
    if (row_value_has_dtype(value, DTYPE_bit))
        return rows_load_bits(re, re->bases[index], column, mask);
    return emit_load_vector(e, emit_at(e, e->f32, re->bases[index], column), mask);
}

static LLVMValueRef compute_vector(RowsEmit *re, uint32_t index, LLVMValueRef column,
                                   LLVMValueRef mask)
{
    const RowValue *value = &re->layout->values[index];
    LLVMValueRef args[3] = {0};
    for (uint32_t i = 0; i < value->node->arg_count; i++)
        args[i] = rows_vector(re, value->args[i], column, mask);
    LLVMValueRef result = rows_formula(re, index, args, column);
    bool first = value->phase == (int32_t)re->phase;
    if (first && value->buffer >= 0)
        emit_store_vector(re->e, result, rows_buffer(re, value->buffer, column), NULL);
    return result;
}

LLVMValueRef rows_vector(RowsEmit *re, uint32_t index, LLVMValueRef column,
                         LLVMValueRef mask)
{
    const RowValue *value = &re->layout->values[index];
    if (!value->wide)
        return re->splats[index];
    LLVMValueRef *vector = &re->vectors[index];
    if (*vector)
        return *vector;
    bool earlier = value->phase < (int32_t)re->phase;
    if (value->kind == ROW_input ||
        (earlier && row_value_is_output(value) && !value->in_place))
        *vector = load_vector(re, value, index, column, mask);
    else if (earlier && value->buffer >= 0)
        *vector = emit_load_vector(re->e, rows_buffer(re, value->buffer, column), NULL);
    else
        *vector = compute_vector(re, index, column, mask);
    emit_name_node(re->e, *vector, value->node, NULL);
    return *vector;
}
