/* The one form of a .vg file. */
#ifndef VLG_FRONTEND_SYNTAX_LAYOUT_H
#define VLG_FRONTEND_SYNTAX_LAYOUT_H

#include <stdio.h>

#include "frontend/syntax/source.h"

/* Prints a source that read_tree has read without an error:
 *
 * - what is inside an element is indented by two columns;
 * - attributes are in the order of the tables of elements and ops, `out` first and `when`
 *   last, others in between as they came; lines are filled to 100 columns and go on under
 *   the first attribute;
 * - an element that was on one line with what is inside stays so if there is room;
 * - comments stay before what follows them, or behind what stands before them on their
 *   line; of several blank lines one stays.
 *
 * What is printed so, is printed again as it is, and means the same. */
void layout_print(const Source *source, Arena *arena, FILE *out);

#endif
