/* The loops over blocks, as one function of a kernel's module for each form of
 * product. */
#include "codegen/product.h"

#include <stddef.h>
#include <stdio.h>

#include "codegen/int8.h"
#include "codegen/product_unit.h"

/* -- units --------------------------------------------------------------------------- */

static const ProductUnit *unit_int8(const Processor *processor)
{
    const ProductUnit *unit = product_unit_int8_amx(processor);
    return unit ? unit : product_unit_int8_dots(processor);
}

/* The least that is as accurate as asked for, on the fastest unit. */
const ProductUnit *product_unit(const Processor *processor, Precision precision)
{
    if (precision == PRECISION_int8)
        return unit_int8(processor);
    const ProductUnit *unit = product_unit_amx(processor, precision);
    if (!unit)
        unit = product_unit_bf16(processor, precision);
    return unit ? unit : product_unit_fma(processor);
}

/* -- cuts ---------------------------------------------------------------------------- */

/* A run of k is a multiple of this. Panels of f32 have so many rows of room beyond it:
 * whole tiles are written where a matrix is transposed. */
enum { DEPTH_STEP = PRODUCT_TILE_DEPTH };

static int64_t panel_columns(const ProductUnit *unit, const Processor *processor)
{
    return (int64_t)unit->vectors * processor->vector_width;
}

static int64_t element_bytes(const ProductUnit *unit)
{
    return unit->is_int8 ? 1
           : unit->parts ? (int64_t)unit->parts * PRODUCT_PART_BYTES
                         : (int64_t)sizeof(float);
}

/* Half of the second cache for a block of A. A panel of B, which is read once for each
 * panel of A, fits the first cache, of 32 kB or more, beside one of them. Tiles sum a run
 * apart from C, so that results depend on its length, which is therefore fixed. So do
 * integers. */
static ProductCuts cuts_for(const ProductUnit *unit, const Processor *processor)
{
    enum { TILES_DEPTH = 512, PANEL_BYTES = 24 << 10 };
    int64_t row_bytes = panel_columns(unit, processor) * element_bytes(unit);
    int64_t depth = unit->is_int8 ? INT8_RUN
                    : unit->parts ? TILES_DEPTH
                                  : PANEL_BYTES / row_bytes / DEPTH_STEP * DEPTH_STEP;
    int64_t rows = processor->second_cache / 2 / (depth * element_bytes(unit));
    rows = rows / unit->rows * unit->rows;
    return (ProductCuts){rows < unit->rows ? unit->rows : rows, depth};
}

enum { LINE_BYTES = 64 };

typedef struct ProductScratch {
    /* Where they begin, behind the block of A. */
    int64_t b_panel, sums, row_scales, row_starts, flag, bytes;
} ProductScratch;

static ProductScratch scratch_for(const ProductUnit *unit, const Processor *processor)
{
    ProductCuts cuts = cuts_for(unit, processor);
    int64_t columns = panel_columns(unit, processor);
    int64_t spare =
        unit->parts || unit->is_int8 ? 0 : (int64_t)DEPTH_STEP * (int64_t)sizeof(float);
    ProductScratch scratch;
    scratch.b_panel =
        cuts.rows * cuts.depth * element_bytes(unit) + spare * WIDEST_VECTOR;
    scratch.sums =
        scratch.b_panel + cuts.depth * columns * element_bytes(unit) + spare * columns;
    scratch.row_scales = scratch.sums + unit->rows * columns * (int64_t)sizeof(float);
    int64_t row_bytes =
        unit->is_int8 ? whole_vectors(cuts.rows) * (int64_t)sizeof(float) : 0;
    scratch.row_starts = scratch.row_scales + row_bytes;
    scratch.flag = scratch.row_starts + row_bytes;
    scratch.bytes = scratch.flag + LINE_BYTES;
    return scratch;
}

/* No library has products of integers like ours. */
static bool calls_gemm(const Processor *processor, Precision precision)
{
    return processor->calls_gemm && precision != PRECISION_int8;
}

/* Of the unit, or of the one that makes the product again. */
int64_t product_scratch_bytes(const Processor *processor, Precision precision)
{
    int64_t one = scratch_for(product_unit(processor, precision), processor).bytes,
            other = scratch_for(product_unit_fma(processor), processor).bytes;
    return calls_gemm(processor, precision) ? 0 : one > other ? one : other;
}

/* -- the loops ----------------------------------------------------------------------- */

/* min(step, end - begin) */
static LLVMValueRef part_of(Emit *e, LLVMValueRef begin, LLVMValueRef end, int64_t step)
{
    return emit_least(e, LLVMBuildSub(e->builder, end, begin, ""), emit_i64(e, step));
}

static void emit_panel(ProductBlock *block)
{
    block->unit->pack_b(block);
    block->unit->multiply(block);
}

/* Panels as wide as they go; what is left by single vectors, the last of them masked. */
static void emit_panels(ProductBlock *block)
{
    Emit *e = block->e;
    LLVMValueRef column = emit_i64(e, 0);
    const uint32_t widths[] = {block->unit->vectors, 1};
    for (uint32_t i = 0; i < 2; i++) {
        int64_t columns = (int64_t)widths[i] * e->width;
        LLVMValueRef end =
            LLVMBuildSub(e->builder, block->p->n, emit_i64(e, columns - 1), "");
        Loop loop = loop_begin(e, column, end, columns);
        block->vectors = widths[i];
        block->column = loop.index;
        emit_panel(block);
        loop_end(e, &loop);
        column = loop.index;
    }
    Loop tail = loop_begin(e, column, block->p->n, e->width);
    block->column = tail.index;
    block->mask = emit_tail_mask(e, tail.index, block->p->n);
    emit_panel(block);
    loop_end(e, &tail);
    block->mask = NULL;
}

/* An empty sum takes one turn too, which stores zeros. */
static void emit_runs(ProductBlock *block, int64_t depth)
{
    Emit *e = block->e;
    LLVMValueRef at_least[] = {block->p->k, emit_i64(e, 1)};
    Loop loop =
        loop_begin(e, emit_i64(e, 0), emit_intrinsic(e, "llvm.smax", at_least, 2), depth);
    block->first_k = loop.index;
    block->depth = part_of(e, loop.index, block->p->k, depth);
    LLVMValueRef is_start =
        LLVMBuildICmp(e->builder, LLVMIntEQ, loop.index, emit_i64(e, 0), "");
    LLVMValueRef overwrites =
        LLVMBuildICmp(e->builder, LLVMIntEQ, block->p->accumulate, emit_i64(e, 0), "");
    block->is_first = LLVMBuildAnd(e->builder, is_start, overwrites, "");
    block->unit->pack_a(block);
    emit_panels(block);
    loop_end(e, &loop);
}

/* What a function is made for. */
typedef struct ProductCode {
    ProductForm form;
    const ProductUnit *unit;
} ProductCode;

static void call_product(Emit *e, const Product *p, const ProductUnit *unit);

/* Infinity in parts is infinity, 0, 0: times a number in parts that is no number, where
 * f32 has infinity. So is what rounds to infinity as a part. Numbers are seldom so large:
 * where a sum is no number, the whole product is made again in f32, unless C had been
 * something already, which is lost. */
static void multiply_again(const ProductBlock *block)
{
    Emit *e = block->e;
    LLVMValueRef is_lost = emit_load(e, e->i32, block->is_no_number);
    is_lost = LLVMBuildICmp(e->builder, LLVMIntNE, is_lost, emit_i32(e, 0), "");
    LLVMValueRef overwrites =
        LLVMBuildICmp(e->builder, LLVMIntEQ, block->p->accumulate, emit_i64(e, 0), "");
    LLVMValueRef times = LLVMBuildZExt(
        e->builder, LLVMBuildAnd(e->builder, is_lost, overwrites, ""), e->i64, "");
    Loop loop = loop_begin(e, emit_i64(e, 0), times, 1);
    call_product(e, block->p, product_unit_fma(e->step->processor));
    loop_end(e, &loop);
}

static void emit_blocks(Emit *e, const Product *p, const ProductUnit *unit)
{
    const Processor *processor = e->step->processor;
    ProductCuts cuts = cuts_for(unit, processor);
    ProductScratch scratch = scratch_for(unit, processor);
    ProductBlock block = {
        .e = e,
        .unit = unit,
        .p = p,
        .a_block = p->scratch,
        .b_panel = emit_at(e, e->i8, p->scratch, emit_i64(e, scratch.b_panel)),
        .sums = emit_at(e, e->i8, p->scratch, emit_i64(e, scratch.sums)),
        .is_no_number = emit_at(e, e->i8, p->scratch, emit_i64(e, scratch.flag)),
        .row_scales = emit_at(e, e->i8, p->scratch, emit_i64(e, scratch.row_scales)),
        .row_starts = emit_at(e, e->i8, p->scratch, emit_i64(e, scratch.row_starts))};
    emit_store(e, emit_i32(e, 0), block.is_no_number);
    if (unit->begin)
        unit->begin(e);
    Loop loop = loop_begin(e, emit_i64(e, 0), p->m, cuts.rows);
    block.first_row = loop.index;
    block.rows = part_of(e, loop.index, p->m, cuts.rows);
    emit_runs(&block, cuts.depth);
    loop_end(e, &loop);
    if (unit->end)
        unit->end(e);
    if (unit->parts > 1)
        multiply_again(&block);
}

/* -- the function -------------------------------------------------------------------- */

enum { ARGUMENTS = 11 };

static LLVMTypeRef function_type(Emit *e)
{
    LLVMTypeRef types[ARGUMENTS] = {e->i64, e->i64, e->i64, e->ptr, e->i64, e->ptr,
                                    e->i64, e->ptr, e->i64, e->i64, e->ptr};
    return LLVMFunctionType(LLVMVoidTypeInContext(e->context), types, ARGUMENTS, 0);
}

Product product_parameters(LLVMValueRef function, const ProductForm *form)
{
    LLVMValueRef x[ARGUMENTS];
    LLVMGetParams(function, x);
    return (Product){.form = *form,
                     .m = x[0],
                     .n = x[1],
                     .k = x[2],
                     .a = x[3],
                     .a_stride = x[4],
                     .b = x[5],
                     .b_stride = x[6],
                     .c = x[7],
                     .c_stride = x[8],
                     .accumulate = x[9],
                     .scratch = x[10]};
}

void product_call(Emit *e, const Product *p, const char *unit, FunctionBody *body,
                  const void *context)
{
    char name[32];
    snprintf(name, sizeof name, "product_%c%c_%s", p->form.transpose_a ? 't' : 'n',
             p->form.transpose_b ? 't' : 'n', unit);
    LLVMValueRef arguments[ARGUMENTS] = {p->m,        p->n,          p->k,        p->a,
                                         p->a_stride, p->b,          p->b_stride, p->c,
                                         p->c_stride, p->accumulate, p->scratch};
    const LocalFunction function = {
        .name = name, .type = function_type(e), .body = body, .context = context};
    emit_call(e, &function, arguments, ARGUMENTS);
}

/* p with its rows if `holds`, else with none: then its code does nothing. */
static Product rows_if(Emit *e, const Product *p, LLVMValueRef holds)
{
    Product some = *p;
    some.m = LLVMBuildSelect(e->builder, holds, p->m, emit_i64(e, 0), "");
    return some;
}

/* By what is few of it: no rows are worth packing B, and columns that half a vector holds
 * are better along registers than in them. */
static void emit_sizes(Emit *e, const Product *p, const ProductUnit *unit)
{
    enum { FEW_ROWS = 4, FEW_COLUMNS = 8 };
    LLVMBuilderRef builder = e->builder;
    LLVMValueRef few = LLVMBuildICmp(builder, LLVMIntSLE, p->n, emit_i64(e, FEW_COLUMNS),
                                     ""),
                 fewer = LLVMBuildICmp(builder, LLVMIntSLT, p->n, p->m, ""),
                 few_columns = LLVMBuildAnd(builder, few, fewer, ""),
                 few_rows =
                     LLVMBuildICmp(builder, LLVMIntSLE, p->m, emit_i64(e, FEW_ROWS), ""),
                 is_small = LLVMBuildOr(builder, few_rows, few_columns, "");
    Product columns = rows_if(e, p, few_columns), rows = rows_if(e, p, is_small),
            rest = rows_if(e, p, LLVMBuildNot(builder, is_small, ""));
    rows = rows_if(e, &rows, LLVMBuildNot(builder, few_columns, ""));
    product_few_columns(e, &columns);
    product_few_rows(e, &rows);
    emit_blocks(e, &rest, unit);
}

static void emit_body(Emit *e, LLVMValueRef function, const void *context)
{
    const ProductCode *code = context;
    const Product p = product_parameters(function, &code->form);
    if (code->unit->has_few)
        emit_sizes(e, &p, code->unit);
    else
        emit_blocks(e, &p, code->unit);
}

static void call_product(Emit *e, const Product *p, const ProductUnit *unit)
{
    product_call(e, p, unit->name, emit_body, &(ProductCode){p->form, unit});
}

/* By the function that the lane has for it. */
static void emit_gemm(Emit *e, const Product *p)
{
    LLVMTypeRef types[] = {e->i32, e->i32, e->i64, e->i64, e->i64, e->ptr,
                           e->i64, e->ptr, e->i64, e->ptr, e->i64, e->i32};
    unsigned count = sizeof types / sizeof types[0];
    LLVMTypeRef type =
        LLVMFunctionType(LLVMVoidTypeInContext(e->context), types, count, 0);
    LLVMValueRef accumulate =
        LLVMBuildICmp(e->builder, LLVMIntNE, p->accumulate, emit_i64(e, 0), "");
    LLVMValueRef arguments[] = {emit_i32(e, p->form.transpose_a),
                                emit_i32(e, p->form.transpose_b),
                                p->m,
                                p->n,
                                p->k,
                                p->a,
                                p->a_stride,
                                p->b,
                                p->b_stride,
                                p->c,
                                p->c_stride,
                                LLVMBuildZExt(e->builder, accumulate, e->i32, "")};
    LLVMBuildCall2(e->builder, type,
                   emit_lane_field(e, offsetof(LaneContext, gemm), e->ptr), arguments,
                   count, "");
}

void emit_product(Emit *e, const Product *p)
{
    if (calls_gemm(e->step->processor, p->form.precision))
        emit_gemm(e, p);
    else
        call_product(e, p, product_unit(e->step->processor, p->form.precision));
}

void emit_product_store(Emit *e, LLVMValueRef from, LLVMValueRef rows,
                        LLVMValueRef columns, LLVMValueRef to)
{
    const ProductUnit *unit = unit_int8(e->step->processor);
    emit_int8_store(e, from, rows, columns, to, unit->adds_128);
}

int64_t product_stored_bytes(int64_t rows, int64_t columns)
{
    return int8_matrix_bytes(rows, columns);
}
