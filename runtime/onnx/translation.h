/* What the translation of one graph to ONNX knows, and what its rules share.
 *
 * Ragged axes become padded ones: a value f32[enc, 768] is a tensor [batch, enc, 768], in
 * which every sequence has as many rows as the longest, its own first. Rows that no
 * sequence has are computed and mean nothing. They are told from others where rows of a
 * sequence come together (attention, sums), by a mask of the axis; nowhere else. */
#ifndef VLG_RUNTIME_ONNX_TRANSLATION_H
#define VLG_RUNTIME_ONNX_TRANSLATION_H

#include "ir/graph.h"
#include "runtime/onnx/onnx_graph.h"
#include "runtime/onnx/weights_file.h"

typedef struct AxisValues {
    bool is_full;      /* a primary axis of which every sequence has as many rows */
    const char *rows;  /* i64[1], or NULL: nobody has asked */
    const char *mask;  /* i64[batch, axis], 0 or 1 */
    bool is_mask_made; /* whether `mask` is known; then NULL says that all are rows */
} AxisValues;

/* What was added to the scores of an attention; another may need the same. */
typedef struct MadeBias MadeBias;
struct MadeBias {
    const Node *node;
    const char *value; /* NULL: nothing */
    const MadeBias *next;
};

typedef struct Translation {
    const Graph *graph;
    OnnxGraph *onnx;
    WeightsFile *weights;
    const char **inputs;  /* by node id: what an input is called */
    const char **results; /* by output: what it is called */
    const char **values;  /* by node id */
    const char **turned;  /* by node id: transposed matrices, where there are */
    AxisValues *axes;     /* by axis */
    const char *batch;    /* i64[1]: sequences */
    const MadeBias *biases;
    Diags *diags;
} Translation;

/* What a node becomes, given its operands' values; NULL after an error. */
typedef const char *OnnxRule(Translation *t, const Node *node, const char *const *args);

#define RULE(op) OnnxRule rule_##op;
#define SAME(op, name)
#define OPERAND(op, index)
#define REFUSED(op, why)
#include "runtime/onnx/onnx_ops.def"

/* An error that names the node's place in the model; NULL. */
const char *refuse(Translation *t, const Node *node, const char *format, ...)
    PRINTF_LIKE(3, 4);

/* -- axes -------------------------------------------------------------------------- */

/* i64[1]: the sequences of a run; the rows of an axis, padding included. */
const char *batch_count(Translation *t);
const char *axis_rows(Translation *t, int32_t axis);
/* i64[batch, axis], 1 where a sequence has a row; NULL if it has all of them. Asking for
 * that of a primary axis that is not full makes it an input, <axis>_mask. */
const char *axis_mask(Translation *t, int32_t axis);
/* The same, never NULL. */
const char *axis_ones(Translation *t, int32_t axis);
/* Whether padding stands before rows of it, so that places are not those of the rows. */
bool axis_is_split(Translation *t, int32_t axis);
/* i64[axis]: 0, 1, ... */
const char *axis_places(Translation *t, int32_t axis);
/* The dimensions of a value, as an input or output declares them, and how many. */
uint32_t value_dims(const Translation *t, Type type, OnnxDim dims[TYPE_MAX_RANK + 1]);
OnnxType value_type(Type type);
/* i64[rank]: the shape of a value of that type. */
const char *value_shape(Translation *t, Type type);

#endif
