/* Features of videos: an npz file, or the npy array in it. */
#include "fuzz.h"
#include "runtime/data/features/features.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    FuzzCase fuzz;
    fuzz_begin(&fuzz);
    Features features;
    NpyHeader header;
    const char *fault = npy_parse(data, (int64_t)size, &header);
    if (!fault) {
        int64_t last = header.dims[0] * header.dims[1] * header.element_bytes;
        fuzz_expect(&fuzz, header.data_at + last <= (int64_t)size,
                    "the array lies in the file");
    }
    bool is_read = features_read_npz(fuzz_file(&fuzz, "fuzz.npz", data, size), &features,
                                     fuzz.diags);
    features_free(&features);
    fuzz_end(&fuzz, is_read);
    return 0;
}
