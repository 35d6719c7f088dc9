/* Video files, whole: no input opens another file or gives more rows than there may be.
 */
#include <unistd.h>

#include "fuzz.h"
#include "ir/base/files.h"
#include "runtime/media/video.h"

enum { PICTURES_MAX = 64, SIDE = 8 };

typedef struct Taken {
    int64_t pictures, rows;
    bool is_square;
} Taken;

static bool take(void *state, Picture *picture, int64_t count)
{
    Taken *taken = state;
    taken->is_square &= picture->width == SIDE && picture->height == SIDE && count > 0;
    taken->rows += count;
    return ++taken->pictures < PICTURES_MAX;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    FuzzCase fuzz;
    fuzz_begin(&fuzz);
    const char *path = fuzz_file(&fuzz, "fuzz.mp4", data, size);
    const VideoOptions options = {1.5, SIDE, PICTURE_FIT_crop};
    Taken taken = {.is_square = true};
    int file = file_open(path, fuzz.diags);
    bool is_read = video_read(path, file, &options, take, &taken, fuzz.diags);
    (void)close(file);
    fuzz_expect(&fuzz, taken.is_square, "pictures are squares, and shown");
    fuzz_expect(&fuzz, taken.rows <= VIDEO_ROWS_MAX, "rows are bounded");
    fuzz_expect(&fuzz, !is_read || taken.rows > 0, "a video that is read has a row");
    fuzz_end(&fuzz, is_read || taken.pictures == PICTURES_MAX);
    return 0;
}
