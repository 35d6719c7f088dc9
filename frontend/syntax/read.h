/* Bytes to tree. read.c and markup.c alone know that the notation is XML. */
#ifndef VLG_FRONTEND_SYNTAX_READ_H
#define VLG_FRONTEND_SYNTAX_READ_H

#include "frontend/syntax/source.h"
#include "frontend/syntax/syntax.h"

/* The document's element, with kinds not yet set. NULL after an error. */
Element *read_tree(const Source *source, Arena *arena, Interns *interns, Diags *diags);

/* Holds the bytes against the RELAX NG schema `schema`. False and an error if they do not
 * fit. */
NODISCARD bool read_validate(const Source *source, const char *schema, size_t schema_len,
                             Diags *diags);

#endif
