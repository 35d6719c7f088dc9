/* The pictures of one file, one after the other. They are decoded in a process of their
 * own (runtime/isolate/isolate.h), so that a file that crashes a decoder, fills memory or
 * takes for ever is an error of that file. */
#ifndef VLG_RUNTIME_MEDIA_PICTURE_STREAM_H
#define VLG_RUNTIME_MEDIA_PICTURE_STREAM_H

#include "runtime/isolate/isolate.h"
#include "runtime/media/video.h"

/* The side that decodes; the program that asks must serve it. */
extern const IsolateHandler picture_handler;

typedef struct PictureStream PictureStream;

/* A picture, and how many times in a row it is shown. */
typedef struct Shown {
    Picture picture;
    int64_t times;
} Shown;

/* Of an image, which has one picture and no interval, or of a video. `isolate` and `path`
 * must stay, and no other stream may be open on `isolate`. */
PictureStream *picture_stream_open(Isolate *isolate, const char *path, bool is_video,
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
