/* An ONNX graph while it is made: nodes, constants, inputs and outputs, all in one arena.
 *
 * A value is its name, which no other value of the graph has. Format: the messages of
 * onnx.proto (https://onnx.ai/onnx/repo-docs/IR.html), version 8, operators of opset 17
 * (https://onnx.ai/onnx/operators/). */
#ifndef VLG_RUNTIME_ONNX_ONNX_GRAPH_H
#define VLG_RUNTIME_ONNX_ONNX_GRAPH_H

#include <onnx/onnx.pb-c.h>
#include <stdbool.h>
#include <stdint.h>

#include "ir/base/arena.h"

enum { ONNX_IR_VERSION = 8, ONNX_OPSET = 17 };

typedef struct OnnxGraph OnnxGraph;

typedef Onnx__TensorProto__DataType OnnxType;

/* A dimension of a value: a number, or a name for what differs from run to run. */
typedef struct OnnxDim {
    const char *name; /* NULL: `count` */
    int64_t count;
} OnnxDim;

OnnxGraph *onnx_graph_new(Arena *arena, const char *name);
void onnx_graph_free(OnnxGraph *graph); /* not the arena */
Arena *onnx_graph_arena(OnnxGraph *graph);
/* The message; it lives as long as the arena, and holds what the graph has by now. */
Onnx__GraphProto *onnx_graph_message(OnnxGraph *graph);

/* A name that no value has: `wanted`, or that and a number. */
const char *onnx_claim(OnnxGraph *graph, const char *wanted);

/* What the values of the next nodes are named after: <scope>/<op>, and a number. */
void onnx_scope(OnnxGraph *graph, const char *scope);

/* A node of one result. `inputs` end with NULL; "" is one that is left out. */
const char *onnx_node(OnnxGraph *graph, const char *op, const char *const *inputs);
#define ONNX_NODE(graph, op, ...)                                                        \
    onnx_node((graph), (op), (const char *const[]){__VA_ARGS__, NULL})
/* Attributes of the node that was made last. */
void onnx_attribute(OnnxGraph *graph, const char *name, int64_t value);
void onnx_attribute_list(OnnxGraph *graph, const char *name, const int64_t *values,
                         uint32_t count);
/* The same value under a claimed name: renamed if the node that was made last makes it,
 * else copied by a node. */
const char *onnx_rename(OnnxGraph *graph, const char *value, const char *name);

/* Constants; equal ones are one. */
const char *onnx_ints(OnnxGraph *graph, const int64_t *values, uint32_t count);
#define ONNX_INTS(graph, ...)                                                            \
    onnx_ints((graph), (const int64_t[]){__VA_ARGS__},                                   \
              sizeof((const int64_t[]){__VA_ARGS__}) / sizeof(int64_t))
const char *onnx_int(OnnxGraph *graph, int64_t value);   /* without dimensions */
const char *onnx_number(OnnxGraph *graph, double value); /* f32[1] */

/* A constant tensor of f32 whose place in the message the caller fills. Its name must be
 * claimed. */
Onnx__TensorProto *onnx_tensor(OnnxGraph *graph, const char *name, uint32_t rank,
                               const int64_t *dims);

/* Of a claimed name. */
void onnx_input(OnnxGraph *graph, const char *name, OnnxType type, const OnnxDim *dims,
                uint32_t rank);
void onnx_output(OnnxGraph *graph, const char *name, OnnxType type, const OnnxDim *dims,
                 uint32_t rank);

/* A message's list of key and value, one more. */
void onnx_add_entry(Arena *arena, size_t *count, Onnx__StringStringEntryProto ***entries,
                    const char *key, const char *value);

#endif
