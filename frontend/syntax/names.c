/* Parallel lists of names and values, and a map from the address of a name to its
 * place. */
#include "frontend/syntax/names.h"

#include "ir/base/list.h"

enum { FEW = 8 }; /* known names, which are all listed */

void names_set(Names *names, Arena *arena, const char *name, const void *value)
{
    uint32_t place = map_find_word(&names->places, (uintptr_t)name);
    if (place != MAP_ABSENT) {
        names->values[place] = value;
        return;
    }
    ARENA_LIST_ROOM(arena, names->names, names->count + 1, names->name_capacity);
    ARENA_LIST_ROOM(arena, names->values, names->count + 1, names->value_capacity);
    names->names[names->count] = name;
    names->values[names->count] = value;
    names->places.arena = arena;
    map_add_word(&names->places, (uintptr_t)name, names->count++);
}

const void *names_get(const Names *names, const char *name)
{
    uint32_t place = map_find_word(&names->places, (uintptr_t)name);
    return place != MAP_ABSENT ? names->values[place] : NULL;
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
