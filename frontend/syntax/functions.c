/* What functions and operators of constants compute: two tables, expanded. Texts that
 * read as numbers are numbers where numbers are asked for, and numbers are texts where
 * texts are. */
#include "frontend/syntax/functions.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "frontend/syntax/names.h"
#include "frontend/syntax/words.h"

enum { WIDEST_NUMBER = 32 };

static const char expected_number[] = "expected a number";

/* -- the table ---------------------------------------------------------------------- */

static const FunctionInfo functions[] = {
#define NUMBERS(name, operands, op, result) {#name, operands, operands, OP_##op, false},
#define TEXTS(name, least, most, op) {#name, least, most, OP_##op, false},
#define CHOICE(name) {#name, 3, 3, OP_COUNT, true},
#include "frontend/syntax/functions.def"
};

static const char *const function_names[] = {
#define NUMBERS(name, ...) #name,
#define TEXTS(name, ...) #name,
#define CHOICE(name) #name,
#include "frontend/syntax/functions.def"
};

enum { FUNCTION_COUNT = sizeof functions / sizeof *functions };

const FunctionInfo *function_find(const char *name)
{
    for (size_t i = 0; i < FUNCTION_COUNT; i++)
        if (strcmp(functions[i].name, name) == 0)
            return &functions[i];
    return NULL;
}

bool function_check(const Attribute *attribute, const Formula *call, Diags *diags)
{
    const FunctionInfo *info = function_find(call->name);
    if (!info) {
        unknown_name(diags, attribute_place(attribute, call->at), "function", call->name,
                     function_names, FUNCTION_COUNT);
        return false;
    }
    for (const Formula *operand = call->first; operand; operand = operand->next)
        if (operand->argument) {
            diag_error(diags, attribute_place(attribute, operand->argument_at),
                       "%s takes its operands by their places, not by names", call->name);
            return false;
        }
    if (call->operand_count >= info->least && call->operand_count <= info->most)
        return true;
    diag_error(diags, attribute_place(attribute, call->at),
               "%s takes %u operand%s%s, not %u", call->name, info->least,
               info->least == 1 ? "" : "s", info->most > info->least ? " or more" : "",
               call->operand_count);
    return false;
}

bool formula_is_constant(const Attribute *attribute, const Formula *formula, Diags *diags)
{
    if (formula->kind == FORMULA_word) {
        diag_error(
            diags, attribute_place(attribute, formula->from),
            "'%s' is a word: the constant of that name is written $%s, a text '%s'",
            formula->name, formula->name, formula->name);
        return false;
    }
    if (formula->kind == FORMULA_call && !function_check(attribute, formula, diags))
        return false;
    for (const Formula *operand = formula->first; operand; operand = operand->next)
        if (!formula_is_constant(attribute, operand, diags))
            return false;
    return true;
}

/* -- values ------------------------------------------------------------------------- */

bool value_number(const Value *value, double *out)
{
    *out = value->number;
    return !value->text || number_parse(value->text, out);
}

bool value_is_true(const Value *value)
{
    return value->text ? value->text[0] != 0 : value->number != 0;
}

const char *number_text(Interns *interns, double number)
{
    char text[WIDEST_NUMBER];
    if (number == floor(number) && fabs(number) < 1e15) {
        snprintf(text, sizeof text, "%.0f", number + 0.0);
        return intern(interns, text);
    }
    for (int digits = 1; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, number);
        if (strtod(text, NULL) == number)
            break;
    }
    return intern(interns, text);
}

static const char *value_text(Interns *interns, const Value *value)
{
    return value->text ? value->text : number_text(interns, value->number);
}

/* -- functions ---------------------------------------------------------------------- */

/* clang-format off */
#define NUMBERS(name, operands, op, result)                                              \
    static double compute_##name(double x, double y) { (void)y; return result; }
#define TEXTS(name, ...)
#define CHOICE(name)
#include "frontend/syntax/functions.def"
/* clang-format on */

static const char *call_numbers(double (*compute)(double, double), const Value *operands,
                                uint32_t count, Value *out)
{
    double x, y = 0;
    if (!value_number(&operands[0], &x) || (count > 1 && !value_number(&operands[1], &y)))
        return count > 1 ? "expected two numbers" : expected_number;
    out->number = compute(x, y);
    return NULL;
}

static const char *call_not(Interns *interns, const Value *operands, uint32_t count,
                            Value *out)
{
    (void)interns, (void)count;
    out->number = !value_is_true(&operands[0]);
    return NULL;
}

static const char *call_number(Interns *interns, const Value *operands, uint32_t count,
                               Value *out)
{
    (void)interns, (void)count;
    return value_number(&operands[0], &out->number) ? NULL
                                                    : "expected a text that is a number";
}

/* No text of a file, and none that this makes and a caller lets pass, is longer than
 * MOST_FORMULA. */
static const char *call_concat(Interns *interns, const Value *operands, uint32_t count,
                               Value *out)
{
    char text[MOST_OPERANDS * MOST_FORMULA];
    size_t len = 0;
    for (uint32_t i = 0; i < count; i++) {
        const char *part = value_text(interns, &operands[i]);
        size_t bytes = strlen(part);
        memcpy(text + len, part, bytes);
        len += bytes;
    }
    out->text = intern_span(interns, text, len);
    return NULL;
}

static const char *call_contains(Interns *interns, const Value *operands, uint32_t count,
                                 Value *out)
{
    (void)count;
    out->number = strstr(value_text(interns, &operands[0]),
                         value_text(interns, &operands[1])) != NULL;
    return NULL;
}

static const char *call_starts_with(Interns *interns, const Value *operands,
                                    uint32_t count, Value *out)
{
    (void)count;
    const char *start = value_text(interns, &operands[1]);
    out->number = strncmp(value_text(interns, &operands[0]), start, strlen(start)) == 0;
    return NULL;
}

/* Both are '' where the second text is not in the first. */
static const char *call_substring_before(Interns *interns, const Value *operands,
                                         uint32_t count, Value *out)
{
    (void)count;
    const char *text = value_text(interns, &operands[0]);
    const char *at = strstr(text, value_text(interns, &operands[1]));
    out->text = intern_span(interns, text, at ? (size_t)(at - text) : 0);
    return NULL;
}

static const char *call_substring_after(Interns *interns, const Value *operands,
                                        uint32_t count, Value *out)
{
    (void)count;
    const char *mark = value_text(interns, &operands[1]);
    const char *at = strstr(value_text(interns, &operands[0]), mark);
    out->text = intern(interns, at ? at + strlen(mark) : "");
    return NULL;
}

/* In characters. */
static const char *call_string_length(Interns *interns, const Value *operands,
                                      uint32_t count, Value *out)
{
    (void)count;
    for (const char *at = value_text(interns, &operands[0]); *at; at++)
        out->number += ((unsigned char)*at & 0xc0) != 0x80;
    return NULL;
}

const char *function_compute(Interns *interns, const char *name, const Value *operands,
                             uint32_t count, Value *out)
{
    *out = (Value){0};
#define NUMBERS(row, ...)                                                                \
    if (strcmp(name, #row) == 0)                                                         \
        return call_numbers(compute_##row, operands, count, out);
#define TEXTS(row, ...)                                                                  \
    if (strcmp(name, #row) == 0)                                                         \
        return call_##row(interns, operands, count, out);
#define CHOICE(row)
#include "frontend/syntax/functions.def"
    return "expected a function";
}

/* -- operators ---------------------------------------------------------------------- */

/* clang-format off */
#define OPERATOR(name, spelling, level, op, result)                                      \
    static double operate_##name(double x, double y) { return result; }
#include "frontend/syntax/operators.def"
/* clang-format on */

/* Texts are equal as texts; beside a number, a text is one or equals none. */
static double compare(const Value *left, const Value *right)
{
    double x, y;
    if (left->text && right->text)
        return left->text == right->text;
    return value_number(left, &x) && value_number(right, &y) && x == y;
}

const char *operator_compute(Operator operator, const Value * left, const Value *right,
                             Value *out)
{
    static double (*const operate[])(double, double) = {
#define OPERATOR(name, ...) operate_##name,
#include "frontend/syntax/operators.def"
    };
    double x, y;
    *out = (Value){0};
    if (operator== OPERATOR_equal || operator== OPERATOR_unequal) {
        out->number = compare(left, right) == (operator== OPERATOR_equal);
        return NULL;
    }
    if (operator== OPERATOR_and || operator== OPERATOR_or) {
        out->number = operate[operator](value_is_true(left), value_is_true(right));
        return NULL;
    }
    if (!value_number(left, &x) || !value_number(right, &y))
        return expected_number;
    out->number = operate[operator](x, y);
    return NULL;
}
