/* From a decoder's frame to the picture that people see: RGB by the frame's own matrix
 * and range of levels, turned as the container or the stream says.
 *
 * As FFmpeg's program does, pixels that are not square stay as many as they are, and
 * what has no matrix is taken for BT.601. */
#include <libavutil/display.h>
#include <libavutil/pixdesc.h>
#include <libswscale/swscale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ir/base/arena.h"
#include "ir/base/heap.h"
#include "runtime/media/film.h"

enum { CHANNELS = 3 };

/* -- colour ------------------------------------------------------------------------ */

/* The library takes these for BT.601, which would be other colours. */
static bool check_matrix(const Film *film, const AVFrame *frame)
{
    const AVPixFmtDescriptor *format = av_pix_fmt_desc_get(frame->format);
    bool is_rgb = format && (format->flags & (AV_PIX_FMT_FLAG_RGB | AV_PIX_FMT_FLAG_PAL));
    switch ((int)frame->colorspace) {
    case AVCOL_SPC_YCGCO:
    case AVCOL_SPC_SMPTE2085:
    case AVCOL_SPC_ICTCP:
        if (is_rgb)
            return true;
        diag_error(film->diags, (Loc){.file = film->path},
                   "its colours are given in '%s', which cannot be turned into RGB",
                   av_color_space_name(frame->colorspace));
        return false;
    default:
        return true;
    }
}

static void tell_colours(struct SwsContext *scaler, const AVFrame *frame)
{
    int *from, *to, from_full, to_full, brightness, contrast, saturation;
    if (sws_getColorspaceDetails(scaler, &from, &from_full, &to, &to_full, &brightness,
                                 &contrast, &saturation) < 0)
        return; /* RGB already */
    if (frame->color_range != AVCOL_RANGE_UNSPECIFIED)
        from_full = frame->color_range == AVCOL_RANGE_JPEG;
    const int *matrix = sws_getCoefficients((int)frame->colorspace);
    (void)sws_setColorspaceDetails(scaler, matrix, from_full, matrix, to_full, brightness,
                                   contrast, saturation);
}

static bool convert(const Film *film, const AVFrame *frame, Picture *out)
{
    struct SwsContext *scaler =
        sws_getContext(frame->width, frame->height, frame->format, frame->width,
                       frame->height, AV_PIX_FMT_RGB24,
                       SWS_BICUBIC | SWS_ACCURATE_RND | SWS_BITEXACT | SWS_FULL_CHR_H_INT,
                       NULL, NULL, NULL);
    if (!scaler)
        return film_fault(film, "a frame has a format that does not become RGB",
                          AVERROR(ENOSYS));
    tell_colours(scaler, frame);
    /* The library writes whole vectors: rows get room for one more. */
    enum { VECTOR = 64 };
    int stride = (CHANNELS * frame->width + VECTOR - 1) / VECTOR * VECTOR;
    uint8_t *padded = heap_alloc((size_t)stride * (size_t)frame->height + VECTOR);
    uint8_t *const planes[4] = {padded};
    const int strides[4] = {stride};
    int rows = sws_scale(scaler, (const uint8_t *const *)frame->data, frame->linesize, 0,
                         frame->height, planes, strides);
    sws_freeContext(scaler);
    *out = (Picture){padded, frame->width, frame->height};
    size_t row_bytes = CHANNELS * (size_t)frame->width;
    for (int y = 0; y < frame->height; y++)
        memmove(out->rgb + (size_t)y * row_bytes, padded + (size_t)y * (size_t)stride,
                row_bytes);
    if (rows == frame->height)
        return true;
    picture_free(out);
    return film_fault(film, "a frame cannot be turned into RGB", AVERROR_INVALIDDATA);
}

/* -- turning ----------------------------------------------------------------------- */

static const int32_t *display_matrix(const Film *film, const AVFrame *frame)
{
    enum { BYTES = 9 * sizeof(int32_t) };
    const AVFrameSideData *own =
        av_frame_get_side_data(frame, AV_FRAME_DATA_DISPLAYMATRIX);
    if (own && own->size >= BYTES)
        return (const int32_t *)own->data;
    size_t bytes = 0;
    const uint8_t *data =
        av_stream_get_side_data(film->stream, AV_PKT_DATA_DISPLAYMATRIX, &bytes);
    return data && bytes >= BYTES ? (const int32_t *)data : NULL;
}

/* A matrix (a b . / c d . / . . .) shows the point (x, y) at (a x + c y, b x + d y). */
static bool read_turn(const Film *film, const int32_t *matrix, PictureTurn *out)
{
    const double slant = 0.0175; /* a degree */
    double a = matrix[0], b = matrix[1], c = matrix[3], d = matrix[4];
    double straight = fmin(fabs(a), fabs(d)), across = fmin(fabs(b), fabs(c));
    *out = (PictureTurn){0};
    if (a == 0 && b == 0 && c == 0 && d == 0)
        return true;
    if (fmax(fabs(b), fabs(c)) <= slant * straight)
        *out = (PictureTurn){.flip_x = a < 0, .flip_y = d < 0};
    else if (fmax(fabs(a), fabs(d)) <= slant * across)
        *out = (PictureTurn){.swap = true, .flip_x = c < 0, .flip_y = b < 0};
    else {
        diag_error(film->diags, (Loc){.file = film->path},
                   "is to be shown turned by %.1f degrees; only quarter turns are done",
                   av_display_rotation_get(matrix));
        return false;
    }
    return true;
}

bool film_picture(const Film *film, const AVFrame *frame, Picture *out)
{
    const int32_t *matrix = display_matrix(film, frame);
    PictureTurn turn = {0};
    if ((matrix && !read_turn(film, matrix, &turn)) || !check_matrix(film, frame) ||
        !convert(film, frame, out))
        return false;
    picture_turn(out, turn);
    return true;
}
