/* What the parts of the reader of tensor files share: safetensors.c,
 * safetensors_header.c and torch_tensors.c. */
#ifndef VLG_RUNTIME_WEIGHTS_SAFETENSORS_FILE_H
#define VLG_RUNTIME_WEIGHTS_SAFETENSORS_FILE_H

#include "ir/base/arena.h"
#include "runtime/weights/safetensors.h"
#include "runtime/weights/torch/torch_file.h"

enum { PREAMBLE_BYTES = 8 };

typedef struct Metadata {
    const char *key, *value;
} Metadata;

struct TensorFile {
    Arena *arena;
    const char *path;
    const char *member; /* which tensors of the file are meant; NULL: all */
    bool any_types;     /* TENSOR_OTHER is no error */
    void *mapping;
    size_t mapping_bytes;
    struct stat opened; /* when it was mapped */
    TorchFile *torch;   /* a file of PyTorch; NULL: a safetensors file */
    Tensor *tensors;
    const Tensor **by_name;
    uint32_t count;
    size_t capacity; /* of `tensors` */
    Metadata *metadata;
    uint32_t metadata_count;
};

/* Reads and checks the header of a file that is mapped. */
NODISCARD bool header_read(TensorFile *file, Diags *diags);

/* The same for a file of PyTorch. */
NODISCARD bool torch_tensors_read(TensorFile *file, Diags *diags);

/* Makes `by_name`; an error if two tensors have one name. */
NODISCARD bool tensors_index(TensorFile *file, Diags *diags);
/* What an element is; TENSOR_OTHER if `type` is not one that is read. */
TensorDType tensor_dtype_of(const char *type);

int tensor_by_name(const void *a, const void *b); /* of const Tensor ** */

#endif
