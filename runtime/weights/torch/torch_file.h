/* The parameters in a file that PyTorch has saved: a zip archive
 *
 *     <root>/data.pkl          a pickle of containers and tensors
 *     <root>/data/<key>        the numbers of storage <key>
 *     <root>/byteorder         optional: little
 *     <root>/constants.pkl     of TorchScript, whose data.pkl has objects of classes; and
 *     <root>/code/             their code, which is not looked at
 *
 * as torch.save and torch.jit.save write it
 * (pytorch.org/docs/stable/notes/serialization.html). Nothing of a file is run
 * (pickle.h), and none of it is trusted. */
#ifndef VLG_RUNTIME_WEIGHTS_TORCH_FILE_H
#define VLG_RUNTIME_WEIGHTS_TORCH_FILE_H

#include <stdbool.h>

#include "ir/base/diag.h"

typedef struct TorchTensor {
    const char *name, *type; /* of an element, as safetensors files call it */
    uint32_t rank;
    const int64_t *dims; /* [rank] */
    int64_t elements, byte_count;
    const void *bytes; /* row-major, little-endian: in the file where that has them so */
} TorchTensor;

typedef struct TorchFile TorchFile;

/* Whether the bytes begin as such a file does. */
bool torch_file_is_one(const void *bytes, size_t len);

/* Of a file that is in memory, for as long as the result is. `path` is for messages.
 * `member`: which dict of tensors is meant where there are several, or NULL; see
 * torch_names.h. NULL and an error. */
NODISCARD TorchFile *torch_file_read(const char *path, const void *bytes, size_t len,
                                     const char *member, Diags *diags);
void torch_file_free(TorchFile *file); /* NULL is allowed */

size_t torch_file_count(const TorchFile *file);
TorchTensor torch_file_at(const TorchFile *file, size_t index);

#endif
