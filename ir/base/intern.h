/* One pointer per distinct string, so that names compare by address. */
#ifndef VLG_IR_BASE_INTERN_H
#define VLG_IR_BASE_INTERN_H

#include <stddef.h>

typedef struct Interns Interns;

Interns *interns_new(void);
void interns_free(Interns *interns); /* frees every string it handed out */

const char *intern(Interns *interns, const char *text);
const char *intern_span(Interns *interns, const char *text, size_t len);

#endif
