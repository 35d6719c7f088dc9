/* Separable resampling in the fixed-point arithmetic of Pillow, so that features do not
 * depend on which program prepared the pictures. */
#include <math.h>
#include <stdlib.h>

#include "ir/base/arena.h"
#include "ir/base/heap.h"
#include "runtime/media/picture.h"

enum { BITS = 32 - 8 - 2, CHANNELS = 3 };

/* What each place of a line is made of: weights[i * most ..] of the `counts[i]` places
 * from `firsts[i]` on. */
typedef struct ResizeKernel {
    int32_t *firsts, *counts, *weights;
    int32_t most;
} ResizeKernel;

/* A line of `from` places becomes `to` places, of which `count` from `first` on are
 * wanted. */
typedef struct ResizeSpan {
    int32_t from;
    int64_t to, first;
    int32_t count;
} ResizeSpan;

/* Keys, "Cubic convolution interpolation for digital image processing", 1981; a = -1/2 */
static double cubic(double x)
{
    const double a = -0.5;
    x = fabs(x);
    if (x < 1)
        return ((a + 2) * x - (a + 3)) * x * x + 1;
    return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0;
}

static void place_weights(ResizeKernel *kernel, const ResizeSpan *span, int32_t i,
                          double scale, double *line)
{
    double stretch = scale < 1 ? 1 : scale, support = 2 * stretch;
    double centre = ((double)(span->first + i) + 0.5) * scale, sum = 0;
    int32_t first = (int32_t)(centre - support + 0.5);
    int32_t stop = (int32_t)(centre + support + 0.5);
    first = first < 0 ? 0 : first;
    stop = stop > span->from ? span->from : stop;
    for (int32_t j = 0; j < stop - first; j++) {
        line[j] = cubic((j + first - centre + 0.5) * (1 / stretch));
        sum += line[j];
    }
    kernel->firsts[i] = first;
    kernel->counts[i] = stop - first;
    for (int32_t j = 0; j < stop - first; j++) {
        double weight = sum != 0 ? line[j] / sum : line[j];
        kernel->weights[(size_t)i * (size_t)kernel->most + (size_t)j] =
            (int32_t)(weight * (1 << BITS) + (weight < 0 ? -0.5 : 0.5));
    }
}

static ResizeKernel kernel_new(const ResizeSpan *span)
{
    double scale = (double)span->from / (double)span->to;
    size_t count = (size_t)span->count;
    ResizeKernel kernel = {.most = (int32_t)ceil(2 * (scale < 1 ? 1 : scale)) * 2 + 1};
    kernel.firsts = heap_array(count, sizeof *kernel.firsts);
    kernel.counts = heap_array(count, sizeof *kernel.counts);
    kernel.weights = heap_array(count * (size_t)kernel.most, sizeof *kernel.weights);
    double *line = heap_array((size_t)kernel.most, sizeof *line);
    for (int32_t i = 0; i < span->count; i++)
        place_weights(&kernel, span, i, scale, line);
    free(line);
    return kernel;
}

static void kernel_free(ResizeKernel *kernel)
{
    free(kernel->firsts);
    free(kernel->counts);
    free(kernel->weights);
}

static uint8_t to_byte(int32_t sum)
{
    sum >>= BITS;
    return (uint8_t)(sum < 0 ? 0 : sum > 255 ? 255 : sum);
}

/* One place of the result: `line` is its first source pixel, the next is `stride` bytes
 * on. */
static void mix(const ResizeKernel *kernel, int32_t place, const uint8_t *line,
                size_t stride, uint8_t *out)
{
    const int32_t *weights = kernel->weights + (size_t)place * (size_t)kernel->most;
    int32_t sums[CHANNELS] = {1 << (BITS - 1), 1 << (BITS - 1), 1 << (BITS - 1)};
    for (int32_t i = 0; i < kernel->counts[place]; i++, line += stride)
        for (int c = 0; c < CHANNELS; c++)
            sums[c] += line[c] * weights[i];
    for (int c = 0; c < CHANNELS; c++)
        out[c] = to_byte(sums[c]);
}

static Picture picture_new(int32_t width, int32_t height)
{
    return (Picture){heap_alloc(CHANNELS * (size_t)width * (size_t)height), width,
                     height};
}

static Picture resize_rows(const Picture *picture, const ResizeSpan *span)
{
    ResizeKernel kernel = kernel_new(span);
    Picture out = picture_new(span->count, picture->height);
    for (int32_t y = 0; y < picture->height; y++) {
        const uint8_t *line =
            picture->rgb + CHANNELS * (size_t)y * (size_t)picture->width;
        uint8_t *to = out.rgb + CHANNELS * (size_t)y * (size_t)span->count;
        for (int32_t x = 0; x < span->count; x++)
            mix(&kernel, x, line + CHANNELS * (size_t)kernel.firsts[x], CHANNELS,
                to + CHANNELS * (size_t)x);
    }
    kernel_free(&kernel);
    return out;
}

static Picture resize_columns(const Picture *picture, const ResizeSpan *span)
{
    ResizeKernel kernel = kernel_new(span);
    Picture out = picture_new(picture->width, span->count);
    size_t stride = CHANNELS * (size_t)picture->width;
    for (int32_t y = 0; y < span->count; y++) {
        const uint8_t *line = picture->rgb + stride * (size_t)kernel.firsts[y];
        for (int32_t x = 0; x < picture->width; x++)
            mix(&kernel, y, line + CHANNELS * (size_t)x, stride,
                out.rgb + stride * (size_t)y + CHANNELS * (size_t)x);
    }
    kernel_free(&kernel);
    return out;
}

static void resize(const Picture *picture, const ResizeSpan *across,
                   const ResizeSpan *down, Picture *out)
{
    Picture rows = resize_rows(picture, across);
    *out = resize_columns(&rows, down);
    picture_free(&rows);
}

void picture_resize(const Picture *picture, int32_t width, int32_t height, Picture *out)
{
    const ResizeSpan across = {picture->width, width, 0, width};
    const ResizeSpan down = {picture->height, height, 0, height};
    resize(picture, &across, &down, out);
}

/* The middle `side` of a line that is resized as much as one of `shorter` to `side`. */
static ResizeSpan middle(int32_t from, int32_t shorter, int32_t side)
{
    int64_t to = (int64_t)from * side / shorter;
    return (ResizeSpan){from, to, (to - side) / 2, side};
}

void picture_fit(const Picture *picture, PictureFit fit, int32_t side, Picture *out)
{
    int32_t width = picture->width, height = picture->height;
    int32_t shorter = width < height ? width : height;
    bool is_crop = fit == PICTURE_FIT_crop;
    const ResizeSpan across = middle(width, is_crop ? shorter : width, side);
    const ResizeSpan down = middle(height, is_crop ? shorter : height, side);
    resize(picture, &across, &down, out);
}
