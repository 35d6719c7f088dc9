/* Making an ONNX graph. */
#include "runtime/onnx/onnx_graph.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "ir/base/heap.h"
#include "ir/base/list.h"
#include "ir/base/strings.h"

struct OnnxGraph {
    Arena *arena;
    Onnx__GraphProto *message;
    Strings *names; /* of all values */
    const char *scope;
    size_t node_capacity, tensor_capacity, input_capacity, output_capacity;
};

/* The generated messages hold `char *`, and write through none of them. */
static char *text(OnnxGraph *graph, const char *string)
{
    return arena_string(graph->arena, string, strlen(string));
}

OnnxGraph *onnx_graph_new(Arena *arena, const char *name)
{
    OnnxGraph *graph = arena_alloc(arena, sizeof *graph);
    *graph = (OnnxGraph){.arena = arena, .names = strings_new(), .scope = name};
    graph->message = arena_alloc(arena, sizeof *graph->message);
    onnx__graph_proto__init(graph->message);
    graph->message->name = text(graph, name);
    return graph;
}

void onnx_graph_free(OnnxGraph *graph)
{
    strings_free(graph->names);
}

Arena *onnx_graph_arena(OnnxGraph *graph)
{
    return graph->arena;
}

Onnx__GraphProto *onnx_graph_message(OnnxGraph *graph)
{
    return graph->message;
}

/* -- names ------------------------------------------------------------------------- */

static bool is_taken(const OnnxGraph *graph, const char *name)
{
    return strings_find(graph->names, name, strlen(name)) != STRING_ABSENT;
}

const char *onnx_claim(OnnxGraph *graph, const char *wanted)
{
    const char *name = arena_string(graph->arena, wanted, strlen(wanted));
    for (uint32_t i = 2; is_taken(graph, name); i++)
        name = arena_format(graph->arena, "%s/%u", wanted, i);
    strings_add(graph->names, name, strlen(name));
    return name;
}

void onnx_scope(OnnxGraph *graph, const char *scope)
{
    graph->scope = scope;
}

/* -- nodes ------------------------------------------------------------------------- */

static void set_inputs(OnnxGraph *graph, Onnx__NodeProto *node, const char *const *inputs)
{
    while (inputs[node->n_input])
        node->n_input++;
    node->input = ARENA_ARRAY(graph->arena, char *, node->n_input);
    for (size_t i = 0; i < node->n_input; i++)
        node->input[i] = text(graph, inputs[i]);
}

static void set_output(OnnxGraph *graph, Onnx__NodeProto *node, const char *name)
{
    node->n_output = 1;
    node->output = ARENA_ARRAY(graph->arena, char *, 1);
    node->output[0] = node->name = text(graph, name);
}

const char *onnx_node(OnnxGraph *graph, const char *op, const char *const *inputs)
{
    Onnx__GraphProto *message = graph->message;
    Onnx__NodeProto *node = arena_alloc(graph->arena, sizeof *node);
    onnx__node_proto__init(node);
    node->op_type = text(graph, op);
    set_inputs(graph, node, inputs);
    set_output(graph, node,
               onnx_claim(graph, arena_format(graph->arena, "%s/%s", graph->scope, op)));
    ARENA_LIST_ROOM(graph->arena, message->node, message->n_node + 1,
                    graph->node_capacity);
    message->node[message->n_node++] = node;
    return node->output[0];
}

static Onnx__NodeProto *last_node(const OnnxGraph *graph)
{
    return graph->message->node[graph->message->n_node - 1];
}

static Onnx__AttributeProto *add_attribute(OnnxGraph *graph, const char *name,
                                           Onnx__AttributeProto__AttributeType type)
{
    enum { MOST = 4 }; /* attributes of a node */
    Onnx__NodeProto *node = last_node(graph);
    Onnx__AttributeProto *attribute = arena_alloc(graph->arena, sizeof *attribute);
    onnx__attribute_proto__init(attribute);
    attribute->name = text(graph, name);
    attribute->has_type = true;
    attribute->type = type;
    if (!node->attribute)
        node->attribute = ARENA_ARRAY(graph->arena, Onnx__AttributeProto *, MOST);
    node->attribute[node->n_attribute++] = attribute;
    return attribute;
}

void onnx_attribute(OnnxGraph *graph, const char *name, int64_t value)
{
    Onnx__AttributeProto *attribute =
        add_attribute(graph, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INT);
    attribute->has_i = true;
    attribute->i = value;
}

void onnx_attribute_list(OnnxGraph *graph, const char *name, const int64_t *values,
                         uint32_t count)
{
    Onnx__AttributeProto *attribute =
        add_attribute(graph, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INTS);
    attribute->n_ints = count;
    attribute->ints = arena_copy(graph->arena, values, count * sizeof *values);
}

const char *onnx_rename(OnnxGraph *graph, const char *value, const char *name)
{
    if (graph->message->n_node == 0 || last_node(graph)->output[0] != value)
        value = ONNX_NODE(graph, "Identity", value);
    set_output(graph, last_node(graph), name);
    return last_node(graph)->output[0];
}

/* -- constants --------------------------------------------------------------------- */

static Onnx__TensorProto *add_tensor(OnnxGraph *graph, const char *name, OnnxType type,
                                     uint32_t rank, const int64_t *dims)
{
    Onnx__GraphProto *message = graph->message;
    Onnx__TensorProto *tensor = arena_alloc(graph->arena, sizeof *tensor);
    onnx__tensor_proto__init(tensor);
    tensor->name = text(graph, name);
    tensor->has_data_type = true;
    tensor->data_type = (int32_t)type;
    tensor->n_dims = rank;
    tensor->dims = arena_copy(graph->arena, dims, rank * sizeof *dims);
    ARENA_LIST_ROOM(graph->arena, message->initializer, message->n_initializer + 1,
                    graph->tensor_capacity);
    message->initializer[message->n_initializer++] = tensor;
    return tensor;
}

Onnx__TensorProto *onnx_tensor(OnnxGraph *graph, const char *name, uint32_t rank,
                               const int64_t *dims)
{
    return add_tensor(graph, name, ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT, rank, dims);
}

/* The constant that is called by what it holds; `out_tensor` is NULL if it is there. */
static const char *add_constant(OnnxGraph *graph, const char *name, OnnxType type,
                                uint32_t rank, int64_t count,
                                Onnx__TensorProto **out_tensor)
{
    uint32_t known = strings_find(graph->names, name, strlen(name));
    *out_tensor = NULL;
    if (known != STRING_ABSENT)
        return strings_text(graph->names, known);
    const char *claimed = onnx_claim(graph, name);
    *out_tensor = add_tensor(graph, claimed, type, rank, &count);
    return claimed;
}

static const char *int_constant(OnnxGraph *graph, const char *name, uint32_t rank,
                                const int64_t *values, uint32_t count)
{
    Onnx__TensorProto *tensor;
    name = add_constant(graph, name, ONNX__TENSOR_PROTO__DATA_TYPE__INT64, rank, count,
                        &tensor);
    if (tensor) {
        tensor->n_int64_data = count;
        tensor->int64_data = arena_copy(graph->arena, values, count * sizeof *values);
    }
    return name;
}

const char *onnx_ints(OnnxGraph *graph, const int64_t *values, uint32_t count)
{
    char *name;
    size_t len;
    FILE *stream = heap_stream(&name, &len);
    fputs("i64[", stream);
    for (uint32_t i = 0; i < count; i++)
        fprintf(stream, "%s%" PRId64, i ? ", " : "", values[i]);
    fputc(']', stream);
    fclose(stream);
    const char *constant = int_constant(graph, name, 1, values, count);
    free(name);
    return constant;
}

const char *onnx_int(OnnxGraph *graph, int64_t value)
{
    const char *name = arena_format(graph->arena, "i64 %" PRId64, value);
    return int_constant(graph, name, 0, &value, 1);
}

const char *onnx_number(OnnxGraph *graph, double value)
{
    Onnx__TensorProto *tensor;
    float rounded = (float)value;
    const char *name = arena_format(graph->arena, "f32[%.9g]", (double)rounded);
    name = add_constant(graph, name, ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT, 1, 1, &tensor);
    if (tensor) {
        tensor->n_float_data = 1;
        tensor->float_data = arena_copy(graph->arena, &rounded, sizeof rounded);
    }
    return name;
}

/* -- inputs and outputs -------------------------------------------------------------- */

static Onnx__TensorShapeProto *shape_of(OnnxGraph *graph, const OnnxDim *dims,
                                        uint32_t rank)
{
    Onnx__TensorShapeProto *shape = arena_alloc(graph->arena, sizeof *shape);
    onnx__tensor_shape_proto__init(shape);
    shape->n_dim = rank;
    shape->dim = ARENA_ARRAY(graph->arena, Onnx__TensorShapeProto__Dimension *, rank);
    for (uint32_t i = 0; i < rank; i++) {
        Onnx__TensorShapeProto__Dimension *dim = arena_alloc(graph->arena, sizeof *dim);
        onnx__tensor_shape_proto__dimension__init(dim);
        dim->value_case = dims[i].name
                              ? ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM
                              : ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE;
        if (dims[i].name)
            dim->dim_param = text(graph, dims[i].name);
        else
            dim->dim_value = dims[i].count;
        shape->dim[i] = dim;
    }
    return shape;
}

static Onnx__ValueInfoProto *value_info(OnnxGraph *graph, const char *name, OnnxType type,
                                        const OnnxDim *dims, uint32_t rank)
{
    Onnx__ValueInfoProto *info = arena_alloc(graph->arena, sizeof *info);
    onnx__value_info_proto__init(info);
    info->name = text(graph, name);
    info->type = arena_alloc(graph->arena, sizeof *info->type);
    onnx__type_proto__init(info->type);
    info->type->value_case = ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE;
    Onnx__TypeProto__Tensor *tensor = arena_alloc(graph->arena, sizeof *tensor);
    onnx__type_proto__tensor__init(tensor);
    tensor->has_elem_type = true;
    tensor->elem_type = (int32_t)type;
    tensor->shape = shape_of(graph, dims, rank);
    info->type->tensor_type = tensor;
    return info;
}

void onnx_input(OnnxGraph *graph, const char *name, OnnxType type, const OnnxDim *dims,
                uint32_t rank)
{
    Onnx__GraphProto *message = graph->message;
    ARENA_LIST_ROOM(graph->arena, message->input, message->n_input + 1,
                    graph->input_capacity);
    message->input[message->n_input++] = value_info(graph, name, type, dims, rank);
}

void onnx_output(OnnxGraph *graph, const char *name, OnnxType type, const OnnxDim *dims,
                 uint32_t rank)
{
    Onnx__GraphProto *message = graph->message;
    ARENA_LIST_ROOM(graph->arena, message->output, message->n_output + 1,
                    graph->output_capacity);
    message->output[message->n_output++] = value_info(graph, name, type, dims, rank);
}

void onnx_add_entry(Arena *arena, size_t *count, Onnx__StringStringEntryProto ***entries,
                    const char *key, const char *value)
{
    Onnx__StringStringEntryProto **grown =
        ARENA_ARRAY(arena, Onnx__StringStringEntryProto *, *count + 1);
    Onnx__StringStringEntryProto *entry = arena_alloc(arena, sizeof *entry);
    onnx__string_string_entry_proto__init(entry);
    entry->key = arena_string(arena, key, strlen(key));
    entry->value = arena_string(arena, value, strlen(value));
    if (*count)
        memcpy(grown, *entries, *count * sizeof *grown);
    grown[(*count)++] = entry;
    *entries = grown;
}
