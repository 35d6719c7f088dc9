/* What the parts of the reader of safetensors files share: safetensors.c and
 * safetensors_header.c. */
#ifndef VLG_RUNTIME_WEIGHTS_SAFETENSORS_FILE_H
#define VLG_RUNTIME_WEIGHTS_SAFETENSORS_FILE_H

#include "ir/base/arena.h"
#include "runtime/weights/safetensors.h"

enum { PREAMBLE_BYTES = 8 };

typedef struct Metadata {
    const char *key, *value;
} Metadata;

struct TensorFile {
    Arena *arena;
    const char *path;
    bool any_types; /* TENSOR_OTHER is no error */
    void *mapping;
    size_t mapping_bytes;
    struct stat opened; /* when it was mapped */
    Tensor *tensors;
    const Tensor **by_name;
    uint32_t count;
    size_t capacity; /* of `tensors` */
    Metadata *metadata;
    uint32_t metadata_count;
};

/* Reads and checks the header of a file that is mapped. */
NODISCARD bool header_read(TensorFile *file, Diags *diags);

int tensor_by_name(const void *a, const void *b); /* of const Tensor ** */

#endif
