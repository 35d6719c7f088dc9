/* Expressions: XPath 1.0 arithmetic over constants, and texts with {placeholders}. */
#ifndef VLG_FRONTEND_SYNTAX_EXPR_H
#define VLG_FRONTEND_SYNTAX_EXPR_H

#include "frontend/syntax/syntax.h"
#include "ir/base/arena.h"
#include "ir/base/intern.h"

/* A number, or a text (interned). */
typedef struct Value {
    const char *text; /* NULL: a number */
    double number;
} Value;

/* How names are looked up: false after reporting why not. `name` is interned. */
typedef struct NameLookup {
    bool (*find)(void *self, const char *name, Loc loc, Value *out);
    void *self;
} NameLookup;

typedef struct Exprs Exprs; /* the evaluator */

Exprs *exprs_new(Arena *arena, Interns *interns, Diags *diags);
void exprs_free(Exprs *exprs);

/* The value of an attribute's expression. False after an error: it does not parse, a name
 * is unknown, or the result is neither a finite number nor a text. */
NODISCARD bool expr_value(Exprs *exprs, Attribute *attribute, NameLookup names,
                          Value *out);
NODISCARD bool expr_number(Exprs *exprs, Attribute *attribute, NameLookup names,
                           double *out);
/* A whole number of magnitude below 2^53. */
NODISCARD bool expr_integer(Exprs *exprs, Attribute *attribute, NameLookup names,
                            int64_t *out);
NODISCARD bool expr_condition(Exprs *exprs, Attribute *attribute, NameLookup names,
                              bool *out);
/* Of a part of an attribute's value. */
NODISCARD bool expr_part(Exprs *exprs, const char *text, size_t len, Loc loc,
                         NameLookup names, double *out);

/* The attribute's text with {name} replaced; interned. NULL after an error. */
const char *expr_text(Exprs *exprs, const Attribute *attribute, NameLookup names);

/* A letter or `_`, then letters, digits and `_ - . /`. */
bool is_bare_word(const char *text);
/* A number as text: the shortest that reads back the same; interned. */
const char *number_text(Interns *interns, double number);

#endif
