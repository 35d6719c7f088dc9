/* The only file that calls libpng. Its errors come back by a jump over the library's
 * own frames: everything that lives across the jump is in PngDecoder. */
#include <png.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include "ir/base/arena.h"
#include "ir/base/heap.h"
#include "runtime/media/picture.h"

enum { MESSAGE = 200 };

typedef struct PngDecoder {
    png_structp png;
    png_infop info;
    jmp_buf failed;
    char message[MESSAGE];
    const uint8_t *at, *stop; /* what is left of the file */
    uint8_t **rows;
    Picture picture;
} PngDecoder;

static void fail(png_structp png, png_const_charp message)
{
    PngDecoder *decoder = png_get_error_ptr(png);
    snprintf(decoder->message, sizeof decoder->message, "%s", message);
    longjmp(decoder->failed, 1);
}

static void ignore(png_structp png, png_const_charp message)
{
    (void)png, (void)message;
}

static void take(png_structp png, png_bytep to, size_t count)
{
    PngDecoder *decoder = png_get_io_ptr(png);
    if ((size_t)(decoder->stop - decoder->at) < count)
        png_error(png, "the file ends early");
    memcpy(to, decoder->at, count);
    decoder->at += count;
}

/* Whatever there is, as 8-bit RGB. */
static void ask_for_rgb(PngDecoder *decoder)
{
    png_set_strip_16(decoder->png);
    png_set_palette_to_rgb(decoder->png);
    png_set_expand_gray_1_2_4_to_8(decoder->png);
    png_set_gray_to_rgb(decoder->png);
    png_set_strip_alpha(decoder->png);
    png_set_interlace_handling(decoder->png);
    png_read_update_info(decoder->png, decoder->info);
}

static void decode(PngDecoder *decoder)
{
    Picture *picture = &decoder->picture;
    png_set_read_fn(decoder->png, decoder, take);
    png_read_info(decoder->png, decoder->info);
    png_uint_32 width = png_get_image_width(decoder->png, decoder->info);
    png_uint_32 height = png_get_image_height(decoder->png, decoder->info);
    if ((int64_t)width * height > PICTURE_PIXELS_MAX)
        png_error(decoder->png, "too many pixels");
    ask_for_rgb(decoder);
    size_t stride = 3 * (size_t)width;
    if (png_get_rowbytes(decoder->png, decoder->info) != stride)
        png_error(decoder->png, "a colour type that does not become RGB");
    picture->width = (int32_t)width;
    picture->height = (int32_t)height;
    picture->rgb = heap_alloc(stride * height);
    decoder->rows = heap_array(height, sizeof *decoder->rows);
    for (png_uint_32 y = 0; y < height; y++)
        decoder->rows[y] = picture->rgb + stride * y;
    png_read_image(decoder->png, decoder->rows);
    png_read_end(decoder->png, NULL);
}

bool png_decode(const char *path, const uint8_t *bytes, size_t count, Picture *out,
                Diags *diags)
{
    PngDecoder *decoder = heap_alloc(sizeof *decoder);
    *decoder = (PngDecoder){.at = bytes, .stop = bytes + count};
    if (setjmp(decoder->failed) == 0) {
        decoder->png =
            png_create_read_struct(PNG_LIBPNG_VER_STRING, decoder, fail, ignore);
        decoder->info = decoder->png ? png_create_info_struct(decoder->png) : NULL;
        if (decoder->info)
            decode(decoder);
        else
            snprintf(decoder->message, sizeof decoder->message, "out of memory");
    }
    bool is_read = decoder->message[0] == '\0';
    if (is_read) {
        *out = decoder->picture;
        decoder->picture = (Picture){0};
    } else {
        diag_error(diags, (Loc){.file = path}, "damaged PNG: %s", decoder->message);
    }
    png_destroy_read_struct(&decoder->png, &decoder->info, NULL);
    picture_free(&decoder->picture);
    free(decoder->rows);
    free(decoder);
    return is_read;
}
