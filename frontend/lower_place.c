/* The patterns of a recipe, read once their constants are known; and the sites that they
 * choose, with what each {name} stands for there. */
#include <string.h>

#include "frontend/lower.h"

enum { PATTERN_WORK = 16 }; /* what reading one costs, as elements */

/* -- reading ------------------------------------------------------------------------ */

static bool read_patterns(Lower *lower, Patterns *patterns, NameLookup names)
{
    if (!patterns->source)
        return true;
    return patterns_read(patterns, names, lower->arena, lower->module->interns,
                         lower->diags) &&
           lower_spend(lower, PATTERN_WORK * (int64_t)patterns->count, patterns->loc);
}

static bool read_choices(Lower *lower, ChoiceList *choices, Globals *globals)
{
    for (uint32_t i = 0; i < choices->count; i++)
        if (!read_patterns(lower, &choices->items[i].names,
                           globals_names_in(globals, choices->items[i].use)))
            return false;
    return true;
}

static bool read_target(Lower *lower, SiteChoice *target, NameLookup names)
{
    return read_patterns(lower, &target->at, names) &&
           read_patterns(lower, &target->roles, names);
}

static bool read_attach(Lower *lower, Attach *attach, Globals *globals)
{
    NameLookup names = globals_names_in(globals, attach->use);
    if (!read_target(lower, &attach->target, names))
        return false;
    for (uint32_t i = 0; i < attach->share_count; i++)
        if (!read_patterns(lower, &attach->shares[i].params, names))
            return false;
    return true;
}

bool lower_patterns(Lower *lower)
{
    ModelSpec *spec = lower->spec;
    Globals *globals = globals_new(spec, NULL, GRAPH_train, lower->arena);
    for (uint32_t i = 0; i < spec->attach_count; i++)
        if (!read_attach(lower, spec->attaches[i], globals))
            return false;
    for (uint32_t i = 0; i < spec->beside_count; i++)
        if (!read_target(lower, &spec->besides[i]->target,
                         globals_names_in(globals, spec->besides[i]->use)))
            return false;
    return read_choices(lower, &spec->training, globals) &&
           read_choices(lower, &spec->precisions, globals) &&
           read_choices(lower, &spec->exceptions, globals);
}

/* -- choosing ----------------------------------------------------------------------- */

/* Marks the patterns that match; *out is the last. */
static bool choose(Patterns *patterns, const char *name, const PathPattern **out)
{
    const PathPattern *last = patterns->source ? patterns_match(patterns, name) : NULL;
    if (last)
        *out = last;
    return last != NULL;
}

static bool matches_any(const Patterns *patterns, const char *name)
{
    bool matches = !patterns->source;
    for (uint32_t i = 0; i < patterns->count && !matches; i++)
        matches = pattern_matches(patterns->items[i].text, name);
    return matches;
}

/* A number if it reads as one, and is written as that number is: a name made of it is the
 * text again, so that 07 and 7 are two. */
static Value bound_value(Lower *lower, const PatternBinding *binding)
{
    const char *text =
        intern_span(lower->module->interns, binding->text, binding->text_len);
    double number;
    bool is_number = number_parse(text, &number) &&
                     number_text(lower->module->interns, number) == text;
    return is_number ? (Value){.number = number} : (Value){.text = text};
}

static bool same_text(const PatternBinding *a, const PatternBinding *b)
{
    return a->text_len == b->text_len && memcmp(a->text, b->text, a->text_len) == 0;
}

/* A name that stands twice in a pattern stands for one text. */
static bool check_twice(Lower *lower, const PatternBinding *bindings, uint32_t at,
                        const Site *site, Loc loc)
{
    const PatternBinding *b = &bindings[at];
    for (uint32_t i = 0; i < at; i++) {
        const PatternBinding *a = &bindings[i];
        if (a->name_len != b->name_len || memcmp(a->name, b->name, a->name_len) != 0 ||
            same_text(a, b))
            continue;
        diag_error(lower->diags, loc, "{%.*s} stands for '%.*s' and for '%.*s' in '%s'",
                   (int)a->name_len, a->name, (int)a->text_len, a->text, (int)b->text_len,
                   b->text, site->path);
        return false;
    }
    return true;
}

static bool bind_names(Lower *lower, const PathPattern *pattern, const Site *site,
                       Loc loc, SitePlace *out)
{
    PatternBinding bindings[MOST_BINDINGS];
    if (!pattern ||
        !pattern_binds(pattern->text, site->path, bindings, &out->bound_count))
        return true;
    for (uint32_t i = 0; i < out->bound_count; i++) {
        const char *name =
            intern_span(lower->module->interns, bindings[i].name, bindings[i].name_len);
        if (!check_twice(lower, bindings, i, site, loc))
            return false;
        out->bound[i] = (Argument){name, bound_value(lower, &bindings[i])};
    }
    return true;
}

/* The first role that is asked for; "" if the site has none. */
static bool choose_role(SiteChoice *target, const Site *site, const char **out)
{
    const char *found = NULL;
    for (uint32_t i = 0; i < site->role_count; i++) {
        const PathPattern *last;
        bool asked =
            !target->roles.source || choose(&target->roles, site->roles[i], &last);
        if (asked && !found)
            found = site->roles[i];
    }
    *out = found ? found : "";
    return found || !target->roles.source;
}

bool lower_place(Lower *lower, SiteChoice *target, const Site *site, bool *matches,
                 SitePlace *out)
{
    const PathPattern *pattern = NULL;
    *out = (SitePlace){
        .site = site->path, .module = site->module, .module_name = site->module_name};
    *matches = false;
    if (!matches_any(&target->at, site->path) || !choose_role(target, site, &out->role))
        return true;
    *matches = true;
    choose(&target->at, site->path, &pattern);
    return bind_names(lower, pattern, site, target->at.loc, out);
}
