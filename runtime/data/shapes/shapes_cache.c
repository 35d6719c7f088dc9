/* The built-in data in the user's cache: written aside, moved to their place whole. What
 * killed programs left half written is removed before anything is written. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ir/base/cache_dir.h"
#include "ir/base/heap.h"
#include "runtime/data/dataset/fields.h"
#include "runtime/data/shapes/shapes.h"

/* Of what is written: data in the cache are not used by another version. */
enum { SHAPES_VERSION = 1, CACHED_SIZE = 3000, TREE_DESCRIPTORS = 16 };

static const char PREFIX[] = "shapes-", HALF[] = ".half-";

/* -- halves ------------------------------------------------------------------------ */

static int remove_entry(const char *path, const struct stat *status, int kind,
                        struct FTW *place)
{
    (void)status, (void)kind, (void)place;
    return remove(path);
}

static void remove_tree(const char *path)
{
    (void)nftw(path, remove_entry, TREE_DESCRIPTORS, FTW_DEPTH | FTW_PHYS);
}

/* The writer of a half holds its lock until the half is complete. */
static int hold(const char *path)
{
    int held = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (held >= 0 && flock(held, LOCK_EX | LOCK_NB) != 0) {
        close(held);
        return -1;
    }
    return held;
}

/* `cache` is open as the directory `path`. */
static void remove_halves(const char *path, int cache)
{
    int fd = openat(cache, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *open = fd < 0 ? NULL : fdopendir(fd);
    for (struct dirent *entry; open && (entry = readdir(open));) {
        if (strncmp(entry->d_name, PREFIX, strlen(PREFIX)) != 0 ||
            !strstr(entry->d_name, HALF))
            continue;
        char *half = heap_format("%s/%s", path, entry->d_name);
        int held = hold(half);
        if (held >= 0) {
            remove_tree(half);
            close(held);
        }
        free(half);
    }
    if (open)
        closedir(open);
}

static char *make_half(const char *directory, int *out_held, Diags *diags)
{
    uint64_t number;
    if (getrandom(&number, sizeof number, 0) != sizeof number)
        return NULL;
    char *half = heap_format("%s%s%016" PRIx64, directory, HALF, number);
    if (mkdir(half, 0700) == 0 && (*out_held = hold(half)) >= 0)
        return half;
    diag_error(diags, (Loc){.file = half}, "cannot make the directory: %s",
               strerror(errno));
    free(half);
    return NULL;
}

/* -- the data ---------------------------------------------------------------------- */

static bool write_whole(ShapesOptions *options, const char *directory, Diags *diags)
{
    int held = -1;
    char *half = make_half(directory, &held, diags);
    if (!half)
        return false;
    if (options->progress)
        fprintf(options->progress, "writing the built-in data to %s\n", directory);
    options->directory = half;
    bool is_written = shapes_write(options, diags), is_moved = false;
    if (is_written) {
        is_moved = rename(half, directory) == 0;
        /* Another program may have been faster. */
        is_written = is_moved || access(directory, F_OK) == 0;
        if (!is_written)
            diag_error(diags, (Loc){0}, "cannot rename %s to %s: %s", half, directory,
                       strerror(errno));
    }
    if (!is_moved)
        remove_tree(half);
    close(held);
    free(half);
    return is_written;
}

/* What the module's tasks want; all must want features of one width. */
static bool options_for(const Module *module, ShapesOptions *out, Diags *diags)
{
    static const char *const videos[] = {"tvqa", "how2qa", "tvc", "yc2c"};
    Arena *arena = arena_new();
    bool ok = true;
    for (uint32_t i = 0; ok && i < module->task_count; i++) {
        const Task *task = &module->tasks[i];
        bool is_video = false;
        for (int v = 0; v < 4; v++)
            is_video = is_video || strcmp(task->name, videos[v]) == 0;
        out->videos = out->videos || is_video;
        out->images = out->images || !is_video;
        TaskFields fields;
        ok = task_fields_find(&fields, module, task, arena, diags);
        const Field *features = ok ? &fields.fields[FIELD_features] : NULL;
        if (!ok || !features->graph)
            continue;
        int64_t width = type_width(features->type);
        if (out->width != 0 && out->width != width) {
            diag_error(diags, task->loc,
                       "the built-in data have one width of features, not %" PRId64
                       " and %" PRId64,
                       out->width, width);
            ok = false;
        }
        out->width = width;
    }
    arena_free(arena);
    if (out->width == 0)
        out->width = 1;
    return ok;
}

static bool prepare(ShapesOptions *options, const char *path, const char *directory,
                    Diags *diags)
{
    char reason[CACHE_DIR_REASON];
    int cache = cache_dir_open(path, reason);
    if (cache < 0) {
        diag_error(diags, (Loc){.file = path},
                   "the built-in data cannot be kept here: %s", reason);
        diag_note(diags, (Loc){0},
                  "XDG_CACHE_HOME chooses another place; 'vlrun make-data shapes DIR' "
                  "and --data DIR do without");
        return false;
    }
    remove_halves(path, cache);
    close(cache);
    return access(directory, F_OK) == 0 || write_whole(options, directory, diags);
}

char *shapes_cached(const Module *module, FILE *progress, const Interrupt *interrupt,
                    Diags *diags)
{
    ShapesOptions options = {
        .size = CACHED_SIZE, .progress = progress, .interrupt = interrupt};
    if (!options_for(module, &options, diags))
        return NULL;
    char *path = cache_dir_path(), *directory = NULL;
    if (!path)
        diag_error(diags, (Loc){0},
                   "there is no place for the built-in data: neither XDG_CACHE_HOME nor "
                   "HOME is an absolute path");
    else
        directory =
            heap_format("%s/%s%d-%s%s-%" PRId64 "-%" PRId64, path, PREFIX, SHAPES_VERSION,
                        options.images ? "images" : "", options.videos ? "videos" : "",
                        options.width, options.size);
    if (directory && !prepare(&options, path, directory, diags)) {
        free(directory);
        directory = NULL;
    }
    free(path);
    return directory;
}
