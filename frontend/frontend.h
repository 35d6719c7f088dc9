/* From a .vg file to a module: read, resolve, lower. Language: docs/language.md. */
#ifndef VLG_FRONTEND_FRONTEND_H
#define VLG_FRONTEND_FRONTEND_H

#include "ir/graph.h"

typedef struct FrontendOptions {
    const char *const *sets; /* "name=value", from --set */
    uint32_t set_count;
    bool *out_library; /* if not NULL, a file of definitions only is no error: NULL is
                          returned, and this set */
} FrontendOptions;

/* The lowered module, before any pass: graphs with sites, grafts, update graphs. NULL and
 * errors if the file or anything it imports is at fault. */
Module *frontend_load(const char *path, const FrontendOptions *options, Diags *diags);

/* The RELAX NG schema of the language, XML syntax. */
void frontend_print_schema(FILE *out);

#endif
