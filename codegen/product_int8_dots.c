/* Products of integers by VPDPBUSD, which adds to each of a vector's sums the products of
 * four bytes without a sign, B's, and four with one, A's: four times the multiply-adds of
 * f32. 128 was added to B's, so sums begin with what that makes too much. Processors
 * without it widen the bytes and multiply them one by one. */
#include <string.h>

#include "codegen/int8.h"
#include "codegen/product_unit.h"

enum { MAX_ROWS = 12, MAX_VECTORS = 2, GROUP = 4, GROUPS_AT_ONCE = 4 };

/* Some rows of a panel of A with the panel of B. */
typedef struct IntegerSums {
    const ProductBlock *block;
    uint32_t rows;
    LLVMValueRef row; /* of the block: the first */
    LLVMValueRef a;   /* its bytes at the first k */
    LLVMValueRef sums[MAX_ROWS][MAX_VECTORS];
} IntegerSums;

/* -- one group of four --------------------------------------------------------------- */

static LLVMValueRef dot(Emit *e, LLVMValueRef sum, LLVMValueRef a, LLVMValueRef b)
{
    static const char name[] = "llvm.x86.avx512.vpdpbusd.512";
    unsigned id = LLVMLookupIntrinsicID(name, strlen(name));
    LLVMValueRef callee = LLVMGetIntrinsicDeclaration(e->module, id, NULL, 0);
    LLVMValueRef args[] = {sum, b, emit_splat(e, a)};
    return LLVMBuildCall2(e->builder, LLVMIntrinsicGetType(e->context, id, NULL, 0),
                          callee, args, 3, "");
}

/* Byte `byte` of each i32, with its sign; `x` is one or a vector of them. */
static LLVMValueRef byte_of(Emit *e, LLVMValueRef x, uint32_t byte)
{
    enum { BYTE_BITS = 8, LAST = 3 };
    LLVMTypeRef type = LLVMTypeOf(x);
    bool is_vector = LLVMGetTypeKind(type) == LLVMVectorTypeKind;
    LLVMValueRef left = emit_i32(e, BYTE_BITS * (LAST - byte)),
                 right = emit_i32(e, BYTE_BITS * LAST);
    if (is_vector) {
        left = emit_splat(e, left);
        right = emit_splat(e, right);
    }
    return LLVMBuildAShr(e->builder, LLVMBuildShl(e->builder, x, left, ""), right, "");
}

static LLVMValueRef widened_dot(Emit *e, LLVMValueRef sum, LLVMValueRef a, LLVMValueRef b)
{
    for (uint32_t i = 0; i < GROUP; i++) {
        LLVMValueRef product = LLVMBuildMul(e->builder, emit_splat(e, byte_of(e, a, i)),
                                            byte_of(e, b, i), "");
        sum = LLVMBuildAdd(e->builder, sum, product, "");
    }
    return sum;
}

/* Group `group` of the run of 4 vectors of k at `a` and `b`. */
static void add_group(IntegerSums *s, LLVMValueRef a, LLVMValueRef b, LLVMValueRef group)
{
    Emit *e = s->block->e;
    const uint32_t vectors = s->block->vectors, row_bytes = GROUP * e->width;
    LLVMValueRef columns[MAX_VECTORS];
    LLVMValueRef at = emit_times(e, group, emit_i64(e, vectors * row_bytes));
    for (uint32_t j = 0; j < vectors; j++)
        columns[j] = emit_load_masked(
            e, e->vi, emit_at(e, e->i8, b, emit_plus(e, at, emit_i64(e, j * row_bytes))),
            NULL);
    at = emit_times(e, group, emit_i64(e, GROUP));
    for (uint32_t i = 0; i < s->rows; i++) {
        LLVMValueRef place = emit_plus(e, at, emit_i64(e, i * row_bytes));
        LLVMValueRef bytes = emit_load(e, e->i32, emit_at(e, e->i8, a, place));
        for (uint32_t j = 0; j < vectors; j++)
            s->sums[i][j] = s->block->unit->adds_128
                                ? dot(e, s->sums[i][j], bytes, columns[j])
                                : widened_dot(e, s->sums[i][j], bytes, columns[j]);
    }
}

/* -- sums ---------------------------------------------------------------------------- */

static void start_sums(IntegerSums *s)
{
    Emit *e = s->block->e;
    for (uint32_t i = 0; i < s->rows; i++) {
        LLVMValueRef at = emit_at(e, e->i32, s->block->row_starts,
                                  emit_plus(e, s->row, emit_i64(e, i)));
        LLVMValueRef start = s->block->unit->adds_128
                                 ? emit_splat(e, emit_load(e, e->i32, at))
                                 : LLVMConstNull(e->vi);
        for (uint32_t j = 0; j < s->block->vectors; j++)
            s->sums[i][j] = start;
    }
}

/* The sums as phis of a loop; and what they are in the next turn. */
static IntegerSums carry_sums(const IntegerSums *s, Loop *loop)
{
    IntegerSums phis = *s;
    for (uint32_t i = 0; i < s->rows; i++)
        for (uint32_t j = 0; j < s->block->vectors; j++)
            phis.sums[i][j] = loop_carry(s->block->e, loop, s->sums[i][j]);
    return phis;
}

static void next_sums(const IntegerSums *phis, const IntegerSums *next, Loop *loop)
{
    for (uint32_t i = 0; i < phis->rows; i++)
        for (uint32_t j = 0; j < phis->block->vectors; j++)
            loop_next(phis->block->e, loop, phis->sums[i][j], next->sums[i][j]);
}

static void add_run(IntegerSums *s, LLVMValueRef run)
{
    const ProductBlock *b = s->block;
    Emit *e = b->e;
    const int64_t run_bytes = (int64_t)GROUP * e->width;
    LLVMValueRef a_step = emit_i64(e, b->unit->rows * run_bytes),
                 b_step = emit_i64(e, b->vectors * run_bytes * e->width);
    LLVMValueRef a = emit_at(e, e->i8, s->a, emit_times(e, run, a_step)),
                 columns = emit_at(e, e->i8, b->b_panel, emit_times(e, run, b_step));
    Loop loop = loop_begin(e, emit_i64(e, 0), emit_i64(e, e->width), GROUPS_AT_ONCE);
    IntegerSums phis = carry_sums(s, &loop);
    IntegerSums next = phis;
    for (uint32_t i = 0; i < GROUPS_AT_ONCE; i++)
        add_group(&next, a, columns, emit_plus(e, loop.index, emit_i64(e, i)));
    next_sums(&phis, &next, &loop);
    loop_end(e, &loop);
    *s = phis;
}

static void emit_sums(IntegerSums *s)
{
    const ProductBlock *b = s->block;
    Emit *e = b->e;
    start_sums(s);
    LLVMValueRef runs = LLVMBuildSDiv(e->builder, product_int8_depth(b),
                                      emit_i64(e, (int64_t)GROUP * e->width), "");
    Loop loop = loop_begin(e, emit_i64(e, 0), runs, 1);
    IntegerSums phis = carry_sums(s, &loop);
    IntegerSums next = phis;
    add_run(&next, loop.index);
    next_sums(&phis, &next, &loop);
    loop_end(e, &loop);
    for (uint32_t i = 0; i < s->rows; i++)
        product_int8_add(b, emit_plus(e, s->row, emit_i64(e, i)), phis.sums[i]);
}

/* Whole panels of A, then what is left of the last, a few rows at a time. */
static void multiply(const ProductBlock *b)
{
    Emit *e = b->e;
    LLVMValueRef whole =
        LLVMBuildSub(e->builder, b->rows, emit_i64(e, b->unit->rows - 1), "");
    Loop panel = loop_begin(e, emit_i64(e, 0), whole, b->unit->rows);
    emit_sums(&(IntegerSums){.block = b,
                             .rows = b->unit->rows,
                             .row = panel.index,
                             .a = product_int8_panel(b, panel.index)});
    loop_end(e, &panel);
    LLVMValueRef last = product_int8_panel(b, panel.index);
    Loop rest = loop_begin(e, panel.index, b->rows, b->unit->few_rows);
    LLVMValueRef before = LLVMBuildSub(e->builder, rest.index, panel.index, "");
    before = emit_times(e, before, emit_i64(e, (int64_t)GROUP * e->width));
    emit_sums(&(IntegerSums){.block = b,
                             .rows = b->unit->few_rows,
                             .row = rest.index,
                             .a = emit_at(e, e->i8, last, before)});
    loop_end(e, &rest);
}

/* -- shapes -------------------------------------------------------------------------- */

#define FUNCTIONS                                                                        \
    .is_int8 = true, .pack_a = product_int8_pack_a, .pack_b = product_int8_pack_b,       \
    .multiply = multiply
static const ProductUnit dots = {.name = "int8_dots",
                                 .adds_128 = true,
                                 .rows = 12,
                                 .vectors = 2,
                                 .few_rows = 4,
                                 FUNCTIONS},
                         widened = {.name = "int8",
                                    .rows = 4,
                                    .vectors = 2,
                                    .few_rows = 2,
                                    FUNCTIONS};

const ProductUnit *product_unit_int8_dots(const Processor *processor)
{
    return processor->has_avx512_vnni && processor->vector_width == WIDEST_VECTOR
               ? &dots
               : &widened;
}
