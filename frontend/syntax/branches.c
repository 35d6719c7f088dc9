/* Where a list is made before its conditions can be known, it is made of the elements
 * inside of all branches, and each is asked later whether it counts. */
#include "frontend/syntax/branches.h"

bool is_branch(const Element *element)
{
    return element->kind == ELEMENT_if || element->kind == ELEMENT_else;
}

const Element *element_holder(const Element *element)
{
    do
        element = element->parent;
    while (element && is_branch(element));
    return element;
}

/* The next element in document order that is not inside another one, of which branches
 * are looked into if `inside`. */
static Element *step(const Element *at, bool inside)
{
    if (inside && at->first)
        return at->first;
    while (!at->next && is_branch(at->parent))
        at = at->parent;
    return at->next;
}

static Element *skip_branches(Element *at)
{
    while (at && is_branch(at))
        at = step(at, true);
    return at;
}

Element *first_child(const Element *holder)
{
    return skip_branches(holder->first);
}

Element *next_child(const Element *child)
{
    return skip_branches(step(child, false));
}

bool condition_holds(Exprs *exprs, const Element *element, NameLookup names, bool *out)
{
    Attribute *condition =
        element_attribute(element, is_branch(element) ? "test" : "when");
    *out = true;
    return !condition || expr_condition(exprs, condition, names, out);
}

/* Whether a branch before this <else> is done instead. The tests are asked in order, for
 * the later ones may rely on the earlier ones. */
static bool earlier_is_done(Exprs *exprs, const Element *branch, NameLookup names,
                            bool *out)
{
    const Element *first = branch;
    while (first->branch_before)
        first = first->branch_before;
    *out = false;
    for (const Element *at = first; at != branch && !*out; at = at->next)
        if (!condition_holds(exprs, at, names, out))
            return false;
    return true;
}

bool element_counts(Exprs *exprs, const Element *element, NameLookup names, bool *out)
{
    *out = true;
    if (element->parent && is_branch(element->parent) &&
        !element_counts(exprs, element->parent, names, out))
        return false;
    bool elsewhere = !*out;
    if (!elsewhere && !earlier_is_done(exprs, element, names, &elsewhere))
        return false;
    *out = false;
    return elsewhere || condition_holds(exprs, element, names, out);
}
