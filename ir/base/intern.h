/* One pointer per distinct string, so that names compare by address. */
#ifndef VLG_IR_BASE_INTERN_H
#define VLG_IR_BASE_INTERN_H

#include <string.h>

#include "ir/base/strings.h"

typedef Strings Interns;

static inline Interns *interns_new(void)
{
    return strings_new();
}

/* Frees every string it handed out. */
static inline void interns_free(Interns *interns)
{
    strings_free(interns);
}

static inline const char *intern_span(Interns *interns, const char *text, size_t len)
{
    return strings_text(interns, strings_add(interns, text, len));
}

static inline const char *intern(Interns *interns, const char *text)
{
    return intern_span(interns, text, strlen(text));
}

#endif
