/* The storages of an archive: an entry each, the numbers of one tensor or of several. */
#ifndef VLG_RUNTIME_WEIGHTS_TORCH_STORAGE_H
#define VLG_RUNTIME_WEIGHTS_TORCH_STORAGE_H

#include "ir/base/strings.h"
#include "runtime/weights/torch/torch_dtype.h"
#include "runtime/weights/torch/torch_zip.h"

typedef struct TorchStorage {
    const TorchDtype *dtype;
    int64_t elements;
    const unsigned char *bytes; /* [elements * dtype->bytes], little-endian */
} TorchStorage;

typedef struct TorchStorages {
    TorchZip *zip;
    const char *path;   /* of the file, for messages */
    const char *folder; /* of the entries: "archive/data/" */
    Arena *arena;
    Strings *keys; /* of `items` */
    TorchStorage **items;
    size_t capacity;
} TorchStorages;

/* The storage of that key, from the archive when it is asked for first; NULL and an error
 * if it is not there, has another size, or is of another type than before. */
NODISCARD const TorchStorage *torch_storage(TorchStorages *storages, const char *key,
                                            const TorchDtype *dtype, int64_t elements,
                                            Diags *diags);

#endif
