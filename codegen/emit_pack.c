/* Kernels that pack a matrix for products. Operands are the matrix and the result; the
 * numbers are its rows and columns. */
#include "codegen/product.h"

static ProductForm form_of(const Node *node)
{
    return (ProductForm){.transpose_b = node->attr.pack.transpose != 0,
                         .precision = node->attr.pack.precision};
}

static void pack_operands(KernelStep *step, Arena *arena)
{
    const Node *node = step->nodes[0];
    int64_t rows = type_static_rows(node->type), columns = type_width(node->type);
    step->operands = ARENA_ARRAY(arena, Operand, 2);
    step->numbers = ARENA_ARRAY(arena, uint32_t, 2);
    step->operands[step->operand_count++].node = storage_node(node->args[0]);
    step->operands[step->operand_count++] = (Operand){
        .node = node,
        .written = true,
        .bytes = product_packed_bytes(step->processor, form_of(node), rows, columns)};
    step->numbers[0] = (uint32_t)rows;
    step->numbers[1] = (uint32_t)columns;
}

static void pack_describe(const KernelStep *step, FILE *out)
{
    (void)step, (void)out;
}

static void pack_emit(Emit *e, const KernelStep *step)
{
    LLVMValueRef rows = emit_load_number(e, 0), columns = emit_load_number(e, 1);
    emit_product_pack(e, form_of(step->nodes[0]), emit_operand(e, 0), rows, columns,
                      emit_operand(e, 1));
    LLVMBuildRetVoid(e->builder);
}

const KernelClass kernel_pack = {
    .name = "pack",
    .operands = pack_operands,
    .describe = pack_describe,
    .emit = pack_emit,
};
