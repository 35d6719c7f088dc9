/* Lines on a terminal that are written over, by those who show how far they are. */
#ifndef VLG_IR_BASE_TERMINAL_H
#define VLG_IR_BASE_TERMINAL_H

#include <stdio.h>

/* The stream, if lines on it can be written over: if it is a terminal and TERM does not
 * say "dumb"; else NULL. */
FILE *terminal(FILE *out);

/* What fits into a line now: COLUMNS of the environment, or what the terminal says, or
 * 80. A window that changes its width counts at the next call. */
int terminal_columns(FILE *out);

/* Writes over the line that was shown last; what does not fit is cut off at a character
 * of UTF-8. An empty text clears the line. */
void terminal_show(FILE *out, const char *text);

#endif
