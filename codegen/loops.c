/* Loop nests, vector memory access and vector reductions. Emitters work on unoptimised
 * IR that is in good shape already: values stay in registers through phis, nothing is
 * on the stack. */
#include "codegen/loops.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

#include "codegen/names.h"

/* -- what a kernel was given ------------------------------------------------------- */

LLVMValueRef emit_i64(Emit *e, int64_t value)
{
    return LLVMConstInt(e->i64, (unsigned long long)value, 1);
}

LLVMValueRef emit_i32(Emit *e, uint32_t value)
{
    return LLVMConstInt(e->i32, value, 0);
}

LLVMValueRef emit_f32(Emit *e, double value)
{
    return LLVMConstReal(e->f32, (double)(float)value);
}

LLVMValueRef emit_at(Emit *e, LLVMTypeRef type, LLVMValueRef base, LLVMValueRef index)
{
    return LLVMBuildGEP2(e->builder, type, base, &index, 1, "");
}

LLVMValueRef emit_plus(Emit *e, LLVMValueRef a, LLVMValueRef b)
{
    return LLVMBuildNSWAdd(e->builder, a, b, "");
}

LLVMValueRef emit_times(Emit *e, LLVMValueRef a, LLVMValueRef b)
{
    return LLVMBuildNSWMul(e->builder, a, b, "");
}

LLVMValueRef emit_least(Emit *e, LLVMValueRef a, LLVMValueRef b)
{
    LLVMValueRef pair[] = {a, b};
    return emit_intrinsic(e, "llvm.smin", pair, 2);
}

LLVMValueRef emit_element(Emit *e, LLVMValueRef base, LLVMValueRef row,
                          LLVMValueRef stride, LLVMValueRef column)
{
    LLVMValueRef start = emit_times(e, row, stride);
    return emit_at(e, e->f32, base, emit_plus(e, start, column));
}

LLVMValueRef emit_load(Emit *e, LLVMTypeRef type, LLVMValueRef address)
{
    return LLVMBuildLoad2(e->builder, type, address, "");
}

void emit_store(Emit *e, LLVMValueRef value, LLVMValueRef address)
{
    LLVMBuildStore(e->builder, value, address);
}

/* In the entry block, wherever the builder stands. */
LLVMValueRef emit_local_memory(Emit *e, LLVMTypeRef type)
{
    LLVMBasicBlockRef here = LLVMGetInsertBlock(e->builder);
    LLVMBasicBlockRef entry = LLVMGetEntryBasicBlock(LLVMGetBasicBlockParent(here));
    LLVMPositionBuilder(e->builder, entry, LLVMGetFirstInstruction(entry));
    LLVMValueRef memory = LLVMBuildAlloca(e->builder, type, "");
    LLVMPositionBuilderAtEnd(e->builder, here);
    return memory;
}

LLVMValueRef emit_operand(Emit *e, uint32_t index)
{
    LLVMValueRef at =
        emit_load(e, e->ptr, emit_at(e, e->ptr, e->operands, emit_i64(e, index)));
    if (e->has_names)
        emit_name_node(e, at, e->step->operands[index].node, "at");
    return at;
}

static LLVMValueRef load_field(Emit *e, LLVMValueRef base, uint32_t byte_offset,
                               LLVMTypeRef type)
{
    return emit_load(e, type, emit_at(e, e->i8, base, emit_i64(e, byte_offset)));
}

LLVMValueRef emit_axis_field(Emit *e, uint32_t index, uint32_t byte_offset,
                             LLVMTypeRef type)
{
    LLVMValueRef view =
        emit_load(e, e->ptr, emit_at(e, e->ptr, e->axes, emit_i64(e, index)));
    return load_field(e, view, byte_offset, type);
}

LLVMValueRef emit_axis_rows(Emit *e, uint32_t index)
{
    LLVMValueRef rows = emit_axis_field(e, index, offsetof(AxisView, rows), e->i64);
    emit_name_axis(e, rows, index, "rows");
    return rows;
}

LLVMValueRef emit_lane_field(Emit *e, uint32_t byte_offset, LLVMTypeRef type)
{
    return load_field(e, e->lane, byte_offset, type);
}

LLVMValueRef emit_sequences(Emit *e)
{
    LLVMValueRef count = emit_lane_field(e, offsetof(LaneContext, sequences), e->i64);
    emit_name(e, count, "sequences");
    return count;
}

LLVMValueRef emit_load_number(Emit *e, uint32_t index)
{
    LLVMValueRef number =
        emit_load(e, e->i32, emit_at(e, e->i32, e->numbers, emit_i64(e, index)));
    return LLVMBuildZExt(e->builder, number, e->i64, "");
}

LLVMValueRef emit_load_index(Emit *e, LLVMValueRef base, LLVMValueRef index)
{
    LLVMValueRef value = emit_load(e, e->i32, emit_at(e, e->i32, base, index));
    return LLVMBuildSExt(e->builder, value, e->i64, "");
}

RowRange emit_sequence_rows(Emit *e, uint32_t axis, LLVMValueRef sequence)
{
    LLVMValueRef offsets = emit_axis_field(e, axis, offsetof(AxisView, offsets), e->ptr);
    LLVMValueRef next = LLVMBuildAdd(e->builder, sequence, emit_i64(e, 1), "");
    RowRange rows = {.begin = emit_load_index(e, offsets, sequence),
                     .end = emit_load_index(e, offsets, next)};
    rows.count = LLVMBuildSub(e->builder, rows.end, rows.begin, "");
    emit_name_axis(e, rows.begin, axis, "begin");
    emit_name_axis(e, rows.end, axis, "end");
    emit_name_axis(e, rows.count, axis, "count");
    return rows;
}

/* -- loops ------------------------------------------------------------------------- */

static LLVMBasicBlockRef add_block(Emit *e, const char *name)
{
    LLVMValueRef function = LLVMGetBasicBlockParent(LLVMGetInsertBlock(e->builder));
    return LLVMAppendBasicBlockInContext(e->context, function, name);
}

Loop loop_begin(Emit *e, LLVMValueRef begin, LLVMValueRef end, int64_t step)
{
    LLVMBasicBlockRef before = LLVMGetInsertBlock(e->builder);
    Loop loop = {.head = add_block(e, "head"),
                 .body = add_block(e, "body"),
                 .exit = add_block(e, "exit"),
                 .step = emit_i64(e, step)};
    LLVMBuildBr(e->builder, loop.head);
    LLVMPositionBuilderAtEnd(e->builder, loop.head);
    loop.index = LLVMBuildPhi(e->builder, e->i64, "i");
    LLVMAddIncoming(loop.index, &begin, &before, 1);
    LLVMValueRef more = LLVMBuildICmp(e->builder, LLVMIntSLT, loop.index, end, "");
    LLVMBuildCondBr(e->builder, more, loop.body, loop.exit);
    LLVMPositionBuilderAtEnd(e->builder, loop.body);
    return loop;
}

void loop_end(Emit *e, Loop *loop)
{
    LLVMValueRef next = LLVMBuildNSWAdd(e->builder, loop->index, loop->step, "");
    loop_next(e, loop, loop->index, next);
    LLVMBuildBr(e->builder, loop->head);
    LLVMPositionBuilderAtEnd(e->builder, loop->exit);
}

LLVMValueRef loop_carry(Emit *e, Loop *loop, LLVMValueRef start)
{
    LLVMBasicBlockRef here = LLVMGetInsertBlock(e->builder);
    LLVMBasicBlockRef before = LLVMGetIncomingBlock(loop->index, 0);
    LLVMPositionBuilderBefore(e->builder, LLVMGetFirstInstruction(loop->head));
    LLVMValueRef phi = LLVMBuildPhi(e->builder, LLVMTypeOf(start), "");
    LLVMAddIncoming(phi, &start, &before, 1);
    LLVMPositionBuilderAtEnd(e->builder, here);
    return phi;
}

void loop_next(Emit *e, Loop *loop, LLVMValueRef phi, LLVMValueRef next)
{
    (void)loop;
    LLVMBasicBlockRef here = LLVMGetInsertBlock(e->builder);
    LLVMAddIncoming(phi, &next, &here, 1);
}

void emit_columns(Emit *e, LLVMValueRef count, ColumnBody *body, void *state)
{
    int64_t width = e->width;
    LLVMValueRef rest = LLVMBuildURem(e->builder, count, emit_i64(e, width), "");
    LLVMValueRef whole = LLVMBuildSub(e->builder, count, rest, "");
    if (!LLVMIsAConstantInt(whole) || LLVMConstIntGetZExtValue(whole) > 0) {
        Loop loop = loop_begin(e, emit_i64(e, 0), whole, width);
        body(e, loop.index, NULL, state);
        loop_end(e, &loop);
    }
    if (LLVMIsAConstantInt(rest) && LLVMConstIntGetZExtValue(rest) == 0)
        return;
    Loop tail = loop_begin(e, whole, count, width);
    body(e, tail.index, emit_tail_mask(e, tail.index, count), state);
    loop_end(e, &tail);
}

typedef struct FloatRun {
    LLVMValueRef to, from;
} FloatRun;

static void zero_columns(Emit *e, LLVMValueRef column, LLVMValueRef mask, void *state)
{
    const FloatRun *run = state;
    emit_store_vector(e, LLVMConstNull(e->vf), emit_at(e, e->f32, run->to, column), mask);
}

static void copy_columns(Emit *e, LLVMValueRef column, LLVMValueRef mask, void *state)
{
    const FloatRun *run = state;
    LLVMValueRef x = emit_load_vector(e, emit_at(e, e->f32, run->from, column), mask);
    emit_store_vector(e, x, emit_at(e, e->f32, run->to, column), mask);
}

static void add_columns(Emit *e, LLVMValueRef column, LLVMValueRef mask, void *state)
{
    const FloatRun *run = state;
    LLVMValueRef to = emit_at(e, e->f32, run->to, column);
    LLVMValueRef x = emit_load_vector(e, emit_at(e, e->f32, run->from, column), mask);
    LLVMValueRef sum = LLVMBuildFAdd(e->builder, emit_load_vector(e, to, mask), x, "");
    emit_store_vector(e, sum, to, mask);
}

void emit_zero_floats(Emit *e, LLVMValueRef to, LLVMValueRef count)
{
    emit_columns(e, count, zero_columns, &(FloatRun){.to = to});
}

void emit_copy_floats(Emit *e, LLVMValueRef to, LLVMValueRef from, LLVMValueRef count)
{
    emit_columns(e, count, copy_columns, &(FloatRun){to, from});
}

void emit_add_floats(Emit *e, LLVMValueRef to, LLVMValueRef from, LLVMValueRef count)
{
    emit_columns(e, count, add_columns, &(FloatRun){to, from});
}

/* -- functions --------------------------------------------------------------------- */

/* With the kernel's target attributes, so that both are made for the same processor. */
static LLVMValueRef add_function(Emit *e, const LocalFunction *local)
{
    LLVMValueRef function = LLVMAddFunction(e->module, local->name, local->type);
    LLVMSetLinkage(function, LLVMInternalLinkage);
    const LLVMAttributeIndex place = (LLVMAttributeIndex)LLVMAttributeFunctionIndex;
    unsigned count = LLVMGetAttributeCountAtIndex(e->function, place);
    LLVMAttributeRef *attributes = ARENA_ARRAY(e->arena, LLVMAttributeRef, count);
    LLVMGetAttributesAtIndex(e->function, place, attributes);
    for (unsigned i = 0; i < count; i++)
        LLVMAddAttributeAtIndex(function, place, attributes[i]);
    LLVMBasicBlockRef here = LLVMGetInsertBlock(e->builder);
    LLVMPositionBuilderAtEnd(
        e->builder, LLVMAppendBasicBlockInContext(e->context, function, "entry"));
    local->body(e, function, local->context);
    LLVMBuildRetVoid(e->builder);
    LLVMPositionBuilderAtEnd(e->builder, here);
    return function;
}

void emit_call(Emit *e, const LocalFunction *local, LLVMValueRef *arguments,
               unsigned count)
{
    LLVMValueRef function = LLVMGetNamedFunction(e->module, local->name);
    if (!function)
        function = add_function(e, local);
    LLVMBuildCall2(e->builder, local->type, function, arguments, count, "");
}

/* -- intrinsics -------------------------------------------------------------------- */

static LLVMValueRef call_intrinsic(Emit *e, const char *name, LLVMTypeRef *overloads,
                                   unsigned overload_count, LLVMValueRef *args,
                                   unsigned count)
{
    unsigned id = LLVMLookupIntrinsicID(name, strlen(name));
    assert(id != 0);
    LLVMValueRef callee =
        LLVMGetIntrinsicDeclaration(e->module, id, overloads, overload_count);
    LLVMTypeRef type = LLVMIntrinsicGetType(e->context, id, overloads, overload_count);
    return LLVMBuildCall2(e->builder, type, callee, args, count, "");
}

LLVMValueRef emit_intrinsic(Emit *e, const char *name, LLVMValueRef *args, unsigned count)
{
    LLVMTypeRef overload = LLVMTypeOf(args[0]);
    return call_intrinsic(e, name, &overload, 1, args, count);
}

static void prefetch(Emit *e, LLVMValueRef address, uint32_t nearness)
{
    enum { READ = 0, DATA = 1 };
    LLVMValueRef args[] = {address, emit_i32(e, READ), emit_i32(e, nearness),
                           emit_i32(e, DATA)};
    call_intrinsic(e, "llvm.prefetch", &e->ptr, 1, args, 4);
}

void emit_prefetch(Emit *e, LLVMValueRef address)
{
    enum { NEAREST = 3 };
    prefetch(e, address, NEAREST);
}

void emit_prefetch_second(Emit *e, LLVMValueRef address)
{
    enum { SECOND = 2 };
    prefetch(e, address, SECOND);
}

/* fmuladd, not fma: a processor without the instruction would call a function instead. */
LLVMValueRef emit_fma(Emit *e, LLVMValueRef a, LLVMValueRef b, LLVMValueRef c)
{
    LLVMValueRef args[] = {a, b, c};
    return emit_intrinsic(e, "llvm.fmuladd", args, 3);
}

/* -- vectors ----------------------------------------------------------------------- */

LLVMValueRef emit_splat(Emit *e, LLVMValueRef scalar)
{
    LLVMTypeRef type = LLVMVectorType(LLVMTypeOf(scalar), e->width);
    LLVMValueRef one = LLVMBuildInsertElement(e->builder, LLVMGetPoison(type), scalar,
                                              emit_i32(e, 0), "");
    LLVMValueRef zeros = LLVMConstNull(e->vi);
    return LLVMBuildShuffleVector(e->builder, one, LLVMGetPoison(type), zeros, "");
}

LLVMValueRef emit_element_numbers(Emit *e)
{
    LLVMValueRef numbers[16];
    for (uint32_t i = 0; i < e->width; i++)
        numbers[i] = emit_i32(e, i);
    return LLVMConstVector(numbers, e->width);
}

LLVMValueRef emit_tail_mask(Emit *e, LLVMValueRef column, LLVMValueRef count)
{
    LLVMValueRef lanes =
        emit_least(e, LLVMBuildSub(e->builder, count, column, ""), emit_i64(e, e->width));
    LLVMValueRef limit = LLVMBuildTrunc(e->builder, lanes, e->i32, "");
    return LLVMBuildICmp(e->builder, LLVMIntSLT, emit_element_numbers(e),
                         emit_splat(e, limit), "");
}

LLVMValueRef emit_load_masked(Emit *e, LLVMTypeRef type, LLVMValueRef address,
                              LLVMValueRef mask)
{
    if (mask) {
        LLVMTypeRef overloads[] = {type, e->ptr};
        LLVMValueRef args[] = {address, emit_i32(e, 4), mask, LLVMConstNull(type)};
        return call_intrinsic(e, "llvm.masked.load", overloads, 2, args, 4);
    }
    LLVMValueRef load = emit_load(e, type, address);
    LLVMSetAlignment(load, 4);
    return load;
}

LLVMValueRef emit_load_vector(Emit *e, LLVMValueRef address, LLVMValueRef mask)
{
    return emit_load_masked(e, e->vf, address, mask);
}

void emit_store_vector(Emit *e, LLVMValueRef value, LLVMValueRef address,
                       LLVMValueRef mask)
{
    if (mask) {
        LLVMTypeRef overloads[] = {LLVMTypeOf(value), e->ptr};
        LLVMValueRef args[] = {value, address, emit_i32(e, 4), mask};
        call_intrinsic(e, "llvm.masked.store", overloads, 2, args, 4);
        return;
    }
    LLVMValueRef store = LLVMBuildStore(e->builder, value, address);
    LLVMSetAlignment(store, 4);
}

/* a where `better` holds, else b; NaN if either is. The comparison fails where one is
 * NaN, which gives b, so only a must be asked about; a constant never is NaN. */
static LLVMValueRef emit_better(Emit *e, LLVMRealPredicate better, LLVMValueRef a,
                                LLVMValueRef b)
{
    if (LLVMIsConstant(b) && !LLVMIsConstant(a))
        return emit_better(e, better, b, a);
    LLVMValueRef holds = LLVMBuildFCmp(e->builder, better, a, b, "");
    LLVMValueRef best = LLVMBuildSelect(e->builder, holds, a, b, "");
    if (LLVMIsConstant(a))
        return best;
    LLVMValueRef is_nan = LLVMBuildFCmp(e->builder, LLVMRealUNO, a, a, "");
    return LLVMBuildSelect(e->builder, is_nan, a, best, "");
}

LLVMValueRef emit_larger(Emit *e, LLVMValueRef a, LLVMValueRef b)
{
    return emit_better(e, LLVMRealOGT, a, b);
}

LLVMValueRef emit_smaller(Emit *e, LLVMValueRef a, LLVMValueRef b)
{
    return emit_better(e, LLVMRealOLT, a, b);
}

LLVMValueRef emit_larger_number(Emit *e, LLVMValueRef a, LLVMValueRef b)
{
    LLVMValueRef holds = LLVMBuildFCmp(e->builder, LLVMRealOGT, a, b, "");
    return LLVMBuildSelect(e->builder, holds, a, b, "");
}

static LLVMValueRef add_floats(Emit *e, LLVMValueRef a, LLVMValueRef b)
{
    return LLVMBuildFAdd(e->builder, a, b, "");
}

/* Joins the halves until one lane is left. */
static LLVMValueRef reduce_vector(Emit *e, LLVMValueRef vector,
                                  LLVMValueRef (*join)(Emit *, LLVMValueRef,
                                                       LLVMValueRef))
{
    for (uint32_t half = e->width / 2; half > 0; half /= 2) {
        LLVMValueRef low[8], high[8];
        for (uint32_t i = 0; i < half; i++) {
            low[i] = emit_i32(e, i);
            high[i] = emit_i32(e, half + i);
        }
        LLVMValueRef none = LLVMGetPoison(LLVMTypeOf(vector));
        LLVMValueRef a = LLVMBuildShuffleVector(e->builder, vector, none,
                                                LLVMConstVector(low, half), "");
        LLVMValueRef b = LLVMBuildShuffleVector(e->builder, vector, none,
                                                LLVMConstVector(high, half), "");
        vector = join(e, a, b);
    }
    return LLVMBuildExtractElement(e->builder, vector, emit_i32(e, 0), "");
}

LLVMValueRef emit_sum_vector(Emit *e, LLVMValueRef vector)
{
    return reduce_vector(e, vector, add_floats);
}

LLVMValueRef emit_max_vector(Emit *e, LLVMValueRef vector)
{
    return reduce_vector(e, vector, emit_larger);
}

LLVMValueRef emit_max_number(Emit *e, LLVMValueRef vector)
{
    return reduce_vector(e, vector, emit_larger_number);
}
