/* What checks the skeleton of the language and the uses of ops and blocks in it. */
#ifndef VLG_FRONTEND_RECIPE_SKELETON_H
#define VLG_FRONTEND_RECIPE_SKELETON_H

#include "frontend/recipe/model_spec.h"

enum {
    MOST_NAMES = 64,  /* of elements in one place, and of attributes of one */
    WIDEST_NAME = 100 /* with what is put around it */
};

bool may_stand_in(ElementKind kind, const Element *parent);

/* -- refusals.c --------------------------------------------------------------------- */

/* <add>, or add(...) of a use in a formula, which stands in no element. */
const char *element_shown(const Element *element, char *buffer); /* WIDEST_NAME bytes */
/* Errors; always false. An attribute that is not known: near misses among `known`. */
bool unexpected_attribute(const Element *element, const Attribute *attribute,
                          const char *const *known, size_t count, Diags *diags);
bool missing_attribute(const Element *element, const char *name, Diags *diags);

/* -- entries.c ---------------------------------------------------------------------- */

/* Whether the attributes of a <size>, or those of a <const>, <set> or <data> that are all
 * entries, are named as entries can be; errors if not. */
NODISCARD bool entries_form(const Element *element, Diags *diags);

/* -- calls.c: uses of ops and blocks ------------------------------------------------ */

/* Whether a use has the attributes that it must, and no others; errors if not. */
NODISCARD bool call_check(const ModelSpec *spec, const Element *element);
/* An error: neither an op nor a block, nor a function or an element that may stand
 * here. */
bool call_unknown(const ModelSpec *spec, const Element *element);
bool op_has_element(OpKind op);

/* -- formulas.c --------------------------------------------------------------------- */

/* Parses the formula of a <let> and resolves what it calls. */
NODISCARD bool let_resolve(const ModelSpec *spec, Element *let);

#endif
