/* Whether a video was cut off.
 *
 * The pictures' end is compared with what the container tells of the pictures themselves;
 * sound may end later, and pictures may start late. Where only the whole file's end is
 * told, something must reach it. What is told is not exact, and the last picture may
 * stand as long as any before it, unless the container's own sizes show that bytes are
 * missing: then every picture must be there. If they show that none is missing, nothing
 * is. */
#include <libavutil/imgutils.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "runtime/media/film.h"

typedef enum Extent { EXTENT_unknown, EXTENT_whole, EXTENT_cut } Extent;

static bool read_at(const Film *film, int64_t at, uint8_t *to, size_t count)
{
    return pread(film->bytes.file, to, count, at) == (ssize_t)count;
}

static uint64_t big_endian(const uint8_t *bytes, int count)
{
    uint64_t out = 0;
    for (int i = 0; i < count; i++)
        out = out << 8 | bytes[i];
    return out;
}

/* -- sizes ------------------------------------------------------------------------- */

/* RIFF, then parts of the same kind: name, size in 32 bits, what it holds. */
static Extent riff_extent(const Film *film)
{
    enum { HEAD = 8 };
    uint8_t head[HEAD];
    int64_t at = 0;
    while (read_at(film, at, head, HEAD) && memcmp(head, "RIFF", 4) == 0) {
        uint32_t size = (uint32_t)head[4] | (uint32_t)head[5] << 8 |
                        (uint32_t)head[6] << 16 | (uint32_t)head[7] << 24;
        if (size == 0 || size == UINT32_MAX)
            return EXTENT_unknown;
        at += HEAD + (int64_t)size;
        if (at > film->bytes.size)
            return EXTENT_cut;
    }
    return at > 0 ? EXTENT_whole : EXTENT_unknown;
}

/* A number whose first byte's leading zeros tell how many bytes follow. All ones: the
 * size is not known; UINT64_MAX then, and on a fault. */
static uint64_t ebml_size(const Film *film, int64_t *at)
{
    uint8_t bytes[8];
    if (!read_at(film, *at, bytes, 1) || bytes[0] == 0)
        return UINT64_MAX;
    int count = __builtin_clz(bytes[0]) - 24 + 1;
    if (!read_at(film, *at, bytes, (size_t)count))
        return UINT64_MAX;
    *at += count;
    uint64_t ones = (UINT64_C(1) << 7 * count) - 1;
    uint64_t size = big_endian(bytes, count) & ones;
    return size == ones ? UINT64_MAX : size;
}

/* A header, then the segment that holds everything. */
static Extent ebml_extent(const Film *film)
{
    enum { ID = 4 };
    static const uint8_t segment[ID] = {0x18, 0x53, 0x80, 0x67};
    uint8_t id[ID];
    int64_t at = ID;
    uint64_t header = ebml_size(film, &at);
    uint64_t bytes = (uint64_t)film->bytes.size;
    if (header > bytes)
        return EXTENT_unknown;
    at += (int64_t)header;
    if (!read_at(film, at, id, ID) || memcmp(id, segment, ID) != 0)
        return EXTENT_unknown;
    at += ID;
    uint64_t size = ebml_size(film, &at);
    if (size == UINT64_MAX)
        return EXTENT_unknown;
    return size > bytes || (uint64_t)at > bytes - size ? EXTENT_cut : EXTENT_whole;
}

/* Boxes end to end: size in 32 bits (1: in 64 after the name; 0: until the end), name. A
 * file of fragments may end after any of them, so that none is ever known to be whole. */
static Extent box_extent(const Film *film)
{
    enum { HEAD = 8, LONG = 16, BOXES = 1 << 20 };
    uint8_t head[LONG];
    int64_t at = 0;
    for (int i = 0; i < BOXES && at < film->bytes.size; i++) {
        if (!read_at(film, at, head, HEAD))
            return EXTENT_cut;
        uint64_t size = big_endian(head, 4);
        if (size == 0)
            return EXTENT_unknown;
        if (size == 1 && !read_at(film, at, head, LONG))
            return EXTENT_cut;
        if (size == 1)
            size = big_endian(head + HEAD, HEAD);
        if (size < HEAD)
            return EXTENT_unknown;
        if (size > (uint64_t)(film->bytes.size - at))
            return EXTENT_cut;
        at += (int64_t)size;
    }
    return EXTENT_unknown;
}

/* Packets of 188 bytes, or of 192 that begin with four of their own. */
static Extent packets_extent(const Film *film)
{
    enum { SYNC = 0x47, EXTRA = 4 };
    static const int sizes[] = {188, 192};
    for (int i = 0; i < 2; i++) {
        int64_t first = (int64_t)i * EXTRA;
        uint8_t here, there;
        if (read_at(film, first, &here, 1) && here == SYNC &&
            read_at(film, first + sizes[i], &there, 1) && there == SYNC)
            return film->bytes.size % sizes[i] ? EXTENT_cut : EXTENT_unknown;
    }
    return EXTENT_unknown;
}

/* The last byte that is no padding marks the end. */
static Extent gif_extent(const Film *film)
{
    enum { PADDING = 64, END = 0x3b };
    uint8_t last = 0;
    for (int64_t at = film->bytes.size - 1; at > film->bytes.size - PADDING; at--)
        if (!read_at(film, at, &last, 1) || last != 0)
            break;
    return last == END ? EXTENT_unknown : EXTENT_cut;
}

/* The last page is whole, and the last of its stream. */
static Extent ogg_extent(const Film *film)
{
    enum { HEAD = 27, SEGMENTS = 26, FLAGS = 5, LAST = 4, PAGE = HEAD + 255 * 256 };
    static uint8_t const mark[] = {'O', 'g', 'g', 'S'};
    uint8_t head[HEAD + 255];
    int64_t size = film->bytes.size;
    for (int64_t at = size - HEAD; at >= 0 && at > size - PAGE; at--) {
        if (!read_at(film, at, head, sizeof mark) || memcmp(head, mark, sizeof mark) != 0)
            continue;
        if (!read_at(film, at, head, HEAD) ||
            !read_at(film, at, head, HEAD + (size_t)head[SEGMENTS]))
            return EXTENT_cut;
        int64_t end = at + HEAD + head[SEGMENTS];
        for (int i = 0; i < head[SEGMENTS]; i++)
            end += head[HEAD + i];
        return end > size || !(head[FLAGS] & LAST) ? EXTENT_cut : EXTENT_unknown;
    }
    return EXTENT_cut;
}

/* A line, then pictures of equal size, each after a line of its own. */
static Extent y4m_extent(const Film *film)
{
    enum { LINE = 256 };
    uint8_t line[LINE];
    int64_t at = 0, lines[2];
    const AVCodecParameters *facts = film->stream->codecpar;
    int bytes = av_image_get_buffer_size(facts->format, facts->width, facts->height, 1);
    for (int i = 0; i < 2; i++) {
        ssize_t got = pread(film->bytes.file, line, LINE, at);
        const uint8_t *end = got > 0 ? memchr(line, '\n', (size_t)got) : NULL;
        if (!end)
            return EXTENT_unknown;
        at += lines[i] = end - line + 1;
    }
    if (bytes <= 0)
        return EXTENT_unknown;
    return (film->bytes.size - lines[0]) % (lines[1] + bytes) ? EXTENT_cut
                                                              : EXTENT_unknown;
}

typedef struct Finder {
    const char *kind; /* how the demuxer's name begins */
    Extent (*find)(const Film *film);
    bool is_measured; /* lengths that the demuxer tells come from the bytes there are */
} Finder;

static const Finder finders[] = {
    {"avi", riff_extent, false},       {"matroska,webm", ebml_extent, false},
    {"mov,mp4", box_extent, false},    {"mpegts", packets_extent, true},
    {"gif", gif_extent, true},         {"ogg", ogg_extent, true},
    {"yuv4mpegpipe", y4m_extent, true}};

/* NULL if there is none. */
static const Finder *find_finder(const Film *film)
{
    const char *kind = film->container->iformat->name;
    for (size_t i = 0; i < sizeof finders / sizeof *finders; i++)
        if (strncmp(kind, finders[i].kind, strlen(finders[i].kind)) == 0)
            return &finders[i];
    return NULL;
}

/* -- times ------------------------------------------------------------------------- */

/* Matroska keeps the end of each stream among its remarks: 01:02:03.456 */
static bool read_remark(const AVStream *stream, double *out)
{
    const AVDictionaryEntry *remark = av_dict_get(stream->metadata, "DURATION", NULL, 0);
    int hours, minutes;
    double seconds;
    if (!remark || sscanf(remark->value, "%d:%d:%lf", &hours, &minutes, &seconds) != 3)
        return false;
    *out = hours * 3600.0 + minutes * 60.0 + seconds;
    return isfinite(*out);
}

/* What the container tells of the pictures' length, or else of the whole file's;
 * negative: nothing. ASF writes the file's length into every stream. */
static double told_length(const Film *film, const Finder *finder, bool *out_is_own)
{
    const AVFormatContext *container = film->container;
    const AVStream *stream = film->stream;
    double told = -1;
    *out_is_own = true;
    if (container->duration_estimation_method != AVFMT_DURATION_FROM_STREAM ||
        (finder && finder->is_measured))
        return -1;
    if (read_remark(stream, &told))
        return told;
    if (stream->duration > 0 && strcmp(container->iformat->name, "asf") != 0)
        return (double)stream->duration * av_q2d(stream->time_base);
    *out_is_own = false;
    return container->duration > 0 ? (double)container->duration / AV_TIME_BASE : -1;
}

static double start(int64_t stamp, double base)
{
    return stamp == AV_NOPTS_VALUE ? 0 : (double)stamp * base;
}

bool film_check_end(const Film *film, const FilmEnd *end)
{
    const double second = 1, share = 0.02, rounding = 2e-3;
    bool is_own;
    const Finder *finder = find_finder(film);
    Extent extent = finder ? finder->find(film) : EXTENT_unknown;
    double told = told_length(film, finder, &is_own);
    if (extent == EXTENT_whole || (told < 0 && extent == EXTENT_unknown))
        return true;
    /* Containers count from zero or from their start. */
    double begun = is_own
                       ? start(film->stream->start_time, av_q2d(film->stream->time_base))
                       : start(film->container->start_time, 1.0 / AV_TIME_BASE);
    double found = is_own ? end->video : end->all;
    found = fmax(found, found - begun);
    double slack = extent == EXTENT_cut
                       ? end->frame / 2 + rounding
                       : fmax(fmax(second, share * told), end->longest_gap);
    if (told >= 0 && told - found <= slack)
        return true;
    if (told < 0)
        diag_error(film->diags, (Loc){.file = film->path},
                   "ends early: within a part of the file");
    else
        diag_error(film->diags, (Loc){.file = film->path},
                   "ends early: after %.1f of %.1f seconds", found, told);
    return false;
}
