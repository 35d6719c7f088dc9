/* Which input of the decode graph is which result: as in ir/verify_decode.c, by name. */
#include "runtime/onnx/task.h"

static const Output *find_result(const Graph *graph, const char *name)
{
    return graph ? graph_find_output(graph, OUTPUT_result, name) : NULL;
}

static PortKind port_kind(const OnnxTask *task, const Node *input)
{
    const char *name = input->attr.named.name;
    return task->encode && find_result(task->encode->graph, name) ? PORT_kept
           : find_result(task->decode->graph, name)               ? PORT_cache
                                                                  : PORT_token;
}

/* -- names ------------------------------------------------------------------------- */

/* A value has one name in ONNX, but a cache is an input and a result. */
static void name_caches(OnnxTask *task, Arena *arena)
{
    Translation *decode = task->decode;
    for (uint32_t i = 0; i < decode->graph->node_count; i++) {
        const Node *node = decode->graph->nodes[i];
        if (node->op != OP_input || port_kind(task, node) != PORT_cache)
            continue;
        const char *name = node->attr.named.name;
        decode->inputs[i] = arena_format(arena, "past.%s", name);
        const Output *grown = find_result(decode->graph, name);
        decode->results[grown - decode->graph->outputs] =
            arena_format(arena, "present.%s", name);
    }
}

/* -- masks ------------------------------------------------------------------------- */

/* Of the decode graph's axes only those of what is kept may be padded: all sequences have
 * said as many tokens. */
static void fill_axes(OnnxTask *task, const char **masks, Arena *arena)
{
    Translation *encode = task->encode, *decode = task->decode;
    for (uint32_t a = 0; a < decode->graph->axis_count; a++)
        decode->axes[a].is_full = true;
    for (uint32_t i = 0; encode && i < decode->graph->node_count; i++) {
        const Node *node = decode->graph->nodes[i];
        int32_t axis = node->type.axis;
        if (node->op != OP_input || axis == AXIS_BATCH || masks[axis] ||
            port_kind(task, node) != PORT_kept)
            continue;
        const Output *kept = find_result(encode->graph, node->attr.named.name);
        const char *mask = axis_mask(encode, kept->value->type.axis);
        if (!mask)
            continue;
        const char *name = decode->graph->axes[axis].name;
        const OnnxDim dims[] = {{.name = "batch"}, {.name = name}};
        masks[axis] = translation_output(
            encode, onnx_claim(encode->onnx, arena_format(arena, "%s_mask", name)), mask,
            ONNX__TENSOR_PROTO__DATA_TYPE__INT64, dims, 2);
        decode->axes[axis].is_full = false;
    }
}

/* -- ports ------------------------------------------------------------------------- */

static void add_port(OnnxTask *task, PortKind kind, const char *input, const char *from)
{
    task->ports[task->port_count++] = (OnnxPort){kind, input, from};
}

static const char *result_name(const Translation *t, const char *name)
{
    return t->results[find_result(t->graph, name) - t->graph->outputs];
}

static void find_ports(OnnxTask *task, const char *const *masks, Arena *arena)
{
    const Graph *graph = task->decode->graph;
    task->ports = ARENA_ARRAY(arena, OnnxPort, graph->node_count + graph->axis_count);
    for (uint32_t i = 0; i < graph->node_count; i++) {
        const Node *node = graph->nodes[i];
        if (node->op != OP_input)
            continue;
        PortKind kind = port_kind(task, node);
        const Translation *from = kind == PORT_kept ? task->encode : task->decode;
        add_port(task, kind, task->decode->inputs[i],
                 kind == PORT_token ? NULL : result_name(from, node->attr.named.name));
    }
    for (uint32_t a = 0; a < graph->axis_count; a++)
        if (masks[a] && task->decode->axes[a].mask)
            add_port(task, PORT_kept, task->decode->axes[a].mask, masks[a]);
    task->logits = result_name(task->decode, "logits");
}

bool onnx_task_make(OnnxTask *task, const Module *module, const char *name,
                    WeightsFile *weights, Arena *arena, Diags *diags)
{
    const Graph *encode = module_task_graph(module, GRAPH_encode, name);
    const Graph *decode = module_task_graph(module, GRAPH_decode, name);
    *task = (OnnxTask){.name = name};
    if (encode)
        task->encode = translation_new(encode, weights, arena, diags);
    if (encode && !translate(task->encode))
        return false;
    task->decode = translation_new(decode, weights, arena, diags);
    const char **masks = ARENA_ARRAY(arena, const char *, decode->axis_count);
    name_caches(task, arena);
    fill_axes(task, masks, arena);
    if (!translate(task->decode))
        return false;
    find_ports(task, masks, arena);
    return true;
}

void onnx_task_free(OnnxTask *task)
{
    translation_free(task->encode);
    translation_free(task->decode);
}
