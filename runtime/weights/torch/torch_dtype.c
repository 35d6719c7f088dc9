#include "runtime/weights/torch/torch_dtype.h"

#include <stddef.h>
#include <string.h>

static const TorchDtype dtypes[] = {
#define TORCH_DTYPE(name, storage, type, bytes) {name, storage, type, bytes},
#include "runtime/weights/torch/torch_dtypes.def"
};

enum { DTYPE_COUNT = sizeof dtypes / sizeof *dtypes };

const TorchDtype torch_untyped = {"", "UntypedStorage", "", 1};

const TorchDtype *torch_dtype_of_name(const char *name)
{
    for (size_t i = 0; i < DTYPE_COUNT; i++)
        if (strcmp(name, dtypes[i].name) == 0)
            return &dtypes[i];
    return NULL;
}

const TorchDtype *torch_dtype_of_storage(const char *storage)
{
    for (size_t i = 0; i < DTYPE_COUNT; i++)
        if (*dtypes[i].storage && strcmp(storage, dtypes[i].storage) == 0)
            return &dtypes[i];
    return strcmp(storage, torch_untyped.storage) == 0 ? &torch_untyped : NULL;
}
