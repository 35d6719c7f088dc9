#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

void fuzz_begin(FuzzCase *fuzz)
{
    *fuzz = (FuzzCase){.arena = arena_new()};
    fuzz->stream = open_memstream(&fuzz->messages, &fuzz->messages_len);
    fuzz->diags = diags_new(fuzz->stream);
}

void fuzz_end(FuzzCase *fuzz, bool is_accepted)
{
    fuzz_expect(fuzz, is_accepted || diags_error_count(fuzz->diags) > 0,
                "a refusal has a message");
    diags_free(fuzz->diags);
    fclose(fuzz->stream);
    free(fuzz->messages);
    arena_free(fuzz->arena);
}

const char *fuzz_file(FuzzCase *fuzz, const char *name, const void *bytes, size_t size)
{
    const char *root = getenv("TMPDIR");
    char *directory = arena_format(fuzz->arena, "%s/vlgraph_fuzz_%ld",
                                   root ? root : "/tmp", (long)getpid());
    (void)mkdir(directory, 0700);
    char *path = arena_format(fuzz->arena, "%s/%s", directory, name);
    FILE *file = fopen(path, "wb");
    fuzz_expect(fuzz, file && fwrite(bytes, 1, size, file) == size && fclose(file) == 0,
                "the input can be written");
    return path;
}

void fuzz_expect(FuzzCase *fuzz, bool holds, const char *what)
{
    if (holds)
        return;
    fflush(fuzz->stream);
    fprintf(stderr, "%sexpected: %s\n", fuzz->messages, what);
    abort();
}
