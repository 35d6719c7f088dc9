/* The directory of shapes data, and what its files have in common. */
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ir/base/files.h"
#include "ir/base/hash.h"
#include "runtime/data/fields.h"
#include "runtime/data/file_bytes.h"
#include "runtime/data/shapes.h"

/* Of what is written: data in the cache are not used by another version. */
enum { SHAPES_VERSION = 1, CACHED_SIZE = 3000 };

int64_t shapes_count(const ShapesWriter *writer, Split split)
{
    int64_t size = writer->options.size;
    return split == SPLIT_train ? size : (size + 9) / 10;
}

Draws shapes_draws(const ShapesWriter *writer, const char *task, Split split,
                   int64_t number)
{
    uint64_t stream = hash_bytes(HASH_START, task, strlen(task)) + (uint64_t)split;
    stream ^= hash_word(0, (uint64_t)writer->options.seed);
    return (Draws){.key = random_step_key(stream, (uint64_t)number)};
}

/* -- files --------------------------------------------------------------------------- */

static FILE *open_file(const ShapesWriter *writer, const char *path)
{
    char *directory = arena_format(writer->arena, "%s", path);
    char *slash = strrchr(directory, '/');
    *slash = '\0';
    if (!directory_make(directory, writer->diags))
        return NULL;
    FILE *file = fopen(path, "wb");
    if (!file)
        diag_error(writer->diags, (Loc){.file = path}, "cannot be written: %s",
                   strerror(errno));
    return file;
}

static bool close_file(FILE *file, const char *path, Diags *diags)
{
    bool is_written = !ferror(file);
    if (fclose(file) == 0 && is_written)
        return true;
    diag_error(diags, (Loc){.file = path}, "cannot be written");
    return false;
}

bool records_open(RecordFile *out, const ShapesWriter *writer, const char *path,
                  const char *head, const char *tail)
{
    size_t len = strlen(path);
    *out = (RecordFile){.tail = tail, .is_empty = true};
    out->path = arena_format(writer->arena, "%s/%s", writer->options.directory, path);
    out->is_lines = len > 6 && strcmp(path + len - 6, ".jsonl") == 0;
    out->file = open_file(writer, out->path);
    if (out->file)
        fputs(head, out->file);
    return out->file;
}

void records_add(RecordFile *out, json_t *record)
{
    if (!out->is_empty)
        fputs(out->is_lines ? "\n" : ",\n", out->file);
    out->is_empty = false;
    json_dumpf(record, out->file, 0);
    json_decref(record);
}

bool records_close(RecordFile *out, Diags *diags)
{
    fprintf(out->file, "%s\n", out->tail);
    return close_file(out->file, out->path, diags);
}

/* -- the directory ---------------------------------------------------------------------
 */

/* The tokenizer made for these texts: models/shapes/train_tokenizer. */
static bool copy_tokenizer(const ShapesWriter *writer)
{
    static const char shipped[] = VLG_MODELS_DIR "/shapes/spiece.model";
    enum { BYTES_MAX = 1 << 24 };
    TextBuffer bytes = {0};
    const char *path =
        arena_format(writer->arena, "%s/spiece.model", writer->options.directory);
    bool is_written = file_bytes_read(shipped, BYTES_MAX, &bytes, writer->diags);
    FILE *file = is_written ? open_file(writer, path) : NULL;
    if (file) {
        fwrite(bytes.bytes, 1, bytes.count, file);
        is_written = close_file(file, path, writer->diags);
    }
    text_buffer_free(&bytes);
    return is_written && file;
}

bool shapes_write(const ShapesOptions *options, Diags *diags)
{
    Arena *arena = arena_new();
    ShapesWriter writer = {.options = *options,
                           .looks = looks_new(arena, options->width),
                           .arena = arena,
                           .diags = diags};
    bool is_written = directory_make(options->directory, diags) &&
                      copy_tokenizer(&writer) &&
                      (!options->images || shapes_write_images(&writer)) &&
                      (!options->videos || shapes_write_videos(&writer));
    arena_free(arena);
    return is_written;
}

/* -- the cache -------------------------------------------------------------------------
 */

/* Malloc'ed. */
static char *cache_directory(const ShapesOptions *options)
{
    const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME"), *below = "";
    if (!cache || !*cache) {
        cache = home && *home ? home : "/tmp";
        below = home && *home ? "/.cache" : "";
    }
    char *path;
    int len = asprintf(&path, "%s%s/vlgraph/shapes-%d-%s%s-%" PRId64 "-%" PRId64, cache,
                       below, SHAPES_VERSION, options->images ? "images" : "",
                       options->videos ? "videos" : "", options->width, options->size);
    return len < 0 ? NULL : path;
}

/* What the module's tasks want; all must want features of one width. */
static bool options_for(const Module *module, ShapesOptions *out, Diags *diags)
{
    static const char *const videos[] = {"tvqa", "how2qa", "tvc", "yc2c"};
    Arena *arena = arena_new();
    bool is_good = true;
    for (uint32_t i = 0; is_good && i < module->task_count; i++) {
        const Task *task = &module->tasks[i];
        bool is_video = false;
        for (int v = 0; v < 4; v++)
            is_video = is_video || strcmp(task->name, videos[v]) == 0;
        out->videos = out->videos || is_video;
        out->images = out->images || !is_video;
        TaskFields fields;
        is_good = task_fields_find(&fields, module, task, arena, diags);
        const Field *features = is_good ? &fields.fields[FIELD_features] : NULL;
        if (!is_good || !features->graph)
            continue;
        int64_t width = type_width(features->type);
        if (out->width != 0 && out->width != width) {
            diag_error(diags, task->loc,
                       "the built-in data have one width of features, not %" PRId64
                       " and %" PRId64,
                       out->width, width);
            is_good = false;
        }
        out->width = width;
    }
    arena_free(arena);
    if (out->width == 0)
        out->width = 1;
    return is_good;
}

/* Written beside its place and moved there whole, so that runs at the same time do not
 * meet. */
static bool write_whole(ShapesOptions *options, const char *directory, Diags *diags)
{
    char *beside;
    if (asprintf(&beside, "%s.%ld", directory, (long)getpid()) < 0)
        return false;
    fprintf(stderr, "writing the built-in data to %s\n", directory);
    options->directory = beside;
    bool is_written = shapes_write(options, diags);
    if (is_written && rename(beside, directory) != 0 && access(directory, F_OK) != 0) {
        diag_error(diags, (Loc){0}, "cannot rename %s to %s: %s", beside, directory,
                   strerror(errno));
        is_written = false;
    }
    free(beside);
    return is_written;
}

char *shapes_cached(const Module *module, Diags *diags)
{
    ShapesOptions options = {.size = CACHED_SIZE};
    if (!options_for(module, &options, diags))
        return NULL;
    char *directory = cache_directory(&options);
    if (directory &&
        (access(directory, F_OK) == 0 || write_whole(&options, directory, diags)))
        return directory;
    free(directory);
    return NULL;
}
