/* Bounds of constants. They are plain numbers, so that they can be printed as they
 * stand. */
#include "frontend/syntax/range.h"

#include <string.h>

#include "frontend/syntax/words.h"

typedef struct Bound {
    const char *attribute, *words;
    bool is_lower, is_within; /* the bound itself is allowed */
} Bound;

static const Bound bounds[] = {
    {"min", "at least", true, true},
    {"above", "more than", true, false},
    {"max", "at most", false, true},
    {"below", "less than", false, false},
};

enum { BOUNDS = sizeof bounds / sizeof *bounds };

bool range_is_sound(const Element *element, Diags *diags)
{
    bool is_sound = true;
    for (size_t i = 0; i < BOUNDS; i++) {
        const Attribute *bound = element_attribute(element, bounds[i].attribute);
        double number;
        if (!bound || number_parse(bound->value, &number))
            continue;
        diag_error(diags, bound->loc, "'%s' is '%s', expected a plain number",
                   bound->name, bound->value);
        is_sound = false;
    }
    return is_sound;
}

static bool holds(const Bound *bound, double value, double limit)
{
    if (value == limit)
        return bound->is_within;
    return bound->is_lower ? value > limit : value < limit;
}

void range_text(const Element *element, char *out, size_t bytes)
{
    size_t used = 0;
    *out = '\0';
    for (size_t i = 0; i < BOUNDS && used < bytes; i++) {
        const Attribute *limit = element_attribute(element, bounds[i].attribute);
        if (limit)
            used += (size_t)snprintf(out + used, bytes - used, "%s%s %s",
                                     used ? " and " : "", bounds[i].words, limit->value);
    }
}

static void out_of_range(const Element *element, const char *name, Value value, Loc loc,
                         Diags *diags)
{
    char wanted[RANGE_TEXT];
    range_text(element, wanted, sizeof wanted);
    if (value.text)
        diag_error(diags, loc, "constant '%s' is '%s', expected a number, %s", name,
                   value.text, wanted);
    else
        diag_error(diags, loc, "constant '%s' is %.10g, expected %s", name, value.number,
                   wanted);
    diag_note(diags, element->loc, "'%s' is declared here", name);
}

bool range_check(const Element *element, const char *name, Value value, Loc loc,
                 Diags *diags)
{
    for (size_t i = 0; i < BOUNDS; i++) {
        const Attribute *bound = element_attribute(element, bounds[i].attribute);
        double limit;
        if (!bound || !number_parse(bound->value, &limit) ||
            (!value.text && holds(&bounds[i], value.number, limit)))
            continue;
        out_of_range(element, name, value, loc, diags);
        return false;
    }
    return true;
}
