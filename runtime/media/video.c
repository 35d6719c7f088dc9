/* Pictures of a video at even times, as FFmpeg's filter `fps` picks them.
 *
 * A picture's time, counted from the container's start, is rounded to the nearest
 * multiple of the interval, its row; of those with the same row the last one stays, and
 * it stands for all rows until the next picture's. The first row's stands for those
 * before it, too. Times are exact fractions. */
#include "runtime/media/video.h"

#include <limits.h>
#include <libavutil/mathematics.h>
#include <libavutil/version.h>
#include <math.h>
#include <stdlib.h>

#include "runtime/media/film.h"

/* Time stamps beyond it mean nothing; sums of a few stay numbers. */
static const int64_t STAMP_MAX = INT64_MAX / 8;

typedef struct Showing {
    Film film;
    const VideoOptions *options;
    VideoTake *take;
    void *state;
    AVPacket *packet;
    AVFrame *held, *next; /* `held` is empty before the first */
    AVRational interval;
    int64_t row;             /* the next to be filled */
    int64_t first;           /* of the first picture */
    int64_t begun, shift;    /* of time stamps, in the stream's time base */
    int64_t stamp, duration; /* of `held` */
    int64_t key;             /* time stamp of the first picture that needs no other */
    int64_t keys;            /* how many of them came */
    bool is_middle, is_incomplete;
    FilmEnd end;
} Showing;

/* -- time -------------------------------------------------------------------------- */

static double seconds(const Showing *showing, int64_t stamp)
{
    return (double)stamp * av_q2d(showing->film.stream->time_base);
}

/* The published features of a file that tells how many pictures it has, and is shorter
 * than an interval and a tenth of a second, have more of them. */
static AVRational choose_interval(const Film *film, double interval)
{
    const AVStream *stream = film->stream;
    double length = (double)stream->duration * av_q2d(stream->time_base);
    if (stream->nb_frames > 0 && stream->duration > 0 && length < interval + 0.1)
        return av_make_q((int)fmax(floor(length), 1), 2);
    return av_d2q(interval, INT_MAX);
}

static int64_t frame_duration(const Showing *showing, const AVFrame *frame)
{
#if LIBAVUTIL_VERSION_INT >= AV_VERSION_INT(57, 30, 100)
    int64_t told = frame->duration;
#else
    int64_t told = frame->pkt_duration;
#endif
    if (told > 0 && told < STAMP_MAX)
        return told;
    AVRational rate = showing->film.stream->avg_frame_rate;
    if (rate.num <= 0 || rate.den <= 0)
        rate = showing->film.stream->r_frame_rate;
    if (rate.num <= 0 || rate.den <= 0)
        return 0;
    return av_rescale_q(1, av_inv_q(rate), showing->film.stream->time_base);
}

/* Where parts were put end to end, as recorders and broadcasters do, times begin anew. */
static bool is_jump(const Showing *showing, int64_t stamp, int64_t expected)
{
    const double forth = 10, back = 0.1;
    double distance = seconds(showing, stamp - expected);
    return showing->held->buf[0] &&
           (showing->film.container->iformat->flags & AVFMT_TS_DISCONT) &&
           (fabs(distance) > forth || seconds(showing, stamp - showing->stamp) < -back);
}

/* When the next frame is shown, from the start on; without a time stamp of its own, when
 * the one before ends. */
static bool find_stamp(Showing *showing, int64_t *out)
{
    int64_t stamp = showing->next->best_effort_timestamp;
    int64_t expected = showing->held->buf[0] ? showing->stamp + showing->duration : 0;
    if (stamp == AV_NOPTS_VALUE) {
        *out = expected;
        return true;
    }
    if (stamp > STAMP_MAX || stamp < -STAMP_MAX) {
        diag_error(showing->film.diags, (Loc){.file = showing->film.path},
                   "has an impossible time stamp");
        return false;
    }
    stamp -= showing->begun;
    if (is_jump(showing, stamp + showing->shift, expected))
        showing->shift = expected - stamp;
    *out = stamp + showing->shift;
    return true;
}

static int64_t row_of(const Showing *showing, int64_t stamp)
{
    return av_rescale_q_rnd(stamp, showing->film.stream->time_base, showing->interval,
                            AV_ROUND_NEAR_INF);
}

/* -- rows -------------------------------------------------------------------------- */

static bool give(Showing *showing, int64_t count)
{
    Picture whole, fitted;
    if (!film_picture(&showing->film, showing->held, &whole))
        return false;
    picture_fit(&whole, showing->options->fit, showing->options->side, &fitted);
    picture_free(&whole);
    showing->row += count;
    bool is_taken = showing->take(showing->state, &fitted, count);
    picture_free(&fitted);
    return is_taken;
}

/* The held picture stands for all rows before `stop`. */
static bool show_until(Showing *showing, int64_t stop)
{
    if (stop > VIDEO_ROWS_MAX) {
        diag_error(showing->film.diags, (Loc){.file = showing->film.path},
                   "its time stamps reach to %.0f seconds: more than %d pictures, one in "
                   "%g seconds",
                   (double)stop * av_q2d(showing->interval), VIDEO_ROWS_MAX,
                   av_q2d(showing->interval));
        return false;
    }
    return stop <= showing->row || stop <= showing->first ||
           give(showing, stop - showing->row);
}

static bool take_frame(Showing *showing)
{
    int64_t stamp, before = showing->stamp;
    bool is_first = !showing->held->buf[0];
    if (!find_stamp(showing, &stamp))
        return false;
    if (is_first)
        showing->first = row_of(showing, stamp);
    else if (!show_until(showing, row_of(showing, stamp)))
        return false;
    showing->stamp = stamp;
    showing->duration = frame_duration(showing, showing->next);
    FilmEnd *end = &showing->end;
    end->frame = seconds(showing, showing->duration);
    if (!is_first)
        end->longest_gap = fmax(end->longest_gap, seconds(showing, stamp - before));
    int64_t unshifted = stamp + showing->duration + showing->begun - showing->shift;
    end->video = is_first ? seconds(showing, unshifted)
                          : fmax(end->video, seconds(showing, unshifted));
    av_frame_unref(showing->held);
    av_frame_move_ref(showing->held, showing->next);
    return true;
}

/* -- reading ----------------------------------------------------------------------- */

/* Where a video was taken from the midst of another, its first pictures may need ones
 * that are not there: those that come before, or are shown before, the first that needs
 * none. Then the decoder makes what it can of them, and of those up to the next picture
 * that needs no other. */
static bool is_incomplete(Showing *showing, const AVPacket *packet)
{
    if (packet && (packet->flags & AV_PKT_FLAG_KEY)) {
        if (showing->keys++ == 0)
            showing->key = packet->pts;
    } else if (packet && showing->keys < 2 && !showing->is_middle) {
        bool is_early = showing->key != AV_NOPTS_VALUE &&
                        (packet->pts == AV_NOPTS_VALUE || packet->pts < showing->key);
        showing->is_middle = showing->keys == 0 || is_early;
    }
    return showing->is_middle && showing->keys < 2;
}

static bool decoder_fault(const Showing *showing, int code)
{
    return showing->is_incomplete || film_fault(&showing->film, "damaged video", code);
}

/* All frames that the decoder has ready. */
static bool drain(Showing *showing)
{
    for (;;) {
        int code = avcodec_receive_frame(showing->film.codec, showing->next);
        if (code == AVERROR(EAGAIN) || code == AVERROR_EOF)
            return true;
        if (code < 0)
            return decoder_fault(showing, code);
        if (!take_frame(showing))
            return false;
    }
}

static bool send(Showing *showing, const AVPacket *packet)
{
    showing->is_incomplete = is_incomplete(showing, packet);
    showing->film.codec->err_recognition = showing->is_incomplete ? 0 : AV_EF_EXPLODE;
    int code = avcodec_send_packet(showing->film.codec, packet);
    return code >= 0 ? drain(showing) : decoder_fault(showing, code);
}

static bool take_packet(Showing *showing)
{
    const Film *film = &showing->film;
    const AVPacket *packet = showing->packet;
    const AVStream *stream = film->container->streams[packet->stream_index];
    int64_t stamp = packet->pts != AV_NOPTS_VALUE ? packet->pts : packet->dts;
    if (stamp != AV_NOPTS_VALUE)
        showing->end.all =
            fmax(showing->end.all,
                 ((double)stamp + (double)packet->duration) * av_q2d(stream->time_base));
    if (packet->stream_index != film->stream->index)
        return true;
    /* Streams from broadcasts are marked so, too, where parts were put end to end. */
    if ((packet->flags & AV_PKT_FLAG_CORRUPT) &&
        (avio_feof(film->input) ||
         !(film->container->iformat->flags & AVFMT_TS_DISCONT))) {
        diag_error(film->diags, (Loc){.file = film->path},
                   "damaged video: ends early, within a picture");
        return false;
    }
    return send(showing, packet);
}

static bool read_packets(Showing *showing)
{
    int code;
    while ((code = av_read_frame(showing->film.container, showing->packet)) >= 0) {
        bool ok = take_packet(showing);
        av_packet_unref(showing->packet);
        if (!ok)
            return false;
    }
    if (code != AVERROR_EOF)
        return film_fault(&showing->film, "damaged video", code);
    return send(showing, NULL);
}

/* A video that is shorter than half an interval has a row all the same. */
static bool show_rest(Showing *showing)
{
    if (!showing->held->buf[0]) {
        diag_error(showing->film.diags, (Loc){.file = showing->film.path},
                   "has no pictures");
        return false;
    }
    if (!film_check_end(&showing->film, &showing->end))
        return false;
    int64_t stop = row_of(showing, showing->stamp + showing->duration);
    showing->first = 0;
    return show_until(showing, stop < 1 ? 1 : stop);
}

static bool begin(Showing *showing)
{
    const Film *film = &showing->film;
    int64_t start = film->container->start_time;
    showing->interval = choose_interval(film, showing->options->interval);
    showing->begun = start == AV_NOPTS_VALUE
                         ? 0
                         : av_rescale_q(start, AV_TIME_BASE_Q, film->stream->time_base);
    if (showing->begun > STAMP_MAX || showing->begun < -STAMP_MAX)
        return film_fault(film, "has an impossible time stamp", AVERROR_INVALIDDATA);
    showing->packet = av_packet_alloc();
    showing->held = av_frame_alloc();
    showing->next = av_frame_alloc();
    return (showing->packet && showing->held && showing->next) ||
           film_fault(film, "cannot be decoded", AVERROR(ENOMEM));
}

bool video_read(const char *path, int file, const VideoOptions *options, VideoTake *take,
                void *state, Diags *diags)
{
    Showing showing = {.options = options, .take = take, .state = state};
    bool is_read = film_open(&showing.film, path, file, diags) && begin(&showing) &&
                   read_packets(&showing) && show_rest(&showing);
    av_frame_free(&showing.held);
    av_frame_free(&showing.next);
    av_packet_free(&showing.packet);
    film_close(&showing.film);
    return is_read;
}
