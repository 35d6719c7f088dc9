/* Evaluating trees of constants.
 *
 * The names in an expression are looked up while it is evaluated, and looking one up may
 * evaluate another: what is open at once is counted over all of them, and so is the
 * work. */
#include "frontend/syntax/expr.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "frontend/syntax/names.h"
#include "frontend/syntax/words.h"

enum {
    MOST_OPEN = 64,       /* expressions that wait for constants */
    MOST_LEVELS = 4000,   /* of trees, over all that are open */
    MOST_TEXT = 1 << 26,  /* bytes of texts that placeholders make, in all */
    MOST_STEPS = 1 << 27, /* nodes of trees evaluated, in all */
    BYTES_OF_A_STEP = 16, /* looked through to find where a name stands */
    WIDEST_SHOWN = 80
};

struct Exprs {
    Arena *arena;
    Interns *interns;
    Diags *diags;
    uint32_t open, levels;
    int64_t text_left, steps_left;
    Names by_text; /* Formula by text: equal texts share one */
};

/* An run of an attribute's expression, or of a part of a formula. */
typedef struct ExprRun {
    Exprs *exprs;
    const Attribute *attribute;
    NameLookup names;
} ExprRun;

Exprs *exprs_new(Arena *arena, Interns *interns, Diags *diags)
{
    Exprs *exprs = arena_alloc(arena, sizeof *exprs);
    *exprs = (Exprs){.arena = arena,
                     .interns = interns,
                     .diags = diags,
                     .text_left = MOST_TEXT,
                     .steps_left = MOST_STEPS};
    return exprs;
}

/* -- parsing ------------------------------------------------------------------------ */

/* A bare word, or a number with its sign; NULL if it is none. */
static Formula *parse_alone(const Exprs *exprs, const char *text)
{
    Formula formula = {
        .kind = FORMULA_number, .height = 1, .end = (uint32_t)strlen(text)};
    if (!number_parse(text, &formula.number)) {
        formula.kind = FORMULA_word;
        formula.name = text;
        if (!is_bare_word(text))
            return NULL;
    }
    return arena_copy(exprs->arena, &formula, sizeof formula);
}

static const Formula *compile(Exprs *exprs, const Attribute *attribute)
{
    const char *text = attribute->value;
    const Formula *known = names_get(&exprs->by_text, text);
    if (known)
        return known;
    const Formula *formula = parse_alone(exprs, text);
    if (!formula) {
        formula = formula_parse(attribute, exprs->arena, exprs->interns, exprs->diags);
        if (!formula || !formula_is_constant(attribute, formula, exprs->diags))
            return NULL;
    }
    names_set(&exprs->by_text, exprs->arena, text, formula);
    return formula;
}

/* -- evaluating --------------------------------------------------------------------- */

static bool evaluate(const ExprRun *run, const Formula *formula, Value *out);

static bool wrong(const ExprRun *run, uint32_t at, const char *what)
{
    diag_error(run->exprs->diags, attribute_place(run->attribute, at), "%s", what);
    return false;
}

/* `what` was expected: of the first operand that is a text and no number, if one is. */
static bool wrong_operand(const ExprRun *run, const Formula *formula,
                          const Value *operands, const char *what)
{
    double number;
    for (const Formula *operand = formula->first; operand; operand = operand->next)
        if (!value_number(operands++, &number)) {
            diag_error(run->exprs->diags, attribute_place(run->attribute, operand->from),
                       "%s, found the text '%.80s'", what, operands[-1].text);
            return false;
        }
    return wrong(run, formula->at, what);
}

/* A number that an operator or a function made. */
static bool is_finite(const ExprRun *run, const Formula *formula, double number)
{
    if (isfinite(number))
        return true;
    const Attribute *attribute = run->attribute;
    uint32_t len = formula->end - formula->from;
    diag_error(run->exprs->diags, attribute_place(attribute, formula->at),
               "'%.*s' is %s, expected a finite number",
               (int)(len < WIDEST_SHOWN ? len : WIDEST_SHOWN),
               attribute->value + formula->from,
               isnan(number) ? "not a number" : "infinite");
    return false;
}

/* A text that a function made. */
static bool is_short(const ExprRun *run, const Formula *formula, const char *text)
{
    size_t len = strlen(text);
    run->exprs->text_left -= (int64_t)len;
    return (len <= MOST_FORMULA && run->exprs->text_left >= 0) ||
           wrong(run, formula->at,
                 "the text is longer than 4096 bytes, or too often made");
}

/* What decides before its second operand does is not asked for it. */
static bool evaluate_binary(const ExprRun *run, const Formula *formula, Value *out)
{
    Value operands[2];
    Operator operator= formula->operator;
    if (!evaluate(run, formula->first, &operands[0]))
        return false;
    bool is_true = value_is_true(&operands[0]);
    if ((operator== OPERATOR_and && !is_true) || (operator== OPERATOR_or && is_true)) {
        *out = (Value){.number = is_true};
        return true;
    }
    if (!evaluate(run, formula->first->next, &operands[1]))
        return false;
    const char *expected = operator_compute(operator, & operands[0], &operands[1], out);
    return expected ? wrong_operand(run, formula, operands, expected)
                    : is_finite(run, formula, out->number);
}

/* if(test, then, otherwise) */
static bool evaluate_choice(const ExprRun *run, const Formula *formula, Value *out)
{
    Value test;
    const Formula *then = formula->first->next;
    return evaluate(run, formula->first, &test) &&
           evaluate(run, value_is_true(&test) ? then : then->next, out);
}

static bool evaluate_call(const ExprRun *run, const Formula *formula, Value *out)
{
    Value operands[MOST_OPERANDS];
    uint32_t count = 0;
    if (function_find(formula->name)->is_choice)
        return evaluate_choice(run, formula, out);
    for (const Formula *operand = formula->first; operand; operand = operand->next)
        if (!evaluate(run, operand, &operands[count++]))
            return false;
    const char *expected =
        function_compute(run->exprs->interns, formula->name, operands, count, out);
    if (expected)
        return wrong_operand(run, formula, operands, expected);
    return out->text ? is_short(run, formula, out->text)
                     : is_finite(run, formula, out->number);
}

static bool evaluate_negation(const ExprRun *run, const Formula *formula, Value *out)
{
    Value operand;
    if (!evaluate(run, formula->first, &operand))
        return false;
    *out = (Value){0};
    if (!value_number(&operand, &out->number))
        return wrong_operand(run, formula, &operand, "expected a number");
    out->number = -out->number;
    return true;
}

static bool find_constant(const ExprRun *run, const Formula *formula, Value *out)
{
    Exprs *exprs = run->exprs;
    NameLookup names = run->names;
    if (exprs->open == MOST_OPEN) {
        diag_error(exprs->diags, attribute_place(run->attribute, formula->from),
                   "constants refer to each other more than %d deep", MOST_OPEN);
        return false;
    }
    exprs->steps_left -= formula->from / BYTES_OF_A_STEP;
    exprs->open++;
    bool ok = names.find(names.self, formula->name,
                         attribute_place(run->attribute, formula->from), out);
    exprs->open--;
    return ok;
}

static bool evaluate_kind(const ExprRun *run, const Formula *formula, Value *out)
{
    switch (formula->kind) {
    case FORMULA_number:
        *out = (Value){.number = formula->number};
        return true;
    case FORMULA_text:
    case FORMULA_word:
        *out = (Value){.text = formula->name};
        return true;
    case FORMULA_constant:
        return find_constant(run, formula, out);
    case FORMULA_negate:
        return evaluate_negation(run, formula, out);
    case FORMULA_binary:
        return evaluate_binary(run, formula, out);
    case FORMULA_call:
        return evaluate_call(run, formula, out);
    }
    return false;
}

static bool evaluate(const ExprRun *run, const Formula *formula, Value *out)
{
    Exprs *exprs = run->exprs;
    if (--exprs->steps_left < 0)
        return wrong(run, formula->at, "expressions take too many steps in all");
    if (exprs->levels == MOST_LEVELS)
        return wrong(run, formula->at, "constants need too many others at once");
    exprs->levels++;
    bool ok = evaluate_kind(run, formula, out);
    exprs->levels--;
    return ok;
}

/* -- attributes --------------------------------------------------------------------- */

bool expr_value(Exprs *exprs, Attribute *attribute, NameLookup names, Value *out)
{
    if (!attribute->expr)
        attribute->expr = compile(exprs, attribute);
    return attribute->expr &&
           evaluate(&(ExprRun){exprs, attribute, names}, attribute->expr, out);
}

/* A text that reads as a number is one: --set values and quoted texts. */
static bool need_number(Exprs *exprs, const Attribute *attribute, const Formula *formula,
                        const Value *value, double *out)
{
    if (value_number(value, out))
        return true;
    int len = (int)(formula->end - formula->from);
    Loc loc = attribute_place(attribute, formula->from);
    if (formula->kind == FORMULA_text)
        diag_error(exprs->diags, loc, "expected a number, found the text '%.80s'",
                   value->text);
    else
        diag_error(exprs->diags, loc, "expected a number, '%.*s' is the text '%.80s'",
                   len < WIDEST_SHOWN ? len : WIDEST_SHOWN,
                   attribute->value + formula->from, value->text);
    return false;
}

bool expr_number(Exprs *exprs, Attribute *attribute, NameLookup names, double *out)
{
    Value value;
    return expr_value(exprs, attribute, names, &value) &&
           need_number(exprs, attribute, attribute->expr, &value, out);
}

bool expr_formula(Exprs *exprs, const Attribute *attribute, const Formula *formula,
                  NameLookup names, double *out)
{
    Value value;
    return evaluate(&(ExprRun){exprs, attribute, names}, formula, &value) &&
           need_number(exprs, attribute, formula, &value, out);
}

bool expr_test(Exprs *exprs, const Attribute *attribute, const Formula *formula,
               NameLookup names, bool *out)
{
    Value value;
    if (!evaluate(&(ExprRun){exprs, attribute, names}, formula, &value))
        return false;
    *out = value_is_true(&value);
    return true;
}

bool expr_integer(Exprs *exprs, Attribute *attribute, NameLookup names, int64_t *out)
{
    double number;
    if (!expr_number(exprs, attribute, names, &number))
        return false;
    /* from 2^53 on it may be another than the one that was written */
    if (number != floor(number) || fabs(number) >= 0x1p53) {
        diag_error(exprs->diags, attribute->loc, "%s is %.17g, expected a whole number%s",
                   attribute->name, number, number == floor(number) ? " below 2^53" : "");
        return false;
    }
    *out = (int64_t)number;
    return true;
}

bool expr_condition(Exprs *exprs, Attribute *attribute, NameLookup names, bool *out)
{
    Value value;
    if (!expr_value(exprs, attribute, names, &value))
        return false;
    if (value.text && attribute->expr->kind == FORMULA_word) {
        diag_error(exprs->diags, attribute_place(attribute, 0),
                   "%s: '%s' is a text; the constant of that name is $%s",
                   attribute->name, value.text, value.text);
        return false;
    }
    *out = value_is_true(&value);
    return true;
}

bool expr_part(Exprs *exprs, const Attribute *attribute, const char *text, size_t len,
               NameLookup names, double *out)
{
    uint32_t offset = (uint32_t)(text - attribute->value);
    Attribute part = *attribute;
    part.value = intern_span(exprs->interns, text, len);
    part.loc = attribute_place(attribute, offset);
    part.offset = attribute->offset + offset;
    part.expr = NULL;
    return expr_number(exprs, &part, names, out);
}

/* -- texts -------------------------------------------------------------------------- */

/* Appends to a text of at most MOST_FORMULA bytes. */
static bool append(char *text, size_t *len, const char *from, size_t count)
{
    if (*len + count > MOST_FORMULA)
        return false;
    memcpy(text + *len, from, count);
    *len += count;
    return true;
}

/* What stands for the placeholder at `at`, in braces. NULL after an error. */
static const char *replacement(Exprs *exprs, const Attribute *attribute, const char *at,
                               size_t len, NameLookup names)
{
    const char *name = len > 2 ? intern_span(exprs->interns, at + 1, len - 2) : "";
    Loc loc = attribute_place(attribute, (size_t)(at - attribute->value));
    if (!is_name(name)) {
        diag_error(exprs->diags, loc,
                   "'%s': a placeholder is the name of a constant in braces, {name}",
                   attribute->value);
        return NULL;
    }
    Value value;
    if (!names.find(names.self, name, loc, &value))
        return NULL;
    return value.text ? value.text : number_text(exprs->interns, value.number);
}

/* Refuses $name and ${name}, which would be taken as they stand: in a loop, for instance,
 * all turns would then have the same parameters. */
static bool has_no_dollar(Exprs *exprs, const Attribute *attribute)
{
    const char *text = attribute->value;
    for (const char *at = text; (at = strchr(at, '$')); at++) {
        bool braced = at[1] == '{';
        size_t len = name_length(at + 1 + braced, false);
        if (len == 0)
            continue;
        diag_error(exprs->diags, attribute_place(attribute, (size_t)(at - text)),
                   "'%s': in a text the constant is written {%.*s}, without $", text,
                   (int)len, at + 1 + braced);
        return false;
    }
    return true;
}

const char *expr_text(Exprs *exprs, const Attribute *attribute, NameLookup names)
{
    if (!has_no_dollar(exprs, attribute))
        return NULL;
    const char *at = attribute->value;
    char text[MOST_FORMULA];
    size_t len = 0;
    bool fits = strlen(at) <= MOST_FORMULA;
    if (fits && !strchr(at, '{'))
        return at;
    while (*at && fits) {
        size_t plain = strcspn(at, "{");
        fits = append(text, &len, at, plain);
        at += plain;
        if (!*at)
            break;
        const char *end = strchr(at, '}');
        size_t braced = end ? (size_t)(end - at) + 1 : 0;
        const char *put = replacement(exprs, attribute, at, braced, names);
        if (!put)
            return NULL;
        fits = fits && append(text, &len, put, strlen(put));
        at += braced;
    }
    exprs->text_left -= (int64_t)len;
    if (!fits || exprs->text_left < 0) {
        diag_error(exprs->diags, attribute->loc,
                   "the text is longer than %d bytes, or too often used", MOST_FORMULA);
        return NULL;
    }
    return intern_span(exprs->interns, text, len);
}
