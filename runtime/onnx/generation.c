/* Writing generation.json. */
#include "runtime/onnx/generation.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ir/base/files.h"
#include "ir/base/heap.h"
#include "runtime/exec/generate.h"

const char *onnx_file_name(Arena *arena, const Graph *graph)
{
    return arena_format(arena, "%s" ONNX_GRAPH_ENDING, graph->name);
}

const char *onnx_fingerprint(Arena *arena, uint64_t fingerprint)
{
    return arena_format(arena, "%016" PRIx64, fingerprint);
}

/* jansson fails only without memory: names and facts are UTF-8, as XML is. */
static json_t *need(json_t *value)
{
    if (!value)
        out_of_memory(0);
    return value;
}

static void set(json_t *object, const char *key, json_t *value)
{
    if (json_object_set_new(object, key, need(value)))
        out_of_memory(0);
}

static void append(json_t *array, json_t *value)
{
    if (json_array_append_new(array, need(value)))
        out_of_memory(0);
}

/* -- graphs ------------------------------------------------------------------------ */

static json_t *dim_json(const Onnx__TensorShapeProto__Dimension *dim)
{
    return dim->value_case == ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM
               ? json_string(dim->dim_param)
               : json_integer(dim->dim_value);
}

static json_t *values_json(Onnx__ValueInfoProto *const *values, size_t count)
{
    json_t *all = need(json_array());
    for (size_t i = 0; i < count; i++) {
        const Onnx__TypeProto__Tensor *tensor = values[i]->type->tensor_type;
        bool is_int = tensor->elem_type == ONNX__TENSOR_PROTO__DATA_TYPE__INT64;
        json_t *shape = need(json_array());
        for (size_t d = 0; d < tensor->shape->n_dim; d++)
            append(shape, dim_json(tensor->shape->dim[d]));
        append(all, json_pack("{s:s, s:s, s:o}", "name", values[i]->name, "type",
                              is_int ? "int64" : "float32", "shape", shape));
    }
    return all;
}

static json_t *graph_json(const Translation *t)
{
    const Onnx__GraphProto *message = onnx_graph_message(t->onnx);
    Arena *arena = onnx_graph_arena(t->onnx);
    return json_pack("{s:s, s:o, s:o}", "file", onnx_file_name(arena, t->graph), "inputs",
                     values_json(message->input, message->n_input), "outputs",
                     values_json(message->output, message->n_output));
}

/* Inputs of the decode graph of that kind, with the results that they are. */
static json_t *ports_json(const OnnxTask *task, PortKind kind)
{
    json_t *ports = need(json_object());
    for (uint32_t i = 0; i < task->port_count; i++)
        if (task->ports[i].kind == kind)
            set(ports, task->ports[i].input, json_string(task->ports[i].from));
    return ports;
}

static const char *token_of(const OnnxTask *task)
{
    uint32_t i = 0;
    while (task->ports[i].kind != PORT_token)
        i++;
    return task->ports[i].input;
}

/* Inputs that nothing but a mask is. */
static json_t *masks_json(const OnnxTask *task)
{
    json_t *masks = need(json_array());
    for (uint32_t a = 0; task->encode && a < task->encode->graph->axis_count; a++)
        if (task->encode->graph->axes[a].kind == AXIS_KIND_primary &&
            task->encode->axes[a].mask)
            append(masks, json_string(task->encode->axes[a].mask));
    return masks;
}

/* -- tasks ------------------------------------------------------------------------- */

static json_t *settings_json(const GenerateOptions *options)
{
    return json_pack(
        "{s:i, s:i, s:i, s:I, s:I, s:I, s:b, s:b, s:f}", "start_id", options->start,
        "pad_id", options->pad, "end_id", options->end, "max_length",
        (json_int_t)options->max_length, "beams", (json_int_t)options->beams, "no_repeat",
        (json_int_t)options->no_repeat, "early_stopping", options->early_stopping,
        "forced_end", options->forced_end, "length_penalty", options->length_penalty);
}

static json_t *facts_json(const Module *module, const char *name)
{
    const Task *task = module_find_task(module, name);
    json_t *facts = need(json_object());
    for (uint32_t i = 0; i < task->data_count; i++)
        set(facts, task->data[i].key, json_string(task->data[i].value));
    return facts;
}

static json_t *task_json(const Module *module, const OnnxTask *task,
                         const GenerateOptions *options)
{
    json_t *object = need(json_object());
    if (task->encode)
        set(object, "encode", graph_json(task->encode));
    set(object, "decode", graph_json(task->decode));
    set(object, "masks", masks_json(task));
    set(object, "token", json_string(token_of(task)));
    set(object, "logits", json_string(task->logits));
    set(object, "kept", ports_json(task, PORT_kept));
    set(object, "caches", ports_json(task, PORT_cache));
    set(object, "generation", settings_json(options));
    set(object, "data", facts_json(module, task->name));
    return object;
}

static json_t *all_json(const Module *module, const OnnxOptions *options)
{
    Arena *arena = arena_new();
    json_t *all = need(json_pack(
        "{s:s, s:i, s:s, s:s, s:s, s:s, s:i}", "format", "vlgraph-onnx", "version", 1,
        "producer", options->producer, "model", module->name, "plan",
        onnx_fingerprint(arena, options->plan), "weights",
        onnx_fingerprint(arena, options->weights_fingerprint), "opset", ONNX_OPSET));
    arena_free(arena);
    return all;
}

static bool write_json(const json_t *all, const char *directory, Diags *diags)
{
    char *text = json_dumps(all, JSON_INDENT(1)), *path;
    if (!text)
        out_of_memory(0);
    path = heap_format("%s/" ONNX_GENERATION_NAME, directory);
    bool ok = file_replace(path, text, strlen(text), diags);
    free(path);
    free(text);
    return ok;
}

bool generation_write(const Module *module, const OnnxTask *tasks, uint32_t count,
                      const OnnxOptions *options, Diags *diags)
{
    bool ok = true;
    json_t *all = all_json(module, options), *by_name = need(json_object());
    set(all, "tasks", by_name);
    for (uint32_t i = 0; i < count && ok; i++) {
        GenerateOptions said;
        ok = generate_settings(module, tasks[i].name, &said, diags);
        if (ok)
            set(by_name, tasks[i].name, task_json(module, &tasks[i], &said));
    }
    ok = ok && write_json(all, options->directory, diags);
    json_decref(all);
    return ok;
}
