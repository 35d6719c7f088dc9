/* Hashes are XXH3, 64 bit, of whole files: as fast as they are read. Features are left
 * out: there are too many, and a batch that needs one that is gone says so. */
#include "runtime/data/dataset/dataset_files.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include "ir/base/files.h"
#include "ir/base/heap.h"
#include "runtime/data/dataset/dataset_load.h"

enum { CHUNK_BYTES = 1 << 20 };

typedef struct FileListing {
    const DatasetOptions *options;
    Arena *arena;
    DataFiles *out;
    Diags *diags;
} FileListing;

static bool is_there(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0;
}

static bool is_directory(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

/* -- hashing ----------------------------------------------------------------------- */

static bool hash_descriptor(int fd, XXH3_state_t *state)
{
    char *chunk = heap_alloc(CHUNK_BYTES);
    ssize_t count;
    while ((count = read(fd, chunk, CHUNK_BYTES)) > 0 || (count < 0 && errno == EINTR))
        if (count > 0)
            XXH3_64bits_update(state, chunk, (size_t)count);
    free(chunk);
    return count == 0;
}

static bool hash_file(const char *path, uint64_t *out, Diags *diags)
{
    int fd = file_open(path, diags);
    if (fd < 0)
        return false;
    XXH3_state_t *state = XXH3_createState();
    XXH3_64bits_reset(state);
    bool is_read = hash_descriptor(fd, state);
    if (!is_read)
        diag_error(diags, (Loc){.file = path}, "cannot read: %s", strerror(errno));
    *out = XXH3_64bits_digest(state);
    XXH3_freeState(state);
    close(fd);
    return is_read;
}

/* -- which files ------------------------------------------------------------------- */

const DataFile *data_files_find(const DataFiles *files, const char *name)
{
    for (uint32_t i = 0; i < files->count; i++)
        if (strcmp(files->items[i].name, name) == 0)
            return &files->items[i];
    return NULL;
}

static bool add_file(FileListing *listing, const char *name, const char *path)
{
    DataFiles *out = listing->out;
    if (data_files_find(out, name) || !is_there(path))
        return true;
    if ((out->count & (out->count - 1)) == 0) {
        DataFile *items =
            ARENA_ARRAY(listing->arena, DataFile, out->count ? 2 * out->count : 1);
        if (out->count)
            memcpy(items, out->items, out->count * sizeof *items);
        out->items = items;
    }
    DataFile *file = &out->items[out->count++];
    file->name = name;
    return hash_file(path, &file->hash, listing->diags);
}

static bool add_list(FileListing *listing, const char *name)
{
    return add_file(
        listing, name,
        arena_format(listing->arena, "%s/%s", listing->options->directory, name));
}

static bool add_task(FileListing *listing, const Task *task)
{
    TaskTexts texts;
    bool ok = task_texts_find(&texts, task, listing->arena, listing->diags);
    for (const LayoutFile *file = ok ? texts.layout->files : NULL; ok && file->path;
         file++) {
        if (file->is_hidden)
            continue;
        const char *subtitles = subtitles_name(&texts, file, listing->arena);
        ok = add_list(listing, task_texts_path(&texts, file->path, listing->arena)) &&
             (!subtitles || add_list(listing, subtitles));
    }
    for (uint32_t i = 0; ok && i < ANNOTATION_FILES && task_texts_annotated(&texts); i++)
        ok = add_list(listing,
                      task_texts_path(&texts, annotation_files[i], listing->arena));
    return ok;
}

static bool add_tokenizer_file(FileListing *listing, const char *directory,
                               const char *name)
{
    return add_file(listing, arena_format(listing->arena, "tokenizer/%s", name),
                    arena_format(listing->arena, "%s/%s", directory, name));
}

static bool add_tokenizer(FileListing *listing)
{
    static const char *const names[] = {
        "spiece.model",   "tokenizer.model",       "vocab.json",
        "merges.txt",     "added_tokens.json",     "special_tokens_map.json",
        "tokenizer.json", "tokenizer_config.json",
    };
    const char *path = listing->options->tokenizer, *slash = strrchr(path, '/');
    bool ok = true;
    if (is_directory(path)) {
        for (size_t i = 0; ok && i < sizeof names / sizeof *names; i++)
            ok = add_tokenizer_file(listing, path, names[i]);
        return ok;
    }
    const char *directory =
        slash ? arena_string(listing->arena, path, (size_t)(slash - path)) : ".";
    const char *name = slash ? slash + 1 : path, *end = strrchr(name, '.');
    bool has_merges = end && strcmp(end, ".json") == 0;
    return add_tokenizer_file(listing, directory, name) &&
           (!has_merges || add_tokenizer_file(listing, directory, "merges.txt"));
}

bool dataset_files(const DatasetOptions *options, const Module *module, Arena *arena,
                   DataFiles *out, Diags *diags)
{
    FileListing listing = {options, arena, out, diags};
    *out = (DataFiles){0};
    for (uint32_t i = 0; i < module->task_count && !options->has_questions; i++)
        if (!add_task(&listing, &module->tasks[i]))
            return false;
    return add_tokenizer(&listing);
}
