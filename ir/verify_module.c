/* Invariants of what is around graphs: parameters, states, tasks, settings, and names. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ir/base/heap.h"
#include "ir/verify.h"

static const int64_t MOST_ELEMENTS = INT64_C(1) << 40;
static const int64_t MOST_NUMBERS = INT64_C(1) << 48; /* of all variables together */

static bool is_static_f32(Type type)
{
    if (type.dtype != DTYPE_f32 || type_is_ragged(type) || type.rank < 1 ||
        type.rank > TYPE_MAX_RANK)
        return false;
    int64_t elements = 1;
    for (uint32_t i = 0; i < type.rank; i++)
        if (type.dims[i] < 1 ||
            __builtin_mul_overflow(elements, type.dims[i], &elements) ||
            elements > MOST_ELEMENTS)
            return false;
    return true;
}

static Loc module_place(const Module *module)
{
    return (Loc){.file = module->file};
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Sorts `names`; reports those that occur twice. */
static bool verify_distinct(const Module *module, const char **names, size_t count,
                            const char *what, Diags *diags)
{
    bool ok = true;
    if (count)
        qsort(names, count, sizeof *names, compare_names);
    for (size_t i = 1; i < count; i++)
        if (strcmp(names[i - 1], names[i]) == 0) {
            diag_error(diags, module_place(module), "two %s named '%s'", what, names[i]);
            ok = false;
        }
    return ok;
}

static bool verify_param(const Module *module, const Param *param, Diags *diags)
{
    Loc loc = param->loc.file ? param->loc : module_place(module);
    bool finite = isfinite(param->init.a) && isfinite(param->init.b) &&
                  isfinite(param->weight_decay);
    if (!is_static_f32(param->type) || !finite || param->init.kind >= INIT_KIND_COUNT)
        diag_error(diags, loc, "parameter '%s': impossible type, initializer or decay",
                   param->name);
    else if (param->buffer && param->trained)
        diag_error(diags, loc, "parameter '%s': a buffer cannot be trained", param->name);
    else
        return true;
    return false;
}

static bool verify_state(const Module *module, const StateVar *state, Diags *diags)
{
    if (is_static_f32(state->type) && isfinite(state->init) &&
        (!state->param || module_find_param(module, state->param)))
        return true;
    diag_error(diags, module_place(module),
               "state '%s': impossible type, value or parameter", state->name);
    return false;
}

/* All numbers of a run lie in one place, found by their names. */
static bool verify_variables(const Module *module, Diags *diags)
{
    size_t count = module->state_count, used = 0;
    int64_t numbers = 0;
    bool ok = true;
    for (uint32_t i = 0; i < module->param_count; i++)
        count += 1 + module->params[i].alias_count;
    const char **names = heap_array(count + 1, sizeof *names);
    for (uint32_t i = 0; i < module->param_count; i++) {
        const Param *param = &module->params[i];
        names[used++] = param->name;
        for (uint32_t j = 0; j < param->alias_count; j++)
            names[used++] = param->aliases[j];
        ok &= verify_param(module, param, diags);
        numbers += ok ? type_static_elements(param->type) : 0;
    }
    for (uint32_t i = 0; i < module->state_count; i++) {
        names[used++] = module->states[i].name;
        ok &= verify_state(module, &module->states[i], diags);
        numbers += ok ? type_static_elements(module->states[i].type) : 0;
    }
    ok &= verify_distinct(module, names, count, "parameters, aliases or states", diags);
    free(names);
    if (numbers > MOST_NUMBERS)
        diag_error(diags, module_place(module),
                   "%" PRId64
                   " numbers in parameters and states, expected at most %" PRId64,
                   numbers, MOST_NUMBERS);
    return ok && numbers <= MOST_NUMBERS;
}

static bool verify_tasks(const Module *module, Diags *diags)
{
    const char **names = heap_array(module->task_count + 1, sizeof *names);
    bool ok = true;
    for (uint32_t i = 0; i < module->task_count; i++) {
        names[i] = module->tasks[i].name;
        if (module->tasks[i].sequences < 1 || module->tasks[i].sequences > INT32_MAX) {
            diag_error(diags, module->tasks[i].loc,
                       "task '%s' has %" PRId64 " sequences, expected 1 to %d", names[i],
                       module->tasks[i].sequences, INT32_MAX);
            ok = false;
        }
    }
    ok &= verify_distinct(module, names, module->task_count, "tasks", diags);
    free(names);
    return ok;
}

static bool verify_rules(const Module *module, Diags *diags)
{
    bool ok = true;
    for (uint32_t i = 0; i < module->rule_count; i++) {
        ok &= module->rules[i].precision < PRECISION_COUNT;
        if (module->rules[i].precision >= PRECISION_COUNT)
            diag_error(diags, module_place(module), "rule %u: impossible precision",
                       i + 1);
    }
    return ok;
}

static bool verify_graph_names(const Module *module, Diags *diags)
{
    uint32_t count = module->graph_count + module->exchange_count;
    const char **names = heap_array(count + 1, sizeof *names);
    for (uint32_t i = 0; i < count; i++)
        names[i] = i < module->graph_count
                       ? module->graphs[i]->name
                       : module->exchanges[i - module->graph_count]->name;
    bool ok = verify_distinct(module, names, count, "graphs", diags);
    free(names);
    return ok;
}

bool module_verify(const Module *module, Diags *diags)
{
    bool ok = verify_variables(module, diags);
    ok &= verify_rules(module, diags);
    ok &= verify_tasks(module, diags);
    ok &= verify_graph_names(module, diags);
    for (uint32_t i = 0; i < module->graph_count && ok; i++)
        ok &= graph_verify(module->graphs[i], module, diags);
    for (uint32_t i = 0; i < module->exchange_count && ok; i++)
        ok &= graph_verify(module->exchanges[i], module, diags);
    return ok;
}
