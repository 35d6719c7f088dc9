/* Names of pictures, each once, and of what their features are called. */
#include "runtime/data/dataset/dataset_pictures.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "ir/base/hash.h"
#include "ir/base/list.h"
#include "ir/base/strings.h"

bool dataset_is_encoded(const TaskTexts *texts)
{
    return !texts->layout->fields && texts->image_count > 0;
}

bool dataset_interval(const Task *task, double *out, Diags *diags)
{
    static const double shortest = 1e-3, longest = 86400;
    const char *text = task_setting(task, "interval", "1.5");
    char *end;
    *out = strtod(text, &end);
    if (end > text && !*end && *out >= shortest && *out <= longest)
        return true;
    diag_error(diags, task->loc,
               "task '%s': interval must be seconds from %g to %g, not '%s'", task->name,
               shortest, longest, text);
    return false;
}

/* The name of a folder: letters, digits, "-" and "_". */
static const char *named(const char *text, uint64_t hash, Arena *arena)
{
    char *name = arena_format(arena, "%s-%016" PRIx64, text, hash);
    for (char *at = name; *at; at++)
        if (!isalnum((unsigned char)*at) && !strchr("-_", *at))
            *at = '_';
    return name;
}

const char *dataset_encoded_folder(const DatasetEncoder *encoder, double interval,
                                   Arena *arena)
{
    uint64_t hash = encoder->fingerprint, bits;
    memcpy(&bits, &interval, sizeof bits);
    if (interval > 0)
        hash = hash_word(hash, bits);
    return arena_format(arena, "features/%s", named(encoder->name, hash, arena));
}

const char *dataset_encoded_directory(const DatasetEncoder *encoder,
                                      const char *directory, Arena *arena)
{
    if (!encoder || !encoder->cache)
        return directory;
    char *real = realpath(directory, NULL);
    const char *path = real ? real : directory, *slash = strrchr(path, '/');
    const char *name = named(slash ? slash + 1 : path,
                             hash_bytes(HASH_START, path, strlen(path)), arena);
    free(real);
    return arena_format(arena, "%s/%s", encoder->cache, name);
}

void dataset_pictures_list(const BatchMaker *maker, const DatasetExample *examples,
                           int64_t count, Arena *arena, DatasetPictures *out)
{
    const TaskShape *shape = maker->shape;
    const TaskTexts *texts = shape->texts;
    Strings *names = strings_new();
    size_t capacity = 0;
    *out = (DatasetPictures){
        .task = texts->task,
        .folder = arena_format(arena, "%s/%s/%s", maker->encoded, texts->folder,
                               shape->feature_folder),
        .is_video = texts->is_video,
        .interval = shape->interval,
        .width = type_width(shape->fields.fields[FIELD_features].type),
        .room = shape->fields.room[FIELD_features] / texts->image_count};
    for (int64_t i = 0; i < count * texts->image_count; i++) {
        const DatasetExample *example = &examples[i / texts->image_count];
        const char *name = example->images[i % texts->image_count];
        uint32_t known = strings_count(names);
        if (strings_add(names, name, strlen(name)) < known)
            continue;
        ARENA_LIST_ROOM(arena, out->items, (size_t)out->count + 1, capacity);
        out->items[out->count++] = (DatasetPicture){
            .path =
                arena_format(arena, "%s/%s/%s", maker->directory, texts->folder, name),
            .features = arena_format(arena, "%s/%s.npz", out->folder, name),
            .example = example};
    }
    strings_free(names);
}
