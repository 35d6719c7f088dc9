/* What is said of attributes that are missing or not known. */
#include "frontend/recipe/skeleton.h"

const char *element_shown(const Element *element, char *buffer)
{
    bool in_formula = element->kind == ELEMENT_call && !element->parent;
    snprintf(buffer, WIDEST_NAME, in_formula ? "%.80s(...)" : "<%.80s>", element->name);
    return buffer;
}

bool unexpected_attribute(const Element *element, const Attribute *attribute,
                          const char *const *known, size_t count, Diags *diags)
{
    const char *nearest = nearest_name(attribute->name, known, count);
    diag_error(diags, attribute->loc, "%s has no attribute '%s'%s%s%s",
               element_shown(element, (char[WIDEST_NAME]){0}), attribute->name,
               nearest ? "; did you mean '" : "", nearest ? nearest : "",
               nearest ? "'?" : "");
    return false;
}

bool missing_attribute(const Element *element, const char *name, Diags *diags)
{
    diag_error(diags, element->loc, "%s needs the %s '%s'",
               element_shown(element, (char[WIDEST_NAME]){0}),
               element->parent || element->kind != ELEMENT_call ? "attribute" : "operand",
               name);
    return false;
}
