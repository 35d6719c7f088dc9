/* Pictures: 8-bit RGB, as image files and frames of videos hold them. */
#ifndef VLG_RUNTIME_MEDIA_PICTURE_H
#define VLG_RUNTIME_MEDIA_PICTURE_H

#include <stddef.h>
#include <stdint.h>

#include "ir/base/diag.h"

typedef struct Picture {
    uint8_t *rgb; /* [height, width, 3], malloc'ed */
    int32_t width, height;
} Picture;

/* More pixels than any photograph has: a damaged file must not make us allocate them. */
#define PICTURE_PIXELS_MAX (INT64_C(1) << 27)

void picture_free(Picture *picture); /* zeroed is allowed */

/* Reads `file`, open to be read, whose name is `path`: a JPEG or PNG file, told apart by
 * its first bytes. Grey becomes RGB, CMYK (taken as inverted, as Adobe writes it) too,
 * alpha is dropped, of 16 bits the upper eight count; a rotation in Exif data is not
 * done. False and an error that names the file; `out` is then zeroed. */
NODISCARD bool picture_read(const char *path, int file, Picture *out, Diags *diags);

/* The same of `bytes`, which are those of the file `path`; and the decoders behind it. */
NODISCARD bool picture_decode(const char *path, const uint8_t *bytes, size_t count,
                              Picture *out, Diags *diags);
NODISCARD bool jpeg_decode(const char *path, const uint8_t *bytes, size_t count,
                           Picture *out, Diags *diags);
NODISCARD bool png_decode(const char *path, const uint8_t *bytes, size_t count,
                          Picture *out, Diags *diags);

/* Cubic convolution (Keys 1981, a = -1/2) to width x height, first along rows, then along
 * columns, each rounded to 8 bits; where the picture shrinks, the kernel is stretched, so
 * that every pixel counts. Weights are rounded to 2^-22. Pillow's resize() with BICUBIC
 * does the same. */
void picture_resize(const Picture *picture, int32_t width, int32_t height, Picture *out);

/* How a picture becomes a square. */
typedef enum PictureFit {
    PICTURE_FIT_squash, /* its shape is not kept */
    PICTURE_FIT_crop,   /* the shorter side fits; of the longer one the middle is kept */
} PictureFit;

/* Resized to a square of `side`, as picture_resize does it. */
void picture_fit(const Picture *picture, PictureFit fit, int32_t side, Picture *out);

/* First, pixel (x, y) goes to (y, x); then columns, then rows are put in reverse. */
typedef struct PictureTurn {
    bool swap, flip_x, flip_y;
} PictureTurn;
void picture_turn(Picture *picture, PictureTurn turn);

#endif
