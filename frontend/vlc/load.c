/* Models are compiled as far as the frontend does; whatever else is read as it is. */
#include "frontend/vlc/load.h"

#include <string.h>
#include <unistd.h>

#include "frontend/frontend.h"
#include "frontend/recipe/shipped.h"
#include "ir/plan.h"

const char *const pass_choices[] = {
#define PASS(name, ...) #name,
#include "passes/passes.def"
    NULL,
};

const char *const pass_or_all_choices[] = {
#define PASS(name, ...) #name,
#include "passes/passes.def"
    "all",
    NULL,
};

const char *const pass_or_lower_choices[] = {
    "lower",
#define PASS(name, ...) #name,
#include "passes/passes.def"
    NULL,
};

bool precision_can_be_set(const char *file, const char *option, const char *given,
                          bool lowered, Diags *diags)
{
    if (given && !lowered)
        diag_error(diags, (Loc){file, 0, 0},
                   "%s needs a .vg file; this one is compiled already", option);
    return !given || lowered;
}

bool is_model_file(const char *file)
{
    size_t len = strlen(file);
    if (len >= 3 && strcmp(file + len - 3, ".vg") == 0)
        return true;
    Arena *arena = arena_new();
    bool is_model = model_find(file, arena);
    arena_free(arena);
    return is_model;
}

bool is_recipe_file(const char *file, const char *otherwise, Diags *diags)
{
    if (is_model_file(file) || access(file, F_OK) != 0)
        return true;
    diag_error(diags, (Loc){file, 0, 0}, "%s", otherwise);
    return false;
}

Module *load_model_or_library(const char *file, const TextList *sets, Diags *diags,
                              bool *out_lowered, bool *out_library)
{
    *out_lowered = is_model_file(file);
    if (*out_lowered) {
        FrontendOptions how = {sets->items, sets->count, out_library};
        return frontend_load(file, &how, diags);
    }
    if (sets->count) {
        diag_error(diags, (Loc){file, 0, 0},
                   "--set needs a .vg file; this one is compiled already");
        return NULL;
    }
    Module *module = module_read(file, diags);
    if (!module && access(file, F_OK) != 0)
        shipped_note_near(file, diags);
    return module;
}

Module *load_module(const char *file, const TextList *sets, Diags *diags,
                    bool *out_lowered)
{
    return load_model_or_library(file, sets, diags, out_lowered, NULL);
}
