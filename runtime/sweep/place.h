/* Where in a text of JSON a value stands: a parsed value does not know. */
#ifndef VLG_RUNTIME_SWEEP_PLACE_H
#define VLG_RUNTIME_SWEEP_PLACE_H

#include "ir/base/diag.h"

/* The way to a value, from its end: a member of an object, or an element of an array. */
typedef struct JsonPath {
    const struct JsonPath *up; /* NULL: that which is whole */
    const char *member;        /* NULL: an element */
    size_t index;
} JsonPath;

/* The place of the value, or of the name of a member, in a text that is valid JSON; of
 * what it would be in, if it is not there. NULL leads to the whole. */
Loc json_place(const char *file, const char *text, const JsonPath *path);

#endif
