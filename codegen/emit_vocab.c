/* Kernels over the vocabulary: logits = x table^T + bias, a chunk of rows at a time in
 * the lane's scratch, made and used up there.
 *
 *     loss = log(sum of exp(logits)) - logits[label]
 *     dlogits = (softmax(logits) - onehot(label)) dy, in place of the logits
 *     dx = dlogits table,  dtable = dlogits^T x,  dbias = sum of dlogits over rows
 *
 * A step is any of cross_entropy, its gradients and vocab_argmax over the same
 * operands. The kernel's operands are x, table, label, dy and bias, as far as the
 * step has them, then a result per node, then what a packed table was made of. Its one
 * axis is that of x's rows, if they are ragged. */
#include <inttypes.h>
#include <math.h>
#include <stddef.h>

#include "codegen/loops.h"
#include "codegen/names.h"
#include "codegen/product.h"

typedef enum VocabOperand {
    VOCAB_x,
    VOCAB_table,
    VOCAB_label,
    VOCAB_dy,
    VOCAB_bias,
    VOCAB_loss,
    VOCAB_dx,
    VOCAB_dtable,
    VOCAB_dbias,
    VOCAB_argmax,
    VOCAB_plain, /* what a packed table was made of */
    VOCAB_OPERANDS
} VocabOperand;

typedef struct VocabLayout {
    int32_t operand[VOCAB_OPERANDS]; /* of the kernel, or -1 */
    int64_t words, width;            /* rows and columns of the table */
    int64_t stride;                  /* floats from one row of logits to the next */
    int64_t chunk;                   /* most rows of logits at once */
    int64_t static_rows;             /* of x, if not ragged */
    bool ragged, has_gradient;
    Precision precision;
    ProductStored stored, stored_for_dx; /* the table, as logits and dx read it */
} VocabLayout;

/* What each op takes, in order, and gives. The last argument may be absent. */
typedef struct VocabOp {
    VocabOperand args[5];
    VocabOperand result;
} VocabOp;

#define LABELLED VOCAB_x, VOCAB_table, VOCAB_label
static const VocabOp vocab_cross_entropy = {{LABELLED, VOCAB_bias}, VOCAB_loss},
                     vocab_cross_entropy_dx = {{LABELLED, VOCAB_dy, VOCAB_bias},
                                               VOCAB_dx},
                     vocab_cross_entropy_dtable = {{LABELLED, VOCAB_dy, VOCAB_bias},
                                                   VOCAB_dtable},
                     vocab_cross_entropy_dbias = {{LABELLED, VOCAB_dy, VOCAB_bias},
                                                  VOCAB_dbias},
                     vocab_vocab_argmax = {{VOCAB_x, VOCAB_table, VOCAB_bias},
                                           VOCAB_argmax};

static const VocabOp *const vocab_ops[OP_COUNT] = {
#define CLASS_vocab(name) [OP_##name] = &vocab_##name,
#include "ir/class_ops.def"
};

/* -- the layout -------------------------------------------------------------------- */

/* The node of each role in the step. */
static void collect(const KernelStep *step, const Node *roles[VOCAB_OPERANDS])
{
    for (uint32_t i = 0; i < step->node_count; i++) {
        const Node *node = step->nodes[i];
        const VocabOp *op = vocab_ops[node->op];
        for (uint32_t j = 0; j < node->arg_count; j++)
            roles[op->args[j]] = node->args[j];
        roles[op->result] = node;
    }
}

static void find_table(const KernelStep *step, const Node **roles, VocabLayout *layout)
{
    const Node *table = roles[VOCAB_table];
    layout->stored = product_stored(step->processor, table, true);
    layout->stored_for_dx = product_stored(step->processor, table, false);
    if (layout->stored != STORED_AS_ROWS)
        roles[VOCAB_plain] = unpacked_node(table);
    roles[VOCAB_table] = product_factor(step->processor, table);
}

static bool is_written(VocabOperand role)
{
    return role >= VOCAB_loss && role <= VOCAB_argmax;
}

static void vocab_operands(KernelStep *step, Arena *arena)
{
    const Node *roles[VOCAB_OPERANDS] = {NULL};
    collect(step, roles);
    VocabLayout *layout = ARENA_ARRAY(arena, VocabLayout, 1);
    find_table(step, roles, layout);
    step->operands = ARENA_ARRAY(arena, Operand, VOCAB_OPERANDS);
    for (uint32_t i = 0; i < VOCAB_OPERANDS; i++) {
        layout->operand[i] = roles[i] ? (int32_t)step->operand_count : -1;
        if (roles[i])
            step->operands[step->operand_count++] =
                is_written(i) ? (Operand){.node = roles[i], .written = true}
                              : (Operand){.node = storage_node(roles[i])};
    }
    Type x = roles[VOCAB_x]->type;
    layout->words = roles[VOCAB_table]->type.dims[0];
    layout->width = type_width(x);
    layout->stride = whole_vectors(layout->words);
    layout->chunk = step->nodes[0]->attr.chunked.chunk;
    layout->precision = step->nodes[0]->attr.chunked.precision;
    layout->ragged = type_is_ragged(x);
    layout->static_rows = type_static_rows(x);
    layout->has_gradient = roles[VOCAB_dy] != NULL;
    int64_t rows = layout->static_rows;
    if (layout->ragged) {
        step->axes = ARENA_ARRAY(arena, int32_t, 1);
        step->axes[step->axis_count++] = x.axis;
        rows = step->graph->axes[x.axis].capacity;
    }
    int64_t chunk = rows < layout->chunk ? rows : layout->chunk;
    step->scratch_bytes = product_scratch_bytes(step->processor, layout->precision) +
                          chunk * layout->stride * (int64_t)sizeof(float);
    step->layout = layout;
}

static void vocab_describe(const KernelStep *step, FILE *out)
{
    const VocabLayout *layout = step->layout;
    fprintf(out,
            "table %" PRId64 " by %" PRId64 " chunk %" PRId64 " rows %" PRId64 "%s\n",
            layout->words, layout->width, layout->chunk, layout->static_rows,
            layout->ragged ? " ragged" : "");
    fprintf(out, " stored %d\n", layout->stored);
    for (uint32_t i = 0; i < VOCAB_OPERANDS; i++)
        fprintf(out, " %d", layout->operand[i]);
}

/* -- the kernel -------------------------------------------------------------------- */

typedef struct VocabEmit {
    Emit *e;
    const VocabLayout *layout;
    LLVMValueRef pointers[VOCAB_OPERANDS];
    LLVMValueRef scratch;      /* of products */
    LLVMValueRef logits_block; /* behind it, the chunk's */
    LLVMValueRef row;          /* of x, where the chunk begins, then the row at hand */
    LLVMValueRef logits;       /* of the row at hand */
    LLVMValueRef largest,
        inverse; /* vectors: the row's maximum; what makes exponents gradients */
    LLVMValueRef carried, numbers; /* phis of the loop over columns */
    Loop loop;
} VocabEmit;

static bool has(const VocabEmit *v, VocabOperand role)
{
    return v->layout->operand[role] >= 0;
}

/* Row `row` of an operand that is `width` wide. */
static LLVMValueRef row_of(const VocabEmit *v, VocabOperand role, LLVMValueRef row,
                           int64_t width)
{
    Emit *e = v->e;
    return emit_at(e, e->f32, v->pointers[role],
                   LLVMBuildMul(e->builder, row, emit_i64(e, width), ""));
}

static void make_logits(const VocabEmit *v, LLVMValueRef rows)
{
    Emit *e = v->e;
    const VocabLayout *layout = v->layout;
    LLVMValueRef width = emit_i64(e, layout->width);
    emit_product(e, &(Product){.form = {.transpose_b = true,
                                        .stored = layout->stored,
                                        .precision = layout->precision},
                               .m = rows,
                               .n = emit_i64(e, layout->words),
                               .k = width,
                               .a = row_of(v, VOCAB_x, v->row, layout->width),
                               .a_stride = width,
                               .b = v->pointers[VOCAB_table],
                               .b_stride = width,
                               .plain = v->pointers[VOCAB_plain],
                               .c = v->logits_block,
                               .c_stride = emit_i64(e, layout->stride),
                               .accumulate = emit_i64(e, 0),
                               .scratch = v->scratch});
}

static void multiply_gradients(const VocabEmit *v, LLVMValueRef rows)
{
    Emit *e = v->e;
    const VocabLayout *layout = v->layout;
    LLVMValueRef words = emit_i64(e, layout->words), width = emit_i64(e, layout->width);
    LLVMValueRef stride = emit_i64(e, layout->stride);
    if (has(v, VOCAB_dx))
        emit_product(e, &(Product){.form = {.stored = layout->stored_for_dx,
                                            .precision = layout->precision},
                                   .m = rows,
                                   .n = width,
                                   .k = words,
                                   .a = v->logits_block,
                                   .a_stride = stride,
                                   .b = v->pointers[VOCAB_table],
                                   .b_stride = width,
                                   .plain = v->pointers[VOCAB_plain],
                                   .c = row_of(v, VOCAB_dx, v->row, layout->width),
                                   .c_stride = width,
                                   .accumulate = emit_i64(e, 0),
                                   .scratch = v->scratch});
    if (!has(v, VOCAB_dtable))
        return;
    LLVMValueRef later =
        LLVMBuildICmp(e->builder, LLVMIntSGT, v->row, emit_i64(e, 0), "");
    emit_product(e,
                 &(Product){.form = {.transpose_a = true, .precision = layout->precision},
                            .m = words,
                            .n = width,
                            .k = rows,
                            .a = v->logits_block,
                            .a_stride = stride,
                            .b = row_of(v, VOCAB_x, v->row, layout->width),
                            .b_stride = width,
                            .c = v->pointers[VOCAB_dtable],
                            .c_stride = width,
                            .accumulate = LLVMBuildZExt(e->builder, later, e->i64, ""),
                            .scratch = v->scratch});
}

/* -- passes over one row of logits ----------------------------------------------------
 * The columns are whole vectors but for the last, whose missing elements read as
 * -infinity. */

static LLVMValueRef load_logits(const VocabEmit *v, LLVMValueRef column,
                                LLVMValueRef mask)
{
    Emit *e = v->e;
    LLVMValueRef x = emit_load_vector(e, emit_at(e, e->f32, v->logits, column), mask);
    return mask ? LLVMBuildSelect(e->builder, mask, x,
                                  emit_splat(e, emit_f32(e, -(double)INFINITY)), "")
                : x;
}

static void add_bias(const VocabEmit *v)
{
    if (has(v, VOCAB_bias))
        emit_add_floats(v->e, v->logits, v->pointers[VOCAB_bias],
                        emit_i64(v->e, v->layout->words));
}

/* A loop over the columns in whole vectors; `mask` holds in the last one only. */
typedef void RowTurn(VocabEmit *v, LLVMValueRef column, LLVMValueRef mask);

/* Carries v->carried (and v->numbers, if there) through all turns, from the values
 * they have. */
static void each_column(VocabEmit *v, RowTurn *turn)
{
    Emit *e = v->e;
    int64_t whole = v->layout->words / e->width * e->width;
    LLVMValueRef carried = v->carried, numbers = v->numbers;
    Loop loop = loop_begin(e, emit_i64(e, 0), emit_i64(e, whole), e->width);
    LLVMValueRef carried_phi = loop_carry(e, &loop, carried);
    LLVMValueRef numbers_phi = numbers ? loop_carry(e, &loop, numbers) : NULL;
    v->carried = carried_phi;
    v->numbers = numbers_phi;
    turn(v, loop.index, NULL);
    loop_next(e, &loop, carried_phi, v->carried);
    if (numbers)
        loop_next(e, &loop, numbers_phi, v->numbers);
    loop_end(e, &loop);
    v->carried = carried_phi;
    v->numbers = numbers_phi;
    if (whole < v->layout->words)
        turn(v, emit_i64(e, whole),
             emit_tail_mask(e, emit_i64(e, whole), emit_i64(e, v->layout->words)));
}

static void turn_maximum(VocabEmit *v, LLVMValueRef column, LLVMValueRef mask)
{
    v->carried = emit_larger(v->e, load_logits(v, column, mask), v->carried);
}

static void turn_exponents(VocabEmit *v, LLVMValueRef column, LLVMValueRef mask)
{
    Emit *e = v->e;
    LLVMValueRef address = emit_at(e, e->f32, v->logits, column);
    LLVMValueRef x = emit_load_vector(e, address, mask);
    x = emit_exp(e, LLVMBuildFSub(e->builder, x, v->largest, ""));
    if (mask)
        x = LLVMBuildSelect(e->builder, mask, x, LLVMConstNull(e->vf), "");
    if (v->layout->has_gradient)
        emit_store_vector(e, x, address, mask);
    v->carried = LLVMBuildFAdd(e->builder, v->carried, x, "");
}

static void scale_columns(Emit *e, LLVMValueRef column, LLVMValueRef mask, void *state)
{
    const VocabEmit *v = state;
    LLVMValueRef address = emit_at(e, e->f32, v->logits, column);
    LLVMValueRef x = emit_load_vector(e, address, mask);
    x = LLVMBuildFMul(e->builder, x, v->inverse, "");
    emit_store_vector(e, x, address, mask);
    if (!has(v, VOCAB_dbias))
        return;
    LLVMValueRef sums = emit_at(e, e->f32, v->pointers[VOCAB_dbias], column);
    LLVMValueRef sum = emit_load_vector(e, sums, mask);
    emit_store_vector(e, LLVMBuildFAdd(e->builder, sum, x, ""), sums, mask);
}

/* Subtracts the onehot's part of the gradient from element `label` of a row. */
static void subtract_at(Emit *e, LLVMValueRef row, LLVMValueRef label, LLVMValueRef dy)
{
    LLVMValueRef address = emit_at(e, e->f32, row, label);
    LLVMValueRef x = emit_load(e, e->f32, address);
    emit_store(e, LLVMBuildFSub(e->builder, x, dy, ""), address);
}

static void finish_gradient(VocabEmit *v, LLVMValueRef label, LLVMValueRef sum)
{
    Emit *e = v->e;
    LLVMValueRef dy = emit_load(e, e->f32, row_of(v, VOCAB_dy, v->row, 1));
    v->inverse = emit_splat(e, LLVMBuildFDiv(e->builder, dy, sum, ""));
    emit_columns(e, emit_i64(e, v->layout->words), scale_columns, v);
    subtract_at(e, v->logits, label, dy);
    if (has(v, VOCAB_dbias))
        subtract_at(e, v->pointers[VOCAB_dbias], label, dy);
}

static LLVMValueRef maximum_of_row(VocabEmit *v)
{
    Emit *e = v->e;
    v->carried = emit_splat(e, emit_f32(e, -(double)INFINITY));
    each_column(v, turn_maximum);
    return emit_max_vector(e, v->carried);
}

static void cross_entropy_row(VocabEmit *v)
{
    Emit *e = v->e;
    LLVMValueRef label = emit_load(e, e->i32, row_of(v, VOCAB_label, v->row, 1));
    label = LLVMBuildSExt(e->builder, label, e->i64, "");
    LLVMValueRef largest = maximum_of_row(v);
    LLVMValueRef labelled = emit_load(e, e->f32, emit_at(e, e->f32, v->logits, label));
    v->largest = emit_splat(e, largest);
    v->carried = LLVMConstNull(e->vf);
    each_column(v, turn_exponents);
    LLVMValueRef sum = emit_sum_vector(e, v->carried);
    emit_name(e, label, "label");
    emit_name(e, largest, "largest");
    emit_name(e, labelled, "labelled");
    emit_name(e, sum, "sum");
    if (has(v, VOCAB_loss)) {
        LLVMValueRef loss = LLVMBuildFSub(e->builder, largest, labelled, "");
        loss = LLVMBuildFAdd(e->builder, loss, emit_log(e, sum), "");
        emit_name(e, loss, "loss");
        emit_store(e, loss, row_of(v, VOCAB_loss, v->row, 1));
    }
    if (v->layout->has_gradient)
        finish_gradient(v, label, sum);
}

static void turn_argmax(VocabEmit *v, LLVMValueRef column, LLVMValueRef mask)
{
    Emit *e = v->e;
    LLVMValueRef x = load_logits(v, column, mask);
    LLVMValueRef first = emit_splat(e, LLVMBuildTrunc(e->builder, column, e->i32, ""));
    LLVMValueRef numbers = LLVMBuildAdd(e->builder, first, emit_element_numbers(e), "");
    LLVMValueRef greater = LLVMBuildFCmp(e->builder, LLVMRealUGT, x, v->carried, "");
    greater = LLVMBuildAnd(
        e->builder, greater,
        LLVMBuildFCmp(e->builder, LLVMRealORD, v->carried, v->carried, ""), "");
    v->carried = LLVMBuildSelect(e->builder, greater, x, v->carried, "");
    v->numbers = LLVMBuildSelect(e->builder, greater, numbers, v->numbers, "");
}

/* Each element keeps the first of its largest, NaN being the largest; the lowest number
 * among the best elements wins. */
static void argmax_row(VocabEmit *v)
{
    Emit *e = v->e;
    v->carried = emit_splat(e, emit_f32(e, -(double)INFINITY));
    v->numbers = emit_element_numbers(e);
    each_column(v, turn_argmax);
    LLVMValueRef largest = emit_splat(e, emit_max_vector(e, v->carried));
    LLVMValueRef best = LLVMBuildFCmp(e->builder, LLVMRealOEQ, v->carried, largest, "");
    best = LLVMBuildOr(e->builder, best,
                       LLVMBuildFCmp(e->builder, LLVMRealUNO, v->carried, v->carried, ""),
                       "");
    LLVMValueRef none = emit_splat(e, emit_i32(e, INT32_MAX));
    LLVMValueRef numbers = LLVMBuildSelect(e->builder, best, v->numbers, none, "");
    emit_store(e, emit_intrinsic(e, "llvm.vector.reduce.smin", &numbers, 1),
               row_of(v, VOCAB_argmax, v->row, 1));
    v->numbers = NULL;
}

/* -- chunks ------------------------------------------------------------------------ */

/* dbias is summed row by row; dtable's first product overwrites it, if there is a
 * first. */
static void clear_sums(VocabEmit *v, LLVMValueRef rows)
{
    Emit *e = v->e;
    if (has(v, VOCAB_dbias))
        emit_zero_floats(e, v->pointers[VOCAB_dbias], emit_i64(e, v->layout->words));
    if (!has(v, VOCAB_dtable))
        return;
    LLVMValueRef empty = LLVMBuildICmp(e->builder, LLVMIntEQ, rows, emit_i64(e, 0), "");
    LLVMValueRef count = LLVMBuildSelect(e->builder, empty,
                                         emit_i64(e, v->layout->words * v->layout->width),
                                         emit_i64(e, 0), "");
    emit_zero_floats(e, v->pointers[VOCAB_dtable], count);
}

static void emit_chunk(VocabEmit *v, LLVMValueRef rows)
{
    Emit *e = v->e;
    LLVMValueRef first = v->row;
    make_logits(v, rows);
    Loop loop = loop_begin(e, emit_i64(e, 0), rows, 1);
    v->row = LLVMBuildAdd(e->builder, first, loop.index, "");
    v->logits =
        emit_at(e, e->f32, v->logits_block,
                LLVMBuildMul(e->builder, loop.index, emit_i64(e, v->layout->stride), ""));
    emit_name(e, v->row, "row");
    emit_name(e, v->logits, "logits");
    add_bias(v);
    if (has(v, VOCAB_argmax))
        argmax_row(v);
    if (has(v, VOCAB_label))
        cross_entropy_row(v);
    loop_end(e, &loop);
    v->row = first;
    multiply_gradients(v, rows);
}

static void vocab_emit(Emit *e, const KernelStep *step)
{
    VocabEmit v = {.e = e, .layout = step->layout};
    for (uint32_t i = 0; i < VOCAB_OPERANDS; i++)
        if (v.layout->operand[i] >= 0)
            v.pointers[i] = emit_operand(e, (uint32_t)v.layout->operand[i]);
    v.scratch = emit_lane_field(e, offsetof(LaneContext, scratch), e->ptr);
    v.logits_block =
        emit_at(e, e->i8, v.scratch,
                emit_i64(e, product_scratch_bytes(step->processor, v.layout->precision)));
    emit_name(e, v.scratch, "scratch");
    emit_name(e, v.logits_block, "logits_block");
    LLVMValueRef rows =
        v.layout->ragged ? emit_axis_rows(e, 0) : emit_i64(e, v.layout->static_rows);
    clear_sums(&v, rows);
    Loop chunk = loop_begin(e, emit_i64(e, 0), rows, v.layout->chunk);
    v.row = chunk.index;
    emit_chunk(&v, emit_least(e, LLVMBuildSub(e->builder, rows, chunk.index, ""),
                              emit_i64(e, v.layout->chunk)));
    loop_end(e, &chunk);
    LLVMBuildRetVoid(e->builder);
}

const KernelClass kernel_vocab = {
    .name = "vocab",
    .operands = vocab_operands,
    .describe = vocab_describe,
    .emit = vocab_emit,
};
