/* generation.json: how the graphs of an export go together, and how answers are said. */
#ifndef VLG_RUNTIME_ONNX_GENERATION_H
#define VLG_RUNTIME_ONNX_GENERATION_H

#include "runtime/onnx/directory.h"
#include "runtime/onnx/onnx.h"
#include "runtime/onnx/task.h"

/* What a file of the export is called in its directory. */
const char *onnx_file_name(Arena *arena, const Graph *graph);
/* A fingerprint as text. */
const char *onnx_fingerprint(Arena *arena, uint64_t fingerprint);

NODISCARD bool generation_write(const Module *module, const OnnxTask *tasks,
                                uint32_t count, const OnnxOptions *options, Diags *diags);

#endif
