/* The one file that speaks to FFmpeg's libraries: frames of a video at even times.
 *
 * A frame is shown from its time until that of the next, so the frame for a time is known
 * when the next one arrives, or at the end. */
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/error.h>
#include <libavutil/log.h>
#include <libswscale/swscale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ir/base/arena.h"
#include "runtime/media/picture.h"

enum { FRAMES_MAX = 1 << 17 };

/* Seconds. Containers round times to a millisecond or so: those that differ by less than
 * MOMENT are the same. A file that lacks more of what its header tells than a second, and
 * than a fiftieth, was cut off. */
static const double MOMENT = 2e-3, MISSING = 1, MISSING_SHARE = 0.02;

typedef struct Film {
    const char *path;
    double interval;
    int32_t side;
    Diags *diags;
    AVFormatContext *container;
    AVCodecContext *codec;
    AVPacket *packet;
    AVFrame *shown, *next; /* `shown` is empty before the first */
    struct SwsContext *scaler;
    int stream;
    double begun, shown_at; /* seconds */
    Picture *frames;
    int64_t count, room;
} Film;

static bool fault(const Film *film, const char *what, int code)
{
    char text[AV_ERROR_MAX_STRING_SIZE] = "";
    av_strerror(code, text, sizeof text);
    diag_error(film->diags, (Loc){.file = film->path}, "%s: %s", what, text);
    return false;
}

/* -- opening --------------------------------------------------------------------- */

static bool open_codec(Film *film, const AVCodec *codec)
{
    film->codec = avcodec_alloc_context3(codec);
    film->packet = av_packet_alloc();
    film->shown = av_frame_alloc();
    film->next = av_frame_alloc();
    if (!film->codec || !film->packet || !film->shown || !film->next)
        return fault(film, "cannot decode", AVERROR(ENOMEM));
    const AVStream *stream = film->container->streams[film->stream];
    int code = avcodec_parameters_to_context(film->codec, stream->codecpar);
    film->codec->thread_count = 1; /* lanes need the cores */
    film->codec->max_pixels = PICTURE_PIXELS_MAX;
    film->codec->err_recognition = AV_EF_EXPLODE;
    if (code >= 0)
        code = avcodec_open2(film->codec, codec, NULL);
    return code >= 0 || fault(film, "cannot decode", code);
}

/* As a file, whatever its name looks like, and nothing that it may refer to elsewhere. */
static int open_container(Film *film)
{
    AVDictionary *options = NULL;
    char *address;
    if (asprintf(&address, "file:%s", film->path) < 0)
        return AVERROR(ENOMEM);
    int code = av_dict_set(&options, "protocol_whitelist", "file", 0);
    if (code >= 0)
        code = avformat_open_input(&film->container, address, NULL, &options);
    av_dict_free(&options);
    free(address);
    return code;
}

static bool open_film(Film *film)
{
    const AVCodec *codec = NULL;
    av_log_set_level(AV_LOG_QUIET); /* it is ours to say what is wrong */
    int code = open_container(film);
    if (code >= 0)
        code = avformat_find_stream_info(film->container, NULL);
    if (code < 0)
        return fault(film, "cannot read as a video", code);
    film->stream =
        av_find_best_stream(film->container, AVMEDIA_TYPE_VIDEO, -1, -1, &codec, 0);
    if (film->stream < 0)
        return fault(film, "has no video that can be decoded", film->stream);
    return open_codec(film, codec);
}

static void close_film(Film *film)
{
    sws_freeContext(film->scaler);
    av_frame_free(&film->shown);
    av_frame_free(&film->next);
    av_packet_free(&film->packet);
    avcodec_free_context(&film->codec);
    avformat_close_input(&film->container);
}

/* -- frames ---------------------------------------------------------------------- */

static bool to_rgb(Film *film, Picture *out)
{
    const AVFrame *frame = film->shown;
    film->scaler = sws_getCachedContext(
        film->scaler, frame->width, frame->height, frame->format, frame->width,
        frame->height, AV_PIX_FMT_RGB24,
        SWS_BICUBIC | SWS_ACCURATE_RND | SWS_BITEXACT | SWS_FULL_CHR_H_INT, NULL, NULL,
        NULL);
    if (!film->scaler)
        return fault(film, "a frame has a format that does not become RGB",
                     AVERROR(ENOSYS));
    /* The library writes whole vectors: rows get room for one more. */
    enum { VECTOR = 64 };
    int stride = (3 * frame->width + VECTOR - 1) / VECTOR * VECTOR;
    uint8_t *padded = heap_alloc((size_t)stride * (size_t)frame->height + VECTOR);
    uint8_t *const planes[4] = {padded};
    const int strides[4] = {stride};
    sws_scale(film->scaler, (const uint8_t *const *)frame->data, frame->linesize, 0,
              frame->height, planes, strides);
    *out = (Picture){padded, frame->width, frame->height};
    for (int y = 0; y < frame->height; y++)
        memmove(out->rgb + (size_t)y * 3 * (size_t)frame->width,
                padded + (size_t)y * (size_t)stride, 3 * (size_t)frame->width);
    return true;
}

static bool add_frame(Film *film)
{
    Picture whole;
    if (film->count == FRAMES_MAX) {
        diag_error(film->diags, (Loc){.file = film->path}, "more than %d frames",
                   FRAMES_MAX);
        return false;
    }
    if (!to_rgb(film, &whole))
        return false;
    if (film->count == film->room) {
        film->room = film->room ? 2 * film->room : 64;
        Picture *larger = heap_alloc((size_t)film->room * sizeof *larger);
        for (int64_t i = 0; i < film->count; i++)
            larger[i] = film->frames[i];
        free(film->frames);
        film->frames = larger;
    }
    picture_resize(&whole, film->side, film->side, &film->frames[film->count++]);
    picture_free(&whole);
    return true;
}

/* The frame shown stands for all times before `stop`; one at `stop` is the next's. */
static bool show_until(Film *film, double stop)
{
    while ((double)film->count * film->interval < stop - MOMENT)
        if (!add_frame(film))
            return false;
    return true;
}

static bool take_frame(Film *film)
{
    AVRational base = film->container->streams[film->stream]->time_base;
    int64_t stamp = film->next->best_effort_timestamp;
    bool is_first = !film->shown->buf[0];
    double time = stamp == AV_NOPTS_VALUE ? film->shown_at + film->begun
                                          : (double)stamp * av_q2d(base);
    if (is_first)
        film->begun = time;
    else if (!show_until(film, time - film->begun))
        return false;
    film->shown_at = time - film->begun;
    av_frame_unref(film->shown);
    av_frame_move_ref(film->shown, film->next);
    return true;
}

/* All frames that the decoder has ready. */
static bool drain(Film *film)
{
    for (;;) {
        int code = avcodec_receive_frame(film->codec, film->next);
        if (code == AVERROR(EAGAIN) || code == AVERROR_EOF)
            return true;
        if (code < 0)
            return fault(film, "damaged video", code);
        if (!take_frame(film))
            return false;
    }
}

static bool send(Film *film, const AVPacket *packet)
{
    int code = avcodec_send_packet(film->codec, packet);
    return code >= 0 ? drain(film) : fault(film, "damaged video", code);
}

static bool read_film(Film *film)
{
    int code;
    while ((code = av_read_frame(film->container, film->packet)) >= 0) {
        bool is_good =
            film->packet->stream_index != film->stream || send(film, film->packet);
        av_packet_unref(film->packet);
        if (!is_good)
            return false;
    }
    if (code != AVERROR_EOF)
        return fault(film, "damaged video", code);
    if (!send(film, NULL))
        return false;
    if (!film->shown->buf[0]) {
        diag_error(film->diags, (Loc){.file = film->path}, "has no frames");
        return false;
    }
    double told = (double)film->container->duration / AV_TIME_BASE;
    if (film->container->duration != AV_NOPTS_VALUE &&
        told - film->shown_at > fmax(MISSING, MISSING_SHARE * told)) {
        diag_error(film->diags, (Loc){.file = film->path},
                   "ends early: after %.1f of %.1f seconds", film->shown_at, told);
        return false;
    }
    /* The last frame is shown for a moment. */
    return show_until(film, film->shown_at + 2 * MOMENT);
}

bool video_read(const char *path, double interval, int32_t side, Picture **out,
                int64_t *out_count, Diags *diags)
{
    Film film = {.path = path, .interval = interval, .side = side, .diags = diags};
    bool is_read = open_film(&film) && read_film(&film);
    close_film(&film);
    for (int64_t i = 0; !is_read && i < film.count; i++)
        picture_free(&film.frames[i]);
    if (!is_read) {
        free(film.frames);
        film.frames = NULL;
        film.count = 0;
    }
    *out = film.frames;
    *out_count = film.count;
    return is_read;
}
