/* Packed matrices: only code generation knows how many bytes they take, so that they must
 * be made once, outside the slab. */
#include "ir/frozen.h"
#include "ir/verify_fault.h"
#include "ir/verify_plan.h"

static bool verify_reader(const Graph *graph, const Node *reader, const Node *packed,
                          Diags *diags)
{
    const AttrField *field = op_field_of(reader->op, ATTR_precision);
    if (!field)
        return verify_fault(graph, reader, diags,
                            "reads %%%u, which is packed for products", packed->id);
    const void *at = (const char *)&reader->attr + field->offset;
    Precision wanted = *(const attr_precision *)at, given = packed->attr.pack.precision;
    return wanted == given ||
           verify_fault(graph, reader, diags,
                        "is at precision '%s', but reads %%%u, which "
                        "is packed for '%s'",
                        precision_names[wanted], packed->id, precision_names[given]);
}

static bool verify_node(const Graph *graph, const Node *node, const bool *frozen,
                        Diags *diags)
{
    if (node->op == OP_pack && !frozen[node->id])
        return verify_fault(graph, node, diags,
                            "packs what does not follow from frozen weights alone");
    if (node->op == OP_pack && node->offset != NO_OFFSET)
        return verify_fault(graph, node, diags,
                            "has an offset, but is computed once, outside the slab");
    for (uint32_t i = 0; i < node->arg_count; i++)
        if (node->args[i]->op == OP_pack &&
            !verify_reader(graph, node, node->args[i], diags))
            return false;
    return true;
}

bool verify_packed(const Graph *graph, Diags *diags)
{
    Arena *arena = arena_new();
    const bool *frozen = frozen_nodes(graph, arena);
    bool ok = true;
    for (uint32_t i = 0; i < graph->node_count && ok; i++)
        ok = verify_node(graph, graph->nodes[i], frozen, diags);
    arena_free(arena);
    return ok;
}
