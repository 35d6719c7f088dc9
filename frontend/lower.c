/* From a file to a module: the order of the work. */
#include "frontend/frontend.h"
#include "frontend/lower.h"

Lower lower_begin(ModelSpec *spec, Module *module, Arena *arena, Diags *diags)
{
    module->name = element_attribute(spec->model, "name")->value;
    return (Lower){.spec = spec,
                   .module = module,
                   .arena = arena,
                   .diags = diags,
                   .work_left = MOST_WORK,
                   .nodes_left = MOST_NODES,
                   .body = lower_body};
}

bool lower_module(Lower *lower)
{
    ModelSpec *spec = lower->spec;
    lower->task_params = ARENA_ARRAY(lower->arena, Names, spec->task_count);
    if (!lower_patterns(lower) || !lower_settings(lower) || !lower_rules(lower))
        return false;
    for (uint32_t i = 0; i < spec->task_count; i++)
        if (!lower_task(lower, i))
            return false;
    bool ok = lower_check_names(lower);
    ok = lower_training(lower) && ok && lower_updates(lower);
    if (ok)
        constants_warn_unused(spec);
    return ok;
}

Module *frontend_load(const char *path, const FrontendOptions *options, Diags *diags)
{
    Module *module = module_new("");
    Arena *arena = arena_new();
    uint32_t errors = diags_error_count(diags);
    ModelSpec *spec = spec_load(path, options, arena, module->interns, diags);
    bool ok = spec != NULL;
    if (spec) {
        Lower lower = lower_begin(spec, module, arena, diags);
        ok = lower_module(&lower);
    }
    arena_free(arena);
    if (ok && diags_error_count(diags) == errors)
        return module;
    module_free(module);
    return NULL;
}
