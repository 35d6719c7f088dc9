/* Files of features, pictures through the encoder, or what the data set has. */
#include "runtime/vlrun/ask_features.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "ir/base/files.h"
#include "ir/base/heap.h"
#include "runtime/data/dataset/dataset_pictures.h"

static const char *ending_of(const char *name)
{
    const char *slash = strrchr(name, '/'), *point = strrchr(name, '.');
    return point && (!slash || point > slash) ? point : "";
}

bool is_features_name(const char *name)
{
    const char *ending = ending_of(name);
    return strcasecmp(ending, ".h5") == 0 || strcasecmp(ending, ".npz") == 0;
}

/* The name of a file without its place and ending. */
static char *stem_of(const char *name)
{
    const char *slash = strrchr(name, '/'), *from = slash ? slash + 1 : name;
    return heap_format("%.*s", (int)(strlen(from) - strlen(ending_of(from))), from);
}

/* -- files of features --------------------------------------------------------------- */

static bool read_file(const AskFeatures *work, const char *path, Features *out,
                      Diags *diags)
{
    if (strcasecmp(ending_of(path), ".npz") == 0)
        return features_read_npz(path, out, diags);
    char *id = stem_of(path);
    bool ok = features_read_hdf5(work->isolate, path, id, out, diags);
    free(id);
    return ok;
}

/* The data set may have features of it under its whole name, or that without its
 * ending. */
static const char *find_in_data(const AskFeatures *work, const char *name, Arena *arena)
{
    const char *slash = strrchr(name, '/');
    char *stem = stem_of(name);
    const char *path = dataset_features_path(work->source, work->task, stem, arena);
    if (!path)
        path = dataset_features_path(work->source, work->task, slash ? slash + 1 : name,
                                     arena);
    free(stem);
    return path;
}

static void tell_once(AskFeatures *work, const char *name, const char *path)
{
    if (!work->has_told)
        fprintf(
            stderr,
            "vlrun ask: without --encoder, features of the data set stand for '%s' and "
            "other pictures: %s\n",
            name, path);
    work->has_told = true;
}

static bool say_missing(const char *name, bool is_there, Diags *diags)
{
    if (is_there)
        diag_error(diags, (Loc){.file = name},
                   "nothing turns it to features: --encoder PLAN, or --features FILE of "
                   "it; the data set has none of that name");
    else
        file_report_unreadable(name, (Loc){0},
                               "there is no such file, nor features of that name in the "
                               "data set",
                               diags);
    return false;
}

static bool read_named(AskFeatures *work, const char *name, bool is_there, Features *out,
                       Diags *diags)
{
    Arena *arena = arena_new();
    const char *path = find_in_data(work, name, arena);
    if (path && is_there)
        tell_once(work, name, path);
    bool ok =
        path ? read_file(work, path, out, diags) : say_missing(name, is_there, diags);
    arena_free(arena);
    return ok;
}

/* -- what was shown before ----------------------------------------------------------- */

static bool is_same_file(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
           a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
           a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

static void copy_features(const Features *from, Features *to)
{
    size_t count = (size_t)(from->count * from->width);
    *to = *from;
    to->rows = heap_array(count, sizeof *to->rows);
    memcpy(to->rows, from->rows, count * sizeof *to->rows);
}

static bool recall(const AskFeatures *work, const char *name, const struct stat *status,
                   Features *out)
{
    for (uint32_t i = 0; i < EXAMPLE_IMAGES_MAX; i++) {
        const ShownFeatures *shown = &work->shown[i];
        if (!shown->name || strcmp(shown->name, name) != 0 || shown->task != work->task ||
            !is_same_file(&shown->status, status))
            continue;
        copy_features(&shown->features, out);
        return true;
    }
    return false;
}

static void remember(AskFeatures *work, const char *name, const struct stat *status,
                     const Features *features)
{
    ShownFeatures *shown = &work->shown[work->next];
    work->next = (work->next + 1) % EXAMPLE_IMAGES_MAX;
    free(shown->name);
    features_free(&shown->features);
    *shown = (ShownFeatures){heap_string(name), work->task, *status, {0}};
    copy_features(features, &shown->features);
}

void ask_features_free(AskFeatures *features)
{
    for (uint32_t i = 0; i < EXAMPLE_IMAGES_MAX; i++) {
        free(features->shown[i].name);
        features_free(&features->shown[i].features);
    }
}

/* -- all of them --------------------------------------------------------------------- */

static bool encode_picture(AskFeatures *work, const char *name, const struct stat *status,
                           Features *out, Diags *diags)
{
    const TaskTexts *texts = dataset_texts(work->source, work->task);
    EncodeKind kind = {.is_video = texts->is_video};
    if (!dataset_interval(texts->task, &kind.interval, diags))
        return false;
    if (recall(work, name, status, out))
        return true;
    if (!encode_file(work->encoder, name, &kind, out, diags))
        return false;
    remember(work, name, status, out);
    return true;
}

/* A picture of the data set is called as its records call it. */
static const char *picture_of(const AskFeatures *work, const char *name, Arena *arena)
{
    const char *folder = dataset_texts(work->source, work->task)->folder;
    const DatasetExample example = {.images = {name}, .folder = folder};
    const char *path = access(name, F_OK) == 0
                           ? NULL
                           : dataset_picture_path(work->source, &example, 0, NULL, arena);
    return path ? path : name;
}

static bool read_features_of(AskFeatures *work, const char *name, Features *out,
                             Diags *diags)
{
    struct stat status;
    bool is_there = stat(name, &status) == 0;
    if (is_there && is_features_name(name))
        return read_file(work, name, out, diags);
    return is_there && work->encoder ? encode_picture(work, name, &status, out, diags)
                                     : read_named(work, name, is_there, out, diags);
}

bool ask_features_read(void *state, const char *name, Features *out, Diags *diags)
{
    AskFeatures *work = state;
    Arena *arena = arena_new();
    const char *path = work->encoder ? picture_of(work, name, arena) : name;
    bool ok = read_features_of(work, path, out, diags);
    arena_free(arena);
    return ok;
}
