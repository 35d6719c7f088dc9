/* What the files of shapes data have in common. */
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ir/base/clock.h"
#include "ir/base/files.h"
#include "ir/base/hash.h"
#include "ir/base/heap.h"
#include "ir/base/terminal.h"
#include "runtime/data/shapes/shapes.h"

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

/* Only our own is replaced: a file whose name we would write. */
static bool make_way(const ShapesWriter *writer, const char *path)
{
    struct stat status;
    if (lstat(path, &status) != 0)
        return true;
    const char *problem = NULL;
    if (!S_ISREG(status.st_mode))
        problem = "is no regular file, and would be replaced by one";
    else if (!writer->options.overwrite)
        problem = "is there already";
    else if (unlink(path) != 0)
        problem = strerror(errno);
    if (problem)
        diag_error(writer->diags, (Loc){.file = path}, "cannot be written: %s", problem);
    return !problem;
}

FILE *shapes_create(ShapesWriter *writer, const char *path)
{
    char *directory = arena_format(writer->arena, "%s", path);
    char *slash = strrchr(directory, '/');
    *slash = '\0';
    if (!directory_make(directory, writer->diags) || !make_way(writer, path))
        return NULL;
    FILE *file = fopen(path, "wbex");
    if (!file)
        diag_error(writer->diags, (Loc){.file = path}, "cannot be written: %s",
                   strerror(errno));
    return file;
}

bool shapes_close(FILE *file, const char *path, Diags *diags)
{
    errno = 0;
    bool is_written = !ferror(file);
    is_written = fclose(file) == 0 && is_written;
    if (!is_written)
        diag_error(diags, (Loc){.file = path}, "cannot be written: %s",
                   errno ? strerror(errno) : "a write failed");
    return is_written;
}

/* Files of features: a picture for each image, a clip for each video. */
static int64_t count_files(const ShapesOptions *options)
{
    enum { IMAGES = 5, VIDEOS = 4, VIDEO_TESTS = 9 };
    int64_t others = (options->size + 9) / 10;
    return (options->images ? IMAGES * (options->size + 2 * others) : 0) +
           (options->videos ? VIDEOS * options->size + VIDEO_TESTS * others : 0);
}

ShapesWriter shapes_writer(const ShapesOptions *options, Arena *arena, Diags *diags)
{
    return (ShapesWriter){.options = *options,
                          .looks = looks_new(arena, options->width),
                          .total = count_files(options),
                          .last_shown = clock_seconds(),
                          .arena = arena,
                          .diags = diags};
}

/* On a terminal a line that is written over, elsewhere one now and then. */
void shapes_show_progress(ShapesWriter *writer)
{
    FILE *out = writer->options.progress;
    if (!out)
        return;
    bool is_terminal = terminal(out), is_end = writer->done == writer->total;
    double time = clock_seconds(), pause = is_terminal ? 0.1 : 5;
    if (time - writer->last_shown < pause && !is_end)
        return;
    writer->last_shown = time;
    char *text =
        heap_format("%" PRId64 " of %" PRId64 " files", writer->done, writer->total);
    if (is_terminal)
        terminal_show(out, text);
    fprintf(out, "%s%s", is_terminal ? "" : text, is_terminal && !is_end ? "" : "\n");
    fflush(out);
    free(text);
}

const char *shapes_next_file(ShapesWriter *writer, const char *format, ...)
{
    if (interrupt_is_set(writer->options.interrupt))
        return NULL;
    va_list args;
    va_start(args, format);
    char *below = heap_format_list(format, args);
    va_end(args);
    const char *path =
        arena_format(writer->arena, "%s/%s", writer->options.directory, below);
    free(below);
    if (!make_way(writer, path))
        return NULL;
    shapes_show_progress(writer);
    writer->done++;
    return path;
}

bool records_open(RecordFile *out, ShapesWriter *writer, const char *path,
                  const char *head, const char *tail)
{
    size_t len = strlen(path);
    *out = (RecordFile){.tail = tail, .is_empty = true};
    out->path = arena_format(writer->arena, "%s/%s", writer->options.directory, path);
    out->is_lines = len > 6 && strcmp(path + len - 6, ".jsonl") == 0;
    out->file = shapes_create(writer, out->path);
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
    return shapes_close(out->file, out->path, diags);
}
