/* Which parameters are trained, by the <train> and <freeze> patterns; and patterns of any
 * kind that match nothing. */
#include <string.h>

#include "frontend/lower.h"

/* -- patterns that match nothing ---------------------------------------------------- */

/* What stands between the dots of the names of parameters, sites and products. */
static void add_parts(Lower *lower, Names *parts, const char *name)
{
    for (;;) {
        size_t len = strcspn(name, ".");
        names_set(parts, lower->arena, intern_span(lower->module->interns, name, len),
                  name);
        if (!name[len])
            return;
        name += len + 1;
    }
}

static Names all_parts(Lower *lower)
{
    Names parts = {0};
    for (uint32_t i = 0; i < lower->module->param_count; i++)
        add_parts(lower, &parts, lower->module->params[i].name);
    for (uint32_t i = 0; i < lower->site_names.count; i++)
        add_parts(lower, &parts, lower->site_names.names[i]);
    for (uint32_t i = 0; i < lower->product_scopes.count; i++)
        add_parts(lower, &parts, lower->product_scopes.names[i]);
    return parts;
}

/* Whether any part is the word, or has it somewhere if a star stands beside it. */
static bool stands_in_any(const char *word, bool beside_star, const Names *parts)
{
    for (uint32_t i = 0; i < parts->count; i++)
        if (beside_star ? strstr(parts->names[i], word) != NULL
                        : strcmp(parts->names[i], word) == 0)
            return true;
    return false;
}

/* The first word of the pattern that no name has, with the nearest that one has. */
static const char *near_miss(Lower *lower, const char *pattern, const Names *parts,
                             const char **out_word)
{
    for (const char *at = pattern;;) {
        while (*at == '.' || *at == '*' || *at == '{')
            at += *at == '{' ? strcspn(at, "}") + 1 : 1;
        size_t len = strcspn(at, ".*{");
        if (len == 0)
            return NULL;
        bool beside_star = (at[len] && at[len] != '.') || (at > pattern && at[-1] != '.');
        *out_word = arena_string(lower->arena, at, len);
        if (!stands_in_any(*out_word, beside_star, parts))
            return nearest_name(*out_word, parts->names, parts->count);
        at += len;
    }
}

static void report_pattern(Lower *lower, const char *pattern, Loc loc,
                           const char *element, const char *what)
{
    Names parts = all_parts(lower);
    const char *word, *nearest = near_miss(lower, pattern, &parts, &word);
    if (nearest)
        diag_error(lower->diags, loc,
                   "<%s>: '%s' matches no %s; '%s': did you mean '%s'?", element, pattern,
                   what, word, nearest);
    else
        diag_error(lower->diags, loc, "<%s>: '%s' matches no %s", element, pattern, what);
}

static bool report_unmatched(Lower *lower, const Patterns *patterns,
                             const Element *element, const char *what)
{
    bool ok = true;
    for (uint32_t i = 0; i < patterns->count; i++)
        if (!patterns->items[i].matched) {
            report_pattern(lower, patterns->items[i].text, patterns->loc, element->name,
                           what);
            ok = false;
        }
    return ok;
}

/* A role that no site has, or none that a pattern of `at` matches. */
static void report_role(Lower *lower, const Element *part, const char *role, Loc loc)
{
    const Element *site = names_get(&lower->roles, intern(lower->module->interns, role));
    if (!site)
        unknown_name(lower->diags, loc, "role", role, lower->roles.names,
                     lower->roles.count);
    else if (part->kind == ELEMENT_attach && !element_attribute(site, "in"))
        diag_error(lower->diags, loc,
                   "sites of the role '%s' have no 'in': nothing is attached there, but "
                   "a method may stand <beside> them",
                   role);
    else
        diag_error(lower->diags, loc, "no site that 'at' matches has the role '%s'",
                   role);
}

/* A role that no site has at all: more than that no pattern of `at` finds it. */
static bool report_unknown_role(Lower *lower, const SiteChoice *target)
{
    for (uint32_t i = 0; i < target->roles.count; i++) {
        const char *role = intern(lower->module->interns, target->roles.items[i].text);
        if (!is_name(role) || names_get(&lower->roles, role))
            continue;
        unknown_name(lower->diags, target->roles.loc, "role", role, lower->roles.names,
                     lower->roles.count);
        return true;
    }
    return false;
}

static bool report_target(Lower *lower, const SiteChoice *target, const Element *part)
{
    if (report_unknown_role(lower, target))
        return false;
    bool ok = report_unmatched(lower, &target->at, part,
                               target->roles.source ? "site of such a role" : "site");
    for (uint32_t i = 0; i < target->roles.count && ok; i++)
        if (!target->roles.items[i].matched) {
            report_role(lower, part, target->roles.items[i].text, target->roles.loc);
            ok = false;
        }
    return ok;
}

static bool report_attach(Lower *lower, const Attach *attach)
{
    bool ok = report_target(lower, &attach->target, attach->element);
    for (uint32_t i = 0; i < attach->share_count; i++)
        if (attach->shares[i].task_count && attach->shares[i].active)
            ok &= report_unmatched(lower, &attach->shares[i].params,
                                   attach->shares[i].element, "parameter of the block");
    if (!ok)
        method_note(attach->use, lower->diags);
    return ok;
}

static bool report_beside(Lower *lower, const Beside *beside)
{
    bool wanted;
    Globals *globals = globals_new(lower->spec, NULL, GRAPH_train, lower->arena);
    if (!globals_want(globals, NULL, beside->use->element, &wanted))
        return false;
    bool ok = !wanted || report_target(lower, &beside->target, beside->element);
    if (!ok)
        method_note(beside->use, lower->diags);
    return ok;
}

static bool report_selection(Lower *lower, const Selection *choice, const char *what)
{
    bool ok = report_unmatched(lower, &choice->names, choice->element, what);
    if (!ok)
        method_note(choice->use, lower->diags);
    return ok;
}

/* -- trained or frozen -------------------------------------------------------------- */

/* Why a selection is about a parameter; NULL: it is not. */
static const char *selects(Lower *lower, Selection *choice, const Param *param)
{
    if (choice->made) {
        bool is_made = names_get(choice->made, param->name) &&
                       !names_get(&lower->host_params, param->name);
        return is_made
                   ? arena_format(lower->arena, "<method> %s", choice->use->method->name)
                   : NULL;
    }
    const PathPattern *pattern = patterns_match(&choice->names, param->name);
    return pattern ? arena_format(lower->arena, "<%s> %s", choice->element->name,
                                  pattern->text)
                   : NULL;
}

static void choose_trained(Lower *lower, Param *param, const bool *wanted)
{
    ChoiceList *choices = &lower->spec->training;
    param->reason = param->buffer ? "a buffer" : "no <train> pattern matches";
    param->reason_loc = lower->spec->model->loc;
    for (uint32_t i = 0; i < choices->count && !param->buffer; i++) {
        Selection *choice = &choices->items[i];
        const char *reason = wanted[i] ? selects(lower, choice, param) : NULL;
        if (!reason)
            continue;
        param->trained = choice->element->kind != ELEMENT_freeze;
        param->reason = reason;
        param->reason_loc =
            choice->made ? choice->use->element->loc : choice->element->loc;
    }
    param->reason = intern(lower->module->interns, param->reason);
}

/* What only tasks without a loss use cannot be trained. */
static bool check_trainable(Lower *lower)
{
    bool *used = ARENA_ARRAY(lower->arena, bool, lower->module->param_count + 1);
    bool ok = true;
    for (uint32_t i = 0; i < lower->spec->task_count; i++)
        for (uint32_t j = 0; j < lower->task_params[i].count; j++)
            used[module_find_param(lower->module, lower->task_params[i].names[j]) -
                 lower->module->params] = true;
    for (uint32_t i = 0; i < lower->module->param_count && ok; i++) {
        const Param *param = &lower->module->params[i];
        ok = used[i] || !param->trained;
        if (!ok)
            diag_error(lower->diags, param->reason_loc,
                       "this trains '%s', but no task with a <loss> uses it",
                       param->name);
    }
    return ok;
}

/* Which <train> and <freeze> count; what a method makes is trained where it is made. */
static bool choose_wanted(Lower *lower, bool *wanted)
{
    ModelSpec *spec = lower->spec;
    Globals *globals = globals_new(spec, NULL, GRAPH_train, lower->arena);
    for (uint32_t i = 0; i < spec->training.count; i++) {
        const Selection *choice = &spec->training.items[i];
        wanted[i] = choice->made != NULL;
        if (!wanted[i] &&
            !globals_want(globals, choice->use, choice->element, &wanted[i]))
            return false;
    }
    return true;
}

bool lower_training(Lower *lower)
{
    ModelSpec *spec = lower->spec;
    bool *wanted = ARENA_ARRAY(lower->arena, bool, spec->training.count);
    bool ok = true;
    if (!choose_wanted(lower, wanted) ||
        !lower_spend(lower, (int64_t)spec->training.count * lower->module->param_count,
                     spec->model->loc))
        return false;
    for (uint32_t i = 0; i < lower->module->param_count; i++)
        choose_trained(lower, &lower->module->params[i], wanted);
    for (uint32_t i = 0; i < spec->training.count; i++)
        if (wanted[i])
            ok &= report_selection(lower, &spec->training.items[i], "parameter");
    for (uint32_t i = 0; i < spec->precisions.count; i++)
        if (lower->rule_of[i])
            ok &= report_selection(lower, &spec->precisions.items[i], "product");
    for (uint32_t i = 0; i < spec->attach_count; i++)
        if (spec->attaches[i]->active)
            ok &= report_attach(lower, spec->attaches[i]);
    for (uint32_t i = 0; i < spec->beside_count; i++)
        ok &= report_beside(lower, spec->besides[i]);
    return ok && check_trainable(lower);
}
