/* Reading files: regular, of bounded size, valid UTF-8. */
#include "frontend/source.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const off_t MOST_BYTES = 16 << 20;
enum { MOST_BESIDE = 1000 }; /* files looked at for a near name */

static bool read_all(int file, char *bytes, size_t len)
{
    for (size_t done = 0; done < len;) {
        ssize_t got = read(file, bytes + done, len - done);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return false;
        done += (size_t)got;
    }
    return true;
}

/* The bytes, or NULL and why not. Opening does not block on a pipe. */
static char *load(const char *path, Arena *arena, size_t *out_len,
                  const char **out_problem)
{
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (file < 0) {
        *out_problem = strerror(errno);
        return NULL;
    }
    struct stat status;
    char *bytes = NULL;
    if (fstat(file, &status) != 0) {
        *out_problem = strerror(errno);
    } else if (!S_ISREG(status.st_mode)) {
        *out_problem = "not a regular file";
    } else if (status.st_size > MOST_BYTES) {
        *out_problem = "larger than 16 MB";
    } else {
        *out_len = (size_t)status.st_size;
        bytes = arena_alloc(arena, *out_len + 1);
        if (!read_all(file, bytes, *out_len)) {
            *out_problem = "it could not be read to its end";
            bytes = NULL;
        }
    }
    close(file);
    return bytes;
}

/* Bytes of the UTF-8 sequence at `at`, or 0. Overlong forms, surrogates and 0 are
 * none. */
static size_t sequence_length(const unsigned char *at, size_t left)
{
    if (at[0] < 0x80)
        return at[0] != 0;
    size_t len = at[0] >= 0xf0 ? 4 : at[0] >= 0xe0 ? 3 : 2;
    if (at[0] < 0xc2 || at[0] > 0xf4 || len > left)
        return 0;
    for (size_t i = 1; i < len; i++)
        if ((at[i] & 0xc0) != 0x80)
            return 0;
    if ((at[0] == 0xe0 && at[1] < 0xa0) || (at[0] == 0xed && at[1] > 0x9f) ||
        (at[0] == 0xf0 && at[1] < 0x90) || (at[0] == 0xf4 && at[1] > 0x8f))
        return 0;
    return len;
}

static void find_lines(Source *source, Arena *arena)
{
    uint32_t count = 1;
    for (size_t i = 0; i < source->len; i++)
        count += source->bytes[i] == '\n';
    source->line_starts = ARENA_ARRAY(arena, uint32_t, count);
    for (size_t i = 0; i < source->len; i++)
        if (source->bytes[i] == '\n')
            source->line_starts[++source->line_count] = (uint32_t)i + 1;
    source->line_count++;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Names in a directory, in order; hidden ones and directories are left out. */
static const char **list_files(const char *directory, Arena *arena, size_t *out_count)
{
    const char **names = ARENA_ARRAY(arena, const char *, MOST_BESIDE);
    DIR *open = opendir(directory);
    *out_count = 0;
    for (struct dirent *entry;
         open && *out_count < MOST_BESIDE && (entry = readdir(open));)
        if (entry->d_name[0] != '.' && entry->d_type != DT_DIR)
            names[(*out_count)++] =
                arena_string(arena, entry->d_name, strlen(entry->d_name));
    if (open)
        closedir(open);
    qsort(names, *out_count, sizeof *names, compare_names);
    return names;
}

/* The name with .vg added, or else the nearest; NULL if there is none near. */
static const char *near_file(const char *name, const char *const *names, size_t count)
{
    size_t len = strlen(name);
    for (size_t i = 0; i < count; i++)
        if (strncmp(names[i], name, len) == 0 && strcmp(names[i] + len, ".vg") == 0)
            return names[i];
    return nearest_name(name, names, count);
}

void report_unreadable(const char *path, Loc from, const char *problem, Diags *diags)
{
    Arena *arena = arena_new();
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    const char *directory = arena_string(arena, path, (size_t)(name - path));
    size_t count;
    const char **names = list_files(slash ? directory : ".", arena, &count);
    const char *near = *name ? near_file(name, names, count) : NULL;
    if (near && strcmp(near, name) != 0)
        diag_error(diags, from, "cannot read '%s': %s; did you mean '%s%s'?", path,
                   problem, directory, near);
    else
        diag_error(diags, from, "cannot read '%s': %s", path, problem);
    arena_free(arena);
}

Source *source_read(const char *path, Loc from, Arena *arena, Interns *interns,
                    Diags *diags)
{
    size_t len = 0;
    const char *problem = NULL;
    const char *bytes = load(path, arena, &len, &problem);
    if (!bytes) {
        report_unreadable(path, from, problem, diags);
        return NULL;
    }
    if (len >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0) {
        bytes += 3;
        len -= 3;
    }
    Source *source = arena_alloc(arena, sizeof *source);
    *source = (Source){.path = intern(interns, path), .bytes = bytes, .len = len};
    find_lines(source, arena);
    for (size_t i = 0, step; i < len; i += step) {
        step = sequence_length((const unsigned char *)bytes + i, len - i);
        if (step == 0) {
            diag_error(diags, source_loc(source, i), "not UTF-8 text: byte 0x%02x",
                       (unsigned)(unsigned char)bytes[i]);
            return NULL;
        }
    }
    diags_add_source(diags, source->path, bytes, len);
    return source;
}

Loc source_loc(const Source *source, size_t offset)
{
    uint32_t low = 0, high = source->line_count;
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (source->line_starts[middle] <= offset)
            low = middle;
        else
            high = middle;
    }
    return (Loc){source->path, low + 1,
                 (uint32_t)(offset - source->line_starts[low]) + 1};
}
