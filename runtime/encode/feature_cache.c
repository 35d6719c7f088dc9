/* Which features are missing is found out by looking at times, twice where another
 * process was at work in between. */
#include "runtime/encode/feature_cache.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "ir/base/files.h"
#include "ir/base/heap.h"
#include "ir/base/list.h"

typedef struct CacheWork {
    const FeatureCache *cache;
    Encoder *encoder;
    Arena *arena;
    PictureItem *items; /* to do */
    struct timespec *times;
    int64_t item_count;
    Diags *diags;
} CacheWork;

/* -- what is missing ----------------------------------------------------------------- */

/* File systems and archives that keep whole seconds keep the time, too. */
static bool is_same_time(struct timespec features, struct timespec picture)
{
    return features.tv_sec == picture.tv_sec &&
           (features.tv_nsec == picture.tv_nsec || features.tv_nsec == 0);
}

/* Whether names differ in their endings only. */
static bool are_of_one_stem(const char *a, const char *b)
{
    const char *point = strrchr(a, '.'), *other = strrchr(b, '.');
    size_t len = point ? (size_t)(point - a) : strlen(a);
    return len == (other ? (size_t)(other - b) : strlen(b)) && strncmp(a, b, len) == 0;
}

/* The picture that may have been meant: another of the folder. */
static void name_near(const char *path, Diags *diags)
{
    Arena *arena = arena_new();
    const char *slash = strrchr(path, '/');
    const char *folder = arena_string(arena, path, (size_t)(slash - path));
    const char **names = NULL, *near = NULL;
    size_t count = 0, capacity = 0;
    DIR *directory = opendir(folder);
    for (const struct dirent *entry; directory && (entry = readdir(directory));) {
        ARENA_LIST_ROOM(arena, names, count + 1, capacity);
        names[count] = arena_format(arena, "%s", entry->d_name);
        if (are_of_one_stem(names[count], slash + 1))
            near = names[count];
        count++;
    }
    if (!near)
        near = nearest_name(slash + 1, names, count);
    if (!directory)
        diag_note(diags, (Loc){.file = folder}, "cannot be opened: %s", strerror(errno));
    else if (near)
        diag_note(diags, (Loc){.file = folder}, "did you mean '%s'?", near);
    if (directory)
        closedir(directory);
    arena_free(arena);
}

static bool report_missing(const CacheWork *filling, const CachedPicture *picture,
                           int error)
{
    Diags *diags = filling->diags;
    diag_error(diags, (Loc){.file = picture->path}, "cannot open: %s", strerror(error));
    diag_note(diags, (Loc){0}, "%s", picture->wanted);
    name_near(picture->path, diags);
    return false;
}

/* Features stay where their picture is gone. */
static bool find_missing(CacheWork *filling)
{
    const FeatureCache *cache = filling->cache;
    filling->item_count = 0;
    for (int64_t i = 0; i < cache->picture_count; i++) {
        const CachedPicture *picture = &cache->pictures[i];
        struct stat is, has;
        bool is_there = stat(picture->path, &is) == 0;
        int error = errno;
        bool is_known = stat(picture->features, &has) == 0;
        if (is_known && (!is_there || is_same_time(has.st_mtim, is.st_mtim)))
            continue;
        if (!is_there && !cache->skip_bad)
            return report_missing(filling, picture, error);
        filling->times[filling->item_count] =
            is_there ? is.st_mtim : (struct timespec){0};
        filling->items[filling->item_count++] = (PictureItem){.path = picture->path,
                                                              .stem = picture->path,
                                                              .result = picture->features,
                                                              .note = picture->wanted};
    }
    return true;
}

/* -- files --------------------------------------------------------------------------- */

static bool make_folder_of(const char *path, Diags *diags)
{
    char *folder = heap_string(path);
    *strrchr(folder, '/') = '\0';
    bool is_made = directory_make(folder, diags);
    free(folder);
    return is_made;
}

/* Last comes the time: without it, what was written counts for nothing. */
static bool keep_features(void *state, const PictureItem *item, Features *features,
                          Diags *diags)
{
    const CacheWork *filling = state;
    FeaturesPrecision precision =
        filling->cache->kind.is_video ? FEATURES_single : FEATURES_half;
    struct timespec now = {.tv_nsec = UTIME_OMIT};
    const struct timespec times[2] = {now, filling->times[item - filling->items]};
    if (!make_folder_of(item->result, diags) ||
        !features_replace_npz(item->result, features, precision, diags))
        return false;
    if (utimensat(AT_FDCWD, item->result, times, 0) == 0)
        return true;
    diag_error(diags, (Loc){.file = item->result}, "cannot be given a time: %s",
               strerror(errno));
    return false;
}

static bool write_note(const CacheWork *filling)
{
    const FeatureCache *cache = filling->cache;
    const Encoder *encoder = filling->encoder;
    char *path = heap_format("%s/encoder.json", cache->folder), fingerprint[17];
    snprintf(fingerprint, sizeof fingerprint, "%016" PRIx64,
             encoder_fingerprint(encoder));
    json_t *note = json_pack("{s:s, s:s, s:s, s:s, s:I}", "format", "vlgraph features 1",
                             "encoder", encoder_name(encoder), "fingerprint", fingerprint,
                             "of", cache->kind.is_video ? "videos" : "images", "width",
                             (json_int_t)encoder_plan(encoder)->width);
    if (cache->kind.is_video)
        json_object_set_new(note, "interval", json_real(cache->kind.interval));
    char *text = json_dumps(note, JSON_INDENT(2)), *line = heap_format("%s\n", text);
    json_decref(note);
    bool is_written = file_replace(path, line, strlen(line), filling->diags);
    free(line);
    free(text);
    free(path);
    return is_written;
}

/* -- one process at a time --------------------------------------------------------- */

/* Open on the folder while it is held; closing it lets go. -1 and an error, or -1 alone
 * after an interrupt. Where there are no locks, several may do the same work. */
static int hold_folder(const FeatureCache *cache, Diags *diags)
{
    const struct timespec while_waiting = {.tv_nsec = 100000000};
    int held = open(cache->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (held < 0)
        diag_error(diags, (Loc){.file = cache->folder}, "cannot open: %s",
                   strerror(errno));
    for (bool is_said = false; held >= 0; is_said = true) {
        if (flock(held, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK)
            return held;
        if (!is_said)
            fprintf(cache->talk, "another process extracts to %s: waiting for it\n",
                    cache->folder);
        fflush(cache->talk);
        if (interrupt_is_set(cache->interrupt))
            break;
        nanosleep(&while_waiting, NULL);
    }
    if (held >= 0)
        close(held);
    return -1;
}

static bool make_folder(const FeatureCache *cache, Diags *diags)
{
    if (directory_make(cache->folder, diags))
        return true;
    diag_note(diags, (Loc){0},
              "features that an encoder makes are kept beside the data; --feature-cache "
              "DIR keeps them elsewhere");
    return false;
}

/* -- all of it ----------------------------------------------------------------------- */

static bool make_features(CacheWork *filling)
{
    const FeatureCache *cache = filling->cache;
    const EncodeOptions options = {.kind = cache->kind,
                                   .items = filling->items,
                                   .item_count = filling->item_count,
                                   .skip_bad = cache->skip_bad,
                                   .interrupt = cache->interrupt,
                                   .progress = cache->progress,
                                   .take = keep_features,
                                   .state = filling};
    EncodeCounts counts;
    fprintf(cache->talk, "extracting features of %" PRId64 " of %" PRId64 " %s to %s\n",
            filling->item_count, cache->picture_count,
            cache->kind.is_video ? "videos" : "images", cache->folder);
    fflush(cache->talk);
    bool ok = write_note(filling) &&
              encode(filling->encoder, &options, &counts, filling->diags);
    if (ok)
        fprintf(cache->talk, "extracted %" PRId64 " in %.1f s\n", counts.files,
                counts.seconds);
    return ok;
}

static bool fill(CacheWork *filling)
{
    if (!find_missing(filling))
        return false;
    if (filling->item_count == 0)
        return true;
    if (!make_folder(filling->cache, filling->diags))
        return false;
    uint32_t errors = diags_error_count(filling->diags);
    int held = hold_folder(filling->cache, filling->diags);
    if (held < 0)
        return diags_error_count(filling->diags) == errors;
    bool ok =
        find_missing(filling) && (filling->item_count == 0 || make_features(filling));
    close(held);
    return ok;
}

bool feature_cache_fill(const FeatureCache *cache, Encoder *encoder, Diags *diags)
{
    Arena *arena = arena_new();
    CacheWork filling = {.cache = cache,
                         .encoder = encoder,
                         .arena = arena,
                         .items = ARENA_ARRAY(arena, PictureItem, cache->picture_count),
                         .times =
                             ARENA_ARRAY(arena, struct timespec, cache->picture_count),
                         .diags = diags};
    bool ok = fill(&filling);
    arena_free(arena);
    return ok;
}
