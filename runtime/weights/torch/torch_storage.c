#include "runtime/weights/torch/torch_storage.h"

#include <inttypes.h>
#include <string.h>

#include "ir/base/list.h"

static bool read_bytes(TorchStorages *storages, const char *key, TorchStorage *out,
                       Diags *diags)
{
    const Loc loc = {.file = storages->path};
    const char *name = arena_format(storages->arena, "%s%s", storages->folder, key);
    int64_t entry = torch_zip_find(storages->zip, name);
    size_t len;
    if (entry < 0) {
        diag_error(diags, loc, "has no entry '%s', which a tensor needs", name);
        return false;
    }
    out->bytes = torch_zip_bytes(storages->zip, (uint32_t)entry, &len, diags);
    if (!out->bytes)
        return false;
    int64_t bytes;
    if (out->elements < 0 ||
        __builtin_mul_overflow(out->elements, out->dtype->bytes, &bytes) ||
        (uint64_t)bytes != len) {
        diag_error(diags, loc,
                   "entry '%s' has %zu bytes, which are not %" PRId64
                   " numbers of %" PRId64 " bytes",
                   name, len, out->elements, out->dtype->bytes);
        return false;
    }
    return true;
}

const TorchStorage *torch_storage(TorchStorages *storages, const char *key,
                                  const TorchDtype *dtype, int64_t elements, Diags *diags)
{
    uint32_t known = strings_find(storages->keys, key, strlen(key));
    if (known != STRING_ABSENT) {
        const TorchStorage *storage = storages->items[known];
        if (storage->dtype == dtype && storage->elements == elements)
            return storage;
        diag_error(diags, (Loc){.file = storages->path},
                   "storage '%s' is of two types or sizes", key);
        return NULL;
    }
    TorchStorage *storage = arena_alloc(storages->arena, sizeof *storage);
    *storage = (TorchStorage){.dtype = dtype, .elements = elements};
    if (!read_bytes(storages, key, storage, diags))
        return NULL;
    uint32_t number = strings_add(storages->keys, key, strlen(key));
    ARENA_LIST_ROOM(storages->arena, storages->items, (size_t)number + 1,
                    storages->capacity);
    storages->items[number] = storage;
    return storage;
}
