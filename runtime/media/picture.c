/* Pixels in memory. */
#include "runtime/media/picture.h"

#include <stdlib.h>
#include <string.h>

#include "ir/base/heap.h"

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
