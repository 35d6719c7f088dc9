/* Files by their endings, in the order of their names. */
#include "runtime/media/picture_list.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ir/base/list.h"

typedef struct Listing {
    const PictureListOptions *options;
    Arena *arena;
    PictureList *out;
    size_t capacity;
} Listing;

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

static void add_item(Listing *listing, const char *path)
{
    const PictureListOptions *options = listing->options;
    PictureList *out = listing->out;
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    const char *dot = strrchr(name, '.');
    size_t len = dot && dot != name ? (size_t)(dot - name) : strlen(name);
    const char *stem = arena_string(listing->arena, name, len);
    ARENA_LIST_ROOM(listing->arena, out->items, (size_t)out->count + 1,
                    listing->capacity);
    out->items[out->count++] =
        (PictureItem){.path = path,
                      .stem = stem,
                      .result = arena_format(listing->arena, "%s/%s%s", options->out,
                                             stem, options->ending)};
}

static bool list_directory(Listing *listing, Diags *diags)
{
    const char *path = listing->options->path;
    DIR *directory = opendir(path);
    if (!directory) {
        diag_error(diags, (Loc){.file = path}, "cannot open: %s", strerror(errno));
        return false;
    }
    for (const struct dirent *entry; (entry = readdir(directory));) {
        const char *file = arena_format(listing->arena, "%s/%s", path, entry->d_name);
        struct stat status;
        if (entry->d_name[0] == '.' || stat(file, &status) != 0 ||
            !S_ISREG(status.st_mode))
            continue;
        if (has_ending(entry->d_name, listing->options->is_video))
            add_item(listing, file);
        else
            listing->out->ignored++;
    }
    closedir(directory);
    if (listing->out->count)
        return true;
    diag_error(diags, (Loc){.file = path}, "has no files that end in %s",
               listing->options->is_video ? ".mp4, .mkv, .webm or the like"
                                          : ".jpg, .jpeg or .png");
    return false;
}

static int by_stem(const void *a, const void *b)
{
    const PictureItem *x = a, *y = b;
    int order = strcmp(x->stem, y->stem);
    return order ? order : strcmp(x->path, y->path);
}

/* In the order of names, without those that have a result. */
static bool settle_items(const Listing *listing, Diags *diags)
{
    PictureList *out = listing->out;
    int64_t kept = 0;
    if (out->count)
        qsort(out->items, (size_t)out->count, sizeof *out->items, by_stem);
    for (int64_t i = 1; i < out->count; i++) {
        const PictureItem *item = &out->items[i];
        if (strcmp(item[-1].stem, item->stem) == 0) {
            diag_error(diags, (Loc){.file = item->path},
                       "has the same result as '%s': %s", item[-1].path, item->result);
            return false;
        }
    }
    for (int64_t i = 0; i < out->count; i++) {
        bool is_done =
            !listing->options->overwrite && access(out->items[i].result, F_OK) == 0;
        out->done += is_done;
        if (!is_done)
            out->items[kept++] = out->items[i];
    }
    out->count = kept;
    return true;
}

bool picture_list(const PictureListOptions *options, Arena *arena, PictureList *out,
                  Diags *diags)
{
    Listing listing = {.options = options, .arena = arena, .out = out};
    struct stat status;
    *out = (PictureList){0};
    if (stat(options->path, &status) != 0) {
        diag_error(diags, (Loc){.file = options->path}, "cannot open: %s",
                   strerror(errno));
        return false;
    }
    if (!S_ISDIR(status.st_mode))
        add_item(&listing, options->path);
    else if (!list_directory(&listing, diags))
        return false;
    return settle_items(&listing, diags);
}
