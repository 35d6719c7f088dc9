/* Looking through the directory of an export. */
#include "runtime/onnx/directory.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "ir/base/files.h"

static bool ends_with(const char *name, const char *ending)
{
    size_t len = strlen(name), tail = strlen(ending);
    return len > tail && strcmp(name + len - tail, ending) == 0;
}

static bool is_weights(const char *name)
{
    enum { STEM = sizeof ONNX_WEIGHTS_STEM - 1, DIGITS = 16 };
    return strncmp(name, ONNX_WEIGHTS_STEM, STEM) == 0 &&
           strspn(name + STEM, "0123456789abcdef") == DIGITS &&
           strcmp(name + STEM + DIGITS, ".bin") == 0;
}

static bool is_of_export(const char *name)
{
    return strcmp(name, ONNX_GENERATION_NAME) == 0 || is_weights(name) ||
           ends_with(name, ".encode" ONNX_GRAPH_ENDING) ||
           ends_with(name, ".decode" ONNX_GRAPH_ENDING);
}

static const struct dirent *next_entry(DIR *stream)
{
    const struct dirent *entry = readdir(stream);
    while (entry && (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0))
        entry = readdir(stream);
    return entry;
}

static DIR *open_stream(const char *path, Diags *diags)
{
    DIR *stream = opendir(path);
    if (!stream)
        diag_error(diags, (Loc){.file = path}, "cannot be read: %s", strerror(errno));
    return stream;
}

bool onnx_directory_open(const char *path, Diags *diags)
{
    DIR *stream = directory_make(path, diags) ? open_stream(path, diags) : NULL;
    if (!stream)
        return false;
    const struct dirent *entry = next_entry(stream);
    while (entry && is_of_export(entry->d_name))
        entry = next_entry(stream);
    if (entry)
        diag_error(diags, (Loc){.file = path},
                   "holds '%s', which is not of an earlier export: give a directory that "
                   "is new or empty",
                   entry->d_name);
    closedir(stream);
    return !entry;
}

bool onnx_directory_tidy(const char *path, const Strings *kept, Diags *diags)
{
    DIR *stream = open_stream(path, diags);
    bool ok = stream;
    for (const struct dirent *entry; ok && (entry = next_entry(stream));) {
        const char *name = entry->d_name;
        if (!is_of_export(name) ||
            strings_find(kept, name, strlen(name)) != STRING_ABSENT ||
            unlinkat(dirfd(stream), name, 0) == 0)
            continue;
        diag_error(diags, (Loc){.file = path},
                   "cannot remove '%s', of an earlier export: %s", name, strerror(errno));
        ok = false;
    }
    if (stream)
        closedir(stream);
    return ok;
}
