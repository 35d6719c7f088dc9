/* <if> and <else>: children seen through them, and whether an element counts. */
#ifndef VLG_FRONTEND_SYNTAX_BRANCHES_H
#define VLG_FRONTEND_SYNTAX_BRANCHES_H

#include "frontend/syntax/expr.h"

bool is_branch(const Element *element);
/* The element's parent but for branches: what it is a part of. NULL of a root. */
const Element *element_holder(const Element *element);

/* The children of `holder`, which is no branch, in order; in the place of a branch those
 * inside. NULL at the end. */
Element *first_child(const Element *holder);
Element *next_child(const Element *child);

/* The element's own condition: its `when`, or the `test` of a branch. False after an
 * error. */
NODISCARD bool condition_holds(Exprs *exprs, const Element *element, NameLookup names,
                               bool *out);
/* Whether the element counts: its own condition, and the branches that it stands in.
 * False after an error. */
NODISCARD bool element_counts(Exprs *exprs, const Element *element, NameLookup names,
                              bool *out);

#endif
