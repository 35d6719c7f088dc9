/* A map from interned names to pointers, in order of entry; and how unknown names are
 * reported. */
#ifndef VLG_FRONTEND_SYNTAX_NAMES_H
#define VLG_FRONTEND_SYNTAX_NAMES_H

#include <stdint.h>

#include "ir/base/arena.h"
#include "ir/base/diag.h"
#include "ir/base/map.h"

typedef struct Names {
    const char **names; /* interned; in order of first entry */
    const void **values;
    uint32_t count;
    size_t name_capacity, value_capacity;
    Map places;
} Names;

/* Zeroed Names are empty. Memory comes from `arena` and is left there when the map
 * grows. */
void names_set(Names *names, Arena *arena, const char *name, const void *value);
/* The value, or NULL. */
const void *names_get(const Names *names, const char *name);

/* Reports an unknown name, with the nearest known, or all if they are few. */
void unknown_name(Diags *diags, Loc loc, const char *what, const char *name,
                  const char *const *known, size_t count);

#endif
