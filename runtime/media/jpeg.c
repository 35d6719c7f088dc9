/* The only file that calls libjpeg. Its errors come back by a jump over the library's
 * own frames: everything that lives across the jump is in JpegDecoder. */
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>

#include <jpeglib.h>
/* after jpeglib.h */
#include <jerror.h>

#include "ir/base/arena.h"
#include "ir/base/heap.h"
#include "runtime/media/picture.h"

enum { SCANS_MAX = 500 };

typedef struct JpegDecoder {
    struct jpeg_decompress_struct jpeg;
    struct jpeg_error_mgr errors;
    struct jpeg_progress_mgr progress;
    jmp_buf failed;
    char message[JMSG_LENGTH_MAX];
    uint8_t *cmyk; /* one row, or NULL */
    Picture picture;
} JpegDecoder;

static void fail(j_common_ptr jpeg)
{
    JpegDecoder *decoder = jpeg->client_data;
    jpeg->err->format_message(jpeg, decoder->message);
    longjmp(decoder->failed, 1);
}

/* Warnings: of a file that ends early the rest would be grey. */
static void warn(j_common_ptr jpeg, int level)
{
    if (level < 0 && jpeg->err->msg_code == JWRN_JPEG_EOF)
        fail(jpeg);
}

/* A small file with thousands of progressive scans would take hours. */
static void watch_scans(j_common_ptr jpeg)
{
    JpegDecoder *decoder = jpeg->client_data;
    if (decoder->jpeg.input_scan_number <= SCANS_MAX)
        return;
    snprintf(decoder->message, sizeof decoder->message, "more than %d scans", SCANS_MAX);
    longjmp(decoder->failed, 1);
}

static void say_nothing(j_common_ptr jpeg)
{
    (void)jpeg;
}

/* round(a b / 255) */
static int scale_255(int a, int b)
{
    int product = a * b + 128;
    return ((product >> 8) + product) >> 8;
}

/* The inks are stored inverted: 255 is none. */
static void inks_to_rgb(const uint8_t *inks, int32_t width, uint8_t *rgb)
{
    for (int32_t x = 0; x < width; x++) {
        int light = inks[4 * x + 3];
        for (int c = 0; c < 3; c++) {
            int rest = light - scale_255(255 - inks[4 * x + c], light);
            rgb[3 * x + c] = (uint8_t)(rest < 0 ? 0 : rest);
        }
    }
}

static void read_rows(JpegDecoder *decoder)
{
    struct jpeg_decompress_struct *jpeg = &decoder->jpeg;
    Picture *picture = &decoder->picture;
    while (jpeg->output_scanline < jpeg->output_height) {
        uint8_t *row = picture->rgb + 3 * (size_t)picture->width * jpeg->output_scanline;
        uint8_t *to = decoder->cmyk ? decoder->cmyk : row;
        jpeg_read_scanlines(jpeg, &to, 1);
        if (decoder->cmyk)
            inks_to_rgb(decoder->cmyk, picture->width, row);
    }
}

static void decode(JpegDecoder *decoder, const uint8_t *bytes, size_t count)
{
    struct jpeg_decompress_struct *jpeg = &decoder->jpeg;
    decoder->progress.progress_monitor = watch_scans;
    jpeg->progress = &decoder->progress;
    jpeg_mem_src(jpeg, bytes, (unsigned long)count);
    jpeg_read_header(jpeg, TRUE);
    bool is_cmyk =
        jpeg->jpeg_color_space == JCS_CMYK || jpeg->jpeg_color_space == JCS_YCCK;
    jpeg->out_color_space = is_cmyk ? JCS_CMYK : JCS_RGB;
    if ((int64_t)jpeg->image_width * jpeg->image_height > PICTURE_PIXELS_MAX)
        ERREXIT1(jpeg, JERR_IMAGE_TOO_BIG, (unsigned)JPEG_MAX_DIMENSION);
    jpeg_start_decompress(jpeg);
    decoder->picture.width = (int32_t)jpeg->output_width;
    decoder->picture.height = (int32_t)jpeg->output_height;
    if (is_cmyk)
        decoder->cmyk = heap_alloc(4 * (size_t)jpeg->output_width);
    decoder->picture.rgb =
        heap_alloc(3 * (size_t)jpeg->output_width * jpeg->output_height);
    read_rows(decoder);
    jpeg_finish_decompress(jpeg);
}

bool jpeg_decode(const char *path, const uint8_t *bytes, size_t count, Picture *out,
                 Diags *diags)
{
    JpegDecoder *decoder = heap_alloc(sizeof *decoder);
    *decoder = (JpegDecoder){.jpeg = {.client_data = decoder}};
    decoder->jpeg.err = jpeg_std_error(&decoder->errors);
    decoder->errors.error_exit = fail;
    decoder->errors.emit_message = warn;
    decoder->errors.output_message = say_nothing;
    bool is_read = false;
    if (setjmp(decoder->failed) == 0) {
        jpeg_create_decompress(&decoder->jpeg);
        decode(decoder, bytes, count);
        *out = decoder->picture;
        decoder->picture = (Picture){0};
    } else {
        diag_error(diags, (Loc){.file = path}, "damaged JPEG: %s", decoder->message);
    }
    is_read = decoder->message[0] == '\0';
    jpeg_destroy_decompress(&decoder->jpeg);
    picture_free(&decoder->picture);
    free(decoder->cmyk);
    free(decoder);
    return is_read;
}
