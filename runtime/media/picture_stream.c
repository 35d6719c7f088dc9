/* Both sides of a stream: a picture is a part of the answer of the process that
 * decodes. */
#include "runtime/media/picture_stream.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ir/base/arena.h"
#include "ir/base/heap.h"

enum { CHANNELS = 3 };

#define HANDLER "pictures"

typedef struct Request {
    bool is_video;
    VideoOptions options;
} Request;

typedef struct Part {
    int64_t times;
    uint8_t rgb[]; /* [side, side, 3] */
} Part;

static size_t picture_bytes(int32_t side)
{
    return CHANNELS * (size_t)side * (size_t)side;
}

/* -- the side that decodes --------------------------------------------------------- */

static bool hand_over(void *state, Picture *picture, int64_t times)
{
    size_t bytes = picture_bytes(picture->width);
    Part *part = isolate_part(state, sizeof *part + bytes);
    part->times = times;
    memcpy(part->rgb, picture->rgb, bytes);
    return true;
}

static bool read_image(const IsolateInput *input, const VideoOptions *options,
                       IsolateReply *reply, Diags *diags)
{
    Picture whole, fitted;
    if (!picture_read(input->path, input->file, &whole, diags))
        return false;
    picture_fit(&whole, options->fit, options->side, &fitted);
    picture_free(&whole);
    bool is_given = hand_over(reply, &fitted, 1);
    picture_free(&fitted);
    return is_given;
}

static bool read_pictures(const IsolateInput *input, IsolateReply *reply, Diags *diags)
{
    Request request;
    if (input->request_bytes != sizeof request)
        return false;
    memcpy(&request, input->request, sizeof request);
    return request.is_video ? video_read(input->path, input->file, &request.options,
                                         hand_over, reply, diags)
                            : read_image(input, &request.options, reply, diags);
}

const IsolateHandler picture_handler = {.name = HANDLER, .read = read_pictures};

/* -- the side that asks ------------------------------------------------------------ */

struct PictureStream {
    Isolate *isolate;
    const char *path;
    Request request;
    bool is_begun;
};

PictureStream *picture_stream_open(Isolate *isolate, const char *path, bool is_video,
                                   const VideoOptions *options)
{
    PictureStream *stream = heap_alloc(sizeof *stream);
    *stream = (PictureStream){
        .isolate = isolate, .path = path, .request = {is_video, *options}};
    return stream;
}

void picture_stream_close(PictureStream *stream)
{
    if (!stream)
        return;
    if (stream->is_begun)
        isolate_end(stream->isolate);
    free(stream);
}

/* Between two pictures lies an interval of video, which a slow machine may take a minute
 * a second for. */
static uint32_t most_seconds(const Request *request)
{
    const double image = 120, a_second = 60, most = 86400;
    double video = request->is_video ? a_second * request->options.interval : 0;
    return (uint32_t)fmin(image + video, most);
}

static bool begin(PictureStream *stream, Diags *diags)
{
    const IsolateCall call = {.handler = HANDLER,
                              .path = stream->path,
                              .request = &stream->request,
                              .request_bytes = sizeof stream->request,
                              .memory = (size_t)2 << 30,
                              .seconds = most_seconds(&stream->request)};
    stream->is_begun = stream->is_begun || isolate_begin(stream->isolate, &call, diags);
    return stream->is_begun;
}

static bool take_part(const PictureStream *stream, const Part *part, size_t bytes,
                      Shown *out)
{
    int32_t side = stream->request.options.side;
    if (bytes != sizeof *part + picture_bytes(side) || part->times < 1 ||
        part->times > VIDEO_ROWS_MAX)
        return false;
    *out = (Shown){{heap_alloc(picture_bytes(side)), side, side}, part->times};
    memcpy(out->picture.rgb, part->rgb, picture_bytes(side));
    return true;
}

PictureStep picture_stream_next(PictureStream *stream, Shown *out, Diags *diags)
{
    const void *part;
    size_t bytes;
    if (!begin(stream, diags))
        return PICTURE_STEP_failed;
    switch (isolate_next(stream->isolate, &part, &bytes, diags)) {
    case ISOLATE_done:
        return PICTURE_STEP_done;
    case ISOLATE_failed:
        return PICTURE_STEP_failed;
    case ISOLATE_part:
        break;
    }
    if (take_part(stream, part, bytes, out))
        return PICTURE_STEP_shown;
    diag_error(diags, (Loc){.file = stream->path}, "is damaged");
    return PICTURE_STEP_failed;
}
