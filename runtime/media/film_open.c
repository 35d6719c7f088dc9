/* Opening a video: the container, the stream and its decoder.
 *
 * The container's bytes come from a file that is open already. FFmpeg's libraries can
 * read playlists, scripts and descriptions that make them open other files and network
 * addresses; none of these is among the kinds that we allow, and a request to open
 * anything is refused besides. */
#include <libavutil/avstring.h>
#include <libavutil/error.h>
#include <libavutil/log.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/media/film.h"

/* Names of demuxers. */
static const char kinds[] =
    "mov,matroska,webm,avi,flv,live_flv,mpegts,mpeg,mpegvideo,m4v,h261,h263,h264,hevc,"
    "av1,obu,ivf,vc1,asf,ogg,gif,apng,yuv4mpegpipe,mxf,gxf,rm,wtv,dv,mjpeg";

enum { BUFFER_BYTES = 1 << 16 };

/* 8192 x 4096: a decoder may keep more than a dozen pictures. */
static const int64_t PIXELS_MAX = INT64_C(1) << 25;

bool film_fault(const Film *film, const char *what, int code)
{
    char text[AV_ERROR_MAX_STRING_SIZE] = "";
    av_strerror(code, text, sizeof text);
    diag_error(film->diags, (Loc){.file = film->path}, "%s: %s", what, text);
    return false;
}

/* -- bytes ------------------------------------------------------------------------- */

static int read_bytes(void *state, uint8_t *to, int count)
{
    FilmBytes *bytes = state;
    ssize_t got = pread(bytes->file, to, (size_t)count, bytes->at);
    if (got < 0)
        return AVERROR(EIO);
    bytes->at += got;
    return got > 0 ? (int)got : AVERROR_EOF;
}

static int64_t seek_bytes(void *state, int64_t offset, int whence)
{
    FilmBytes *bytes = state;
    if (whence & AVSEEK_SIZE)
        return bytes->size;
    switch (whence & ~AVSEEK_FORCE) {
    case SEEK_SET:
        break;
    case SEEK_CUR:
        if (__builtin_add_overflow(offset, bytes->at, &offset))
            return AVERROR(EINVAL);
        break;
    case SEEK_END:
        if (__builtin_add_overflow(offset, bytes->size, &offset))
            return AVERROR(EINVAL);
        break;
    default:
        return AVERROR(EINVAL);
    }
    if (offset < 0)
        return AVERROR(EINVAL);
    return bytes->at = offset;
}

static int open_nothing(AVFormatContext *container, AVIOContext **out,
                        const char *address, int flags, AVDictionary **options)
{
    (void)container, (void)address, (void)flags, (void)options;
    *out = NULL;
    return AVERROR(EPERM);
}

static bool open_input(Film *film, int file)
{
    struct stat facts;
    film->bytes = (FilmBytes){.file = file};
    if (fstat(file, &facts) != 0)
        return film_fault(film, "cannot be read", AVERROR(EIO));
    film->bytes.size = facts.st_size;
    uint8_t *buffer = av_malloc(BUFFER_BYTES);
    film->input = buffer ? avio_alloc_context(buffer, BUFFER_BYTES, 0, &film->bytes,
                                              read_bytes, NULL, seek_bytes)
                         : NULL;
    if (film->input)
        return true;
    av_free(buffer);
    return film_fault(film, "cannot be read", AVERROR(ENOMEM));
}

/* -- the container ----------------------------------------------------------------- */

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* What the bytes say it is; the name decides only between kinds that they leave open. */
static bool find_kind(Film *film, const AVInputFormat **out)
{
    *out = NULL;
    if (film->bytes.size == 0) {
        diag_error(film->diags, (Loc){.file = film->path}, "is no video: it is empty");
        return false;
    }
    int code =
        av_probe_input_buffer2(film->input, out, base_name(film->path), NULL, 0, 0);
    if (code < 0)
        return film_fault(film, "cannot be read as a video", code);
    if (av_match_list((*out)->name, kinds, ',') > 0)
        return true;
    diag_error(film->diags, (Loc){.file = film->path},
               "is '%s' (%s), which is not read: a video is a file that holds its "
               "pictures, such as mp4, mkv, webm or avi",
               (*out)->name, (*out)->long_name ? (*out)->long_name : "unknown");
    return false;
}

static bool open_container(Film *film)
{
    const AVInputFormat *kind;
    if (!find_kind(film, &kind))
        return false;
    film->container = avformat_alloc_context();
    if (!film->container)
        return film_fault(film, "cannot be read", AVERROR(ENOMEM));
    film->container->pb = film->input;
    film->container->io_open = open_nothing;
    int code = avformat_open_input(&film->container, base_name(film->path), kind, NULL);
    if (code >= 0)
        code = avformat_find_stream_info(film->container, NULL);
    return code >= 0 || film_fault(film, "cannot be read as a video", code);
}

/* -- the stream -------------------------------------------------------------------- */

/* As FFmpeg's program chooses: something that plays before what does not, then what is
 * marked as the default, then the most pixels. */
static int64_t stream_rank(const AVStream *stream)
{
    enum { PLAYS = 100000000, DEFAULT = 5000000 };
    const AVCodecParameters *facts = stream->codecpar;
    if (facts->codec_type != AVMEDIA_TYPE_VIDEO || facts->codec_id == AV_CODEC_ID_NONE ||
        (stream->disposition & AV_DISPOSITION_ATTACHED_PIC))
        return 0;
    return (int64_t)facts->width * facts->height +
           (stream->event_flags & AVSTREAM_EVENT_FLAG_NEW_PACKETS ? PLAYS : 0) +
           (stream->disposition & AV_DISPOSITION_DEFAULT ? DEFAULT : 0);
}

static bool choose_stream(Film *film)
{
    const AVFormatContext *container = film->container;
    int64_t best = 0;
    for (unsigned i = 0; i < container->nb_streams; i++) {
        int64_t rank = stream_rank(container->streams[i]);
        if (rank > best) {
            best = rank;
            film->stream = container->streams[i];
        }
    }
    if (film->stream)
        return true;
    diag_error(film->diags, (Loc){.file = film->path}, "has no video");
    return false;
}

static bool open_codec(Film *film)
{
    const AVCodecParameters *facts = film->stream->codecpar;
    const AVCodec *codec = avcodec_find_decoder(facts->codec_id);
    if (!codec) {
        diag_error(film->diags, (Loc){.file = film->path},
                   "its video is '%s', for which there is no decoder",
                   avcodec_get_name(facts->codec_id));
        return false;
    }
    film->codec = avcodec_alloc_context3(codec);
    if (!film->codec)
        return film_fault(film, "cannot be decoded", AVERROR(ENOMEM));
    int code = avcodec_parameters_to_context(film->codec, facts);
    film->codec->thread_count = 1; /* lanes need the cores */
    film->codec->max_pixels = PIXELS_MAX;
    film->codec->err_recognition = AV_EF_EXPLODE;
    film->codec->pkt_timebase = film->stream->time_base;
    if (code >= 0)
        code = avcodec_open2(film->codec, codec, NULL);
    return code >= 0 || film_fault(film, "cannot be decoded", code);
}

bool film_open(Film *film, const char *path, int file, Diags *diags)
{
    *film = (Film){.path = path, .diags = diags};
    av_log_set_level(AV_LOG_QUIET); /* it is ours to say what is wrong */
    return open_input(film, file) && open_container(film) && choose_stream(film) &&
           open_codec(film);
}

void film_close(Film *film)
{
    avcodec_free_context(&film->codec);
    avformat_close_input(&film->container);
    if (film->input)
        av_freep(&film->input->buffer);
    avio_context_free(&film->input);
}
