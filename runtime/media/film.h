/* A video file that is being read: what the files that call FFmpeg's libraries share. */
#ifndef VLG_RUNTIME_MEDIA_FILM_H
#define VLG_RUNTIME_MEDIA_FILM_H

#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>

#include "runtime/media/picture.h"

/* Where the container's bytes come from. */
typedef struct FilmBytes {
    int file;
    int64_t at, size;
} FilmBytes;

typedef struct Film {
    const char *path; /* for messages */
    Diags *diags;
    FilmBytes bytes;
    AVIOContext *input;
    AVFormatContext *container;
    const AVStream *stream;
    AVCodecContext *codec;
} Film;

/* Opens the container and the decoder of the stream that FFmpeg's program would choose.
 * Only kinds of file that hold their pictures themselves are read, and nothing but
 * `file` is opened, whatever the bytes say. film_close is needed in any case. */
NODISCARD bool film_open(Film *film, const char *path, int file, Diags *diags);
void film_close(Film *film);

/* Reports what FFmpeg's `code` means; false. */
bool film_fault(const Film *film, const char *what, int code);

/* The frame as it is to be shown: in RGB by its own matrix and range, and turned. */
NODISCARD bool film_picture(const Film *film, const AVFrame *frame, Picture *out);

/* What was found of a film, in seconds. */
typedef struct FilmEnd {
    double video;       /* end of the last picture */
    double all;         /* end of whatever ends last, sound too */
    double longest_gap; /* between pictures */
    double frame;       /* how long a picture is shown, usually */
} FilmEnd;

/* False and an error if the file was cut off before the end of its pictures. */
NODISCARD bool film_check_end(const Film *film, const FilmEnd *end);

#endif
