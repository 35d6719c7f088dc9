/* Patterns over dotted names: `*` is any run without '.', `**` any run; several are
 * separated by blanks. */
#ifndef VLG_FRONTEND_SYNTAX_PATTERN_H
#define VLG_FRONTEND_SYNTAX_PATTERN_H

#include <stdbool.h>
#include <stdint.h>

#include "ir/base/arena.h"
#include "ir/base/diag.h"

typedef struct PathPattern {
    const char *text;
    bool matched; /* something, ever */
} PathPattern;

typedef struct Patterns {
    PathPattern *items;
    uint32_t count;
    Loc loc; /* of the attribute that has them, if one has */
} Patterns;

Patterns patterns_parse(const char *text, Arena *arena);
bool pattern_matches(const char *pattern, const char *name);
/* The last pattern that matches, or NULL; marks all that do. */
const PathPattern *patterns_match(Patterns *patterns, const char *name);

#endif
