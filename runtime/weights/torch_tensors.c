/* The tensors of a file of PyTorch, as those of any other. */
#include "runtime/weights/safetensors_file.h"

#include <string.h>

#include "ir/base/heap.h"

enum { MOST_TENSORS = 1 << 18 };

static bool is_within(const TensorFile *file, const void *bytes)
{
    uintptr_t begin = (uintptr_t)file->mapping, at = (uintptr_t)bytes;
    return at >= begin && at - begin < file->mapping_bytes;
}

static Tensor tensor_of(const TensorFile *file, const TorchTensor *given)
{
    Tensor tensor = {.name = given->name,
                     .type = given->type,
                     .dtype = tensor_dtype_of(given->type),
                     .rank = given->rank,
                     .elements = given->elements,
                     .byte_count = given->byte_count,
                     .bytes = given->bytes,
                     .is_mapped = is_within(file, given->bytes)};
    memcpy(tensor.dims, given->dims, given->rank * sizeof *given->dims);
    if (tensor.dtype == TENSOR_OTHER)
        tensor.elements = 0;
    return tensor;
}

bool torch_tensors_read(TensorFile *file, Diags *diags)
{
    const Loc loc = {.file = file->path};
    file->torch = torch_file_read(file->path, file->mapping, file->mapping_bytes,
                                  file->member, diags);
    if (!file->torch)
        return false;
    size_t count = torch_file_count(file->torch);
    if (count > MOST_TENSORS) {
        diag_error(diags, loc, "has more than %d tensors", MOST_TENSORS);
        return false;
    }
    file->tensors = HEAP_ARRAY(Tensor, count + 1);
    file->count = (uint32_t)count;
    for (size_t i = 0; i < count; i++) {
        const TorchTensor given = torch_file_at(file->torch, i);
        file->tensors[i] = tensor_of(file, &given);
        if (file->tensors[i].dtype != TENSOR_OTHER || file->any_types)
            continue;
        diag_error(diags, loc, "tensor '%s': element type '%s' is not supported",
                   given.name, given.type);
        return false;
    }
    return tensors_index(file, diags);
}
