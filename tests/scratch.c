/* Test files below $TMPDIR or /tmp. */
#include "tests/scratch.h"

#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static _Noreturn void stop(const char *what)
{
    perror(what);
    exit(1);
}

Scratch scratch_new(void)
{
    const char *parent = getenv("TMPDIR");
    Scratch scratch = {.arena = arena_new()};
    scratch.directory =
        arena_format(scratch.arena, "%s/vlgraph_test_XXXXXX", parent ? parent : "/tmp");
    if (!mkdtemp(scratch.directory))
        stop(scratch.directory);
    return scratch;
}

static int remove_entry(const char *path, const struct stat *facts, int type,
                        struct FTW *walk)
{
    (void)facts, (void)type, (void)walk;
    return remove(path);
}

void scratch_free(Scratch *scratch)
{
    (void)nftw(scratch->directory, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    arena_free(scratch->arena);
}

const char *scratch_path(const Scratch *scratch, const char *name)
{
    return arena_format(scratch->arena, "%s/%s", scratch->directory, name);
}

const char *scratch_write(const Scratch *scratch, const char *name, const void *bytes,
                          size_t count)
{
    const char *path = scratch_path(scratch, name);
    FILE *file = fopen(path, "wb");
    if (!file || fwrite(bytes, 1, count, file) != count || fclose(file) != 0)
        stop(path);
    return path;
}

const char *scratch_text(const Scratch *scratch, const char *name, const char *text)
{
    return scratch_write(scratch, name, text, strlen(text));
}

char *scratch_read(const Scratch *scratch, const char *path, size_t *out_count)
{
    FILE *file = fopen(path, "rb");
    if (!file || fseek(file, 0, SEEK_END) != 0)
        stop(path);
    long size = ftell(file);
    rewind(file);
    char *bytes = arena_alloc(scratch->arena, (size_t)size + 1);
    if (size < 0 || fread(bytes, 1, (size_t)size, file) != (size_t)size)
        stop(path);
    (void)fclose(file);
    *out_count = (size_t)size;
    return bytes;
}

void messages_open(Messages *messages)
{
    *messages = (Messages){0};
    messages->file = open_memstream(&messages->text, &messages->count);
    if (!messages->file)
        stop("open_memstream");
    messages->diags = diags_new(messages->file);
}

bool messages_have(Messages *messages, const char *part)
{
    (void)fflush(messages->file);
    return strstr(messages->text, part);
}

void messages_close(Messages *messages)
{
    diags_free(messages->diags);
    (void)fclose(messages->file);
    free(messages->text);
}
