/* Which products multiply integers. */
#include "ir/int8.h"

#include "ir/liveness.h"

const char *int8_refuse(const Node *node)
{
    if (node->op == OP_pack)
        return NULL; /* the products that read it are held to it */
    if (node->op != OP_matmul)
        return "logits stay accurate";
    if (unpacked_node(node->args[1])->op != OP_weight)
        return storage_node(node->args[0])->op == OP_weight
                   ? "the frozen weight is its first operand"
                   : "no frozen weight";
    return node->attr.matmul.transpose_a ? "its first operand is transposed" : NULL;
}
