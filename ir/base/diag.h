/* Diagnostics: collected, counted and printed as
 *
 *     models/nn.vg:41:7: error: matmul: inner sizes differ: 768 and 96
 *        <matmul out="y" .../>
 *         ^
 *
 * to stderr, or into a string for tests. Nothing here stops the program. */
#ifndef VLG_IR_BASE_DIAG_H
#define VLG_IR_BASE_DIAG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "ir/base/attributes.h"

/* A place in a file. `file` is interned or static and outlives the Loc; NULL if unknown.
 * line and column count from 1; 0 means unknown. */
typedef struct Loc {
    const char *file;
    uint32_t line;
    uint32_t column;
} Loc;

typedef struct Diags Diags;

Diags *diags_new(FILE *out); /* prints as it goes; NULL: nowhere, and only counts */

typedef enum DiagKind { DIAG_error, DIAG_warning, DIAG_note } DiagKind;

/* Takes one message, without its place; the text is gone after the call. */
typedef void DiagSink(void *state, DiagKind kind, Loc loc, const char *text);
/* Gives every message to `sink`, however many there are. */
Diags *diags_new_to(DiagSink *sink, void *state);

void diags_free(Diags *diags);

/* The text of `file`, so that messages can show the line. The bytes are copied. */
void diags_add_source(Diags *diags, const char *file, const char *bytes, size_t len);

void diag_error(Diags *diags, Loc loc, const char *format, ...) PRINTF_LIKE(3, 4);
/* An error in numbers, not in what was given: programs end with a code of its own. */
void diag_not_finite(Diags *diags, Loc loc, const char *format, ...) PRINTF_LIKE(3, 4);
void diag_warning(Diags *diags, Loc loc, const char *format, ...) PRINTF_LIKE(3, 4);
/* Adds to the message before it. */
void diag_note(Diags *diags, Loc loc, const char *format, ...) PRINTF_LIKE(3, 4);

uint32_t diags_error_count(const Diags *diags);
bool diags_saw_not_finite(const Diags *diags);

/* The candidate that `name` is but for capital letters, or else the nearest by edit
 * distance; NULL if none is near enough to be what was meant. */
const char *nearest_name(const char *name, const char *const *candidates, size_t count);

#endif
