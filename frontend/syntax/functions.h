/* Functions of constants: the table, and what computes them. */
#ifndef VLG_FRONTEND_SYNTAX_FUNCTIONS_H
#define VLG_FRONTEND_SYNTAX_FUNCTIONS_H

#include "frontend/syntax/formula.h"
#include "ir/base/arena.h"

/* A number, or a text (interned). */
typedef struct Value {
    const char *text; /* NULL: a number */
    double number;
} Value;

enum { MOST_OPERANDS = 16 };

typedef struct FunctionInfo {
    const char *name;
    uint32_t least, most; /* operands */
    OpKind op;            /* what it means over values, or OP_COUNT */
    bool is_choice;
} FunctionInfo;

/* NULL if there is none. */
const FunctionInfo *function_find(const char *name);
/* Whether a call, as parsed, names a function and has its operands; an error if not. */
NODISCARD bool function_check(const Attribute *attribute, const Formula *call,
                              Diags *diags);
/* Whether nothing but constants is in a tree; an error if not. */
NODISCARD bool formula_is_constant(const Attribute *attribute, const Formula *formula,
                                   Diags *diags);

/* What a function or an operator makes of values: NULL, or what was expected of them. */
const char *function_compute(Interns *interns, const char *name, const Value *operands,
                             uint32_t count, Value *out);
const char *operator_compute(Operator operator, const Value * left, const Value *right,
                             Value *out);

/* A number, or a text that reads as one. */
NODISCARD bool value_number(const Value *value, double *out);
bool value_is_true(const Value *value);
/* A number as text: the shortest that reads back the same; interned. */
const char *number_text(Interns *interns, double number);

#endif
