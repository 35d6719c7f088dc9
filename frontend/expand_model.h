/* What a recipe comes to, with all that it extends and the methods it uses. */
#ifndef VLG_FRONTEND_EXPAND_MODEL_H
#define VLG_FRONTEND_EXPAND_MODEL_H

#include <stdio.h>

#include "frontend/lower.h"

typedef struct RecipeExpansion RecipeExpansion;

/* What looks at frames while the model's graphs are made, from `arena`. */
RecipeExpansion *recipe_expansion_new(ModelSpec *spec, Arena *arena);
FrameWatch recipe_expansion_watch(RecipeExpansion *expansion);

/* Prints, once they are made: the recipes, from the one asked for on; the backbone, tasks
 * and optimizer with the attributes of all; and in the order in which they count, with
 * their places, each attach and how many sites it has, each part beside the backbone,
 * what is trained and frozen and how many parameters that decides, and precisions. */
void recipe_expansion_print(const RecipeExpansion *expansion, const Lower *lower,
                            FILE *out);

#endif
