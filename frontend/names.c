/* Name maps: open addressing by the address of the name, over parallel arrays. */
#include "frontend/names.h"

#include <string.h>

#include "ir/base/hash.h"

enum { FEW = 8 }; /* up to so many, a walk is quicker than a table, and a list is read */

static uint32_t *find_slot(const Names *names, const char *name)
{
    uint32_t i =
        (uint32_t)hash_word(HASH_START, (uintptr_t)name) & (names->slot_count - 1);
    while (names->slots[i] && names->names[names->slots[i] - 1] != name)
        i = (i + 1) & (names->slot_count - 1);
    return &names->slots[i];
}

/* The index of the name, or count. */
static uint32_t find(const Names *names, const char *name)
{
    if (names->slot_count) {
        uint32_t slot = *find_slot(names, name);
        return slot ? slot - 1 : names->count;
    }
    for (uint32_t i = 0; i < names->count; i++)
        if (names->names[i] == name)
            return i;
    return names->count;
}

static void grow(Names *names, Arena *arena)
{
    names->capacity = names->capacity ? 2 * names->capacity : FEW;
    const char **larger = ARENA_ARRAY(arena, const char *, names->capacity);
    const void **values = ARENA_ARRAY(arena, const void *, names->capacity);
    if (names->count) {
        memcpy(larger, names->names, names->count * sizeof *larger);
        memcpy(values, names->values, names->count * sizeof *values);
    }
    names->names = larger;
    names->values = values;
    if (names->capacity <= FEW)
        return;
    names->slot_count = 4 * names->capacity;
    names->slots = ARENA_ARRAY(arena, uint32_t, names->slot_count);
    for (uint32_t i = 0; i < names->count; i++)
        *find_slot(names, names->names[i]) = i + 1;
}

void names_set(Names *names, Arena *arena, const char *name, const void *value)
{
    uint32_t at = find(names, name);
    if (at < names->count) {
        names->values[at] = value;
        return;
    }
    if (names->count == names->capacity)
        grow(names, arena);
    names->names[names->count] = name;
    names->values[names->count++] = value;
    if (names->slot_count)
        *find_slot(names, name) = names->count;
}

const void *names_get(const Names *names, const char *name)
{
    uint32_t at = find(names, name);
    return at < names->count ? names->values[at] : NULL;
}

void unknown_name(Diags *diags, Loc loc, const char *what, const char *name,
                  const char *const *known, size_t count)
{
    const char *nearest = nearest_name(name, known, count);
    if (nearest) {
        diag_error(diags, loc, "unknown %s '%s'; did you mean '%s'?", what, name,
                   nearest);
        return;
    }
    char list[200] = "";
    size_t len = 0;
    for (size_t i = 0; i < count && len < sizeof list; i++)
        len += (size_t)snprintf(list + len, sizeof list - len, "%s%s", i ? ", " : "",
                                known[i]);
    if (count > 0 && count <= FEW && len < sizeof list)
        diag_error(diags, loc, "unknown %s '%s'; there are %s", what, name, list);
    else
        diag_error(diags, loc, "unknown %s '%s'", what, name);
}
