/* The precision of products: every <precision> becomes a rule of the module for each of
 * its patterns, and a product names the last rule that matches a name of it. Names of a
 * product are its scope path and those of the parameters that it multiplies. */
#include <string.h>

#include "frontend/lower.h"

enum { FACTORS = 2 }; /* the first operands of a product */

/* -- rules ------------------------------------------------------------------------- */

bool precision_attribute(Lower *lower, const Attribute *attribute, NameLookup names,
                         Precision *out)
{
    const char *name = expr_text(lower->spec->exprs, attribute, names);
    *out = name ? precision_find(name) : PRECISION_COUNT;
    if (name && *out == PRECISION_COUNT)
        unknown_name(lower->diags, attribute->loc, "precision", name, precision_names,
                     PRECISION_COUNT);
    return *out != PRECISION_COUNT;
}

/* A rule for each pattern, or one of all products. */
static bool add_rules(Lower *lower, const Selection *choice, NameLookup names)
{
    PrecisionRule rule = {.pattern = "", .loc = choice->element->loc};
    const Attribute *at = element_attribute(choice->element, "at");
    if (!precision_attribute(lower, element_attribute(choice->element, "is"), names,
                             &rule.precision))
        return false;
    if (at && choice->names.count == 0) {
        diag_error(lower->diags, at->loc, "expected a pattern");
        return false;
    }
    if (!at)
        module_add_rule(lower->module, rule);
    for (uint32_t i = 0; i < choice->names.count; i++) {
        rule.pattern = choice->names.items[i].text;
        module_add_rule(lower->module, rule);
    }
    return true;
}

bool lower_rules(Lower *lower)
{
    ModelSpec *spec = lower->spec;
    Globals *globals = globals_new(spec, NULL, GRAPH_train, lower->arena);
    bool wanted;
    lower->rule_of = ARENA_ARRAY(lower->arena, uint32_t, spec->precisions.count);
    for (uint32_t i = 0; i < spec->precisions.count; i++) {
        const Selection *choice = &spec->precisions.items[i];
        if (!globals_want(globals, choice->use, choice->element, &wanted))
            return false;
        if (!wanted)
            continue;
        lower->rule_of[i] = lower->module->rule_count + 1;
        if (!add_rules(lower, choice, globals_names_in(globals, choice->use)))
            return false;
    }
    return true;
}

/* -- products ---------------------------------------------------------------------- */

/* The scope without the '.' at its end. */
static const char *scope_path(Lower *lower, const Frame *frame)
{
    const char *scope =
        lower_name_for_task(lower, frame->scope, lower->draft->globals->task);
    size_t len = strlen(scope);
    return intern_span(lower->module->interns, scope, len > 0 ? len - 1 : 0);
}

static void match_name(Lower *lower, const char *name, attr_rule *rule)
{
    for (uint32_t i = 0; i < lower->spec->precisions.count; i++) {
        Selection *choice = &lower->spec->precisions.items[i];
        const PathPattern *pattern =
            lower->rule_of[i] ? patterns_match(&choice->names, name) : NULL;
        attr_rule number =
            pattern ? (attr_rule)(lower->rule_of[i] + (pattern - choice->names.items))
                    : RULE_none;
        if (number > *rule)
            *rule = number;
    }
}

bool lower_rule(Lower *lower, const Frame *frame, const Element *element,
                const Node *const *args, OpAttr *attr)
{
    const AttrField *field = op_field_of(element->op, ATTR_rule);
    if (!field)
        return true;
    attr_rule *rule = (void *)((char *)attr + field->offset);
    if (element_attribute(element, "precision"))
        *rule = RULE_of_op;
    if (*rule == RULE_of_op || lower->module->rule_count == 0 ||
        lower->draft->graph->kind == GRAPH_update)
        return true;
    if (!lower_spend(lower, (int64_t)(1 + FACTORS) * lower->module->rule_count,
                     element->loc))
        return false;
    const char *path = scope_path(lower, frame);
    names_set(&lower->product_scopes, lower->arena, path, element);
    match_name(lower, path, rule);
    for (uint32_t i = 0; i < FACTORS; i++) {
        const char *name = node_param_name(args[i]);
        if (name)
            match_name(lower, name, rule);
    }
    return true;
}
