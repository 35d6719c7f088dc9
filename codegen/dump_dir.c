/* The directory of a dump: made, or emptied of an earlier dump and of nothing else. */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "codegen/dump_names.h"
#include "codegen/program.h"
#include "ir/base/files.h"
#include "ir/base/heap.h"

const char *const dump_endings[DUMP_PARTS] = {
    [DUMP_nodes] = ".vir",
    [DUMP_emitted] = ".ll",
    [DUMP_optimized] = ".opt.ll",
    [DUMP_assembly] = ".s",
};

void dump_name(char name[DUMP_NAME_BYTES], uint32_t number, const char *kernel_class,
               DumpPart part)
{
    snprintf(name, DUMP_NAME_BYTES, DUMP_STEM "%s", number, kernel_class,
             dump_endings[part]);
}

/* As dump_name makes them. */
static bool is_part(const char *name)
{
    const char *at = name;
    while (isdigit((unsigned char)*at))
        at++;
    if (at - name < 4 || *at++ != '_')
        return false;
    const char *word = at;
    while (islower((unsigned char)*at))
        at++;
    if (at == word)
        return false;
    for (int part = 0; part < DUMP_PARTS; part++)
        if (strcmp(at, dump_endings[part]) == 0)
            return true;
    return false;
}

static bool is_index(const char *path)
{
    char head[sizeof DUMP_INDEX_HEAD] = {0};
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return false;
    ssize_t len = read(fd, head, sizeof head - 1);
    close(fd);
    return len == sizeof head - 1 && strcmp(head, DUMP_INDEX_HEAD) == 0;
}

typedef struct DumpDir {
    const char *path;
    DIR *stream;
    bool has_index;
} DumpDir;

static bool refuse(const DumpDir *dir, const char *name, Diags *diags)
{
    diag_error(diags, (Loc){.file = dir->path},
               "holds '%s', which is not of an earlier dump of kernels: give a directory "
               "that is new or empty",
               name);
    return false;
}

static const struct dirent *next_entry(const DumpDir *dir)
{
    const struct dirent *entry = readdir(dir->stream);
    while (entry && (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0))
        entry = readdir(dir->stream);
    return entry;
}

/* Nothing, or an index and parts. */
static bool check_entries(const DumpDir *dir, Diags *diags)
{
    rewinddir(dir->stream);
    for (const struct dirent *entry; (entry = next_entry(dir));) {
        bool is_ours = strcmp(entry->d_name, DUMP_INDEX) == 0 || is_part(entry->d_name);
        if (!dir->has_index || !is_ours)
            return refuse(dir, entry->d_name, diags);
    }
    return true;
}

static bool remove_parts(const DumpDir *dir, Diags *diags)
{
    rewinddir(dir->stream);
    for (const struct dirent *entry; (entry = next_entry(dir));) {
        if (!is_part(entry->d_name) ||
            unlinkat(dirfd(dir->stream), entry->d_name, 0) == 0)
            continue;
        diag_error(diags, (Loc){.file = dir->path}, "cannot remove '%s': %s",
                   entry->d_name, strerror(errno));
        return false;
    }
    return true;
}

bool dump_open(const char *path, Diags *diags)
{
    DumpDir dir = {.path = path};
    if (!directory_make(path, diags))
        return false;
    if (!(dir.stream = opendir(path))) {
        diag_error(diags, (Loc){.file = path}, "cannot be read: %s", strerror(errno));
        return false;
    }
    char *index = heap_format("%s/" DUMP_INDEX, path);
    dir.has_index = is_index(index);
    bool ok = check_entries(&dir, diags) && remove_parts(&dir, diags) &&
              file_replace(index, DUMP_INDEX_HEAD, sizeof DUMP_INDEX_HEAD - 1, diags);
    free(index);
    closedir(dir.stream);
    return ok;
}
