/* Names of values. Each remembers the number that was given last, so that many of one
 * name take no longer than as many of different ones. */
#include "ir/value_names.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "ir/base/heap.h"
#include "ir/base/list.h"

enum { NUMBER_TEXT = 12 };

void value_names_free(ValueNames *names)
{
    map_free(&names->places);
    free(names->last);
}

void value_names_reserve(ValueNames *names, size_t count)
{
    LIST_ROOM(names->last, count, names->capacity);
    map_reserve(&names->places, count);
}

static uint32_t place_of(const ValueNames *names, const char *name)
{
    return map_find_word(&names->places, (uintptr_t)name);
}

/* A name that is not there. */
static void add(ValueNames *names, const char *name)
{
    LIST_ROOM(names->last, names->count + 1, names->capacity);
    names->last[names->count] = 1;
    map_add_word(&names->places, (uintptr_t)name, (uint32_t)names->count++);
}

void value_names_take(ValueNames *names, const char *name)
{
    if (place_of(names, name) == MAP_ABSENT)
        add(names, name);
}

/* How much of `h.12` is `h`; all if there is no number at the end. */
static size_t length_without_number(const char *name)
{
    size_t len = strlen(name), digits = 0;
    while (digits < len && name[len - digits - 1] >= '0' && name[len - digits - 1] <= '9')
        digits++;
    bool has_number = digits > 0 && len > digits + 1 && name[len - digits - 1] == '.';
    return has_number ? len - digits - 1 : len;
}

static const char *with_number(Interns *interns, const char *base, uint32_t number)
{
    size_t len = strlen(base);
    char *text = heap_array(len + NUMBER_TEXT, 1);
    int total = snprintf(text, len + NUMBER_TEXT, "%s.%" PRIu32, base, number);
    const char *name = intern_span(interns, text, (size_t)total);
    free(text);
    return name;
}

/* One that is not there, made of one that is. */
static const char *next_name(ValueNames *names, Interns *interns, const char *name)
{
    const char *base = intern_span(interns, name, length_without_number(name));
    if (place_of(names, base) == MAP_ABSENT)
        base = name;
    uint32_t place = place_of(names, base);
    while (place_of(names, name) != MAP_ABSENT)
        name = with_number(interns, base, ++names->last[place]);
    return name;
}

const char *value_names_new(ValueNames *names, Interns *interns, const char *name)
{
    if (place_of(names, name) != MAP_ABSENT)
        name = next_name(names, interns, name);
    add(names, name);
    return name;
}
