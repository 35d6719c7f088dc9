/* What a task generates with, as ONNX models that any runtime can run.
 *
 * A directory: per task <task>.encode.onnx, which runs once, and <task>.decode.onnx,
 * which runs once per token; weights-<fingerprint>.bin, the parameters of all of them;
 * and generation.json, which says how they go together (docs/onnx.md).
 *
 * The graphs are those of the plan. Groups and offsets, which passes have added, say
 * nothing of what is computed, and a packed weight is the weight: so nothing needs the
 * graphs as they were before those passes, and a plan of any age has what it takes. */
#ifndef VLG_RUNTIME_ONNX_ONNX_H
#define VLG_RUNTIME_ONNX_ONNX_H

#include "runtime/weights/store.h"

typedef struct OnnxOptions {
    const char *directory;
    const char *task;                   /* one only; NULL: all that can generate */
    const char *producer;               /* version of the program */
    uint64_t plan, weights_fingerprint; /* of where the numbers come from; 0: nowhere */
} OnnxOptions;

/* Writes all files, each in one step, generation.json last, and removes those of an
 * export before; a directory that holds anything else is refused. Products that the plan
 * makes in less than f32 are f32 there, which a warning says. False and errors if a task
 * cannot generate, an op has no counterpart in ONNX, a parameter is not finite or a file
 * cannot be written. */
NODISCARD bool onnx_export(Store *store, const OnnxOptions *options, Diags *diags);

#endif
