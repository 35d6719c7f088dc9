/* Kernels of one matrix product each.
 *
 * Operands are a, b and the result. The axes are those of a's and b's rows, as far as
 * they are ragged. The numbers are a's rows, if they are not, and columns, then b's: so
 * every product of a form, large or small, is the same kernel. */
#include <stddef.h>

#include "codegen/names.h"
#include "codegen/product.h"

enum { NUMBER_rows, NUMBER_columns, NUMBERS_OF_ONE };

/* Of b at precision `int8`, which is stored in scratch, behind what the product needs. */
static int64_t stored_bytes(const Node *node)
{
    Type b = node->args[1]->type;
    return product_stored_bytes(type_static_rows(b), type_width(b));
}

static void matmul_operands(KernelStep *step, Arena *arena)
{
    const Node *node = step->nodes[0];
    step->operands = ARENA_ARRAY(arena, Operand, 3);
    step->axes = ARENA_ARRAY(arena, int32_t, 2);
    step->numbers = ARENA_ARRAY(arena, uint32_t, 2 * NUMBERS_OF_ONE);
    for (uint32_t i = 0; i < 2; i++) {
        Type type = node->args[i]->type;
        step->operands[step->operand_count++].node = storage_node(node->args[i]);
        uint32_t *numbers = step->numbers + (size_t)i * NUMBERS_OF_ONE;
        numbers[NUMBER_columns] = (uint32_t)type_width(type);
        if (type_is_ragged(type))
            step->axes[step->axis_count++] = type.axis;
        else
            numbers[NUMBER_rows] = (uint32_t)type_static_rows(type);
    }
    step->operands[step->operand_count++] = (Operand){.node = node, .written = true};
    step->scratch_bytes =
        product_scratch_bytes(step->processor, node->attr.matmul.precision);
    if (node->attr.matmul.precision == PRECISION_int8)
        step->scratch_bytes += stored_bytes(node);
}

static void matmul_describe(const KernelStep *step, FILE *out)
{
    const Node *node = step->nodes[0];
    fprintf(out, "ragged %d %d\n", type_is_ragged(node->args[0]->type),
            type_is_ragged(node->args[1]->type));
}

/* Rows and columns of an operand as it lies in memory. */
typedef struct Sides {
    LLVMValueRef rows, columns;
} Sides;

static LLVMValueRef load_number(Emit *e, uint32_t index)
{
    LLVMValueRef number =
        emit_load(e, e->i32, emit_at(e, e->i32, e->numbers, emit_i64(e, index)));
    return LLVMBuildZExt(e->builder, number, e->i64, "");
}

static Sides sides_of(Emit *e, const KernelStep *step, uint32_t operand)
{
    const Node *node = step->nodes[0];
    uint32_t numbers = operand * NUMBERS_OF_ONE;
    bool is_ragged = type_is_ragged(node->args[operand]->type);
    uint32_t axis = operand && type_is_ragged(node->args[0]->type) ? 1 : 0;
    return (Sides){.rows = is_ragged ? emit_axis_rows(e, axis)
                                     : load_number(e, numbers + NUMBER_rows),
                   .columns = load_number(e, numbers + NUMBER_columns)};
}

static LLVMValueRef scratch_of(Emit *e)
{
    return emit_lane_field(e, offsetof(LaneContext, scratch), e->ptr);
}

static LLVMValueRef store_b(Emit *e, const KernelStep *step, Sides b)
{
    int64_t behind = product_scratch_bytes(step->processor, PRECISION_int8);
    LLVMValueRef to = emit_at(e, e->i8, scratch_of(e), emit_i64(e, behind));
    emit_product_store(e, emit_operand(e, 1), b.rows, b.columns, to);
    return to;
}

static void matmul_emit(Emit *e, const KernelStep *step)
{
    const Node *node = step->nodes[0];
    const ProductForm form = {.transpose_a = node->attr.matmul.transpose_a != 0,
                              .transpose_b = node->attr.matmul.transpose_b != 0,
                              .precision = node->attr.matmul.precision};
    Sides a = sides_of(e, step, 0), b = sides_of(e, step, 1);
    LLVMValueRef n = form.transpose_b ? b.rows : b.columns;
    emit_product(e, &(Product){.form = form,
                               .m = form.transpose_a ? a.columns : a.rows,
                               .n = n,
                               .k = form.transpose_a ? a.rows : a.columns,
                               .a = emit_operand(e, 0),
                               .a_stride = a.columns,
                               .b = form.precision == PRECISION_int8 ? store_b(e, step, b)
                                                                     : emit_operand(e, 1),
                               .b_stride = b.columns,
                               .c = emit_operand(e, 2),
                               .c_stride = n,
                               .accumulate = emit_i64(e, 0),
                               .scratch = scratch_of(e)});
    LLVMBuildRetVoid(e->builder);
}

const KernelClass kernel_matmul = {
    .name = "matmul",
    .operands = matmul_operands,
    .describe = matmul_describe,
    .emit = matmul_emit,
};
