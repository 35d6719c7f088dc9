/* Invariants of graphs. What is around them is in verify_module.c, groups are in
 * verify_groups.c, memory in verify_plan.c, what sessions rely on in verify_run.c. */
#include "ir/verify.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ir/axis.h"
#include "ir/lowering.h"
#include "ir/base/heap.h"
#include "ir/base/map.h"
#include "ir/int8.h"
#include "ir/range.h"
#include "ir/text.h"
#include "ir/verify_fault.h"
#include "ir/verify_plan.h"

enum { TEXT = 128 };
static const int64_t MOST_ROWS = INT32_MAX; /* the most that the runtime counts */
static const int64_t MOST_SALT = UINT32_MAX;

/* -- axes -------------------------------------------------------------------------- */

static bool verify_axis_numbers(const Axis *axis)
{
    switch (axis->kind) {
    case AXIS_KIND_fixed:
        return axis->count >= 1 && axis->count <= MOST_ROWS;
    case AXIS_KIND_pool:
        return axis->images >= 1 && axis->images <= MOST_POOL && axis->side >= 1 &&
               axis->side <= MOST_POOL;
    case AXIS_KIND_batch:
    case AXIS_KIND_primary:
    case AXIS_KIND_join:
    case AXIS_KIND_COUNT:
        break;
    }
    return true;
}

static bool verify_axis(const Graph *graph, uint32_t index, Diags *diags)
{
    const Axis *axis = &graph->axes[index];
    if (!axis->name || graph_find_axis(graph, axis->name) != (int32_t)index)
        return verify_fault(graph, NULL, diags, "axis '%s' is defined twice", axis->name);
    if ((axis->kind == AXIS_KIND_batch) != (index == AXIS_BATCH) ||
        (axis->kind == AXIS_KIND_batch && axis->longest != 1))
        return verify_fault(graph, NULL, diags, "axis '%s' cannot be of kind %s",
                            axis->name, axis_kind_names[axis->kind]);
    for (uint32_t i = 0; i < axis_part_count(axis); i++)
        if (axis->of[i] < 0 || axis->of[i] >= (int32_t)index)
            return verify_fault(graph, NULL, diags, "axis '%s' is made of one below it",
                                axis->name);
    if (!verify_axis_numbers(axis))
        return verify_fault(graph, NULL, diags, "axis '%s' has impossible numbers",
                            axis->name);
    if (axis->longest != axis_longest(graph->axes, axis))
        return verify_fault(graph, NULL, diags,
                            "axis '%s' has sequences of %" PRId64
                            " rows at most, but is made of %" PRId64,
                            axis->name, axis->longest, axis_longest(graph->axes, axis));
    if (axis->longest < 1 || axis->capacity < axis->longest || axis->capacity > MOST_ROWS)
        return verify_fault(graph, NULL, diags,
                            "axis '%s' has room for %" PRId64 " rows, its longest "
                            "sequence has %" PRId64 "; expected at most %" PRId64,
                            axis->name, axis->capacity, axis->longest, MOST_ROWS);
    return true;
}

static bool verify_axes(const Graph *graph, Diags *diags)
{
    if (graph->axis_count < 1 || graph->axis_count > MOST_AXES)
        return verify_fault(graph, NULL, diags, "%u axes, expected 1 to %d",
                            graph->axis_count, MOST_AXES);
    bool ok = true;
    for (uint32_t i = 0; i < graph->axis_count; i++)
        ok &= verify_axis(graph, i, diags);
    return ok;
}

/* -- nodes ------------------------------------------------------------------------- */

static bool verify_operands(const Graph *graph, const Node *node, uint32_t index,
                            Diags *diags)
{
    if (node->id != index)
        return verify_fault(graph, node, diags, "stands at place %u", index);
    for (uint32_t i = 0; i < node->arg_count; i++) {
        const Node *arg = node->args[i];
        if (!arg || arg->id >= index || graph->nodes[arg->id] != arg)
            return verify_fault(graph, node, diags, "operand %u does not stand above it",
                                i);
    }
    return true;
}

static bool verify_rule(const Graph *graph, const Module *module, const Node *node,
                        attr_rule rule, Diags *diags)
{
    if (rule >= RULE_of_op &&
        (!module || rule <= 0 || (uint32_t)rule <= module->rule_count))
        return true;
    return verify_fault(graph, node, diags,
                        "rule is %" PRId64
                        ", expected 'op' or the number of one of the module's %" PRIu32
                        " lines 'precision'",
                        (int64_t)rule, module ? module->rule_count : 0);
}

static bool verify_attr(const Graph *graph, const Module *module, const Node *node,
                        const AttrField *field, Diags *diags)
{
    const void *at = (const char *)&node->attr + field->offset;
    bool ok = true;
    if (field->kind == ATTR_flag)
        ok = *(const attr_flag *)at == 0 || *(const attr_flag *)at == 1;
    else if (field->kind == ATTR_real)
        ok = !isnan(*(const attr_real *)at);
    else if (field->kind == ATTR_name)
        ok = *(const attr_name *)at != NULL;
    else if (field->kind == ATTR_axis)
        ok = *(const attr_axis *)at >= 0 &&
             *(const attr_axis *)at < (attr_axis)graph->axis_count;
    else if (field->kind == ATTR_precision)
        ok = *(const attr_precision *)at < PRECISION_COUNT;
    else if (field->kind == ATTR_rule)
        return verify_rule(graph, module, node, *(const attr_rule *)at, diags);
    else if (field->kind == ATTR_int && strcmp(field->name, "salt") == 0)
        ok = *(const attr_int *)at >= 0 && *(const attr_int *)at <= MOST_SALT;
    return ok || verify_fault(graph, node, diags,
                              "attribute '%s' has an impossible value", field->name);
}

static bool verify_type(const Graph *graph, const Node *node, Diags *diags)
{
    Type type;
    uint32_t errors = diags_error_count(diags);
    Graph reporting = *graph; /* shape errors go where ours go */
    reporting.diags = diags;
    if (!shape_infer(&reporting, node->loc, node_spec(node, node->args), &type))
        return diags_error_count(diags) > errors
                   ? false
                   : verify_fault(graph, node, diags, "operands do not fit");
    if (type_equal(type, node->type))
        return true;
    char is[TEXT], should[TEXT];
    type_print(graph, node->type, is, sizeof is);
    type_print(graph, type, should, sizeof should);
    return verify_fault(graph, node, diags, "has type %s, its operands give %s", is,
                        should);
}

static bool verify_input(const Graph *graph, const Node *node, Diags *diags)
{
    char type[TEXT];
    type_print(graph, node->type, type, sizeof type);
    if (node->type.dtype == DTYPE_bit || node->type.dtype == DTYPE_packed)
        return verify_fault(graph, node, diags, "an input cannot be %s",
                            node->type.dtype == DTYPE_bit ? "bits" : "packed");
    return strcmp(node->attr.named.name, "lr") != 0 || type_is_ragged(node->type) ||
           type_equal(node->type, TYPE_SCALAR) ||
           verify_fault(graph, node, diags,
                        "input 'lr', the learning rate, is %s, expected f32[1]", type);
}

/* What a source names exists in the module, with the same type. */
static bool verify_source(const Graph *graph, const Module *module, const Node *node,
                          Diags *diags)
{
    const char *name = node->attr.named.name;
    const Type *type = NULL;
    if (node->op == OP_constant)
        return true;
    if (node->op == OP_input)
        return verify_input(graph, node, diags);
    if ((node->op == OP_state || node->op == OP_gradient) && graph->kind != GRAPH_update)
        return verify_fault(graph, node, diags, "belongs in an update graph");
    if (!module)
        return true;
    const Param *param = NULL;
    if (node->op == OP_state) {
        const StateVar *state = module_find_state(module, name);
        type = state ? &state->type : NULL;
    } else {
        param = module_find_param(module, name);
        type = param ? &param->type : NULL;
    }
    if (!type)
        return verify_fault(graph, node, diags, "the module has no '%s'", name);
    if (node->op == OP_weight && param->trained)
        return verify_fault(graph, node, diags, "'%s' is trained, so it is no constant",
                            name);
    if (type_equal(*type, node->type))
        return true;
    char is[TEXT], should[TEXT];
    type_print(graph, node->type, is, sizeof is);
    type_print(graph, *type, should, sizeof should);
    return verify_fault(graph, node, diags, "'%s' is %s here, declared as %s", name, is,
                        should);
}

static bool verify_int8(const Graph *graph, const Node *node, Diags *diags)
{
    const AttrField *field = op_field_of(node->op, ATTR_precision);
    const void *at = (const char *)&node->attr + (field ? field->offset : 0);
    bool is_int8 = field && *(const attr_precision *)at == PRECISION_int8;
    const char *reason = is_int8 ? int8_refuse(node) : NULL;
    return !reason || verify_fault(graph, node, diags, "precision '%s': %s",
                                   precision_names[PRECISION_int8], reason);
}

static bool verify_node(const Graph *graph, const Module *module, uint32_t index,
                        Diags *diags)
{
    const Node *node = graph->nodes[index];
    uint32_t count;
    if (!node || node->op >= OP_COUNT || node->stage > STAGE_backward)
        return verify_fault(graph, NULL, diags, "node %u is not one", index);
    const AttrField *fields = op_fields(node->op, &count);
    if (!verify_operands(graph, node, index, diags))
        return false;
    for (uint32_t i = 0; i < count; i++)
        if (!verify_attr(graph, module, node, &fields[i], diags))
            return false;
    if (!verify_type(graph, node, diags) || !verify_int8(graph, node, diags))
        return false;
    return !node_is_source(node) || verify_source(graph, module, node, diags);
}

static int compare_sources(const void *a, const void *b)
{
    const Node *x = *(const Node *const *)a, *y = *(const Node *const *)b;
    int order = strcmp(x->attr.named.name, y->attr.named.name);
    return order ? order : (x->id > y->id) - (x->id < y->id);
}

/* One name, one type: inputs have no declaration to be compared with. */
static bool verify_inputs(const Graph *graph, Diags *diags)
{
    const Node **inputs = heap_array(graph->node_count + 1, sizeof *inputs);
    uint32_t count = 0;
    for (uint32_t i = 0; i < graph->node_count; i++)
        if (graph->nodes[i]->op == OP_input)
            inputs[count++] = graph->nodes[i];
    if (count)
        qsort(inputs, count, sizeof *inputs, compare_sources);
    bool ok = true;
    for (uint32_t i = 1; i < count; i++)
        if (strcmp(inputs[i]->attr.named.name, inputs[i - 1]->attr.named.name) == 0 &&
            !type_equal(inputs[i]->type, inputs[i - 1]->type))
            ok = verify_fault(graph, inputs[i], diags, "input '%s' has two types",
                              inputs[i]->attr.named.name);
    free(inputs);
    return ok;
}

/* Names are interned. */
static bool verify_value_names(const Graph *graph, Diags *diags)
{
    Map names = {0};
    map_reserve(&names, graph->node_count);
    bool ok = true;
    for (uint32_t i = 0; i < graph->node_count; i++) {
        const Node *node = graph->nodes[i];
        uint32_t older = node->name ? map_find_word(&names, (uintptr_t)node->name) : i;
        if (!node->name)
            continue;
        if (node_is_source(node))
            ok = verify_fault(graph, node, diags, "a source has no name but its own");
        else if (!*node->name)
            ok = verify_fault(graph, node, diags, "the name of the value is empty");
        else if (older != MAP_ABSENT)
            ok = verify_fault(graph, node, diags, "%%%u is named '%s' as well", older,
                              node->name);
        else
            map_add_word(&names, (uintptr_t)node->name, i);
    }
    map_free(&names);
    return ok;
}

/* -- outputs ----------------------------------------------------------------------- */

static const unsigned role_kinds[OUTPUT_ROLE_COUNT] = {
    [OUTPUT_result] = 1u << GRAPH_train | 1u << GRAPH_evaluate | 1u << GRAPH_update |
                      1u << GRAPH_encode | 1u << GRAPH_decode | 1u << GRAPH_graft |
                      1u << GRAPH_exchange,
    [OUTPUT_loss] = 1u << GRAPH_train | 1u << GRAPH_evaluate,
    [OUTPUT_gradient] = 1u << GRAPH_train,
    [OUTPUT_assign] = 1u << GRAPH_update | 1u << GRAPH_exchange,
    [OUTPUT_graft] = 1u << GRAPH_graft,
};

/* The type that the receiver of an output has, or NULL if anything goes. */
static const Type *receiver_type(const Module *module, const Output *output,
                                 bool *out_missing)
{
    static const Type loss = {.axis = AXIS_STATIC, .rank = 1, .dims = {1}};
    *out_missing = false;
    if (output->role == OUTPUT_loss)
        return &loss;
    if (!module || (output->role != OUTPUT_gradient && output->role != OUTPUT_assign))
        return NULL;
    const Param *param = module_find_param(module, output->name);
    const StateVar *state =
        output->role == OUTPUT_assign ? module_find_state(module, output->name) : NULL;
    *out_missing = !param && !state;
    return param ? &param->type : state ? &state->type : NULL;
}

/* Results are never bits; those of a static type are f32, as they are added up over
 * micro-batches. */
static bool verify_result(const Graph *graph, const Output *output, Diags *diags)
{
    Type type = output->value->type;
    bool is_ragged = type_is_ragged(type);
    if (output->role != OUTPUT_result || type.dtype == DTYPE_f32 ||
        (type.dtype == DTYPE_i32 && is_ragged))
        return true;
    char is[TEXT];
    type_print(graph, type, is, sizeof is);
    return verify_fault(graph, output->value, diags,
                        "result '%s' has type %s, expected f32%s", output->name, is,
                        is_ragged ? " or i32" : "");
}

static bool verify_output(const Graph *graph, const Module *module, const Output *output,
                          Diags *diags)
{
    const Node *value = output->value;
    const char *role = output_role_names[output->role];
    if (!value || value->id >= graph->node_count || graph->nodes[value->id] != value)
        return verify_fault(graph, NULL, diags, "%s '%s' is not in the graph", role,
                            output->name);
    if (!(role_kinds[output->role] >> graph->kind & 1))
        return verify_fault(graph, value, diags, "%s '%s' in a graph of kind %s", role,
                            output->name, graph_kind_names[graph->kind]);
    bool missing;
    const Type *type = receiver_type(module, output, &missing);
    if (missing)
        return verify_fault(graph, value, diags, "%s: the module has no '%s'", role,
                            output->name);
    if (!type || type_equal(*type, value->type))
        return verify_result(graph, output, diags);
    char is[TEXT], should[TEXT];
    type_print(graph, value->type, is, sizeof is);
    type_print(graph, *type, should, sizeof should);
    return verify_fault(graph, value, diags, "%s '%s' has type %s, expected %s", role,
                        output->name, is, should);
}

static int compare_outputs(const void *a, const void *b)
{
    const Output *x = *(const Output *const *)a, *y = *(const Output *const *)b;
    return x->role != y->role ? (int)x->role - (int)y->role : strcmp(x->name, y->name);
}

static bool verify_outputs(const Graph *graph, const Module *module, Diags *diags)
{
    const Output **sorted = heap_array(graph->output_count + 1, sizeof *sorted);
    uint32_t grafts = 0;
    bool ok = true;
    for (uint32_t i = 0; i < graph->output_count; i++) {
        sorted[i] = &graph->outputs[i];
        grafts += sorted[i]->role == OUTPUT_graft;
        ok &= verify_output(graph, module, sorted[i], diags);
    }
    if (graph->output_count)
        qsort(sorted, graph->output_count, sizeof *sorted, compare_outputs);
    for (uint32_t i = 1; i < graph->output_count; i++)
        if (compare_outputs(&sorted[i - 1], &sorted[i]) == 0)
            ok = verify_fault(graph, NULL, diags, "two outputs %s '%s'",
                              output_role_names[sorted[i]->role], sorted[i]->name);
    free(sorted);
    if (graph->kind == GRAPH_graft && grafts != 1)
        ok = verify_fault(graph, NULL, diags, "a graft has one output for its site");
    return ok;
}

/* -- the graph and the module ------------------------------------------------------ */

static bool verify_names(const Graph *graph, const Module *module, Diags *diags)
{
    bool is_graft = graph->kind == GRAPH_graft;
    if (is_graft != (graph->host != NULL) || is_graft != (graph->site != NULL))
        return verify_fault(graph, NULL, diags,
                            "grafts, and only they, have host and site");
    if (!module)
        return true;
    if (is_graft && !module_find_graph(module, graph->host))
        return verify_fault(graph, NULL, diags, "its host @%s is not in the module",
                            graph->host);
    if (module->task_count > 0 && !module_find_task(module, graph->task))
        return verify_fault(graph, NULL, diags, "its task '%s' is not in the module",
                            graph->task);
    return true;
}

/* Of parameters alone: there is no batch. */
static bool verify_exchange(const Graph *graph, Diags *diags)
{
    bool ok = true;
    for (uint32_t i = 0; i < graph->node_count; i++) {
        const Node *node = graph->nodes[i];
        bool is_of_batch = node->op == OP_input || type_is_ragged(node->type) ||
                           op_field_of(node->op, ATTR_axis) ||
                           op_info(node->op)->traits & TRAIT_ROW_INDEX;
        if (is_of_batch)
            ok = verify_fault(graph, node, diags,
                              "needs rows of a batch, which an exchange graph has not");
    }
    return ok;
}

bool graph_verify(const Graph *graph, const Module *module, Diags *diags)
{
    if (!verify_names(graph, module, diags) || !verify_axes(graph, diags))
        return false;
    bool ok = true;
    for (uint32_t i = 0; i < graph->node_count; i++)
        ok &= verify_node(graph, module, i, diags);
    if (ok && graph->kind == GRAPH_exchange)
        ok = verify_exchange(graph, diags);
    if (!ok || !verify_ranges(graph, diags) || !verify_inputs(graph, diags) ||
        !verify_value_names(graph, diags) || !verify_outputs(graph, module, diags) ||
        !verify_groups(graph, diags))
        return false;
    if (graph->planned && !graph->fused)
        return verify_fault(graph, NULL, diags, "planned, but not fused");
    return verify_packed(graph, diags) && (!graph->planned || verify_slab(graph, diags));
}
