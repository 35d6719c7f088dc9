/* JPEG and PNG files. */
#include "fuzz.h"
#include "runtime/media/picture.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    FuzzCase fuzz;
    fuzz_begin(&fuzz);
    Picture picture;
    bool is_read = picture_decode("fuzz.jpg", data, size, &picture, fuzz.diags);
    fuzz_expect(&fuzz, is_read == (picture.rgb != NULL), "a picture comes if it is said");
    picture_free(&picture);
    fuzz_end(&fuzz, is_read);
    return 0;
}
