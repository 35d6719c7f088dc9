/* From a .vg file to a module: read, resolve, lower. Language: docs/language.md. */
#ifndef VLG_FRONTEND_FRONTEND_H
#define VLG_FRONTEND_FRONTEND_H

#include "frontend/recipe/options.h"
#include "ir/graph.h"

/* The lowered module, before any pass: graphs with sites, grafts, update graphs. NULL and
 * errors if the file or anything it imports is at fault. */
Module *frontend_load(const char *path, const FrontendOptions *options, Diags *diags);

#endif
