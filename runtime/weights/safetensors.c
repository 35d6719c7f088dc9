/* Reading tensor files: map, list the tensors (safetensors_header.c, torch_tensors.c),
 * look up.
 *
 * Invariants of a TensorFile: each tensor has dims whose product times the element size
 * is its byte count, and names are distinct. Those of a safetensors file are in the
 * order of their offsets and tile the data section exactly (no overlap, no hole, nothing
 * after the last). */
#include "runtime/weights/safetensors_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "ir/base/files.h"
#include "ir/base/heap.h"
#include "runtime/weights/mapping_watch.h"

static Loc in_file(const TensorFile *file)
{
    return (Loc){.file = file->path};
}

/* -- opening --------------------------------------------------------------------- */

static bool map_file(TensorFile *file, Diags *diags)
{
    int descriptor = file_open(file->path, diags);
    struct stat status;
    if (descriptor < 0)
        return false;
    bool is_known = fstat(descriptor, &status) == 0;
    file->mapping_bytes = is_known ? (size_t)status.st_size : 0;
    file->opened = status;
    if (file->mapping_bytes)
        file->mapping =
            mmap(NULL, file->mapping_bytes, PROT_READ, MAP_PRIVATE, descriptor, 0);
    int fault = errno;
    close(descriptor);
    if (file->mapping == MAP_FAILED || !is_known) {
        file->mapping = NULL;
        diag_error(diags, in_file(file), "cannot map: %s", strerror(fault));
        return false;
    }
    if (file->mapping)
        mapping_watch(file->mapping, file->mapping_bytes, file->path);
    return true;
}

/* What follows the last '#' is a member, unless the name of the file goes on with it. */
static void name_file(TensorFile *file, const char *path)
{
    const char *mark = strrchr(path, '#');
    bool is_whole = !mark || access(path, F_OK) == 0;
    file->path =
        arena_string(file->arena, path, is_whole ? strlen(path) : (size_t)(mark - path));
    if (!is_whole)
        file->member = arena_string(file->arena, mark + 1, strlen(mark + 1));
}

static bool read_tensors(TensorFile *file, Diags *diags)
{
    if (torch_file_is_one(file->mapping, file->mapping_bytes))
        return torch_tensors_read(file, diags);
    if (!header_read(file, diags))
        return false;
    if (file->member)
        diag_error(diags, in_file(file),
                   "is a safetensors file: it has no part '%s', but tensors alone",
                   file->member);
    return !file->member;
}

static TensorFile *open_file(const char *path, bool any_types, Diags *diags)
{
    Arena *arena = arena_new();
    TensorFile *file = arena_alloc(arena, sizeof *file);
    file->arena = arena;
    name_file(file, path);
    file->any_types = any_types;
    if (!map_file(file, diags) || !read_tensors(file, diags)) {
        tensor_file_close(file);
        return NULL;
    }
    return file;
}

TensorFile *tensor_file_open(const char *path, Diags *diags)
{
    return open_file(path, false, diags);
}

TensorFile *tensor_file_open_any(const char *path, Diags *diags)
{
    return open_file(path, true, diags);
}

void tensor_file_close(TensorFile *file)
{
    if (!file)
        return;
    if (file->mapping) {
        mapping_forget(file->mapping);
        munmap(file->mapping, file->mapping_bytes);
    }
    torch_file_free(file->torch);
    free(file->tensors);
    free(file->by_name);
    arena_free(file->arena);
}

const char *tensor_file_path(const TensorFile *file)
{
    return file->path;
}

/* -- looking up ------------------------------------------------------------------ */

const struct stat *tensor_file_status(const TensorFile *file)
{
    return &file->opened;
}

uint32_t tensor_file_count(const TensorFile *file)
{
    return file->count;
}

const Tensor *tensor_file_at(const TensorFile *file, uint32_t index)
{
    return &file->tensors[index];
}

const Tensor *tensor_file_find(const TensorFile *file, const char *name)
{
    const Tensor wanted = {.name = name}, *key = &wanted;
    const Tensor **found = file->count ? bsearch(&key, file->by_name, file->count,
                                                 sizeof *file->by_name, tensor_by_name)
                                       : NULL;
    return found ? *found : NULL;
}

const Tensor *tensor_file_need(const TensorFile *file, const char *name, Diags *diags)
{
    const Tensor *tensor = tensor_file_find(file, name);
    if (tensor)
        return tensor;
    const char **names = heap_array(file->count, sizeof *names);
    for (uint32_t i = 0; i < file->count; i++)
        names[i] = file->tensors[i].name;
    const char *near = nearest_name(name, names, file->count);
    if (near)
        diag_error(diags, in_file(file), "no tensor '%s'; did you mean '%s'?", name,
                   near);
    else
        diag_error(diags, in_file(file), "no tensor '%s'", name);
    free(names);
    return NULL;
}

const char *tensor_file_metadata(const TensorFile *file, const char *key)
{
    for (uint32_t i = 0; i < file->metadata_count; i++)
        if (strcmp(file->metadata[i].key, key) == 0)
            return file->metadata[i].value;
    return NULL;
}
