/* The RELAX NG schema of the language. */
#ifndef VLG_FRONTEND_SYNTAX_SCHEMA_H
#define VLG_FRONTEND_SYNTAX_SCHEMA_H

#include <stdio.h>

/* In XML syntax. */
void schema_print(FILE *out);

#endif
