/* Small matrix products: C = A B with everything in cache, as in one head of
 * attention.
 *
 * C is cut into blocks of rows by vectors; a block's sums stay in registers while k
 * runs, so each turn loads a few vectors of B and a few numbers of A for many
 * multiply-adds. The rows that are left over are done by the same block with its row
 * numbers clamped to the last row: it is computed several times to the same bits and
 * stored several times, which is harmless and needs no other code. Columns left over
 * are masked. Every element is one chain of multiply-adds in the order of k, whatever
 * block it falls in.
 *
 * The code is one internal function per kernel module, shared by all its products. */
#include "codegen/loops.h"

enum { MAX_ROWS = 6, MAX_VECTORS = 4 };

typedef struct MatmulBlock {
    Emit *e;
    const SmallMatmul *p;
    uint32_t rows, vectors;
    LLVMValueRef row; /* i64, of C: where the block begins */
    LLVMValueRef column;
    LLVMValueRef mask; /* of the only vector, or NULL */
    LLVMValueRef row_numbers[MAX_ROWS];
    LLVMValueRef sums[MAX_ROWS][MAX_VECTORS];
} MatmulBlock;

static LLVMValueRef vector_at(const MatmulBlock *b, LLVMValueRef row_start,
                              uint32_t vector)
{
    return emit_at(b->e, b->e->f32, row_start,
                   emit_i64(b->e, (int64_t)vector * b->e->width));
}

/* The row numbers, clamped, and where the rows of C begin. */
static void find_rows(MatmulBlock *b, LLVMValueRef *starts)
{
    Emit *e = b->e;
    LLVMValueRef last = LLVMBuildSub(e->builder, b->p->m, emit_i64(e, 1), "");
    for (uint32_t i = 0; i < b->rows; i++) {
        b->row_numbers[i] = emit_least(e, emit_plus(e, b->row, emit_i64(e, i)), last);
        starts[i] =
            emit_element(e, b->p->c, b->row_numbers[i], b->p->c_stride, b->column);
    }
}

/* One turn of k: sums += A[rows, k] B[k, columns]. */
static void multiply_add(MatmulBlock *b, LLVMValueRef k, LLVMValueRef *const a_rows,
                         Loop *loop)
{
    Emit *e = b->e;
    LLVMValueRef vectors[MAX_VECTORS];
    LLVMValueRef b_row = emit_element(e, b->p->b, k, b->p->b_stride, b->column);
    for (uint32_t j = 0; j < b->vectors; j++)
        vectors[j] = emit_load_vector(e, vector_at(b, b_row, j), b->mask);
    LLVMValueRef a_offset = emit_times(e, k, b->p->a_k_stride);
    for (uint32_t i = 0; i < b->rows; i++) {
        LLVMValueRef a = emit_load(e, e->f32, emit_at(e, e->f32, a_rows[i], a_offset));
        LLVMValueRef copies = emit_splat(e, a);
        for (uint32_t j = 0; j < b->vectors; j++)
            loop_next(e, loop, b->sums[i][j],
                      emit_fma(e, copies, vectors[j], b->sums[i][j]));
    }
}

static void emit_block(MatmulBlock *b)
{
    Emit *e = b->e;
    LLVMValueRef starts[MAX_ROWS], a_rows[MAX_ROWS];
    find_rows(b, starts);
    for (uint32_t i = 0; i < b->rows; i++)
        a_rows[i] = emit_element(e, b->p->a, b->row_numbers[i], b->p->a_row_stride,
                                 emit_i64(e, 0));
    Loop loop = loop_begin(e, emit_i64(e, 0), b->p->k, 1);
    for (uint32_t i = 0; i < b->rows; i++)
        for (uint32_t j = 0; j < b->vectors; j++)
            b->sums[i][j] = loop_carry(e, &loop, LLVMConstNull(e->vf));
    multiply_add(b, loop.index, a_rows, &loop);
    loop_end(e, &loop);
    for (uint32_t i = 0; i < b->rows; i++)
        for (uint32_t j = 0; j < b->vectors; j++)
            emit_store_vector(e, b->sums[i][j], vector_at(b, starts[i], j), b->mask);
}

/* All rows of one panel of columns: large blocks while more than a small one is left. */
static void emit_panel(MatmulBlock *b)
{
    Emit *e = b->e;
    static const uint32_t heights[] = {MAX_ROWS, 2};
    LLVMValueRef row = emit_i64(e, 0);
    for (uint32_t h = 0; h < 2; h++) {
        LLVMValueRef end =
            h == 0 ? LLVMBuildSub(e->builder, b->p->m, emit_i64(e, heights[1]), "")
                   : b->p->m;
        Loop loop = loop_begin(e, row, end, heights[h]);
        b->rows = heights[h];
        b->row = loop.index;
        emit_block(b);
        loop_end(e, &loop);
        row = loop.index;
    }
}

static void emit_all(Emit *e, const SmallMatmul *p)
{
    LLVMValueRef column = emit_i64(e, 0);
    for (uint32_t vectors = e->width >= 16 ? MAX_VECTORS : 2; vectors > 0; vectors /= 2) {
        int64_t columns = (int64_t)vectors * e->width;
        LLVMValueRef end = LLVMBuildSub(e->builder, p->n, emit_i64(e, columns - 1), "");
        Loop loop = loop_begin(e, column, end, columns);
        emit_panel(
            &(MatmulBlock){.e = e, .p = p, .vectors = vectors, .column = loop.index});
        loop_end(e, &loop);
        column = loop.index;
    }
    Loop tail = loop_begin(e, column, p->n, e->width);
    emit_panel(&(MatmulBlock){.e = e,
                              .p = p,
                              .vectors = 1,
                              .column = tail.index,
                              .mask = emit_tail_mask(e, tail.index, p->n)});
    loop_end(e, &tail);
}

/* -- the function ------------------------------------------------------------------ */

enum { ARGUMENTS = 10 };

static SmallMatmul parameters_of(LLVMValueRef function)
{
    LLVMValueRef x[ARGUMENTS];
    LLVMGetParams(function, x);
    return (SmallMatmul){.a = x[0],
                         .a_row_stride = x[1],
                         .a_k_stride = x[2],
                         .b = x[3],
                         .b_stride = x[4],
                         .c = x[5],
                         .c_stride = x[6],
                         .m = x[7],
                         .n = x[8],
                         .k = x[9]};
}

static LLVMTypeRef function_type(Emit *e)
{
    LLVMTypeRef types[ARGUMENTS] = {e->ptr, e->i64, e->i64, e->ptr, e->i64,
                                    e->ptr, e->i64, e->i64, e->i64, e->i64};
    return LLVMFunctionType(LLVMVoidTypeInContext(e->context), types, ARGUMENTS, 0);
}

static void emit_body(Emit *e, LLVMValueRef function, const void *context)
{
    (void)context;
    SmallMatmul parameters = parameters_of(function);
    emit_all(e, &parameters);
}

void emit_small_matmul(Emit *e, const SmallMatmul *p)
{
    LLVMValueRef arguments[ARGUMENTS] = {
        p->a, p->a_row_stride, p->a_k_stride, p->b, p->b_stride,
        p->c, p->c_stride,     p->m,          p->n, p->k};
    const LocalFunction function = {
        .name = "small_matmul", .type = function_type(e), .body = emit_body};
    emit_call(e, &function, arguments, ARGUMENTS);
}
