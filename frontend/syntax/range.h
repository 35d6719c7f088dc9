/* What a <const> says of its own values: min="0" below="1". */
#ifndef VLG_FRONTEND_SYNTAX_RANGE_H
#define VLG_FRONTEND_SYNTAX_RANGE_H

#include "frontend/syntax/expr.h"

/* Whether the bounds that an element gives are numbers; errors if not. */
NODISCARD bool range_is_sound(const Element *element, Diags *diags);
enum { RANGE_TEXT = 160 };
/* "at least 0 and less than 1", into `bytes` of `out`; "" if there are none. */
void range_text(const Element *element, char *out, size_t bytes);
/* Whether a value of the constant that `element` declares, given at `loc`, is within its
 * bounds; an error if not. */
NODISCARD bool range_check(const Element *element, const char *name, Value value, Loc loc,
                           Diags *diags);

#endif
