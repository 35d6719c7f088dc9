/* What examples show: every file is looked for, and some or all are read as a batch reads
 * them. Where an encoder makes the features that are not there yet, the pictures
 * themselves are decoded. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "ir/base/heap.h"
#include "ir/base/list.h"
#include "runtime/data/dataset/dataset_pictures.h"
#include "runtime/media/picture_stream.h"
#include "runtime/survey/survey_parts.h"

/* What examples show that show the same. */
typedef struct ShownOnce {
    const DatasetExample *example; /* the first of them */
    bool is_there;                 /* all of it */
    bool is_encoded;               /* there are features, not only pictures */
} ShownOnce;

typedef struct ShownPictures {
    Strings *names;  /* of single pictures */
    int64_t *counts; /* of each: examples that show it */
    bool *is_there;  /* of each */
    size_t count_capacity, there_capacity;
    ShownOnce *items; /* of pictures, or pairs of them */
    int64_t count;
    size_t capacity;
} ShownPictures;

/* -- which there are ----------------------------------------------------------------- */

static bool is_there(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0;
}

static const char *picture_path(const SplitSurvey *work, const DatasetExample *example,
                                uint32_t image, Arena *arena)
{
    return arena_format(arena, "%s/%s/%s", work->of->task->maker.directory,
                        example->folder, example->images[image]);
}

static const char *features_path(const SplitSurvey *work, const DatasetExample *example,
                                 uint32_t image, Arena *arena)
{
    return batch_features_path(&work->of->task->maker, example->folder,
                               example->images[image], arena);
}

static void tell_missing(const SplitSurvey *work, const DatasetExample *example,
                         const char *path, int error)
{
    const TaskShape *shape = work->of->task->maker.shape;
    Diags *diags = survey_diags(work);
    diag_error(diags, (Loc){.file = path}, "cannot be read: %s", strerror(error));
    diag_note(diags, (Loc){0}, "example '%s' shows it", example->id);
    if (dataset_is_encoded(shape->texts) && !shape->is_encoded)
        diag_note(diags, (Loc){0}, "--encoder PLAN makes features of the pictures");
}

/* Whether there are features of it, or a picture that they will be made of. */
static bool look_for(const SplitSurvey *work, const DatasetExample *example,
                     uint32_t image)
{
    Arena *arena = arena_new();
    const char *path = features_path(work, example, image, arena);
    bool is_found = is_there(path);
    if (!is_found && work->of->task->maker.shape->is_encoded) {
        path = picture_path(work, example, image, arena);
        is_found = is_there(path);
    }
    if (!is_found)
        tell_missing(work, example, path, errno);
    arena_free(arena);
    return is_found;
}

/* Counts it, and looks for it when it is seen for the first time. */
static bool add_picture(SplitSurvey *work, ShownPictures *pictures,
                        const DatasetExample *example, uint32_t image)
{
    const char *name = example->images[image];
    uint32_t known = strings_count(pictures->names);
    uint32_t number = strings_add(pictures->names, name, strlen(name));
    LIST_ROOM(pictures->counts, (size_t)number + 1, pictures->count_capacity);
    LIST_ROOM(pictures->is_there, (size_t)number + 1, pictures->there_capacity);
    if (number == known) {
        pictures->counts[number] = 0;
        pictures->is_there[number] = look_for(work, example, image);
        work->out->pictures_missing += !pictures->is_there[number];
    }
    pictures->counts[number]++;
    return pictures->is_there[number];
}

static void add_example(SplitSurvey *work, ShownPictures *pictures, Strings *shown,
                        const DatasetExample *example)
{
    const TaskTexts *texts = work->of->texts;
    Arena *arena = arena_new();
    const char *key = arena_format(arena, "%s\n%s", example->images[0],
                                   example->images[1] ? example->images[1] : "");
    uint32_t known = strings_count(shown);
    bool is_new = strings_add(shown, key, strlen(key)) == known;
    ShownOnce once = {.example = example, .is_there = true, .is_encoded = true};
    for (uint32_t i = 0; i < texts->image_count; i++) {
        once.is_there &= add_picture(work, pictures, example, i);
        once.is_encoded &= !is_new || is_there(features_path(work, example, i, arena));
    }
    arena_free(arena);
    if (!is_new)
        return;
    LIST_ROOM(pictures->items, (size_t)pictures->count + 1, pictures->capacity);
    pictures->items[pictures->count++] = once;
}

static void find_pictures(SplitSurvey *work, ShownPictures *pictures)
{
    SurveySplit *out = work->out;
    Strings *shown = strings_new();
    int64_t examples = 0;
    out->pictures_missing = out->per_picture_most = 0;
    for (int64_t i = 0; i < work->examples.count; i++) {
        if (!survey_goes_on(work, "files of pictures", i, work->examples.count))
            break;
        add_example(work, pictures, shown, &work->examples.items[i]);
    }
    strings_free(shown);
    out->pictures = strings_count(pictures->names);
    for (uint32_t i = 0; i < out->pictures; i++) {
        examples += pictures->counts[i];
        if (pictures->counts[i] > out->per_picture_most)
            out->per_picture_most = pictures->counts[i];
    }
    if (out->pictures > 0)
        out->per_picture = (double)examples / (double)out->pictures;
}

/* -- reading ------------------------------------------------------------------------- */

static bool read_features(SplitSurvey *work, const ShownOnce *once)
{
    SurveySplit *out = work->out;
    int64_t rows;
    if (!batch_check_shown(&work->of->task->maker, once->example, &rows,
                           survey_diags(work)))
        return false;
    if (out->rows_least < 0 || rows < out->rows_least)
        out->rows_least = rows;
    if (rows > out->rows_most)
        out->rows_most = rows;
    return true;
}

/* The pictures of an image or a video one after the other; small, for they are thrown
 * away. */
static bool read_picture(SplitSurvey *work, const char *path)
{
    enum { SIDE = 16 };
    const TaskShape *shape = work->of->task->maker.shape;
    const VideoOptions options = {shape->interval, SIDE, PICTURE_FIT_squash};
    PictureStream *stream =
        picture_stream_open(work->of->isolate, path, shape->texts->is_video, &options);
    Shown shown;
    PictureStep step;
    while ((step = picture_stream_next(stream, &shown, survey_diags(work))) ==
           PICTURE_STEP_shown)
        picture_free(&shown.picture);
    picture_stream_close(stream);
    return step == PICTURE_STEP_done;
}

static bool read_pictures(SplitSurvey *work, const ShownOnce *once)
{
    Arena *arena = arena_new();
    bool ok = true;
    for (uint32_t i = 0; i < work->of->texts->image_count; i++) {
        const char *path = picture_path(work, once->example, i, arena);
        if (is_there(path) && !read_picture(work, path)) {
            diag_note(survey_diags(work), (Loc){0}, "example '%s' shows it",
                      once->example->id);
            ok = false;
        }
    }
    arena_free(arena);
    return ok;
}

static void read_all(SplitSurvey *work, const ShownPictures *pictures)
{
    SurveySplit *out = work->out;
    int64_t all = pictures->count;
    int64_t wanted = work->of->options->reading == SURVEY_all || all < SURVEY_SAMPLE
                         ? all
                         : SURVEY_SAMPLE;
    out->shown_read = out->shown_bad = 0;
    for (int64_t i = 0; i < wanted; i++) {
        const ShownOnce *once = &pictures->items[i * all / wanted];
        if (!survey_goes_on(work, "pictures", i, wanted))
            return;
        if (!once->is_there)
            continue;
        bool ok =
            once->is_encoded ? read_features(work, once) : read_pictures(work, once);
        out->shown_read++;
        out->shown_bad += !ok;
    }
}

/* -- the split ----------------------------------------------------------------------- */

/* One picture tells what the model wants of all. */
static void check_encoder(const SplitSurvey *work)
{
    const SurveyOptions *options = work->of->options;
    const BatchMaker *maker = &work->of->task->maker;
    DatasetPictures pictures;
    if (!maker->shape->is_encoded || work->examples.count == 0)
        return;
    Arena *arena = arena_new();
    dataset_pictures_list(maker, work->examples.items, 1, arena, &pictures);
    (void)encode_check_fit(&pictures, options->encoder, options->encoder_plan,
                           survey_diags(work));
    arena_free(arena);
}

void survey_shown(SplitSurvey *work)
{
    const TaskSurvey *of = work->of;
    ShownPictures pictures = {.names = strings_new()};
    if (of->texts->image_count > 0 &&
        of->task->maker.shape->fields.fields[FIELD_features].graph) {
        check_encoder(work);
        find_pictures(work, &pictures);
        if (of->options->reading != SURVEY_none)
            read_all(work, &pictures);
    }
    strings_free(pictures.names);
    free(pictures.counts);
    free(pictures.is_there);
    free(pictures.items);
}
