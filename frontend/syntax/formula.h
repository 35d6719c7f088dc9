/* Expressions and formulas as trees: numbers, 'texts', $constants, words, operators and
 * calls. An expression is over constants; in a formula words name values. */
#ifndef VLG_FRONTEND_SYNTAX_FORMULA_H
#define VLG_FRONTEND_SYNTAX_FORMULA_H

#include "frontend/syntax/syntax.h"
#include "ir/base/arena.h"
#include "ir/base/intern.h"

typedef enum FormulaKind {
    FORMULA_number,
    FORMULA_text,
    FORMULA_word,
    FORMULA_constant,
    FORMULA_negate,
    FORMULA_binary,
    FORMULA_call
} FormulaKind;

typedef enum Operator {
#define OPERATOR(name, ...) OPERATOR_##name,
#include "frontend/syntax/operators.def"
    OPERATOR_COUNT
} Operator;

typedef struct OperatorInfo {
    const char *spelling;
    int level;
    OpKind op; /* OP_COUNT: of constants only */
} OperatorInfo;

extern const OperatorInfo operator_infos[OPERATOR_COUNT];

typedef struct Formula Formula;
struct Formula {
    FormulaKind kind;
    Operator operator;
    /* Offsets in the attribute's value: from its first byte to the one after its last;
     * and of the operator, or of the '=' after `argument`'s name. */
    uint32_t from, end, at;
    uint32_t height;
    const char *name; /* interned: the text, the word, or the name of what is meant */
    double number;
    uint32_t operand_count;
    Formula *first, *next; /* operands in order */
    /* In a call: the name before '=', and where it stands. NULL: an operand by its
     * place. */
    const char *argument;
    uint32_t argument_at;
    /* Of formulas, once resolved (recipe/formulas.c): whether a value is in it; of a call
     * of an op or a block, what an element of the same use would be. */
    bool has_values;
    Element *use;
};

enum { MOST_FORMULA = 4096 }; /* bytes, of any text in an attribute */

/* The attribute's value as a tree. NULL after an error, which points into the value. */
Formula *formula_parse(const Attribute *attribute, Arena *arena, Interns *interns,
                       Diags *diags);

#endif
