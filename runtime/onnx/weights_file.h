/* The file of an export's weights, which all of its graphs share: each parameter once, as
 * f32, little-endian, row-major, at multiples of 4096 bytes, as ONNX asks of external
 * data (https://onnx.ai/onnx/repo-docs/ExternalData.html). */
#ifndef VLG_RUNTIME_ONNX_WEIGHTS_FILE_H
#define VLG_RUNTIME_ONNX_WEIGHTS_FILE_H

#include "runtime/onnx/onnx_graph.h"
#include "runtime/weights/store.h"

typedef struct WeightsFile WeightsFile;

WeightsFile *weights_file_new(Store *store);
void weights_file_free(WeightsFile *file);

/* Makes the parameter `name`, which is in the store, a constant of that name in `graph`:
 * within the graph if it is small, else in the file. False and an error if a number of it
 * is not finite. */
NODISCARD bool weights_file_add(WeightsFile *file, OnnxGraph *graph, const char *name,
                                Diags *diags);

/* When all is added: names the file after what it holds, so that no graph ever reads the
 * weights of another export, and tells the graphs. The name lives as long as the file. */
const char *weights_file_seal(WeightsFile *file);
/* Writes what was added to `path`, replacing it in one step. */
NODISCARD bool weights_file_write(const WeightsFile *file, const char *path,
                                  Diags *diags);

#endif
