/* Kernels of matrix products with one left operand, which is packed once for all.
 *
 * Operands are a, the b of every product, and the results; then, if b's are packed, what
 * each was made of. The axes are those of a's and
 * the b's rows, as far as they are ragged. The numbers are a's rows, if they are not, and
 * columns, then those of each b: so every product of a form, large or small, is the same
 * kernel. */
#include <inttypes.h>
#include <stddef.h>

#include "codegen/names.h"
#include "codegen/product.h"

enum { NUMBER_rows, NUMBER_columns, NUMBERS_OF_ONE };

/* Operand `index` of the kernel, of a and the b's. */
static const Node *side_of(const KernelStep *step, uint32_t index)
{
    return index ? step->nodes[index - 1]->args[1] : step->nodes[0]->args[0];
}

/* Of all products of the step. */
static ProductForm form_of(const KernelStep *step)
{
    const Node *node = step->nodes[0];
    bool transpose_b = node->attr.matmul.transpose_b != 0;
    return (ProductForm){.transpose_a = node->attr.matmul.transpose_a != 0,
                         .transpose_b = transpose_b,
                         .stored =
                             product_stored(step->processor, node->args[1], transpose_b),
                         .precision = node->attr.matmul.precision};
}

static bool is_packed(const KernelStep *step)
{
    return form_of(step).stored != STORED_AS_ROWS;
}

/* Of the b's before product `index`, at precision `int8`: unless they are packed, they
 * are stored in scratch, behind what products need. */
static int64_t stored_before(const KernelStep *step, uint32_t index)
{
    int64_t bytes = 0;
    for (uint32_t i = 0; i < index; i++) {
        Type b = step->nodes[i]->args[1]->type;
        if (step->nodes[i]->attr.matmul.precision == PRECISION_int8 && !is_packed(step))
            bytes += product_stored_bytes(type_static_rows(b), type_width(b));
    }
    return bytes;
}

static void matmul_operands(KernelStep *step, Arena *arena)
{
    const uint32_t sides = step->node_count + 1;
    step->operands = ARENA_ARRAY(arena, Operand, sides + 2 * step->node_count);
    step->axes = ARENA_ARRAY(arena, int32_t, sides);
    step->numbers = ARENA_ARRAY(arena, uint32_t, sides *NUMBERS_OF_ONE);
    for (uint32_t i = 0; i < sides; i++) {
        const Node *side = side_of(step, i);
        step->operands[step->operand_count++].node =
            storage_node(i ? product_factor(step->processor, side) : side);
        uint32_t *numbers = step->numbers + (size_t)i * NUMBERS_OF_ONE;
        numbers[NUMBER_columns] = (uint32_t)type_width(side->type);
        if (type_is_ragged(side->type))
            step->axes[step->axis_count++] = side->type.axis;
        else
            numbers[NUMBER_rows] = (uint32_t)type_static_rows(side->type);
    }
    for (uint32_t i = 0; i < step->node_count; i++)
        step->operands[step->operand_count++] =
            (Operand){.node = step->nodes[i], .written = true};
    for (uint32_t i = 0; is_packed(step) && i < step->node_count; i++)
        step->operands[step->operand_count++].node =
            unpacked_node(step->nodes[i]->args[1]);
    step->scratch_bytes =
        product_scratch_bytes(step->processor, step->nodes[0]->attr.matmul.precision) +
        stored_before(step, step->node_count);
}

static void matmul_describe(const KernelStep *step, FILE *out)
{
    fputs("ragged", out);
    for (uint32_t i = 0; i <= step->node_count; i++)
        fprintf(out, " %d", type_is_ragged(side_of(step, i)->type));
    for (uint32_t i = 1; i < step->node_count; i++)
        fprintf(out, " %" PRId64, stored_before(step, i));
    fprintf(out, " stored %d\n", form_of(step).stored);
}

/* Rows and columns of an operand as it lies in memory. */
typedef struct Sides {
    LLVMValueRef rows, columns;
} Sides;

static Sides sides_of(Emit *e, const KernelStep *step, uint32_t operand)
{
    uint32_t numbers = operand * NUMBERS_OF_ONE, axis = 0;
    for (uint32_t i = 0; i < operand; i++)
        axis += type_is_ragged(side_of(step, i)->type);
    bool is_ragged = type_is_ragged(side_of(step, operand)->type);
    return (Sides){.rows = is_ragged ? emit_axis_rows(e, axis)
                                     : emit_load_number(e, numbers + NUMBER_rows),
                   .columns = emit_load_number(e, numbers + NUMBER_columns)};
}

static LLVMValueRef scratch_of(Emit *e)
{
    return emit_lane_field(e, offsetof(LaneContext, scratch), e->ptr);
}

static LLVMValueRef load_count(Emit *e, uint32_t byte_offset)
{
    LLVMValueRef count = emit_lane_field(e, byte_offset, e->i32);
    return LLVMBuildZExt(e->builder, count, e->i64, "");
}

static LLVMValueRef store_b(Emit *e, const KernelStep *step, uint32_t index, Sides b)
{
    int64_t behind = product_scratch_bytes(step->processor, PRECISION_int8) +
                     stored_before(step, index);
    LLVMValueRef to = emit_at(e, e->i8, scratch_of(e), emit_i64(e, behind));
    emit_product_store(e, emit_operand(e, index + 1), b.rows, b.columns, to);
    return to;
}

static ProductOutput output_of(Emit *e, const KernelStep *step, uint32_t index)
{
    const Node *node = step->nodes[index];
    Sides b = sides_of(e, step, index + 1);
    LLVMValueRef n = node->attr.matmul.transpose_b ? b.rows : b.columns;
    return (ProductOutput){
        .n = n,
        .b = node->attr.matmul.precision == PRECISION_int8 && !is_packed(step)
                 ? store_b(e, step, index, b)
                 : emit_operand(e, index + 1),
        .b_stride = b.columns,
        .plain =
            is_packed(step) ? emit_operand(e, 2 * step->node_count + 1 + index) : NULL,
        .c = emit_operand(e, step->node_count + 1 + index),
        .c_stride = n};
}

static void matmul_emit(Emit *e, const KernelStep *step)
{
    const ProductForm form = form_of(step);
    Sides a = sides_of(e, step, 0);
    ProductOutput *outputs = ARENA_ARRAY(e->arena, ProductOutput, step->node_count);
    for (uint32_t i = 0; i < step->node_count; i++)
        outputs[i] = output_of(e, step, i);
    Product product = {.form = form,
                       .m = form.transpose_a ? a.columns : a.rows,
                       .k = form.transpose_a ? a.rows : a.columns,
                       .a = emit_operand(e, 0),
                       .a_stride = a.columns,
                       .accumulate = emit_i64(e, 0),
                       .scratch = scratch_of(e)};
    if (is_packed(step)) {
        product.part = load_count(e, offsetof(LaneContext, part));
        product.parts = emit_plus(e, load_count(e, offsetof(LaneContext, other_parts)),
                                  emit_i64(e, 1));
    }
    emit_products(e, &product, outputs, step->node_count);
    LLVMBuildRetVoid(e->builder);
}

const KernelClass kernel_matmul = {
    .name = "matmul",
    .operands = matmul_operands,
    .describe = matmul_describe,
    .emit = matmul_emit,
};
