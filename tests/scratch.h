/* A directory for a test's files that goes away with it, and diagnostics as a string. */
#ifndef VLG_TESTS_SCRATCH_H
#define VLG_TESTS_SCRATCH_H

#include <stdbool.h>
#include <stddef.h>

#include "ir/base/arena.h"
#include "ir/base/diag.h"

typedef struct Scratch {
    Arena *arena;
    char *directory;
} Scratch;

Scratch scratch_new(void);
void scratch_free(Scratch *scratch); /* removes the directory and all in it */

/* The path of a file in the directory. */
const char *scratch_path(const Scratch *scratch, const char *name);
const char *scratch_write(const Scratch *scratch, const char *name, const void *bytes,
                          size_t count);
const char *scratch_text(const Scratch *scratch, const char *name, const char *text);
char *scratch_read(const Scratch *scratch, const char *path, size_t *out_count);

/* Diagnostics that are kept instead of printed. */
typedef struct Messages {
    Diags *diags;
    FILE *file;
    char *text;
    size_t count;
} Messages;

void messages_open(Messages *messages);
/* Whether the messages so far hold `part`. */
bool messages_have(Messages *messages, const char *part);
void messages_close(Messages *messages);

#endif
