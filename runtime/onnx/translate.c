/* The walk over a graph: every node by its row of onnx_ops.def. */
#include "runtime/onnx/translate.h"

#include <string.h>

typedef struct OnnxRow {
    const char *same, *refused;
    OnnxRule *rule;
    uint32_t operand;
} OnnxRow;

/* Each row is a constant of this name, which the table below needs for every op. */
#define SAME(op, name) static const OnnxRow row_##op = {.same = name};
#define OPERAND(op, index) static const OnnxRow row_##op = {.operand = index};
#define RULE(op) static const OnnxRow row_##op = {.rule = rule_##op};
#define REFUSED(op, why) static const OnnxRow row_##op = {.refused = why};
#include "runtime/onnx/onnx_ops.def"

static const OnnxRow *const rows[OP_COUNT] = {
#define OP(name, ...) [OP_##name] = &row_##name,
#include "ir/ops.def"
};

Translation *translation_new(const Graph *graph, WeightsFile *weights, Arena *arena,
                             Diags *diags)
{
    Translation *t = arena_alloc(arena, sizeof *t);
    *t = (Translation){.graph = graph,
                       .onnx = onnx_graph_new(arena, graph->name),
                       .weights = weights,
                       .inputs = ARENA_ARRAY(arena, const char *, graph->node_count),
                       .results = ARENA_ARRAY(arena, const char *, graph->output_count),
                       .values = ARENA_ARRAY(arena, const char *, graph->node_count),
                       .turned = ARENA_ARRAY(arena, const char *, graph->node_count),
                       .axes = ARENA_ARRAY(arena, AxisValues, graph->axis_count),
                       .diags = diags};
    for (uint32_t i = 0; i < graph->node_count; i++)
        if (graph->nodes[i]->op == OP_input)
            t->inputs[i] = graph->nodes[i]->attr.named.name;
    for (uint32_t i = 0; i < graph->output_count; i++)
        t->results[i] = graph->outputs[i].name;
    return t;
}

void translation_free(Translation *t)
{
    if (t)
        onnx_graph_free(t->onnx);
}

/* -- names ------------------------------------------------------------------------- */

/* Parameters first: their names are those of checkpoints, and stay. Two nodes may read
 * one. */
static void claim_names(Translation *t)
{
    for (uint32_t i = 0; i < t->graph->node_count; i++)
        if (op_info(t->graph->nodes[i]->op)->traits & TRAIT_OF_PARAM)
            onnx_claim(t->onnx, t->graph->nodes[i]->attr.named.name);
    for (uint32_t i = 0; i < t->graph->node_count; i++) {
        const Node *node = t->graph->nodes[i];
        OnnxDim dims[TYPE_MAX_RANK + 1];
        if (node->op != OP_input)
            continue;
        t->inputs[i] = onnx_claim(t->onnx, t->inputs[i]);
        uint32_t rank = value_dims(t, node->type, dims);
        onnx_input(t->onnx, t->inputs[i], value_type(node->type), dims, rank);
    }
    for (uint32_t i = 0; i < t->graph->output_count; i++)
        t->results[i] = onnx_claim(t->onnx, t->results[i]);
}

/* The result that a node is, and no other name for it; NULL if it is none. */
static const char *result_of(const Translation *t, const Node *node)
{
    for (uint32_t i = 0; i < t->graph->output_count; i++)
        if (t->graph->outputs[i].value == node)
            return t->results[i];
    return NULL;
}

/* -- nodes ------------------------------------------------------------------------- */

static const char *apply(Translation *t, const Node *node, const char *const *args)
{
    const OnnxRow *row = rows[node->op];
    if (row->refused)
        return refuse(t, node, "%s", row->refused);
    if (row->rule)
        return row->rule(t, node, args);
    return row->same ? onnx_node(t->onnx, row->same, args) : args[row->operand];
}

static bool translate_node(Translation *t, const Node *node)
{
    Arena *arena = onnx_graph_arena(t->onnx);
    const char **args = ARENA_ARRAY(arena, const char *, node->arg_count + 1);
    for (uint32_t i = 0; i < node->arg_count; i++)
        args[i] = t->values[node->args[i]->id];
    const char *name = node_name(node), *result = result_of(t, node);
    name = name ? name : arena_format(arena, "%%%u", node->id);
    onnx_scope(t->onnx, name);
    size_t before = onnx_graph_message(t->onnx)->n_node;
    const char *value = apply(t, node, args);
    if (value && onnx_graph_message(t->onnx)->n_node > before)
        value = onnx_rename(t->onnx, value, result ? result : onnx_claim(t->onnx, name));
    t->values[node->id] = value;
    return value;
}

/* -- all of it --------------------------------------------------------------------- */

/* Rows of an axis are counted on an input. */
static bool check_axes(const Translation *t)
{
    for (uint32_t a = 0; a < t->graph->axis_count; a++) {
        bool is_counted = t->graph->axes[a].kind != AXIS_KIND_primary;
        for (uint32_t i = 0; i < t->graph->node_count && !is_counted; i++)
            is_counted = t->graph->nodes[i]->op == OP_input &&
                         t->graph->nodes[i]->type.axis == (int32_t)a;
        if (is_counted)
            continue;
        diag_error(t->diags, t->graph->loc,
                   "@%s: no ONNX for axis '%s': no input has rows on it", t->graph->name,
                   t->graph->axes[a].name);
        return false;
    }
    return true;
}

const char *translation_output(Translation *t, const char *wanted, const char *value,
                               OnnxType type, const OnnxDim *dims, uint32_t rank)
{
    if (strcmp(value, wanted) != 0)
        value = onnx_rename(t->onnx, ONNX_NODE(t->onnx, "Identity", value), wanted);
    onnx_output(t->onnx, value, type, dims, rank);
    return value;
}

bool translate(Translation *t)
{
    if (!check_axes(t))
        return false;
    bool ok = true;
    claim_names(t);
    for (uint32_t i = 0; i < t->graph->node_count && ok; i++)
        ok = translate_node(t, t->graph->nodes[i]);
    for (uint32_t i = 0; i < t->graph->output_count && ok; i++) {
        OnnxDim dims[TYPE_MAX_RANK + 1];
        const Node *node = t->graph->outputs[i].value;
        uint32_t rank = value_dims(t, node->type, dims);
        translation_output(t, t->results[i], t->values[node->id], value_type(node->type),
                           dims, rank);
    }
    return ok;
}
