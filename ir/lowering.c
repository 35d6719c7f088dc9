/* The classes of ops as data, and what follows from a node's class. */
#include "ir/lowering.h"

const char *const kernel_kind_names[KERNEL_COUNT] = {
#define KERNEL(name) #name,
#define LOWERING(name, kernel, again, facts, meaning)
#include "ir/lowerings.def"
};

#define NO_STEP LOWERING_NO_STEP
#define OVER_OPERAND LOWERING_OVER_OPERAND
#define COMPLETE_LAST LOWERING_COMPLETE_LAST
#define ANCHOR LOWERING_ANCHOR
#define PRODUCT LOWERING_PRODUCT
#define SHARED LOWERING_SHARED
#define MEETS_GRADIENTS LOWERING_MEETS_GRADIENTS
static const LoweringInfo lowerings[LOWER_COUNT] = {
#define KERNEL(name)
#define LOWERING(name, kernel, again, facts, meaning)                                    \
    [LOWER_##name] = {#name, KERNEL_##kernel, AGAIN_##again, facts, meaning},
#include "ir/lowerings.def"
};

const LoweringInfo *lowering_info(Lowering lowering)
{
    return &lowerings[lowering];
}

const LoweringInfo *node_lowering(const Node *node)
{
    return lowering_info(op_info(node->op)->lowering);
}

bool node_has_fact(const Node *node, unsigned fact)
{
    return (node_lowering(node)->facts & fact) != 0;
}

KernelKind node_kernel(const Node *node)
{
    return node_lowering(node)->kernel;
}

bool node_is_source(const Node *node)
{
    return op_info(node->op)->lowering == LOWER_source;
}

bool node_is_field(const Node *node)
{
    return node->op == OP_input && type_is_ragged(node->type);
}

bool node_is_param(const Node *node)
{
    unsigned traits = op_info(node->op)->traits;
    return traits & TRAIT_OF_PARAM && traits & TRAIT_STORED;
}

bool node_is_view(const Node *node)
{
    return op_info(node->op)->lowering == LOWER_view;
}

bool node_is_map(const Node *node)
{
    return op_info(node->op)->lowering == LOWER_map;
}

bool node_is_row_local(const Node *node)
{
    return node_kernel(node) == KERNEL_rows;
}

bool node_has_step(const Node *node)
{
    return !node_has_fact(node, LOWERING_NO_STEP);
}

Type node_row_space(const Node *node)
{
    bool over_operand = node_has_fact(node, LOWERING_OVER_OPERAND);
    return over_operand ? node->args[0]->type : node->type;
}
