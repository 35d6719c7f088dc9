/* A graph of the plan as an ONNX graph. */
#ifndef VLG_RUNTIME_ONNX_TRANSLATE_H
#define VLG_RUNTIME_ONNX_TRANSLATE_H

#include "runtime/onnx/translation.h"

/* A translation to begin with, in an arena that outlives it: inputs and results have
 * their own names, no axis is full. All of that may be changed before `translate`. */
Translation *translation_new(const Graph *graph, WeightsFile *weights, Arena *arena,
                             Diags *diags);
void translation_free(Translation *t); /* not what it has made; NULL is allowed */

/* Fills t->onnx. False and an error if an op or an axis has no counterpart in ONNX, or a
 * parameter is not finite. Names in t->inputs and t->results are then those that the
 * ONNX graph uses. */
NODISCARD bool translate(Translation *t);

/* Declares a value as an output, under a name like `wanted`, which is returned. */
const char *translation_output(Translation *t, const char *wanted, const char *value,
                               OnnxType type, const OnnxDim *dims, uint32_t rank);

#endif
