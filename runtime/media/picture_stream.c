/* Files are read whole, then handed out. */
#include "runtime/media/picture_stream.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ir/base/arena.h"
#include "ir/base/files.h"

struct PictureStream {
    const char *path;
    bool is_video, is_read;
    VideoOptions options;
    Shown *shown;
    int64_t count, room, next;
};

PictureStream *picture_stream_open(const char *path, bool is_video,
                                   const VideoOptions *options)
{
    PictureStream *stream = heap_alloc(sizeof *stream);
    *stream = (PictureStream){.path = path, .is_video = is_video, .options = *options};
    return stream;
}

void picture_stream_close(PictureStream *stream)
{
    if (!stream)
        return;
    for (int64_t i = stream->next; i < stream->count; i++)
        picture_free(&stream->shown[i].picture);
    free(stream->shown);
    free(stream);
}

static bool keep(void *state, Picture *picture, int64_t times)
{
    PictureStream *stream = state;
    if (stream->count == stream->room) {
        stream->room = stream->room ? 2 * stream->room : 64;
        Shown *larger = heap_alloc((size_t)stream->room * sizeof *larger);
        if (stream->count)
            memcpy(larger, stream->shown, (size_t)stream->count * sizeof *larger);
        free(stream->shown);
        stream->shown = larger;
    }
    stream->shown[stream->count++] = (Shown){*picture, times};
    *picture = (Picture){0};
    return true;
}

static bool read_image(PictureStream *stream, Diags *diags)
{
    Picture whole, fitted;
    if (!picture_read(stream->path, &whole, diags))
        return false;
    picture_fit(&whole, stream->options.fit, stream->options.side, &fitted);
    picture_free(&whole);
    return keep(stream, &fitted, 1);
}

static bool read_video(PictureStream *stream, Diags *diags)
{
    int file = file_open(stream->path, diags);
    if (file < 0)
        return false;
    bool is_read = video_read(stream->path, file, &stream->options, keep, stream, diags);
    (void)close(file);
    return is_read;
}

PictureStep picture_stream_next(PictureStream *stream, Shown *out, Diags *diags)
{
    if (!stream->is_read &&
        !(stream->is_video ? read_video(stream, diags) : read_image(stream, diags)))
        return PICTURE_STEP_failed;
    stream->is_read = true;
    if (stream->next == stream->count)
        return PICTURE_STEP_done;
    *out = stream->shown[stream->next++];
    return PICTURE_STEP_shown;
}
