/* The directory of an export. It holds nothing else, so that what an export before left
 * there can be told, and goes when the new one is whole. */
#ifndef VLG_RUNTIME_ONNX_DIRECTORY_H
#define VLG_RUNTIME_ONNX_DIRECTORY_H

#include "ir/base/diag.h"
#include "ir/base/strings.h"

#define ONNX_GENERATION_NAME "generation.json"
#define ONNX_GRAPH_ENDING ".onnx"
#define ONNX_WEIGHTS_STEM "weights-" /* 16 digits of a fingerprint, .bin */

/* Makes the directory. False and an error, and nothing done, if it holds a file that is
 * not of an export. */
NODISCARD bool onnx_directory_open(const char *path, Diags *diags);
/* Removes all that is of an export but the files named in `kept`. */
NODISCARD bool onnx_directory_tidy(const char *path, const Strings *kept, Diags *diags);

#endif
