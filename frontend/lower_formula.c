/* Formulas over values: operators become ops, calls what an element of the op or block
 * would; what is of constants alone is computed, and is one constant where it meets a
 * value. */
#include "frontend/lower.h"

enum {
    MOST_LEVELS = 1000, /* of formulas one within the other, through blocks too */
    MOST_ARGUMENTS = 64,
    BYTES_OF_WORK = 64 /* looked through to find where an operation stands */
};

static const Node *lower_part(Lower *lower, Frame *frame, const Attribute *attribute,
                              const Formula *formula);

static const Node *lower_constant(Lower *lower, Frame *frame, const Attribute *attribute,
                                  const Formula *formula)
{
    double number;
    if (!expr_formula(lower->spec->exprs, attribute, formula, frame_names(frame),
                      &number))
        return NULL;
    return lower_number(lower, number, attribute_place(attribute, formula->from));
}

/* -x = -1 x; where `x - y` leaves out y, it is x. */
static const Node *lower_operator(Lower *lower, Frame *frame, const Attribute *attribute,
                                  const Formula *formula)
{
    bool negates = formula->kind == FORMULA_negate;
    Loc loc = attribute_place(attribute, formula->at);
    const Node *args[2] = {lower_part(lower, frame, attribute, formula->first)};
    if (!args[0])
        return NULL;
    if (negates && args[0] == &absent_value)
        return args[0];
    args[1] =
        negates ? graph_constant(lower->draft->graph, (BuildSite){loc, STAGE_forward}, -1)
                : lower_part(lower, frame, attribute, formula->first->next);
    if (!args[1])
        return NULL;
    OpKind op = negates ? OP_mul : operator_infos[formula->operator].op;
    return lower_binary(lower, frame, op, loc, args);
}

/* if(test, then, otherwise): of two values the one that the constants of the test say. */
static const Node *lower_choice(Lower *lower, Frame *frame, const Attribute *attribute,
                                const Formula *formula)
{
    bool holds;
    const Formula *then = formula->first->next;
    if (!expr_test(lower->spec->exprs, attribute, formula->first, frame_names(frame),
                   &holds))
        return NULL;
    return lower_part(lower, frame, attribute, holds ? then : then->next);
}

static const Node *lower_use(Lower *lower, Frame *frame, const Attribute *attribute,
                             const Element *element)
{
    const Node *operands[MOST_ARGUMENTS] = {0}, *output;
    for (uint32_t i = 0; i < element->attribute_count; i++) {
        const Formula *operand = element->attributes[i].operand;
        if (operand)
            operands[i] = lower_part(lower, frame, attribute, operand);
        if (operand && !operands[i])
            return NULL;
    }
    Use use = {element, operands};
    if (!element->block)
        return lower_op(lower, frame, &use);
    return lower_block(lower, frame, &use, &output) ? output : NULL;
}

static const Node *lower_kind(Lower *lower, Frame *frame, const Attribute *attribute,
                              const Formula *formula)
{
    if (!formula->has_values)
        return lower_constant(lower, frame, attribute, formula);
    if (formula->kind == FORMULA_word)
        return lower_named(lower, frame, formula->name,
                           attribute_place(attribute, formula->from));
    if (formula->kind != FORMULA_call)
        return lower_operator(lower, frame, attribute, formula);
    return formula->use ? lower_use(lower, frame, attribute, formula->use)
                        : lower_choice(lower, frame, attribute, formula);
}

/* &absent_value where all of it was left out. */
static const Node *lower_part(Lower *lower, Frame *frame, const Attribute *attribute,
                              const Formula *formula)
{
    Loc loc = attribute_place(attribute, formula->at);
    if (lower->draft->levels == MOST_LEVELS) {
        diag_error(lower->diags, loc,
                   "formulas are nested more than %d deep, blocks included", MOST_LEVELS);
        return NULL;
    }
    if (!lower_spend(lower, 1 + formula->at / BYTES_OF_WORK, loc))
        return NULL;
    lower->draft->levels++;
    const Node *node = lower_kind(lower, frame, attribute, formula);
    lower->draft->levels--;
    return node;
}

const Node *lower_formula(Lower *lower, Frame *frame, const Attribute *attribute)
{
    const Node *node = lower_part(lower, frame, attribute, attribute->operand);
    if (node != &absent_value)
        return node;
    diag_error(lower->diags, attribute->loc, "all that '%s' is made of was left out here",
               attribute->name);
    frame_note(frame);
    return NULL;
}
