/* Expressions over constants, evaluated; and texts with {placeholders}. */
#ifndef VLG_FRONTEND_SYNTAX_EXPR_H
#define VLG_FRONTEND_SYNTAX_EXPR_H

#include "frontend/syntax/functions.h"
#include "frontend/syntax/syntax.h"
#include "frontend/syntax/words.h"
#include "ir/base/arena.h"
#include "ir/base/intern.h"

/* How names are looked up: false after reporting why not. `name` is interned. */
typedef struct NameLookup {
    bool (*find)(void *self, const char *name, Loc loc, Value *out);
    void *self;
} NameLookup;

typedef struct Exprs Exprs; /* the evaluator */

/* All it makes is the arena's. */
Exprs *exprs_new(Arena *arena, Interns *interns, Diags *diags);

/* The value of an attribute's expression; of a bare word, its text. False after an error:
 * it does not parse, a name is unknown, or the result is neither a finite number nor a
 * text. */
NODISCARD bool expr_value(Exprs *exprs, Attribute *attribute, NameLookup names,
                          Value *out);
NODISCARD bool expr_number(Exprs *exprs, Attribute *attribute, NameLookup names,
                           double *out);
/* A whole number of magnitude below 2^53. */
NODISCARD bool expr_integer(Exprs *exprs, Attribute *attribute, NameLookup names,
                            int64_t *out);
NODISCARD bool expr_condition(Exprs *exprs, Attribute *attribute, NameLookup names,
                              bool *out);
/* Of the `len` bytes from `text` on, which is a part of an attribute's value. */
NODISCARD bool expr_part(Exprs *exprs, const Attribute *attribute, const char *text,
                         size_t len, NameLookup names, double *out);
/* Of a part of a formula that is the attribute's value, in which no values are. */
NODISCARD bool expr_formula(Exprs *exprs, const Attribute *attribute,
                            const Formula *formula, NameLookup names, double *out);

/* Whether such a part holds, as a test. */
NODISCARD bool expr_test(Exprs *exprs, const Attribute *attribute, const Formula *formula,
                         NameLookup names, bool *out);

/* The attribute's text with {name} replaced; interned. NULL after an error, such as $name
 * or ${name} in it. */
const char *expr_text(Exprs *exprs, const Attribute *attribute, NameLookup names);

#endif
