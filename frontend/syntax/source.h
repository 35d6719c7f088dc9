/* The bytes of a file, and where in it an offset lies. */
#ifndef VLG_FRONTEND_SYNTAX_SOURCE_H
#define VLG_FRONTEND_SYNTAX_SOURCE_H

#include "ir/base/arena.h"
#include "ir/base/diag.h"
#include "ir/base/intern.h"

typedef struct Source {
    const char *path; /* interned */
    /* UTF-8 without byte order mark, and a final 0 that is not counted */
    const char *bytes;
    size_t len;
    uint32_t *line_starts;
    uint32_t line_count;
} Source;

enum { SOURCE_MOST_BYTES = 16 << 20 };

/* The source of these bytes, which are copied, registering it with `diags` as `name`.
 * NULL and an error if they are not UTF-8. */
Source *source_new(const char *name, const char *bytes, size_t len, Arena *arena,
                   Interns *interns, Diags *diags);

/* Reads a regular file of UTF-8, registering it with `diags`. NULL and an error (at
 * `from`, if the file cannot be read) otherwise. */
Source *source_read(const char *path, Loc from, Arena *arena, Interns *interns,
                    Diags *diags);

Loc source_loc(const Source *source, size_t offset);

#endif
