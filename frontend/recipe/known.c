/* Names that files use, held against those that others declare. */
#include <string.h>

#include "frontend/recipe/model_spec.h"
#include "frontend/syntax/branches.h"

/* Shorter names are near too many others. */
enum { SHORTEST_MISSPELT = 6 };

bool unknown_among(const ModelSpec *spec, Loc loc, const char *what, const char *name,
                   const Names *known)
{
    unknown_name(spec->diags, loc, what, name, known->names, known->count);
    return false;
}

bool constants_known(const ModelSpec *spec, const ConstList *list)
{
    bool ok = true;
    for (uint32_t i = 0; i < list->count; i++)
        if (!names_get(&spec->constants, list->items[i].name))
            ok = unknown_among(spec, list->items[i].loc, "constant", list->items[i].name,
                               &spec->constants);
    return ok;
}

/* Whether only recipes declare it. */
static bool is_of_recipe(const ModelSpec *spec, const char *name)
{
    const Element *element = names_get(&spec->constants, name);
    return element->kind == ELEMENT_const &&
           element_holder(element)->kind == ELEMENT_model;
}

void constants_warn_unused(const ModelSpec *spec)
{
    const Names *constants = &spec->constants;
    const char **known = ARENA_ARRAY(spec->arena, const char *, constants->count);
    uint32_t count = 0;
    for (uint32_t i = 0; i < constants->count; i++)
        if (!is_of_recipe(spec, constants->names[i]))
            known[count++] = constants->names[i];
    for (uint32_t i = 0; i < spec->model_consts.count; i++) {
        const Const *constant = &spec->model_consts.items[i];
        if (strlen(constant->name) < SHORTEST_MISSPELT ||
            names_get(&spec->asked, constant->name) ||
            !is_of_recipe(spec, constant->name))
            continue;
        const char *nearest = nearest_name(constant->name, known, count);
        if (nearest)
            diag_warning(spec->diags, constant->loc,
                         "nothing uses the constant '%s'; did you mean '%s'?",
                         constant->name, nearest);
    }
}

uint32_t task_index(const ModelSpec *spec, const char *name)
{
    uint32_t i = 0;
    while (i < spec->task_count && spec->tasks[i]->name != name)
        i++;
    return i;
}
