/* From a file to a module: the order of the work. */
#include "frontend/lower.h"

#include <string.h>

enum { MOST_WORK = 4000000, MOST_NODES = 1000000 };

Program *program_load(const char *path, const FrontendOptions *options, Arena *arena,
                      Interns *interns, Diags *diags)
{
    Program *program = arena_alloc(arena, sizeof *program);
    *program = (Program){.arena = arena, .interns = interns, .diags = diags};
    program->exprs = exprs_new(arena, interns, diags);
    if (load_files(program, path) && recipe_resolve(program, options))
        return program;
    program_free(program);
    return NULL;
}

void program_free(Program *program)
{
    exprs_free(program->exprs);
}

bool lower_spend(Lower *lower, int64_t work, Loc loc)
{
    lower->work_left -= work;
    if (lower->work_left >= 0)
        return true;
    diag_error(lower->diags, loc,
               "the model is too large: more than %d elements, repetitions counted",
               MOST_WORK);
    return false;
}

static bool lower_module(Lower *lower)
{
    Program *program = lower->program;
    lower->task_params = ARENA_ARRAY(lower->arena, Names, program->task_count);
    if (!lower_settings(lower))
        return false;
    for (uint32_t i = 0; i < program->task_count; i++)
        if (!lower_task(lower, i))
            return false;
    bool good = lower_check_names(lower);
    return lower_training(lower) && good && lower_updates(lower);
}

Module *frontend_load(const char *path, const FrontendOptions *options, Diags *diags)
{
    Module *module = module_new("");
    Arena *arena = arena_new();
    uint32_t errors = diags_error_count(diags);
    Program *program = program_load(path, options, arena, module->interns, diags);
    bool good = program != NULL;
    if (program) {
        module->name = element_attribute(program->model, "name")->value;
        Lower lower = {.program = program,
                       .module = module,
                       .arena = arena,
                       .diags = diags,
                       .work_left = MOST_WORK,
                       .nodes_left = MOST_NODES};
        good = lower_module(&lower);
        program_free(program);
    }
    arena_free(arena);
    if (good && diags_error_count(diags) == errors)
        return module;
    module_free(module);
    return NULL;
}
