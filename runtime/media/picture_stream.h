/* The pictures of one file, one after the other. */
#ifndef VLG_RUNTIME_MEDIA_PICTURE_STREAM_H
#define VLG_RUNTIME_MEDIA_PICTURE_STREAM_H

#include "runtime/media/video.h"

typedef struct PictureStream PictureStream;

/* A picture, and how many times in a row it is shown. */
typedef struct Shown {
    Picture picture;
    int64_t times;
} Shown;

/* Of an image, which has one picture and no interval, or of a video. `path` must stay. */
PictureStream *picture_stream_open(const char *path, bool is_video,
                                   const VideoOptions *options);
void picture_stream_close(PictureStream *stream); /* also before its end; NULL allowed */

typedef enum PictureStep {
    PICTURE_STEP_shown,
    PICTURE_STEP_done,
    PICTURE_STEP_failed, /* after an error that names the file */
} PictureStep;

/* The next picture, which is the caller's. */
PictureStep picture_stream_next(PictureStream *stream, Shown *out, Diags *diags);

#endif
