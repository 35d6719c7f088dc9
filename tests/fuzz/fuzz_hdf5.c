/* Features of images: an HDF5 file, read in a process of its own, so that a crash of the
 * library is a message. What is taken is whole, and the same when it is read again. */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "runtime/data/features/features.h"
#include "runtime/data/features/hdf5_read.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    static const IsolateHandler *const readers[] = {&hdf5_handler};
    isolate_serve(*argc, *argv, readers, 1);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static Isolate *isolate; /* one server for all inputs */
    FuzzCase fuzz;
    Features first, again;
    fuzz_begin(&fuzz);
    if (!isolate)
        isolate = isolate_new(NULL);
    const char *path = fuzz_file(&fuzz, "fuzz.h5", data, size);
    bool is_read = features_read_hdf5(isolate, path, "x", &first, fuzz.diags);
    if (is_read) {
        size_t bytes = (size_t)(first.count * first.width) * sizeof *first.rows;
        bool is_same = features_read_hdf5(isolate, path, "x", &again, fuzz.diags) &&
                       again.count == first.count && again.width == first.width &&
                       memcmp(again.rows, first.rows, bytes) == 0;
        fuzz_expect(&fuzz, is_same, "the same features when they are read again");
        features_free(&again);
    }
    features_free(&first);
    fuzz_end(&fuzz, is_read);
    return 0;
}
