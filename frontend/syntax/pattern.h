/* Patterns over dotted names: `*` is any run without '.', `**` any run, `{name}` a run
 * without '.' that is not empty, to which it gives a name; several are separated by
 * blanks. */
#ifndef VLG_FRONTEND_SYNTAX_PATTERN_H
#define VLG_FRONTEND_SYNTAX_PATTERN_H

#include <stdbool.h>
#include <stdint.h>

#include "frontend/syntax/expr.h"

typedef struct PathPattern {
    const char *text;
    bool matched; /* something, ever */
} PathPattern;

typedef struct Patterns {
    PathPattern *items;
    uint32_t count;
    Loc loc;                 /* of the attribute that has them, if one has */
    const Attribute *source; /* that attribute; NULL if it was not given */
    bool may_bind;           /* {name} is allowed */
} Patterns;

enum { MOST_BINDINGS = 8 }; /* {name} in one pattern */

/* What a {name} stands for. */
typedef struct PatternBinding {
    const char *name, *text; /* in the pattern; in the name that it matches */
    size_t name_len, text_len;
} PatternBinding;

Patterns patterns_parse(const char *text, Arena *arena);
/* Fills in the patterns of `source`, with the constants that they name replaced. False
 * and an error if a constant or a {name} is not as it must be. */
NODISCARD bool patterns_read(Patterns *patterns, NameLookup names, Arena *arena,
                             Interns *interns, Diags *diags);
bool pattern_matches(const char *pattern, const char *name);
/* As that, with what each {name} stands for: `out` has room for MOST_BINDINGS, and their
 * count is *out_count. */
bool pattern_binds(const char *pattern, const char *name, PatternBinding *out,
                   uint32_t *out_count);
/* The last pattern that matches, or NULL; marks all that do. */
const PathPattern *patterns_match(Patterns *patterns, const char *name);

#endif
