/* Elements as text, for reports. */
#ifndef VLG_FRONTEND_PRINT_ELEMENT_H
#define VLG_FRONTEND_PRINT_ELEMENT_H

#include <stdio.h>

#include "frontend/syntax/syntax.h"

/* Its tag with all attributes; one that ends in "/>" unless something is inside. */
void element_print(const Element *element, FILE *out);

#endif
