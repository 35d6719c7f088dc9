/* Opening and reading of regular files. */
#include "ir/base/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ir/base/arena.h"
#include "ir/base/list.h"

enum { MOST_BESIDE = 1000 }; /* files looked at for a near name */
enum { STEP = 1 << 16 };

/* -- near names ---------------------------------------------------------------------- */

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Names in a directory, in order, but `name`, which may be a link that leads nowhere;
 * hidden ones and directories are left out. */
static const char **list_files(const char *directory, const char *name, Arena *arena,
                               size_t *out_count)
{
    const char **names = ARENA_ARRAY(arena, const char *, MOST_BESIDE);
    DIR *open = opendir(directory);
    *out_count = 0;
    for (struct dirent *entry;
         open && *out_count < MOST_BESIDE && (entry = readdir(open));)
        if (entry->d_name[0] != '.' && entry->d_type != DT_DIR &&
            strcmp(entry->d_name, name) != 0)
            names[(*out_count)++] =
                arena_string(arena, entry->d_name, strlen(entry->d_name));
    if (open)
        closedir(open);
    qsort(names, *out_count, sizeof *names, compare_names);
    return names;
}

/* The name with an ending added, or else the nearest; NULL if there is none near. */
static const char *near_file(const char *name, const char *const *names, size_t count)
{
    size_t len = strlen(name);
    for (size_t i = 0; i < count; i++)
        if (strncmp(names[i], name, len) == 0 && names[i][len] == '.')
            return names[i];
    return nearest_name(name, names, count);
}

void file_report_unreadable(const char *path, Loc from, const char *problem, Diags *diags)
{
    Arena *arena = arena_new();
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    const char *directory = arena_string(arena, path, (size_t)(name - path));
    size_t count;
    const char **names = list_files(slash ? directory : ".", name, arena, &count);
    const char *near =
        *name && access(path, F_OK) != 0 ? near_file(name, names, count) : NULL;
    const char *what =
        from.file ? arena_format(arena, "cannot read '%s'", path) : "cannot be read";
    Loc loc = from.file ? from : (Loc){.file = path};
    if (near)
        diag_error(diags, loc, "%s: %s; did you mean '%s%s'?", what, problem, directory,
                   near);
    else
        diag_error(diags, loc, "%s: %s", what, problem);
    arena_free(arena);
}

/* -- opening ------------------------------------------------------------------------- */

static const char *kind_of_file(mode_t mode)
{
    if (S_ISDIR(mode))
        return "it is a directory, not a regular file";
    if (S_ISFIFO(mode))
        return "it is a pipe, not a regular file";
    if (S_ISSOCK(mode))
        return "it is a socket, not a regular file";
    return "it is a device, not a regular file";
}

static int open_regular(const char *path, Loc from, Diags *diags)
{
    /* A pipe without a writer would otherwise hold us here. */
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    struct stat status;
    const char *problem = NULL;
    if (descriptor < 0 || fstat(descriptor, &status) != 0)
        problem = strerror(errno);
    else if (!S_ISREG(status.st_mode))
        problem = kind_of_file(status.st_mode);
    if (!problem)
        return descriptor;
    file_report_unreadable(path, from, problem, diags);
    if (descriptor >= 0)
        close(descriptor);
    return -1;
}

static FILE *open_stream(const char *path, Loc from, Diags *diags)
{
    int descriptor = open_regular(path, from, diags);
    FILE *stream = descriptor >= 0 ? fdopen(descriptor, "rb") : NULL;
    if (descriptor >= 0 && !stream) {
        file_report_unreadable(path, from, strerror(errno), diags);
        close(descriptor);
    }
    return stream;
}

int file_open(const char *path, Diags *diags)
{
    return open_regular(path, (Loc){0}, diags);
}

FILE *file_open_stream(const char *path, Diags *diags)
{
    return open_stream(path, (Loc){0}, diags);
}

/* -- whole files --------------------------------------------------------------------- */

/* The file may grow while it is read: its size is not asked for. */
static char *read_stream(FILE *stream, const char *name, Loc from, size_t limit,
                         size_t *out_len, Diags *diags)
{
    size_t capacity = 0, len = 0, wanted;
    char *bytes = NULL;
    do {
        LIST_ROOM(bytes, len + STEP + 1, capacity);
        wanted = capacity - len - 1;
        size_t got = fread(bytes + len, 1, wanted, stream);
        len += got;
        wanted -= got;
    } while (wanted == 0 && len <= limit);
    if (!ferror(stream) && len <= limit) {
        bytes[len] = 0;
        *out_len = len;
        return bytes;
    }
    char problem[64];
    snprintf(problem, sizeof problem, "larger than %zu bytes", limit);
    file_report_unreadable(name, from, len > limit ? problem : strerror(errno), diags);
    free(bytes);
    return NULL;
}

char *stream_read(FILE *stream, const char *name, size_t limit, size_t *out_len,
                  Diags *diags)
{
    return read_stream(stream, name, (Loc){0}, limit, out_len, diags);
}

char *file_read_from(const char *path, Loc from, size_t limit, size_t *out_len,
                     Diags *diags)
{
    FILE *stream = open_stream(path, from, diags);
    char *bytes = stream ? read_stream(stream, path, from, limit, out_len, diags) : NULL;
    if (stream)
        (void)fclose(stream);
    return bytes;
}

char *file_read(const char *path, size_t limit, size_t *out_len, Diags *diags)
{
    return file_read_from(path, (Loc){0}, limit, out_len, diags);
}
