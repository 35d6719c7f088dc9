/* Picture files by their first bytes. */
#include "runtime/media/picture.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "ir/base/arena.h"
#include "ir/base/heap.h"

enum { FILE_BYTES_MAX = 1 << 28 };

void picture_free(Picture *picture)
{
    free(picture->rgb);
    *picture = (Picture){0};
}

void picture_turn(Picture *picture, PictureTurn turn)
{
    enum { CHANNELS = 3 };
    if (!turn.swap && !turn.flip_x && !turn.flip_y)
        return;
    int32_t width = turn.swap ? picture->height : picture->width;
    int32_t height = turn.swap ? picture->width : picture->height;
    uint8_t *out = heap_alloc(CHANNELS * (size_t)width * (size_t)height), *to = out;
    for (int32_t y = 0; y < height; y++)
        for (int32_t x = 0; x < width; x++, to += CHANNELS) {
            int32_t across = turn.flip_x ? width - 1 - x : x;
            int32_t down = turn.flip_y ? height - 1 - y : y;
            int32_t from_x = turn.swap ? down : across;
            int32_t from_y = turn.swap ? across : down;
            size_t from = (size_t)from_y * (size_t)picture->width + (size_t)from_x;
            memcpy(to, picture->rgb + CHANNELS * from, CHANNELS);
        }
    free(picture->rgb);
    *picture = (Picture){out, width, height};
}

bool picture_decode(const char *path, const uint8_t *bytes, size_t count, Picture *out,
                    Diags *diags)
{
    static const char jpeg[] = "\xff\xd8", png[] = "\x89PNG\r\n\x1a\n";
    *out = (Picture){0};
    if (count >= strlen(jpeg) && memcmp(bytes, jpeg, strlen(jpeg)) == 0)
        return jpeg_decode(path, bytes, count, out, diags);
    if (count >= strlen(png) && memcmp(bytes, png, strlen(png)) == 0)
        return png_decode(path, bytes, count, out, diags);
    diag_error(diags, (Loc){.file = path}, "is neither a JPEG nor a PNG file%s",
               count == 0 ? ": it is empty" : "");
    return false;
}

bool picture_read(const char *path, int file, Picture *out, Diags *diags)
{
    const Loc loc = {.file = path};
    struct stat facts;
    void *bytes = NULL;
    *out = (Picture){0};
    if (fstat(file, &facts) != 0 || facts.st_size > FILE_BYTES_MAX) {
        diag_error(diags, loc, "is larger than %d bytes, the most that is read",
                   FILE_BYTES_MAX);
        return false;
    }
    size_t count = (size_t)facts.st_size;
    if (count)
        bytes = mmap(NULL, count, PROT_READ, MAP_PRIVATE, file, 0);
    if (bytes == MAP_FAILED) {
        diag_error(diags, loc, "cannot be read: %s", strerror(errno));
        return false;
    }
    bool is_read = picture_decode(path, bytes, count, out, diags);
    if (count)
        (void)munmap(bytes, count);
    return is_read;
}
