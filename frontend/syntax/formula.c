/* The parser of expressions: operators by how tightly they bind, all else by recursion.
 * Length and depth are limited, so no text is parsed for long. */
#include "frontend/syntax/formula.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "frontend/syntax/functions.h"
#include "frontend/syntax/words.h"

enum {
    MOST_NESTING = 100, /* of parentheses, calls and signs */
    MOST_HEIGHT = 500,  /* of a tree: a + b + c is 3 high */
    WIDEST_TOKEN = 40
};

const OperatorInfo operator_infos[OPERATOR_COUNT] = {
#define OPERATOR(name, spelling, level, op, result) {spelling, level, OP_##op},
#include "frontend/syntax/operators.def"
};

typedef struct FormulaParser {
    const Attribute *attribute;
    const char *text, *at;
    Arena *arena;
    Interns *interns;
    Diags *diags;
    uint32_t nesting;
} FormulaParser;

static Formula *parse_binary(FormulaParser *parser, int level);

/* -- messages ----------------------------------------------------------------------- */

static Loc loc_of(const FormulaParser *parser, const char *at)
{
    return attribute_place(parser->attribute, (size_t)(at - parser->text));
}

static void skip_blanks(FormulaParser *parser)
{
    parser->at += strspn(parser->at, " \t\r\n");
}

typedef struct Hint {
    const char *spelling, *advice;
} Hint;

/* How what is written so elsewhere is written here; a Hint of "" if there is nothing to
 * say. */
static Hint hint(const char *at)
{
    static const Hint hints[] = {{"==", "; equality is ="},
                                 {"**", "; powers are pow(x, y)"},
                                 {"^", "; powers are pow(x, y)"},
                                 {"@", "; products of matrices are matmul(a, b)"},
                                 {"%", "; the remainder is x mod y"},
                                 {"&", "; both conditions are x and y"},
                                 {"|", "; either condition is x or y"},
                                 {"!", "; the contrary is not(x)"},
                                 {"[", "; columns are taken by slice, rows by part"}};
    for (size_t i = 0; i < sizeof hints / sizeof *hints; i++)
        if (strncmp(at, hints[i].spelling, strlen(hints[i].spelling)) == 0)
            return hints[i];
    return (Hint){"", ""};
}

/* What a reader would call the next thing in the text. */
static const char *found(const FormulaParser *parser)
{
    const char *at = parser->at;
    if (!*at)
        return "the end";
    size_t len = strlen(hint(at).spelling);
    if (len == 0)
        len = name_length(at + (*at == '$'), true) + (*at == '$');
    if (len == 0)
        len = 1;
    while (((unsigned char)at[len] & 0xc0) == 0x80) /* the rest of a character */
        len++;
    return arena_format(parser->arena, "'%.*s'",
                        (int)(len < WIDEST_TOKEN ? len : WIDEST_TOKEN), at);
}

static Formula *expected(FormulaParser *parser, const char *what)
{
    skip_blanks(parser);
    diag_error(parser->diags, loc_of(parser, parser->at), "expected %s, found %s%s", what,
               found(parser), hint(parser->at).advice);
    return NULL;
}

/* -- trees -------------------------------------------------------------------------- */

static Formula *new_formula(const FormulaParser *parser, FormulaKind kind,
                            const char *from)
{
    Formula *formula = arena_alloc(parser->arena, sizeof *formula);
    formula->kind = kind;
    formula->from = formula->at = (uint32_t)(from - parser->text);
    formula->height = 1;
    return formula;
}

static Formula *ended(const FormulaParser *parser, Formula *formula)
{
    formula->end = (uint32_t)(parser->at - parser->text);
    return formula;
}

static bool add_operand(const FormulaParser *parser, Formula *formula, Formula *operand)
{
    Formula **tail = &formula->first;
    while (*tail)
        tail = &(*tail)->next;
    *tail = operand;
    formula->operand_count++;
    if (formula->height <= operand->height)
        formula->height = operand->height + 1;
    if (formula->height <= MOST_HEIGHT)
        return true;
    diag_error(parser->diags, attribute_place(parser->attribute, formula->at),
               "more than %d operations one within the other", MOST_HEIGHT);
    return false;
}

/* -- what stands alone -------------------------------------------------------------- */

static Formula *parse_number(FormulaParser *parser)
{
    const char *from = parser->at;
    char *end;
    size_t len = strspn(from, "0123456789.");
    if (from[len] == 'e' || from[len] == 'E') {
        size_t sign = from[len + 1] == '+' || from[len + 1] == '-';
        if (isdigit((unsigned char)from[len + 1 + sign]))
            len += 1 + sign + strspn(from + len + 1 + sign, "0123456789");
    }
    Formula *formula = new_formula(parser, FORMULA_number, from);
    formula->number = strtod(from, &end);
    parser->at += len;
    if (end != parser->at || begins_name(*end)) {
        diag_error(parser->diags, loc_of(parser, from), "'%.*s' is not a number",
                   (int)(len + name_length(from + len, false)), from);
        return NULL;
    }
    bool vanished = number_vanished(from, formula->number);
    if (isfinite(formula->number) && !vanished)
        return ended(parser, formula);
    diag_error(parser->diags, loc_of(parser, from), "%.*s is too %s for a number",
               WIDEST_TOKEN < (int)len ? WIDEST_TOKEN : (int)len, from,
               vanished ? "small" : "large");
    return NULL;
}

static Formula *parse_text(FormulaParser *parser)
{
    const char *from = parser->at, *end = strchr(from + 1, *from);
    if (!end) {
        diag_error(parser->diags, loc_of(parser, from),
                   "the text that begins here has no end");
        return NULL;
    }
    Formula *formula = new_formula(parser, FORMULA_text, from);
    formula->name = intern_span(parser->interns, from + 1, (size_t)(end - from - 1));
    parser->at = end + 1;
    return ended(parser, formula);
}

static Formula *parse_constant(FormulaParser *parser)
{
    Formula *formula = new_formula(parser, FORMULA_constant, parser->at++);
    size_t len = name_length(parser->at, false);
    if (len == 0)
        return expected(parser, "the name of a constant after '$'");
    formula->name = intern_span(parser->interns, parser->at, len);
    parser->at += len;
    return ended(parser, formula);
}

/* -- calls -------------------------------------------------------------------------- */

/* An operand, or name=operand. */
static Formula *parse_argument(FormulaParser *parser)
{
    skip_blanks(parser);
    const char *name = parser->at;
    size_t len = name_length(name, false);
    const char *equals = name + len + strspn(name + len, " \t\r\n");
    bool named = len > 0 && equals[0] == '=' && equals[1] != '=';
    if (named)
        parser->at = equals + 1;
    Formula *operand = parse_binary(parser, 1);
    if (operand && named) {
        operand->argument = intern_span(parser->interns, name, len);
        operand->argument_at = (uint32_t)(name - parser->text);
    }
    return operand;
}

static Formula *parse_operands(FormulaParser *parser, Formula *call)
{
    bool named = false;
    parser->at++; /* the parenthesis */
    skip_blanks(parser);
    while (*parser->at != ')') {
        Formula *operand = parse_argument(parser);
        if (!operand)
            return NULL;
        if (named && !operand->argument) {
            diag_error(parser->diags, attribute_place(parser->attribute, operand->from),
                       "an operand without a name after one with a name");
            return NULL;
        }
        named = operand->argument != NULL;
        if (!add_operand(parser, call, operand))
            return NULL;
        skip_blanks(parser);
        if (*parser->at != ',' && *parser->at != ')')
            return expected(parser, "',' or ')'");
        if (*parser->at == ',' && (parser->at++, skip_blanks(parser), *parser->at == ')'))
            return expected(parser, "an operand after ','");
    }
    parser->at++;
    return ended(parser, call);
}

/* starts-with(...), as functions of XPath are written. */
static bool is_hyphenated(FormulaParser *parser, const char *from)
{
    size_t len = strspn(from, "abcdefghijklmnopqrstuvwxyz-");
    if (!memchr(from, '-', len) || from[len] != '(')
        return false;
    char *name = arena_string(parser->arena, from, len);
    for (char *c = name; *c; c++)
        *c = *c == '-' ? '_' : *c;
    if (!function_find(name))
        return false;
    diag_error(parser->diags, loc_of(parser, from),
               "names have no '-': the function is written %s", name);
    return true;
}

static Formula *parse_word(FormulaParser *parser)
{
    const char *from = parser->at;
    if (is_hyphenated(parser, from))
        return NULL;
    Formula *formula = new_formula(parser, FORMULA_word, from);
    size_t len = name_length(from, true);
    formula->name = intern_span(parser->interns, from, len);
    parser->at += len;
    ended(parser, formula);
    skip_blanks(parser);
    if (*parser->at != '(')
        return formula;
    formula->kind = FORMULA_call;
    return parse_operands(parser, formula);
}

/* -- operators ---------------------------------------------------------------------- */

static Formula *parse_group(FormulaParser *parser)
{
    const char *from = parser->at++;
    Formula *inner = parse_binary(parser, 1);
    if (!inner)
        return NULL;
    skip_blanks(parser);
    if (*parser->at != ')') {
        expected(parser, "')'");
        diag_note(parser->diags, loc_of(parser, from), "of this '('");
        return NULL;
    }
    parser->at++;
    inner->from = (uint32_t)(from - parser->text);
    return ended(parser, inner);
}

static Formula *parse_negation(FormulaParser *parser)
{
    Formula *formula = new_formula(parser, FORMULA_negate, parser->at++);
    Formula *operand = parse_binary(parser, operator_infos[OPERATOR_mul].level + 1);
    if (!operand || !add_operand(parser, formula, operand))
        return NULL;
    formula->end = operand->end;
    return formula;
}

static Formula *parse_operand(FormulaParser *parser)
{
    skip_blanks(parser);
    char c = *parser->at;
    if (c == '(')
        return parse_group(parser);
    if (c == '-')
        return parse_negation(parser);
    if (c == '$')
        return parse_constant(parser);
    if (c == '\'' || c == '"')
        return parse_text(parser);
    if (isdigit((unsigned char)c) || (c == '.' && isdigit((unsigned char)parser->at[1])))
        return parse_number(parser);
    if (begins_name(c))
        return parse_word(parser);
    return expected(parser, parser->at == parser->text ? "an expression" : "an operand");
}

/* The operator at hand, or OPERATOR_COUNT. */
static Operator peek_operator(FormulaParser *parser)
{
    skip_blanks(parser);
    for (Operator i = 0; i < OPERATOR_COUNT; i++) {
        const char *spelling = operator_infos[i].spelling;
        size_t len = strlen(spelling);
        if (strncmp(parser->at, spelling, len) == 0 &&
            !(begins_name(*spelling) && continues_name(parser->at[len])) &&
            strlen(hint(parser->at).spelling) <= len)
            return i;
    }
    return OPERATOR_COUNT;
}

static Formula *parse_chain(FormulaParser *parser, int level)
{
    Formula *left = parse_operand(parser);
    while (left) {
        Operator operator= peek_operator(parser);
        if (operator== OPERATOR_COUNT || operator_infos[operator].level<level)
            return left;
        Formula *both = new_formula(parser, FORMULA_binary, parser->at);
        both->operator= operator;
        both->from = left->from;
        parser->at += strlen(operator_infos[operator].spelling);
        Formula *right = parse_binary(parser, operator_infos[operator].level + 1);
        if (!right || !add_operand(parser, both, left) ||
            !add_operand(parser, both, right))
            return NULL;
        both->end = right->end;
        left = both;
    }
    return NULL;
}

/* Operators that bind as tightly as `level` or more. */
static Formula *parse_binary(FormulaParser *parser, int level)
{
    if (parser->nesting == MOST_NESTING) {
        diag_error(parser->diags, loc_of(parser, parser->at),
                   "an expression is nested more than %d deep", MOST_NESTING);
        return NULL;
    }
    parser->nesting++;
    Formula *formula = parse_chain(parser, level);
    parser->nesting--;
    return formula;
}

Formula *formula_parse(const Attribute *attribute, Arena *arena, Interns *interns,
                       Diags *diags)
{
    FormulaParser parser = {.attribute = attribute,
                            .text = attribute->value,
                            .at = attribute->value,
                            .arena = arena,
                            .interns = interns,
                            .diags = diags};
    if (strlen(attribute->value) > MOST_FORMULA) {
        diag_error(diags, attribute->loc, "the expression is longer than %d bytes",
                   MOST_FORMULA);
        return NULL;
    }
    Formula *formula = parse_binary(&parser, 1);
    if (!formula)
        return NULL;
    skip_blanks(&parser);
    return *parser.at ? expected(&parser, "an operator or the end") : formula;
}
