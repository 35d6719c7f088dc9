/* The tensors of a file in the order of their names. */
#include <stdlib.h>
#include <string.h>

#include "ir/base/heap.h"
#include "runtime/weights/safetensors_file.h"

int tensor_by_name(const void *a, const void *b)
{
    const Tensor *const *x = a, *const *y = b;
    return strcmp((*x)->name, (*y)->name);
}

bool tensors_index(TensorFile *file, Diags *diags)
{
    file->by_name = heap_array(file->count + 1, sizeof *file->by_name);
    for (uint32_t i = 0; i < file->count; i++)
        file->by_name[i] = &file->tensors[i];
    qsort(file->by_name, file->count, sizeof *file->by_name, tensor_by_name);
    for (uint32_t i = 1; i < file->count; i++)
        if (strcmp(file->by_name[i - 1]->name, file->by_name[i]->name) == 0) {
            diag_error(diags, (Loc){.file = file->path}, "duplicate tensor '%s'",
                       file->by_name[i]->name);
            return false;
        }
    return true;
}
