/* Formulas of <let>: what is called in them is resolved. A call of an op or a block
 * becomes the element that would say the same: operands by their places get their
 * names, all else that is given by name is an attribute. So one path checks and lowers
 * both. */
#include <string.h>

#include "frontend/recipe/skeleton.h"

enum { MOST_ARGUMENTS = 64 };

/* A formula at work. */
typedef struct Resolver {
    const ModelSpec *spec;
    const Attribute *attribute;
} Resolver;

static bool resolve(const Resolver *resolver, Formula *formula);

static Loc place(const Resolver *resolver, uint32_t at)
{
    return attribute_place(resolver->attribute, at);
}

/* -- arguments ---------------------------------------------------------------------- */

/* The name of the operand or input at a place; NULL past the last. */
static const char *operand_name(const Element *use, uint32_t at)
{
    if (use->block)
        return at < use->block->input_count ? use->block->inputs[at].name : NULL;
    return at < op_info(use->op)->max_args ? op_info(use->op)->arg_names[at] : NULL;
}

static bool is_operand(const Element *use, const char *name)
{
    const char *known;
    for (uint32_t i = 0; (known = operand_name(use, i)); i++)
        if (strcmp(known, name) == 0)
            return true;
    return false;
}

/* Whether an attribute holds a text rather than an expression. */
static bool is_text(const Element *use, const char *name)
{
    uint32_t count;
    if (use->block)
        return strcmp(name, "as") == 0;
    const AttrField *fields = op_fields(use->op, &count);
    for (uint32_t i = 0; i < count; i++)
        if (strcmp(fields[i].name, name) == 0)
            return fields[i].kind == ATTR_name || fields[i].kind == ATTR_axis ||
                   fields[i].kind == ATTR_precision;
    return strcmp(name, "shape") == 0 || strcmp(name, "like") == 0;
}

/* The text of an argument as an element's attribute would hold it. */
static bool take_value(const Resolver *resolver, const Element *use,
                       const Formula *argument, Attribute *attribute)
{
    const ModelSpec *spec = resolver->spec;
    attribute->offset = argument->from;
    attribute->value =
        intern_span(spec->interns, resolver->attribute->value + argument->from,
                    argument->end - argument->from);
    if (attribute->operand || !is_text(use, attribute->name))
        return true;
    bool is_quoted = argument->kind == FORMULA_text;
    if (!is_quoted && argument->kind != FORMULA_word) {
        diag_error(spec->diags, place(resolver, argument->from),
                   "%s of %s is a word or a text in quotes", attribute->name,
                   element_shown(use, (char[WIDEST_NAME]){0}));
        return false;
    }
    attribute->offset += is_quoted;
    attribute->value = argument->name;
    return true;
}

static bool add_argument(const Resolver *resolver, Element *use, Formula *argument)
{
    const ModelSpec *spec = resolver->spec;
    uint32_t at = use->attribute_count;
    const char *name = argument->argument ? argument->argument : operand_name(use, at);
    Attribute *attribute = &use->attributes[at];
    if (!name) {
        diag_error(spec->diags, place(resolver, argument->from),
                   "%s takes %u operand%s, this is one more",
                   element_shown(use, (char[WIDEST_NAME]){0}), at, at == 1 ? "" : "s");
        return false;
    }
    *attribute = *resolver->attribute;
    attribute->expr = NULL;
    attribute->name = intern(spec->interns, name);
    attribute->loc =
        place(resolver, argument->argument ? argument->argument_at : argument->from);
    attribute->operand = is_operand(use, name) ? argument : NULL;
    if (element_attribute(use, attribute->name)) {
        diag_error(spec->diags, attribute->loc, "%s: '%s' is given twice",
                   element_shown(use, (char[WIDEST_NAME]){0}), name);
        return false;
    }
    use->attribute_count++;
    return (!attribute->operand || resolve(resolver, argument)) &&
           take_value(resolver, use, argument, attribute);
}

/* -- calls -------------------------------------------------------------------------- */

static bool check_outputs(const Resolver *resolver, const Element *use)
{
    const Definition *block = use->block;
    if (!block || block->output_count == 1)
        return true;
    diag_error(resolver->spec->diags, use->loc,
               "block '%s' has %u outputs; a formula calls blocks of one, others are "
               "elements: <%s out=\"...\"/>",
               block->name, block->output_count, block->name);
    return false;
}

static bool resolve_use(const Resolver *resolver, Formula *call, Element *use)
{
    call->use = use;
    call->has_values = true;
    if (call->operand_count > MOST_ARGUMENTS) {
        diag_error(resolver->spec->diags, use->loc, "more than %d operands",
                   MOST_ARGUMENTS);
        return false;
    }
    if (!check_outputs(resolver, use))
        return false;
    use->attributes = ARENA_ARRAY(resolver->spec->arena, Attribute, call->operand_count);
    for (Formula *argument = call->first; argument; argument = argument->next)
        if (!add_argument(resolver, use, argument))
            return false;
    return call_check(resolver->spec, use);
}

/* Of constants a function of them; of values the op that bears its name or does the
 * same. */
static bool resolve_function(const Resolver *resolver, Formula *call, Element *use)
{
    const FunctionInfo *info = function_find(call->name);
    for (Formula *operand = call->first; operand; operand = operand->next) {
        if (!resolve(resolver, operand))
            return false;
        call->has_values |= operand->has_values;
    }
    if (!call->has_values || info->is_choice) {
        if (!call->has_values || !call->first->has_values)
            return function_check(resolver->attribute, call, resolver->spec->diags);
        diag_error(resolver->spec->diags, place(resolver, call->first->from),
                   "the test of %s is of constants, not of values", call->name);
        return false;
    }
    use->op = info->op;
    if (use->op != OP_COUNT)
        return resolve_use(resolver, call, use);
    diag_error(resolver->spec->diags, use->loc,
               "%s is a function of constants; no op or block has its name", call->name);
    return false;
}

static bool resolve_call(const Resolver *resolver, Formula *call)
{
    const ModelSpec *spec = resolver->spec;
    if (call->use) /* as an operand of a function that turned out to be an op */
        return true;
    Element *use = arena_alloc(spec->arena, sizeof *use);
    use->kind = ELEMENT_call;
    use->name = call->name;
    use->loc = place(resolver, call->at);
    use->block = names_get(&spec->blocks, call->name);
    use->op = op_find(call->name);
    if (!use->block && function_find(call->name))
        return resolve_function(resolver, call, use);
    if (!use->block && (use->op == OP_COUNT || !op_has_element(use->op)))
        return call_unknown(spec, use);
    return resolve_use(resolver, call, use);
}

/* -- trees -------------------------------------------------------------------------- */

static bool check_operator(const Resolver *resolver, const Formula *formula)
{
    const OperatorInfo *info = &operator_infos[formula->operator];
    if (formula->kind != FORMULA_binary || !formula->has_values || info->op != OP_COUNT)
        return true;
    diag_error(resolver->spec->diags, place(resolver, formula->at),
               "'%s' is of constants; of values there are + - * / and >", info->spelling);
    return false;
}

static bool resolve(const Resolver *resolver, Formula *formula)
{
    if (formula->kind == FORMULA_call)
        return resolve_call(resolver, formula);
    formula->has_values = formula->kind == FORMULA_word;
    for (Formula *operand = formula->first; operand; operand = operand->next) {
        if (!resolve(resolver, operand))
            return false;
        formula->has_values |= operand->has_values;
    }
    return check_operator(resolver, formula);
}

bool let_resolve(const ModelSpec *spec, Element *let)
{
    Attribute *bound = NULL;
    for (uint32_t i = 0; i < let->attribute_count; i++) {
        Attribute *attribute = &let->attributes[i];
        if (strcmp(attribute->name, "when") == 0)
            continue;
        if (bound) {
            diag_error(spec->diags, attribute->loc,
                       "<let> binds one name, as attributes have no order; '%s' needs "
                       "another",
                       attribute->name);
            return false;
        }
        bound = attribute;
    }
    if (!bound) {
        diag_error(spec->diags, let->loc, "<let> needs an attribute: the name to bind");
        return false;
    }
    if (!is_name(bound->name)) {
        diag_error(spec->diags, bound->loc, "'%s' is not a name", bound->name);
        return false;
    }
    Formula *formula = formula_parse(bound, spec->arena, spec->interns, spec->diags);
    bound->operand = formula;
    return formula && resolve(&(Resolver){spec, bound}, formula);
}
