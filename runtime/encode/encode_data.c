/* Which encoder, which pictures; the rest is the cache's. */
#include "runtime/encode/encode_data.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "ir/base/files.h"
#include "ir/base/list.h"
#include "ir/base/strings.h"
#include "runtime/encode/feature_cache.h"

/* -- the encoder --------------------------------------------------------------------- */

/* What is given, or else that of the run, whose directory has a copy of the plan. */
static EncoderRecord choose_encoder(const Run *run, const EncoderOptions *given)
{
    const RunRecord *then = &run->record;
    EncoderRecord record = {.plan = given->plan, .weights = given->weights};
    record.file = given->plan;
    if (!record.plan && run->has_record && then->encoder) {
        char *copy = run_encoder_path(run->record_directory);
        record.plan = then->encoder;
        record.file = arena_format(run->arena, "%s", copy);
        free(copy);
    }
    if (!given->plan && !record.weights)
        record.weights = run->has_record ? then->encoder_weights : NULL;
    return record;
}

/* A run goes on with the features that it was trained on. */
static bool hold_encoder(const Run *run, const EncoderRecord *record, Diags *diags)
{
    const RunRecord *then = &run->record;
    const Loc loc = {.file = record->plan};
    if (!run->has_record || then->encoder_fingerprint == record->fingerprint)
        return true;
    if (run->other.data) {
        diag_warning(diags, loc, "this encoder, with its weights, is not the run's");
        return true;
    }
    diag_error(diags, loc, "this encoder, with its weights, is not the run's");
    if (then->encoder)
        diag_note(diags, (Loc){0},
                  "that was '%s' with %s%s%s; --other-data goes on with this",
                  then->encoder, then->encoder_weights ? "'" : "no weights",
                  then->encoder_weights ? then->encoder_weights : "",
                  then->encoder_weights ? "'" : "");
    else
        diag_note(diags, (Loc){0},
                  "the run had features, and no encoder; --other-data goes on with this");
    return false;
}

static Encoder *open_encoder(const Run *run, const EncoderOptions *given,
                             EncoderRecord *record, Diags *diags)
{
    EncoderOptions options = *given;
    options.plan = record->file;
    options.weights = record->weights;
    options.random_weights |= run->has_record && run->record.random_weights;
    Encoder *encoder = encoder_open(&options, diags);
    if (!encoder)
        return NULL;
    record->fingerprint = encoder_fingerprint(encoder);
    if (hold_encoder(run, record, diags))
        return encoder;
    encoder_close(encoder);
    return NULL;
}

bool encode_choose(const Run *run, const EncoderOptions *given, Encoder **out,
                   EncoderRecord *out_record, Diags *diags)
{
    *out = NULL;
    *out_record = choose_encoder(run, given);
    if (out_record->plan) {
        *out = open_encoder(run, given, out_record, diags);
        return *out;
    }
    if (!out_record->weights)
        return true;
    diag_error(diags, (Loc){.file = given->weights},
               "are weights of an encoder that is not named: --encoder PLAN");
    return false;
}

/* -- the pictures -------------------------------------------------------------------- */

/* One task's pictures of all the splits, each once. */
typedef struct Collection {
    DatasetPictures first; /* of what the splits have in common */
    CachedPicture *items;
    int64_t count;
    size_t capacity;
    Strings *names;
    Arena *arena;
} Collection;

static void collect(Collection *collection, const DatasetPictures *pictures)
{
    Arena *arena = collection->arena;
    for (int64_t i = 0; i < pictures->count; i++) {
        const DatasetPicture *picture = &pictures->items[i];
        uint32_t known = strings_count(collection->names);
        if (strings_add(collection->names, picture->path, strlen(picture->path)) < known)
            continue;
        ARENA_LIST_ROOM(arena, collection->items, (size_t)collection->count + 1,
                        collection->capacity);
        collection->items[collection->count++] =
            (CachedPicture){picture->path, picture->features,
                            arena_format(arena, "task '%s' wants it for example '%s'",
                                         pictures->task->name, picture->example->id)};
    }
}

bool encode_check_fit(const DatasetPictures *pictures, const Encoder *encoder,
                      const char *plan, Diags *diags)
{
    const EncoderPlan *made = encoder_plan(encoder);
    const Task *task = pictures->task;
    if (made->width != pictures->width)
        diag_error(diags, (Loc){.file = plan},
                   "the encoder makes features that are %" PRId64
                   " wide, task '%s' takes %" PRId64,
                   made->width, task->name, pictures->width);
    else if (!pictures->is_video && pictures->room && made->rows > pictures->room)
        diag_error(diags, (Loc){.file = plan},
                   "the encoder makes %" PRId64
                   " rows of features of an image, task '%s' takes at most %" PRId64,
                   made->rows, task->name, pictures->room);
    else if (pictures->is_video && made->rows > 1)
        diag_error(diags, (Loc){.file = plan},
                   "the encoder makes %" PRId64
                   " rows of features of a picture; task '%s' has videos, which have one",
                   made->rows, task->name);
    else
        return true;
    return false;
}

typedef struct Work {
    const Run *run;
    const EncodeDataOptions *options;
    const DataOptions *data;
    DataSource *source;
    Encoder *encoder;
    const char *plan; /* of the encoder */
    Arena *arena;
    Collection *collections; /* of tasks that have pictures */
    uint32_t count;
    Diags *diags;
} Work;

static bool collect_task(const Work *work, const char *task, Collection *out)
{
    const EncodeDataOptions *options = work->options;
    for (int split = 0; split < SPLIT_COUNT; split++) {
        DatasetPictures pictures;
        if (!options->splits[split])
            continue;
        if (!dataset_pictures(work->source, task, (Split)split, options->limit,
                              work->arena, &pictures, work->diags))
            return false;
        if (!pictures.task)
            return true;
        out->first = pictures;
        collect(out, &pictures);
    }
    return !out->first.task ||
           encode_check_fit(&out->first, work->encoder, work->plan, work->diags);
}

static bool collect_tasks(Work *work)
{
    const Module *module = work->run->module;
    const EncodeDataOptions *options = work->options;
    work->collections = ARENA_ARRAY(work->arena, Collection, module->task_count);
    for (uint32_t i = 0; i < module->task_count; i++) {
        const char *task = module->tasks[i].name;
        if (options->task && strcmp(options->task, task) != 0)
            continue;
        Collection *collection = &work->collections[work->count];
        *collection = (Collection){.names = strings_new(), .arena = work->arena};
        bool ok = collect_task(work, task, collection);
        strings_free(collection->names);
        if (!ok)
            return false;
        work->count += collection->first.task != NULL;
    }
    if (work->count > 0 || !options->encoder.plan || options->task)
        return true;
    diag_error(work->diags, (Loc){.file = options->encoder.plan},
               "no task of the plan has pictures for this encoder: tasks whose records "
               "are \"jsonl\" name them");
    return false;
}

static bool encode_collection(const Work *work, const Collection *collection)
{
    const DatasetPictures *first = &collection->first;
    const FeatureCache cache = {.folder = first->folder,
                                .pictures = collection->items,
                                .picture_count = collection->count,
                                .kind = {first->is_video, first->interval},
                                .skip_bad = work->data->skip_bad,
                                .interrupt = work->options->interrupt,
                                .talk = work->options->talk,
                                .progress = work->options->progress};
    return feature_cache_fill(&cache, work->encoder, work->diags);
}

static bool encode_all(Work *work)
{
    work->arena = arena_new();
    bool ok = collect_tasks(work);
    for (uint32_t i = 0; ok && i < work->count; i++)
        ok = encode_collection(work, &work->collections[i]);
    arena_free(work->arena);
    return ok;
}

/* -- all of it ----------------------------------------------------------------------- */

static DataSource *open_encoded(const Run *run, const EncodeDataOptions *options,
                                DataOptions *data, DataFiles *out_files, Encoder *encoder,
                                const EncoderRecord *record, Diags *diags)
{
    const DatasetEncoder identity = {encoder_name(encoder), record->fingerprint,
                                     record->cache};
    data->encoder = &identity;
    DataSource *source = run_open_data(run, data, out_files, diags);
    data->encoder = NULL;
    Work work = {.run = run,
                 .options = options,
                 .data = data,
                 .source = source,
                 .encoder = encoder,
                 .plan = record->plan,
                 .diags = diags};
    if (source && encode_all(&work) && !interrupt_is_set(options->interrupt))
        return source;
    data_close(source);
    return NULL;
}

bool encode_choose_cache(const Run *run, const char *given, EncoderRecord *record,
                         Diags *diags)
{
    record->cache = given ? given : run->has_record ? run->record.feature_cache : NULL;
    if (!given || record->plan)
        return true;
    diag_error(diags, (Loc){.file = given},
               "is to keep features of an encoder that is not named: --encoder PLAN");
    return false;
}

/* A directory that was named is made, so that the run's record has its whole path. */
static bool open_cache(const Run *run, const char *given, EncoderRecord *record,
                       Diags *diags)
{
    return encode_choose_cache(run, given, record, diags) &&
           (!given || directory_make(given, diags));
}

DataSource *encode_open_data(const Run *run, const EncodeDataOptions *options,
                             DataOptions *data, DataFiles *out_files,
                             EncoderRecord *out_record, Diags *diags)
{
    EncoderRecord record;
    Encoder *encoder;
    if (!encode_choose(run, &options->encoder, &encoder, &record, diags))
        return NULL;
    DataSource *source = NULL;
    if (open_cache(run, options->feature_cache, &record, diags))
        source =
            encoder ? open_encoded(run, options, data, out_files, encoder, &record, diags)
                    : run_open_data(run, data, out_files, diags);
    encoder_close(encoder);
    if (out_record)
        *out_record = record;
    return source;
}
