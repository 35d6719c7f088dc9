/* What <const>, <set>, <data> and <size> say by name: <const name="a" value="1"/> of one
 * constant, <const a="1" b="2"/> of as many as it has attributes. */
#ifndef VLG_FRONTEND_SYNTAX_ENTRIES_H
#define VLG_FRONTEND_SYNTAX_ENTRIES_H

#include "frontend/syntax/syntax.h"

/* A constant, or a fact of <data>. */
typedef struct Entry {
    const char *name; /* interned */
    Attribute *value;
    Loc loc, name_loc; /* of the long form: the element, and its name */
} Entry;

/* The next entry of an element whose attributes are sound, from *at = 0 on; none of
 * elements of other kinds. False at the end. */
bool entry_next(const Element *element, uint32_t *at, Entry *out);
uint32_t entry_count(const Element *element);

/* The attributes, but for `when`, by which no entry is named where each attribute is one,
 * so that a misspelt `name` is noticed: those that the long form has. A list as that of
 * SyntaxRow. */
const SyntaxAttribute *entry_reserved(ElementKind kind);
bool entry_is_reserved(ElementKind kind, const char *name);

#endif
