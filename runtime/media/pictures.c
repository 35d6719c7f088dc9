/* Cutting the pictures of files into batches. */
#include "runtime/media/pictures.h"

#include <stdlib.h>

#include "ir/base/heap.h"
#include "runtime/batch/skips.h"
#include "runtime/media/picture_stream.h"

enum { CHANNELS = 3 };

typedef struct Pictures {
    DataSource source;
    PicturesOptions options;
    Skips *skips;
    Isolate *isolate;
    int64_t skipped;
    bool failed;
    /* What is being handed out. */
    int64_t next;          /* item */
    PictureStream *stream; /* of the item before `next`, or NULL */
    Shown ahead;           /* read already, as only then it is known which is the last */
} Pictures;

/* -- pictures of files ----------------------------------------------------------- */

static void end_item(Pictures *pictures)
{
    picture_stream_close(pictures->stream);
    picture_free(&pictures->ahead.picture);
    pictures->stream = NULL;
}

/* The item is left out, or ends everything. */
static void give_up_item(Pictures *pictures)
{
    end_item(pictures);
    if (skips_allowed(pictures->skips)) {
        skips_count(pictures->skips);
        pictures->skipped++;
    } else {
        pictures->failed = true;
    }
}

static PictureStep read_ahead(Pictures *pictures, Diags *diags)
{
    Diags *where = skips_diags(pictures->skips, diags);
    const char *note = pictures->options.items[pictures->next - 1].note;
    PictureStep step = picture_stream_next(pictures->stream, &pictures->ahead, where);
    if (step == PICTURE_STEP_failed && note)
        diag_note(where, (Loc){0}, "%s", note);
    if (step == PICTURE_STEP_failed)
        give_up_item(pictures);
    return step;
}

/* Opens the next item that has a picture. False after the last, and after a fault. */
static bool next_item(Pictures *pictures, Diags *diags)
{
    const PicturesOptions *options = &pictures->options;
    const VideoOptions prepared = {options->interval, options->side, options->fit};
    while (!pictures->failed && pictures->next < options->item_count) {
        const PictureItem *item = &options->items[pictures->next++];
        pictures->stream = picture_stream_open(pictures->isolate, item->path,
                                               options->is_video, &prepared);
        PictureStep step = read_ahead(pictures, diags);
        if (step == PICTURE_STEP_shown)
            return true;
        end_item(pictures);
    }
    return false;
}

/* -- batches --------------------------------------------------------------------- */

static void normalise(const PicturesOptions *options, const Picture *picture, float *out)
{
    int64_t pixels = (int64_t)options->side * options->side;
    for (int64_t i = 0; i < CHANNELS * pixels; i++) {
        int64_t c = i % CHANNELS;
        out[i] = ((float)picture->rgb[i] / 255.0F - options->mean[c]) / options->std[c];
    }
}

static PictureBatch *batch_new(const PicturesOptions *options)
{
    Arena *arena = arena_new();
    PictureBatch *out = arena_alloc(arena, sizeof *out);
    size_t numbers =
        (size_t)options->most * CHANNELS * (size_t)options->side * (size_t)options->side;
    out->batch = (Batch){.task = options->task, .field_count = 1, .arena = arena};
    out->batch.fields = ARENA_ARRAY(arena, BatchField, 1);
    out->batch.fields[0] =
        (BatchField){.name = options->field,
                     .axis = options->axis,
                     .dtype = DTYPE_f32,
                     .width = CHANNELS,
                     .rows = arena_alloc(arena, numbers * sizeof(float))};
    out->items = ARENA_ARRAY(arena, const PictureItem *, options->most);
    out->times = ARENA_ARRAY(arena, int64_t, options->most);
    out->is_last = ARENA_ARRAY(arena, bool, options->most);
    return out;
}

/* The picture at hand becomes a sequence; the one after it is read. */
static void add_picture(Pictures *pictures, PictureBatch *out, Diags *diags)
{
    const PicturesOptions *options = &pictures->options;
    int64_t numbers = CHANNELS * (int64_t)options->side * options->side;
    int64_t at = out->batch.sequences++;
    const PictureItem *item = &options->items[pictures->next - 1];
    normalise(options, &pictures->ahead.picture,
              (float *)out->batch.fields[0].rows + at * numbers);
    out->items[at] = item;
    out->times[at] = pictures->ahead.times;
    picture_free(&pictures->ahead.picture);
    PictureStep step = read_ahead(pictures, diags);
    out->is_last[at] = step == PICTURE_STEP_done;
    if (step == PICTURE_STEP_done)
        end_item(pictures);
    int64_t *count = &out->batch.sequences;
    while (step == PICTURE_STEP_failed && *count && out->items[*count - 1] == item)
        (*count)--;
}

static Batch *next_batch(void *state, int64_t step, Diags *diags)
{
    Pictures *pictures = state;
    PictureBatch *out = batch_new(&pictures->options);
    (void)step;
    while (out->batch.sequences < pictures->options.most &&
           (pictures->stream || next_item(pictures, diags)))
        add_picture(pictures, out, diags);
    if (out->batch.sequences && !pictures->failed)
        return &out->batch;
    batch_free(&out->batch);
    return NULL;
}

/* -- opening --------------------------------------------------------------------- */

static void close_pictures(void *state)
{
    Pictures *pictures = state;
    end_item(pictures);
    isolate_free(pictures->isolate);
    skips_free(pictures->skips);
    free(pictures);
}

DataSource *pictures_open(const PicturesOptions *options)
{
    Pictures *pictures = heap_alloc(sizeof *pictures);
    *pictures = (Pictures){.options = *options,
                           .skips = skips_new(options->skip_bad),
                           .isolate = isolate_new(NULL)};
    pictures->source = (DataSource){
        .state = pictures, .train_batch = next_batch, .free = close_pictures};
    return &pictures->source;
}

int64_t pictures_skipped(const DataSource *source)
{
    const Pictures *pictures = source->state;
    return pictures->skipped;
}

bool pictures_failed(const DataSource *source)
{
    const Pictures *pictures = source->state;
    return pictures->failed;
}
