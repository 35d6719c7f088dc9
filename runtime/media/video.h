/* Videos as rows of pictures, one in an interval. */
#ifndef VLG_RUNTIME_MEDIA_VIDEO_H
#define VLG_RUNTIME_MEDIA_VIDEO_H

#include "runtime/media/picture.h"

typedef struct VideoOptions {
    double interval; /* seconds from picture to picture */
    int32_t side;    /* every picture becomes side x side */
    PictureFit fit;
} VideoOptions;

/* No video has more, whatever its time stamps say: at 1.5 seconds they are 54 hours. */
enum { VIDEO_ROWS_MAX = 1 << 17 };

/* Takes a picture that stands for the next `count` rows, and may keep its memory by
 * zeroing it. False ends the reading. */
typedef bool VideoTake(void *state, Picture *picture, int64_t count);

/* Reads the video in `file`, open to be read, whose name is `path`. Row i is the last
 * picture that comes less than half an interval after i intervals, counted from the start
 * of what the container holds; there is at least one row. Nothing else is opened, and
 * two pictures are kept at a time. False and an error that names the file; rows may have
 * been taken by then. */
NODISCARD bool video_read(const char *path, int file, const VideoOptions *options,
                          VideoTake *take, void *state, Diags *diags);

#endif
