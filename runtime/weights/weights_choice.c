/* Patterns as those of the shell: a star stands for any text, dots included. */
#include "runtime/weights/weights_choice.h"

#include <fnmatch.h>
#include <stdlib.h>

#include "ir/base/heap.h"

static bool matches(const char *pattern, const Param *param)
{
    bool is_match = fnmatch(pattern, param->name, 0) == 0;
    for (uint32_t i = 0; !is_match && i < param->alias_count; i++)
        is_match = fnmatch(pattern, param->aliases[i], 0) == 0;
    return is_match;
}

bool weights_is_skipped(const WeightsChoice *choice, const Param *param)
{
    for (size_t i = 0; i < choice->skip_count; i++)
        if (matches(choice->skip[i], param))
            return true;
    return false;
}

static bool check_pattern(const Module *module, const char *pattern, Diags *diags)
{
    const char **names = heap_array((size_t)module->param_count + 1, sizeof *names);
    size_t count = 0;
    bool is_match = false;
    for (uint32_t i = 0; !is_match && i < module->param_count; i++) {
        if (!param_is_kept(&module->params[i]))
            continue;
        is_match = matches(pattern, &module->params[i]);
        names[count++] = module->params[i].name;
    }
    const char *near = is_match ? NULL : nearest_name(pattern, names, count);
    if (!is_match)
        diag_error(diags, (Loc){0}, "'%s' is no pattern of a trained parameter%s%s%s",
                   pattern, near ? "; did you mean '" : "", near ? near : "",
                   near ? "'?" : "");
    free(names);
    return is_match;
}

bool weights_check_choice(const Store *store, const WeightsChoice *choice, Diags *diags)
{
    bool ok = true;
    for (size_t i = 0; i < choice->skip_count; i++)
        ok = check_pattern(store_module(store), choice->skip[i], diags) && ok;
    return ok;
}
