/* In which order attributes are written. */
#ifndef VLG_FRONTEND_SYNTAX_ATTRIBUTE_ORDER_H
#define VLG_FRONTEND_SYNTAX_ATTRIBUTE_ORDER_H

#include "frontend/syntax/markup.h"

/* Puts the attributes in the order of the tables: of elements, ops and settings; `out`
 * comes before operands, and `when` last. Those of no table stay in their order. */
void order_attributes(const Markup *element);

/* Whether blanks in the attribute's value mean nothing but that words are apart. */
bool blanks_only_separate(const Markup *element, const MarkupAttribute *attribute);

#endif
