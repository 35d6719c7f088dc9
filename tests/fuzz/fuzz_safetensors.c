/* Safetensors: every tensor that is handed out can be read. The input may stand for the
 * header's JSON alone, which then gets its length and data. */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "ir/base/heap.h"
#include "runtime/weights/checkpoint.h"
#include "runtime/weights/safetensors.h"

enum { DATA_BYTES = 256 };

/* The bytes as JSON of a header, with its length before and data after. */
static uint8_t *with_length(FuzzCase *fuzz, const uint8_t *json, size_t size,
                            size_t *out_size)
{
    uint64_t length = size;
    uint8_t *file = arena_alloc(fuzz->arena, sizeof length + size + DATA_BYTES);
    memcpy(file, &length, sizeof length);
    memcpy(file + sizeof length, json, size);
    *out_size = sizeof length + size + DATA_BYTES;
    return file;
}

static void read_all(FuzzCase *fuzz, const TensorFile *file)
{
    for (uint32_t i = 0; i < tensor_file_count(file); i++) {
        const Tensor *tensor = tensor_file_at(file, i);
        fuzz_expect(fuzz, tensor_file_find(file, tensor->name) == tensor,
                    "a tensor is found by its name");
        size_t count = (size_t)tensor->elements + 1;
        float *numbers = heap_array(count, sizeof *numbers);
        tensor_read_f32(tensor, 0, tensor->elements, numbers);
        free(numbers);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    FuzzCase fuzz;
    fuzz_begin(&fuzz);
    size_t bytes = size - 1;
    const uint8_t *contents = data + 1;
    if (data[0] & 1)
        contents = with_length(&fuzz, data + 1, size - 1, &bytes);
    const char *path = fuzz_file(&fuzz, "fuzz.safetensors", contents, bytes);
    TensorFile *file = tensor_file_open(path, fuzz.diags);
    bool is_open = file;
    if (file) {
        read_all(&fuzz, file);
        tensor_file_close(file);
        CheckpointFile *checkpoint = checkpoint_open(path, fuzz.diags);
        is_open = checkpoint;
        if (checkpoint)
            checkpoint_close(checkpoint);
    }
    fuzz_end(&fuzz, is_open);
    return 0;
}
