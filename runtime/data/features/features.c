/* What features of images and videos have in common. */
#include "runtime/data/features/features.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ir/base/arena.h"
#include "ir/base/heap.h"
#include "runtime/weights/safetensors.h"

void features_free(Features *features)
{
    free(features->rows);
    *features = (Features){0};
}

static bool is_finite_row(const float *row, int64_t width)
{
    float sum = 0;
    for (int64_t j = 0; j < width; j++)
        sum += row[j] * 0.0F; /* 0, or not a number */
    return sum == 0;
}

bool features_check_finite(const Features *features, const char *path, Diags *diags)
{
    int64_t width = features->width;
    for (int64_t i = 0; i < features->count; i++) {
        const float *row = features->rows + i * width;
        int64_t j = 0;
        if (is_finite_row(row, width))
            continue;
        while (isfinite(row[j]))
            j++;
        diag_error(diags, (Loc){.file = path},
                   "number %" PRId64 " of row %" PRId64 " of the features is %s", j, i,
                   isnan(row[j]) ? "not a number" : "infinite, or too large");
        return false;
    }
    return true;
}

void features_round_half(Features *features)
{
    for (int64_t i = 0; i < features->count * features->width; i++)
        features->rows[i] = half_to_float(float_to_half(features->rows[i]));
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
                if (!(from->rows[r * width + j] <= to[j]) && !isnan(to[j]))
                    to[j] = from->rows[r * width + j];
    }
}

void features_resample(Features *features, int64_t count)
{
    if (features->count == count)
        return;
    int64_t width = features->width, kept = features->count;
    float *rows = heap_array((size_t)(count * width), sizeof *rows);
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
