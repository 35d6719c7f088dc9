/* Models by name: those that come with the programs, and files here without their
 * ending. */
#ifndef VLG_FRONTEND_RECIPE_SHIPPED_H
#define VLG_FRONTEND_RECIPE_SHIPPED_H

#include "ir/base/diag.h"
#include "ir/base/arena.h"

/* The .vg file that is meant: NAME or NAME.vg here, or else the model of that name, with
 * or without .vg, that comes with the programs. What has a '/' is a path, and only
 * itself. NULL if it means no .vg file, or none that is there. */
const char *model_find(const char *name, Arena *arena);

/* The .vg file that another file means by `name`: `path`, which is `name` beside it, with
 * or without .vg; or else the one of that name among the models that come with the
 * programs, such as methods/lora.vg, unless `name` begins with a dot. NULL if there is
 * none. */
const char *model_find_beside(const char *path, const char *name, Arena *arena);

typedef struct ShippedModel {
    const char *name;
    const char *summary; /* the first sentence of the comment above it, or "" */
    const char *path;
} ShippedModel;

/* All that can be compiled, in the order of their names, in `arena`. NULL and an error if
 * none come with the programs or one cannot be read. */
NODISCARD const ShippedModel *shipped_models(Arena *arena, uint32_t *out_count,
                                             Diags *diags);
/* Notes the model whose name is near; nothing if none is, or if `name` has a '/'. */
void shipped_note_near(const char *name, Diags *diags);

#endif
