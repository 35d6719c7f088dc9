/* A spec from its file: the order of the work. */
#include "frontend/recipe/model_spec.h"

ModelSpec *spec_load(const char *path, const FrontendOptions *options, Arena *arena,
                     Interns *interns, Diags *diags)
{
    ModelSpec *spec = arena_alloc(arena, sizeof *spec);
    *spec = (ModelSpec){.arena = arena, .interns = interns, .diags = diags};
    spec->exprs = exprs_new(arena, interns, diags);
    return load_files(spec, path) && recipe_resolve(spec, options) ? spec : NULL;
}
