/* The loops over blocks, as one function of a kernel's module for each form of
 * product. */
#include "codegen/product.h"

#include <stddef.h>
#include <stdio.h>

#include "codegen/int8.h"
#include "codegen/product_unit.h"

/* No library has products of integers like ours. */
static bool calls_gemm(const Processor *processor, Precision precision)
{
    return processor->calls_gemm && precision != PRECISION_int8;
}

int64_t product_scratch_bytes(const Processor *processor, Precision precision)
{
    return calls_gemm(processor, precision)
               ? 0
               : product_scratch(product_unit(processor, precision), processor).bytes;
}

/* -- the loops ----------------------------------------------------------------------- */

/* min(step, end - begin) */
static LLVMValueRef part_of(Emit *e, LLVMValueRef begin, LLVMValueRef end, int64_t step)
{
    return emit_least(e, LLVMBuildSub(e->builder, end, begin, ""), emit_i64(e, step));
}

static void multiply_panel(ProductBlock *block)
{
    if (product_reads_packed(block->unit, block->p->form))
        block->b_panel = product_packed_panel(block, block->p->b);
    else
        block->unit->pack_b(block);
    block->unit->multiply(block);
}

typedef void PanelBody(ProductBlock *block);

/* Panels as wide as they go; what is left by single vectors, the last of them masked. */
static void emit_panels(ProductBlock *block, PanelBody *body)
{
    Emit *e = block->e;
    LLVMValueRef column = block->first_column ? block->first_column : emit_i64(e, 0);
    LLVMValueRef all = block->end_column ? block->end_column : block->p->n;
    const uint32_t widths[] = {block->unit->vectors, 1};
    for (uint32_t i = 0; i < 2; i++) {
        int64_t columns = (int64_t)widths[i] * e->width;
        LLVMValueRef end = LLVMBuildSub(e->builder, all, emit_i64(e, columns - 1), "");
        Loop loop = loop_begin(e, column, end, columns);
        block->vectors = widths[i];
        block->column = loop.index;
        body(block);
        loop_end(e, &loop);
        column = loop.index;
    }
    Loop tail = loop_begin(e, column, all, e->width);
    block->column = tail.index;
    block->mask = emit_tail_mask(e, tail.index, block->p->n);
    body(block);
    loop_end(e, &tail);
    block->mask = NULL;
}

/* What the function that is emitted was given. */
typedef struct ProductArguments {
    Product product; /* but for n, b and c */
    LLVMValueRef outputs, output_count;
} ProductArguments;

/* -- outputs ------------------------------------------------------------------------- */

/* In memory, an array of these. */
enum {
    OUTPUT_n,
    OUTPUT_b,
    OUTPUT_b_stride,
    OUTPUT_plain,
    OUTPUT_c,
    OUTPUT_c_stride,
    OUTPUT_FIELDS
};

static LLVMTypeRef output_type(Emit *e)
{
    LLVMTypeRef types[OUTPUT_FIELDS] = {e->i64, e->ptr, e->i64, e->ptr, e->ptr, e->i64};
    return LLVMStructTypeInContext(e->context, types, OUTPUT_FIELDS, 0);
}

static LLVMValueRef output_field(Emit *e, LLVMValueRef output, unsigned field)
{
    return LLVMBuildStructGEP2(e->builder, output_type(e), output, field, "");
}

static LLVMValueRef store_outputs(Emit *e, const ProductOutput *outputs, uint32_t count)
{
    LLVMValueRef all =
        emit_local_memory(e, LLVMArrayType(output_type(e), (unsigned)count));
    for (uint32_t i = 0; i < count; i++) {
        LLVMValueRef at = emit_at(e, output_type(e), all, emit_i64(e, i));
        emit_store(e, outputs[i].n, output_field(e, at, OUTPUT_n));
        emit_store(e, outputs[i].b, output_field(e, at, OUTPUT_b));
        emit_store(e, outputs[i].b_stride, output_field(e, at, OUTPUT_b_stride));
        emit_store(e, outputs[i].plain ? outputs[i].plain : outputs[i].b,
                   output_field(e, at, OUTPUT_plain));
        emit_store(e, outputs[i].c, output_field(e, at, OUTPUT_c));
        emit_store(e, outputs[i].c_stride, output_field(e, at, OUTPUT_c_stride));
    }
    return all;
}

static Product load_output(Emit *e, const ProductArguments *arguments, LLVMValueRef index)
{
    LLVMValueRef at = emit_at(e, output_type(e), arguments->outputs, index);
    Product p = arguments->product;
    p.n = emit_load(e, e->i64, output_field(e, at, OUTPUT_n));
    p.b = emit_load(e, e->ptr, output_field(e, at, OUTPUT_b));
    p.b_stride = emit_load(e, e->i64, output_field(e, at, OUTPUT_b_stride));
    p.plain = emit_load(e, e->ptr, output_field(e, at, OUTPUT_plain));
    p.c = emit_load(e, e->ptr, output_field(e, at, OUTPUT_c));
    p.c_stride = emit_load(e, e->i64, output_field(e, at, OUTPUT_c_stride));
    return p;
}

static LLVMValueRef is_at_most(Emit *e, LLVMValueRef count, int64_t most)
{
    return LLVMBuildICmp(e->builder, LLVMIntSLE, count, emit_i64(e, most), "");
}

/* Columns that half a vector holds are better along registers than in them; those that a
 * whole one holds, if A need not be transposed for it. */
static LLVMValueRef has_few_columns(Emit *e, const Product *p)
{
    int64_t few = p->form.transpose_a ? e->width : e->width / 2;
    return LLVMBuildAnd(e->builder, is_at_most(e, p->n, few),
                        LLVMBuildICmp(e->builder, LLVMIntSLT, p->n, p->m, ""), "");
}

/* Few rows, too, are not worth packing B. */
static LLVMValueRef is_small(Emit *e, const Product *p)
{
    enum { FEW_ROWS = 4 };
    return LLVMBuildOr(e->builder, is_at_most(e, p->m, FEW_ROWS), has_few_columns(e, p),
                       "");
}

/* What is packed need not be packed again, however little of it there is. */
static bool has_few(const ProductUnit *unit, ProductForm form)
{
    return unit->has_few && form.stored == STORED_AS_ROWS;
}

/* Where share `part` of the widest panels begins; the last of them may be narrower. */
static LLVMValueRef share_begin(const ProductBlock *block, LLVMValueRef part)
{
    Emit *e = block->e;
    const Product *p = block->p;
    int64_t columns = (int64_t)block->unit->vectors * e->width;
    LLVMValueRef widest = emit_i64(e, columns);
    LLVMValueRef up = emit_plus(e, p->n, emit_i64(e, columns - 1));
    LLVMValueRef panels = LLVMBuildUDiv(e->builder, up, widest, "");
    panels = LLVMBuildUDiv(e->builder, emit_times(e, panels, part), p->parts, "");
    return emit_least(e, emit_times(e, panels, widest), p->n);
}

static void find_share(ProductBlock *block)
{
    const Product *p = block->p;
    if (p->form.stored == STORED_AS_ROWS)
        return;
    block->first_column = share_begin(block, p->part);
    block->end_column =
        share_begin(block, emit_plus(block->e, p->part, emit_i64(block->e, 1)));
}

/* Those that are small have been made. */
static void emit_outputs(ProductBlock *block, const ProductArguments *arguments)
{
    Emit *e = block->e;
    Loop loop = loop_begin(e, emit_i64(e, 0), arguments->output_count, 1);
    Product p = load_output(e, arguments, loop.index);
    if (has_few(block->unit, p.form))
        p.n = LLVMBuildSelect(e->builder, is_small(e, &p), emit_i64(e, 0), p.n, "");
    block->p = &p;
    find_share(block);
    emit_panels(block, multiply_panel);
    block->p = &arguments->product;
    loop_end(e, &loop);
}

/* -- blocks -------------------------------------------------------------------------- */

/* For the first output: where integers are scaled for it, there is no other. */
static void pack_a(ProductBlock *block, const ProductArguments *arguments)
{
    Product p = load_output(block->e, arguments, emit_i64(block->e, 0));
    block->p = &p;
    block->unit->pack_a(block);
    block->p = &arguments->product;
}

/* An empty sum takes one turn too, which stores zeros. */
static void emit_runs(ProductBlock *block, const ProductArguments *arguments,
                      int64_t depth)
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
    if (block->unit->pack_a)
        pack_a(block, arguments);
    emit_outputs(block, arguments);
    loop_end(e, &loop);
}

/* What a function is made for. */
typedef struct ProductCode {
    ProductForm form;
    const ProductUnit *unit;
} ProductCode;

static void emit_blocks(Emit *e, const ProductArguments *arguments,
                        const ProductUnit *unit)
{
    const Product *p = &arguments->product;
    const Processor *processor = e->step->processor;
    ProductCuts cuts = product_cuts(unit, processor);
    ProductScratch scratch = product_scratch(unit, processor);
    ProductBlock block = {
        .e = e,
        .unit = unit,
        .p = p,
        .a_block = p->scratch,
        .b_panel = emit_at(e, e->i8, p->scratch, emit_i64(e, scratch.b_panel)),
        .sums = emit_at(e, e->i8, p->scratch, emit_i64(e, scratch.sums)),
        .few_scratch = emit_at(e, e->i8, p->scratch, emit_i64(e, scratch.few)),
        .row_scales = emit_at(e, e->i8, p->scratch, emit_i64(e, scratch.row_scales)),
        .row_starts = emit_at(e, e->i8, p->scratch, emit_i64(e, scratch.row_starts))};
    if (unit->begin)
        unit->begin(e);
    Loop loop = loop_begin(e, emit_i64(e, 0), p->m, cuts.rows);
    block.first_row = loop.index;
    block.rows = part_of(e, loop.index, p->m, cuts.rows);
    emit_runs(&block, arguments, cuts.depth);
    loop_end(e, &loop);
    if (unit->end)
        unit->end(e);
}

/* -- the function -------------------------------------------------------------------- */

enum { ARGUMENTS = 10 };

static LLVMTypeRef function_type(Emit *e)
{
    LLVMTypeRef types[ARGUMENTS] = {e->i64, e->i64, e->ptr, e->i64, e->i64,
                                    e->ptr, e->ptr, e->i64, e->i64, e->i64};
    return LLVMFunctionType(LLVMVoidTypeInContext(e->context), types, ARGUMENTS, 0);
}

/* p with its rows if `holds`, else with none: then its code does nothing. */
static Product rows_if(Emit *e, const Product *p, LLVMValueRef holds)
{
    Product some = *p;
    some.m = LLVMBuildSelect(e->builder, holds, p->m, emit_i64(e, 0), "");
    return some;
}

/* Makes what is small where it lies; how many columns are left to the blocks. */
static LLVMValueRef emit_small(Emit *e, const ProductArguments *arguments)
{
    LLVMValueRef zero = emit_i64(e, 0);
    Loop loop = loop_begin(e, zero, arguments->output_count, 1);
    LLVMValueRef left = loop_carry(e, &loop, zero);
    Product p = load_output(e, arguments, loop.index);
    LLVMValueRef few_columns = has_few_columns(e, &p), small = is_small(e, &p);
    Product columns = rows_if(e, &p, few_columns), rows = rows_if(e, &p, small);
    rows = rows_if(e, &rows, LLVMBuildNot(e->builder, few_columns, ""));
    product_few_columns(e, &columns);
    product_few_rows(e, &rows);
    LLVMValueRef columns_left = LLVMBuildSelect(e->builder, small, zero, p.n, "");
    loop_next(e, &loop, left, emit_plus(e, left, columns_left));
    loop_end(e, &loop);
    return left;
}

/* What is left goes by blocks, for which A is packed if it is for many columns. */
static void emit_sizes(Emit *e, const ProductArguments *arguments,
                       const ProductUnit *unit)
{
    enum { SOME_COLUMNS = 128 };
    LLVMValueRef columns = emit_small(e, arguments);
    LLVMValueRef is_done = is_at_most(e, columns, 0),
                 are_few = is_at_most(e, columns, SOME_COLUMNS);
    ProductArguments some = *arguments, many = *arguments;
    some.product = rows_if(
        e, &some.product,
        LLVMBuildAnd(e->builder, are_few, LLVMBuildNot(e->builder, is_done, ""), ""));
    many.product = rows_if(e, &many.product, LLVMBuildNot(e->builder, are_few, ""));
    emit_blocks(e, &some, product_unit_fma_in_place(e->step->processor));
    emit_blocks(e, &many, unit);
}

static void emit_body(Emit *e, LLVMValueRef function, const void *context)
{
    const ProductCode *code = context;
    LLVMValueRef x[ARGUMENTS];
    LLVMGetParams(function, x);
    ProductArguments arguments = {.product = {.form = code->form,
                                              .m = x[0],
                                              .k = x[1],
                                              .a = x[2],
                                              .a_stride = x[3],
                                              .accumulate = x[4],
                                              .scratch = x[5],
                                              .part = x[8],
                                              .parts = x[9]},
                                  .outputs = x[6],
                                  .output_count = x[7]};
    if (has_few(code->unit, code->form))
        emit_sizes(e, &arguments, code->unit);
    else
        emit_blocks(e, &arguments, code->unit);
}

static void call_product(Emit *e, const ProductArguments *arguments,
                         const ProductUnit *unit)
{
    const Product *p = &arguments->product;
    static const char *const stored[] = {[STORED_AS_ROWS] = "",
                                         [STORED_IN_PANELS] = "_packed",
                                         [STORED_TURNED] = "_turned"};
    char name[64];
    snprintf(name, sizeof name, "products_%c%c_%s%s", p->form.transpose_a ? 't' : 'n',
             p->form.transpose_b ? 't' : 'n', unit->name, stored[p->form.stored]);
    LLVMValueRef x[ARGUMENTS] = {p->m,
                                 p->k,
                                 p->a,
                                 p->a_stride,
                                 p->accumulate,
                                 p->scratch,
                                 arguments->outputs,
                                 arguments->output_count,
                                 p->part ? p->part : emit_i64(e, 0),
                                 p->parts ? p->parts : emit_i64(e, 1)};
    const ProductCode code = {p->form, unit};
    const LocalFunction function = {
        .name = name, .type = function_type(e), .body = emit_body, .context = &code};
    emit_call(e, &function, x, ARGUMENTS);
}

/* By the function that the lane has for it. */
static void emit_gemm(Emit *e, const Product *p, const ProductOutput *output)
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
                                output->n,
                                p->k,
                                p->a,
                                p->a_stride,
                                output->b,
                                output->b_stride,
                                output->c,
                                output->c_stride,
                                LLVMBuildZExt(e->builder, accumulate, e->i32, "")};
    LLVMBuildCall2(e->builder, type,
                   emit_lane_field(e, offsetof(LaneContext, gemm), e->ptr), arguments,
                   count, "");
}

void emit_products(Emit *e, const Product *p, const ProductOutput *outputs,
                   uint32_t output_count)
{
    const Processor *processor = e->step->processor;
    bool calls = calls_gemm(processor, p->form.precision);
    for (uint32_t i = 0; calls && i < output_count; i++)
        emit_gemm(e, p, &outputs[i]);
    if (!calls)
        call_product(
            e,
            &(ProductArguments){.product = *p,
                                .outputs = store_outputs(e, outputs, output_count),
                                .output_count = emit_i64(e, output_count)},
            product_unit(processor, p->form.precision));
}

void emit_product(Emit *e, const Product *p)
{
    emit_products(e, p,
                  &(ProductOutput){.n = p->n,
                                   .b = p->b,
                                   .b_stride = p->b_stride,
                                   .plain = p->plain,
                                   .c = p->c,
                                   .c_stride = p->c_stride},
                  1);
}

/* -- packing once -------------------------------------------------------------------- */

/* As f32, whole panels as the multiply-adds have them. */
static void pack_panel(ProductBlock *block)
{
    const Processor *processor = block->e->step->processor;
    const ProductUnit *maker =
        product_packed_parts(block->unit) ? block->unit : product_unit_fma(processor);
    block->b_panel = product_packed_panel(block, block->p->c);
    maker->pack_b(block);
}

void emit_product_pack(Emit *e, ProductForm form, LLVMValueRef from, LLVMValueRef rows,
                       LLVMValueRef columns, LLVMValueRef to)
{
    if (form.precision == PRECISION_int8)
        emit_product_store(e, from, rows, columns, to);
    if (form.precision == PRECISION_int8 || e->step->processor->calls_gemm)
        return;
    const Product p = {.form = form,
                       .n = form.transpose_b ? rows : columns,
                       .k = form.transpose_b ? columns : rows,
                       .b = from,
                       .b_stride = columns,
                       .c = to};
    ProductBlock block = {.e = e,
                          .unit = product_unit(e->step->processor, form.precision),
                          .p = &p,
                          .first_k = emit_i64(e, 0),
                          .depth = p.k};
    emit_panels(&block, pack_panel);
}

static int64_t round_up(int64_t count, int64_t step)
{
    return (count + step - 1) / step * step;
}

/* A transposition of f32 writes whole tiles: up to a vector of k too much. */
int64_t product_packed_bytes(const Processor *processor, ProductForm form, int64_t rows,
                             int64_t columns)
{
    if (form.precision == PRECISION_int8)
        return int8_matrix_bytes(rows, columns);
    if (processor->calls_gemm)
        return 0;
    const ProductUnit *unit = product_unit(processor, form.precision);
    uint32_t parts = product_packed_parts(unit);
    int64_t n = form.transpose_b ? rows : columns, k = form.transpose_b ? columns : rows;
    if (parts)
        return round_up(n, PRODUCT_TILE_SIDE) * round_up(k, PRODUCT_TILE_DEPTH) * parts *
               PRODUCT_PART_BYTES;
    int64_t width = processor->vector_width;
    return (round_up(n, width) * k + unit->vectors * width * width) *
           (int64_t)sizeof(float);
}

ProductStored product_stored(const Processor *processor, const Node *b, bool transpose_b)
{
    if (b->op != OP_pack || calls_gemm(processor, b->attr.pack.precision))
        return STORED_AS_ROWS;
    bool is_fit = b->attr.pack.precision == PRECISION_int8 ||
                  (b->attr.pack.transpose != 0) == transpose_b;
    return is_fit ? STORED_IN_PANELS : STORED_TURNED;
}

const Node *product_factor(const Processor *processor, const Node *b)
{
    bool is_packed = product_stored(processor, b, false) != STORED_AS_ROWS;
    return is_packed ? b : unpacked_node(b);
}

void emit_product_store(Emit *e, LLVMValueRef from, LLVMValueRef rows,
                        LLVMValueRef columns, LLVMValueRef to)
{
    const ProductUnit *unit = product_unit(e->step->processor, PRECISION_int8);
    emit_int8_store(e, from, rows, columns, to, unit->adds_128);
}

int64_t product_stored_bytes(int64_t rows, int64_t columns)
{
    return int8_matrix_bytes(rows, columns);
}
