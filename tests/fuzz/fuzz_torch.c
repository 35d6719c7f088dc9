/* Files of PyTorch: an archive, or the pickle in one, whose storages 0 to 9 are there. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zip.h>

#include "fuzz.h"
#include "ir/base/heap.h"
#include "runtime/weights/safetensors.h"

enum { NUMBERS = 96, STORAGES = 10 };

static void add_entry(FuzzCase *fuzz, zip_t *archive, const char *name, const void *bytes,
                      size_t size)
{
    zip_source_t *source = zip_source_buffer(archive, bytes, size, 0);
    zip_int64_t entry = zip_file_add(archive, name, source, 0);
    fuzz_expect(fuzz,
                entry >= 0 && zip_set_file_compression(archive, (zip_uint64_t)entry,
                                                       ZIP_CM_STORE, 0) == 0,
                "an archive can be made");
}

static const char *archive_of(FuzzCase *fuzz, const uint8_t *pickle, size_t size,
                              bool is_script)
{
    static const uint8_t numbers[NUMBERS] = {1, 2, 3};
    char name[] = "a/data/0";
    int code;
    const char *path = fuzz_file(fuzz, "pickle.pt", "", 0);
    unlink(path);
    zip_t *archive = zip_open(path, ZIP_CREATE | ZIP_TRUNCATE, &code);
    fuzz_expect(fuzz, archive, "an archive can be begun");
    add_entry(fuzz, archive, "a/data.pkl", pickle, size);
    for (int i = 0; i < STORAGES; i++, name[sizeof name - 2]++)
        add_entry(fuzz, archive, name, numbers, NUMBERS);
    if (is_script)
        add_entry(fuzz, archive, "a/constants.pkl", "\200\002).", 4);
    fuzz_expect(fuzz, zip_close(archive) == 0, "an archive can be written");
    return path;
}

static void read_all(FuzzCase *fuzz, const TensorFile *file)
{
    for (uint32_t i = 0; i < tensor_file_count(file); i++) {
        const Tensor *tensor = tensor_file_at(file, i);
        fuzz_expect(fuzz, tensor_file_find(file, tensor->name) == tensor,
                    "a tensor is found by its name");
        float *out = heap_array((size_t)tensor->elements + 1, sizeof *out);
        tensor_read_f32(tensor, 0, tensor->elements, out);
        free(out);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    FuzzCase fuzz;
    fuzz_begin(&fuzz);
    const char *path = data[0] == 0 ? fuzz_file(&fuzz, "fuzz.pt", data + 1, size - 1)
                                    : archive_of(&fuzz, data + 1, size - 1, data[0] == 2);
    TensorFile *file = tensor_file_open_any(path, fuzz.diags);
    if (file)
        read_all(&fuzz, file);
    fuzz_end(&fuzz, file);
    tensor_file_close(file);
    return 0;
}
