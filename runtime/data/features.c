/* What features of images and videos have in common. */
#include "runtime/data/features.h"

#include <stdlib.h>
#include <string.h>

#include "ir/arena.h"

void features_free(Features *features)
{
    free(features->rows);
    *features = (Features){0};
}

/* value = (-1)^sign 2^(exponent - 15) 1.mantissa; subnormals 2^-14 0.mantissa */
float half_to_float(uint16_t half)
{
    uint32_t sign = (uint32_t)(half & 0x8000U) << 16;
    uint32_t exponent = half >> 10 & 0x1fU, mantissa = half & 0x3ffU, bits;
    float value;
    if (exponent == 0) {
        value = (float)mantissa * 0x1p-24F;
        memcpy(&bits, &value, sizeof bits);
        bits |= sign;
    } else if (exponent == 0x1f) {
        bits = sign | 0x7f800000U | mantissa << 13;
    } else {
        bits = sign | (exponent + 112) << 23 | mantissa << 13;
    }
    memcpy(&value, &bits, sizeof value);
    return value;
}

static void pool_rows(const Features *from, float *to, int64_t count)
{
    int64_t width = from->width;
    for (int64_t i = 0; i < count; i++, to += width) {
        int64_t first = i * from->count / count;
        int64_t stop = ((i + 1) * from->count + count - 1) / count;
        memcpy(to, from->rows + first * width, (size_t)width * sizeof *to);
        for (int64_t r = first + 1; r < stop; r++)
            for (int64_t j = 0; j < width; j++)
                if (from->rows[r * width + j] > to[j])
                    to[j] = from->rows[r * width + j];
    }
}

void features_resample(Features *features, int64_t count)
{
    if (features->count == count)
        return;
    int64_t width = features->width, kept = features->count;
    float *rows = heap_alloc((size_t)(count * width) * sizeof *rows);
    if (kept > count) {
        pool_rows(features, rows, count);
    } else {
        memcpy(rows, features->rows, (size_t)(kept * width) * sizeof *rows);
        memset(rows + kept * width, 0, (size_t)((count - kept) * width) * sizeof *rows);
    }
    free(features->rows);
    features->rows = rows;
    features->count = count;
}
