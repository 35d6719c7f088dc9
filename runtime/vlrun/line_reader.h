/* Lines from a terminal or a pipe, one when it is there, until there are no more or the
 * program is interrupted. */
#ifndef VLG_RUNTIME_VLRUN_LINE_READER_H
#define VLG_RUNTIME_VLRUN_LINE_READER_H

#include "ir/base/diag.h"
#include "ir/base/interrupt.h"

typedef struct LineReader {
    int descriptor;
    const char *name; /* for messages */
    const Interrupt *interrupt;
    char *bytes; /* malloc'ed: free() */
    size_t count, room, taken;
    uint32_t line; /* number of the last one */
    bool is_at_end;
} LineReader;

enum { LINE_BYTES_MAX = 4 << 20 };

/* The next line without its end, until the next call; *out_len may have bytes 0. NULL at
 * the end, after an interrupt, or after an error. */
char *line_next(LineReader *reader, size_t *out_len, Diags *diags);

#endif
