/* What emitters are built of, in kernels of this test's own: small matrix products,
 * transposition, loops over columns with tails, reductions of vectors. The sizes are
 * arguments, so one kernel serves all of them. Memory around the results is filled
 * with a mark that must survive. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <llvm-c/Error.h>
#include <llvm-c/LLJIT.h>

#include "codegen/kernel.h"
#include "codegen/loops.h"
#include "ir/base/heap.h"
#include "tests/check.h"
#include "tests/codegen/numbers.h"

enum { MOST = 80, ROUND = 16 };
static const float MARK = 1000;

/* The kernels take three float arrays and an array of i64. */
enum { A, B, C, SIZES };

static LLVMValueRef size_argument(Emit *e, uint32_t index)
{
    return emit_load(e, e->i64,
                     emit_at(e, e->i64, emit_operand(e, SIZES), emit_i64(e, index)));
}

/* C[m, n] = A B, strides given. */
static void product_emit(Emit *e, const KernelStep *step)
{
    (void)step;
    emit_small_matmul(e, &(SmallMatmul){.a = emit_operand(e, A),
                                        .b = emit_operand(e, B),
                                        .c = emit_operand(e, C),
                                        .m = size_argument(e, 0),
                                        .n = size_argument(e, 1),
                                        .k = size_argument(e, 2),
                                        .a_row_stride = size_argument(e, 3),
                                        .a_k_stride = size_argument(e, 4),
                                        .b_stride = size_argument(e, 5),
                                        .c_stride = size_argument(e, 6)});
    LLVMBuildRetVoid(e->builder);
}

static void transpose_emit(Emit *e, const KernelStep *step)
{
    (void)step;
    emit_transpose(e, &(Transpose){.from = emit_operand(e, A),
                                   .to = emit_operand(e, C),
                                   .rows = size_argument(e, 0),
                                   .columns = size_argument(e, 1),
                                   .from_stride = size_argument(e, 2),
                                   .to_stride = size_argument(e, 3)});
    LLVMBuildRetVoid(e->builder);
}

typedef struct Reduction {
    LLVMValueRef from, sums, maxima;
} Reduction;

/* Sum and maximum of every vector of A, to the vector's first place in B and C. */
static void reduce_columns(Emit *e, LLVMValueRef column, LLVMValueRef mask, void *state)
{
    const Reduction *r = state;
    LLVMValueRef x = emit_load_vector(e, emit_at(e, e->f32, r->from, column), mask);
    emit_store(e, emit_sum_vector(e, x), emit_at(e, e->f32, r->sums, column));
    emit_store(e, emit_max_vector(e, x), emit_at(e, e->f32, r->maxima, column));
}

static void reduce_emit(Emit *e, const KernelStep *step)
{
    (void)step;
    Reduction r = {emit_operand(e, A), emit_operand(e, B), emit_operand(e, C)};
    emit_columns(e, size_argument(e, 0), reduce_columns, &r);
    LLVMBuildRetVoid(e->builder);
}

static void describe_nothing(const KernelStep *step, FILE *out)
{
    (void)step;
    (void)out;
}

/* -- compiling them ---------------------------------------------------------------- */

typedef struct Bench {
    Check *check;
    Processor processor;
    LLVMOrcLLJITRef linker;
    KernelTable table;
    float a[MOST * MOST], b[MOST * MOST], c[MOST * MOST];
    int64_t sizes[8];
} Bench;

static KernelFn *compile(Bench *bench, const char *name,
                         void (*emit)(Emit *, const KernelStep *))
{
    KernelClass *kernel_class = ARENA_ARRAY(bench->table.arena, KernelClass, 1);
    *kernel_class =
        (KernelClass){.name = name, .describe = describe_nothing, .emit = emit};
    Kernel *kernel =
        kernel_table_add(&bench->table, kernel_class, &(KernelStep){.graph = NULL});
    snprintf(kernel->symbol, sizeof kernel->symbol, "%s", name);
    LLVMTargetMachineRef machine = processor_machine(&bench->processor);
    kernel_compile(kernel, &bench->processor, machine, NULL);
    LLVMDisposeTargetMachine(machine);
    if (!kernel->object) {
        fprintf(stderr, "%s: %s\n", name, kernel->error);
        exit(1);
    }
    LLVMOrcExecutorAddress address = 0;
    LLVMErrorRef error = LLVMOrcLLJITAddObjectFile(
        bench->linker, LLVMOrcLLJITGetMainJITDylib(bench->linker), kernel->object);
    if (!error)
        error = LLVMOrcLLJITLookup(bench->linker, &address, name);
    if (error) {
        fprintf(stderr, "%s: %s\n", name, LLVMGetErrorMessage(error));
        exit(1);
    }
    return (KernelFn *)(uintptr_t)address;
}

static void run(Bench *bench, KernelFn *kernel)
{
    void *operands[] = {bench->a, bench->b, bench->c, bench->sizes};
    for (int i = 0; i < MOST * MOST; i++)
        bench->c[i] = MARK;
    kernel(operands, NULL, NULL, NULL);
}

/* -- small matrix products --------------------------------------------------------- */

static void expect_product(Bench *bench)
{
    const int64_t *s = bench->sizes;
    double error = 0;
    bool marked = true;
    for (int64_t i = 0; i < MOST * MOST; i++) {
        int64_t row = i / s[6], column = i % s[6];
        if (row >= s[0] || column >= s[1]) {
            marked = marked && bench->c[i] == MARK;
            continue;
        }
        double want = 0;
        for (int64_t k = 0; k < s[2]; k++)
            want += (double)bench->a[row * s[3] + k * s[4]] *
                    (double)bench->b[k * s[5] + column];
        error = fmax(error, fabs(want - (double)bench->c[i]));
    }
    CHECK(bench->check, error < 1e-5, "%d x %d x %d: error %g", (int)s[0], (int)s[1],
          (int)s[2], error);
    CHECK(bench->check, marked, "%d x %d x %d writes outside", (int)s[0], (int)s[1],
          (int)s[2]);
}

static void test_products(Bench *bench)
{
    KernelFn *kernel = compile(bench, "product", product_emit);
    static const int64_t depths[] = {0, 1, 3, 17};
    for (int64_t m = 0; m <= 15; m++)
        for (int64_t n = 0; n <= 70; n += n < 36 ? 1 : 7)
            for (int d = 0; d < 4; d++) {
                bool transposed = (m + n) % 2;
                int64_t sizes[] = {
                    m, n, depths[d], transposed ? 1 : 20, transposed ? 20 : 1, 73, 76};
                memcpy(bench->sizes, sizes, sizeof sizes);
                run(bench, kernel);
                expect_product(bench);
            }
}

/* -- transposition ----------------------------------------------------------------- */

static void test_transposes(Bench *bench)
{
    KernelFn *kernel = compile(bench, "transpose", transpose_emit);
    for (int64_t rows = 0; rows <= 37; rows++)
        for (int64_t columns = 1; columns <= 35; columns++) {
            int64_t stride = (rows + ROUND - 1) / ROUND * ROUND;
            int64_t room = (columns + ROUND - 1) / ROUND * ROUND * stride;
            int64_t sizes[] = {rows, columns, 40, stride};
            memcpy(bench->sizes, sizes, sizeof sizes);
            run(bench, kernel);
            bool right = true;
            for (int64_t i = 0; i < rows; i++)
                for (int64_t j = 0; j < columns; j++)
                    right = right && bench->c[j * stride + i] == bench->a[i * 40 + j];
            for (int64_t i = room; i < MOST * MOST; i++)
                right = right && bench->c[i] == MARK;
            CHECK(bench->check, right, "%d x %d", (int)rows, (int)columns);
        }
}

/* -- columns and vectors ------------------------------------------------------------- */

static void test_reductions(Bench *bench)
{
    KernelFn *kernel = compile(bench, "reduce", reduce_emit);
    int64_t width = bench->processor.vector_width;
    for (int64_t count = 0; count <= 3 * width + 1; count++) {
        bench->sizes[0] = count;
        run(bench, kernel);
        for (int64_t first = 0; first < count; first += width) {
            double sum = 0, largest = first + width > count ? 0 : -(double)INFINITY;
            for (int64_t i = first; i < first + width && i < count; i++) {
                sum += (double)bench->a[i];
                largest = fmax(largest, (double)bench->a[i]);
            }
            CHECK(bench->check, fabs((double)bench->b[first] - sum) < 1e-5,
                  "sum from %d of %d: %g, not %g", (int)first, (int)count,
                  (double)bench->b[first], sum);
            CHECK(bench->check, (double)bench->c[first] == largest,
                  "maximum from %d of %d: %g, not %g", (int)first, (int)count,
                  (double)bench->c[first], largest);
        }
        CHECK(bench->check, bench->c[(count + width - 1) / width * width] == MARK,
              "%d columns: one vector too many", (int)count);
    }
}

static void test_processor(Check *check, const char *processor, Diags *diags)
{
    Bench *bench = heap_alloc(sizeof *bench);
    *bench = (Bench){.check = check, .table = {.arena = arena_new()}};
    if (!processor_open(&bench->processor, processor, diags))
        exit(1);
    LLVMErrorRef error = LLVMOrcCreateLLJIT(&bench->linker, NULL);
    if (error) {
        fprintf(stderr, "%s\n", LLVMGetErrorMessage(error));
        exit(1);
    }
    numbers_fill(bench->a, MOST * MOST, 1, 1);
    numbers_fill(bench->b, MOST * MOST, 2, 1);
    test_products(bench);
    test_transposes(bench);
    test_reductions(bench);
    LLVMConsumeError(LLVMOrcDisposeLLJIT(bench->linker));
    processor_close(&bench->processor);
    arena_free(bench->table.arena);
    free(bench);
}

int main(void)
{
    Check check = {0};
    Diags *diags = diags_new(stderr);
    for (int i = 0; i < numbers_processor_count; i++)
        test_processor(&check, numbers_processors[i], diags);
    diags_free(diags);
    return check_finish(&check);
}
