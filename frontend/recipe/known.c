/* Names that files use, held against those that others declare. */
#include "frontend/recipe/model_spec.h"

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

uint32_t task_index(const ModelSpec *spec, const char *name)
{
    uint32_t i = 0;
    while (i < spec->task_count && spec->tasks[i]->name != name)
        i++;
    return i;
}
