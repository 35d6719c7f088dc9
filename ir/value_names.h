/* Names of the values of a graph, no two alike: a further value `h` is named `h.2`. */
#ifndef VLG_IR_VALUE_NAMES_H
#define VLG_IR_VALUE_NAMES_H

#include "ir/base/intern.h"
#include "ir/base/map.h"

typedef struct ValueNames {
    Map places;     /* by address of the interned name, in `last` */
    uint32_t *last; /* the number at the end of the latest name made of this one */
    size_t count, capacity;
} ValueNames;

void value_names_free(ValueNames *names);
/* Makes room for `count` in all. */
void value_names_reserve(ValueNames *names, size_t count);
/* Enters a name as it is; it may be there already. */
void value_names_take(ValueNames *names, const char *name);
/* Enters `name`, interned, or, if it is taken, one made of it, and returns that: with the
 * next number at its end, in place of the one that it has if it was made so itself. */
const char *value_names_new(ValueNames *names, Interns *interns, const char *name);

#endif
