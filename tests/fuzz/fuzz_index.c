/* The index of weights in several files. */
#include "fuzz.h"
#include "runtime/weights/tensor_set.h"

/* One of the files that an index may name: x, two numbers. */
static const char part[] = "\x38\0\0\0\0\0\0\0"
                           "{\"x\":{\"dtype\":\"F32\",\"shape\":[2],"
                           "\"data_offsets\":[0,8]}}      "
                           "\0\0\0\0\0\0\0\0";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    FuzzCase fuzz;
    fuzz_begin(&fuzz);
    (void)fuzz_file(&fuzz, "a.safetensors", part, sizeof part - 1);
    const char *path = fuzz_file(&fuzz, "model.safetensors.index.json", data, size);
    TensorSet *set = tensor_set_open(path, fuzz.diags);
    if (set) {
        for (uint32_t i = 0; i < tensor_set_count(set); i++)
            fuzz_expect(&fuzz, tensor_set_find(set, tensor_set_at(set, i)->name),
                        "a tensor is found by its name");
        tensor_set_close(set);
    }
    fuzz_end(&fuzz, set);
    return 0;
}
