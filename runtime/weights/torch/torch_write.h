/* Writing files as PyTorch's torch.save does: a zip archive, nothing in it compressed, of
 *
 *     archive/data.pkl     pickle, protocol 2: an OrderedDict of tensors by name
 *     archive/byteorder    "little"
 *     archive/data/N       the numbers of storage N
 *     archive/version      "3"
 *
 * Tensors that have one memory have one storage. torch.load reads it, with weights_only
 * too. The layout is that of torch/serialization.py and torch/csrc of PyTorch 2. */
#ifndef VLG_RUNTIME_WEIGHTS_TORCH_TORCH_WRITE_H
#define VLG_RUNTIME_WEIGHTS_TORCH_TORCH_WRITE_H

#include "ir/base/diag.h"

typedef struct TorchWriter TorchWriter;

TorchWriter *torch_writer_new(const char *path);
/* A tensor of f32, row-major; `numbers` are read by finish and must stay until then. */
void torch_writer_add(TorchWriter *writer, const char *name, uint32_t rank,
                      const int64_t *dims, const float *numbers);
/* Writes a file aside, renames it into place, and frees the writer. False and an error if
 * it could not be written; the old file then stays. */
NODISCARD bool torch_writer_finish(TorchWriter *writer, Diags *diags);

#endif
