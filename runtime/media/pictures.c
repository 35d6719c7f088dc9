/* Listing files, and cutting their pictures into batches. */
#include "runtime/media/pictures.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ir/base/heap.h"
#include "ir/base/list.h"
#include "runtime/batch/skips.h"
#include "runtime/media/picture_stream.h"

enum { CHANNELS = 3 };

typedef struct Item {
    const char *path, *stem;
} Item;

typedef struct Pictures {
    DataSource source;
    PicturesOptions options;
    Arena *arena;
    Skips *skips;
    Isolate *isolate;
    Item *items;
    int64_t item_count;
    size_t item_capacity;
    PictureCounts counts;
    bool failed;
    /* What is being handed out. */
    int64_t next;          /* item */
    PictureStream *stream; /* of the item before `next`, or NULL */
    Shown ahead;           /* read already, as only then it is known which is the last */
} Pictures;

/* -- the list of files ----------------------------------------------------------- */

static bool has_ending(const char *name, bool is_video)
{
    static const char *const images[] = {".jpg", ".jpeg", ".png", NULL};
    static const char *const videos[] = {".mp4",  ".mkv", ".webm", ".avi", ".mov", ".m4v",
                                         ".mpeg", ".mpg", ".flv",  ".ts",  NULL};
    const char *dot = strrchr(name, '.');
    for (const char *const *ending = is_video ? videos : images; dot && *ending; ending++)
        if (dot != name && strcasecmp(dot, *ending) == 0)
            return true;
    return false;
}

static const char *result_path(const Pictures *pictures, const char *stem)
{
    return arena_format(pictures->arena, "%s/%s%s", pictures->options.out, stem,
                        pictures->options.ending);
}

static void add_item(Pictures *pictures, const char *path)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    const char *dot = strrchr(name, '.');
    int len = dot && dot != name ? (int)(dot - name) : (int)strlen(name);
    ARENA_LIST_ROOM(pictures->arena, pictures->items, (size_t)pictures->item_count + 1,
                    pictures->item_capacity);
    pictures->items[pictures->item_count++] =
        (Item){path, arena_format(pictures->arena, "%.*s", len, name)};
}

static bool list_directory(Pictures *pictures, const char *path, Diags *diags)
{
    DIR *directory = opendir(path);
    if (!directory) {
        diag_error(diags, (Loc){.file = path}, "cannot open: %s", strerror(errno));
        return false;
    }
    for (const struct dirent *entry; (entry = readdir(directory));) {
        const char *file = arena_format(pictures->arena, "%s/%s", path, entry->d_name);
        struct stat status;
        if (entry->d_name[0] == '.' || stat(file, &status) != 0 ||
            !S_ISREG(status.st_mode))
            continue;
        if (has_ending(entry->d_name, pictures->options.is_video))
            add_item(pictures, file);
        else
            pictures->counts.ignored++;
    }
    closedir(directory);
    if (pictures->item_count)
        return true;
    diag_error(diags, (Loc){.file = path}, "has no files that end in %s",
               pictures->options.is_video ? ".mp4, .mkv, .webm or the like"
                                          : ".jpg, .jpeg or .png");
    return false;
}

static int by_stem(const void *a, const void *b)
{
    const Item *x = a, *y = b;
    int order = strcmp(x->stem, y->stem);
    return order ? order : strcmp(x->path, y->path);
}

/* In the order of names, without those that have a result. */
static bool settle_items(Pictures *pictures, Diags *diags)
{
    int64_t kept = 0;
    if (pictures->item_count)
        qsort(pictures->items, (size_t)pictures->item_count, sizeof(Item), by_stem);
    for (int64_t i = 0; i < pictures->item_count; i++) {
        const Item *item = &pictures->items[i];
        if (i && strcmp(item[-1].stem, item->stem) == 0) {
            diag_error(diags, (Loc){.file = item->path},
                       "has the same result as '%s': %s", item[-1].path,
                       result_path(pictures, item->stem));
            return false;
        }
    }
    for (int64_t i = 0; i < pictures->item_count; i++) {
        bool is_done = !pictures->options.overwrite &&
                       access(result_path(pictures, pictures->items[i].stem), F_OK) == 0;
        pictures->counts.done += is_done;
        if (!is_done)
            pictures->items[kept++] = pictures->items[i];
    }
    pictures->item_count = pictures->counts.files = kept;
    return true;
}

static bool list_items(Pictures *pictures, Diags *diags)
{
    const char *path = pictures->options.path;
    struct stat status;
    if (stat(path, &status) != 0) {
        diag_error(diags, (Loc){.file = path}, "cannot open: %s", strerror(errno));
        return false;
    }
    if (!S_ISDIR(status.st_mode))
        add_item(pictures, arena_format(pictures->arena, "%s", path));
    else if (!list_directory(pictures, path, diags))
        return false;
    return settle_items(pictures, diags);
}

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
        pictures->counts.skipped++;
    } else {
        pictures->failed = true;
    }
}

static PictureStep read_ahead(Pictures *pictures, Diags *diags)
{
    Diags *where = skips_diags(pictures->skips, diags);
    PictureStep step = picture_stream_next(pictures->stream, &pictures->ahead, where);
    if (step == PICTURE_STEP_failed)
        give_up_item(pictures);
    return step;
}

/* Opens the next item that has a picture. False after the last, and after a fault. */
static bool next_item(Pictures *pictures, Diags *diags)
{
    const PicturesOptions *options = &pictures->options;
    const VideoOptions prepared = {options->interval, options->side, options->fit};
    while (!pictures->failed && pictures->next < pictures->item_count) {
        const Item *item = &pictures->items[pictures->next++];
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
    out->stems = ARENA_ARRAY(arena, const char *, options->most);
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
    const char *stem = pictures->items[pictures->next - 1].stem;
    normalise(options, &pictures->ahead.picture,
              (float *)out->batch.fields[0].rows + at * numbers);
    out->stems[at] = stem;
    out->times[at] = pictures->ahead.times;
    picture_free(&pictures->ahead.picture);
    PictureStep step = read_ahead(pictures, diags);
    out->is_last[at] = step == PICTURE_STEP_done;
    if (step == PICTURE_STEP_done)
        end_item(pictures);
    int64_t *count = &out->batch.sequences;
    while (step == PICTURE_STEP_failed && *count && out->stems[*count - 1] == stem)
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
    arena_free(pictures->arena);
    free(pictures);
}

DataSource *pictures_open(const PicturesOptions *options, Diags *diags)
{
    Pictures *pictures = heap_alloc(sizeof *pictures);
    *pictures = (Pictures){.options = *options,
                           .arena = arena_new(),
                           .skips = skips_new(options->skip_bad),
                           .isolate = isolate_new(NULL)};
    pictures->source = (DataSource){
        .state = pictures, .train_batch = next_batch, .free = close_pictures};
    if (list_items(pictures, diags))
        return &pictures->source;
    close_pictures(pictures);
    return NULL;
}

PictureCounts pictures_counts(const DataSource *source)
{
    const Pictures *pictures = source->state;
    return pictures->counts;
}

bool pictures_failed(const DataSource *source)
{
    const Pictures *pictures = source->state;
    return pictures->failed;
}
