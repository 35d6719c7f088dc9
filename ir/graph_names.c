/* What the text form calls the kinds of things in graphs, and values. */
#include "ir/graph.h"

const char *const axis_kind_names[AXIS_KIND_COUNT] = {"batch", "primary", "fixed", "join",
                                                      "pool"};
const char *const output_role_names[OUTPUT_ROLE_COUNT] = {"result", "loss", "gradient",
                                                          "assign", "graft"};
const char *const graph_kind_names[GRAPH_KIND_COUNT] = {
    "train", "evaluate", "update", "graft", "encode", "decode", "exchange"};
const char *const init_kind_names[INIT_KIND_COUNT] = {"zeros", "ones", "constant",
                                                      "normal", "uniform"};

const char *node_name(const Node *node)
{
    bool is_named = op_info(node->op)->attrs == ATTRS_named && node->op != OP_gradient;
    return is_named ? node->attr.named.name : node->name;
}
