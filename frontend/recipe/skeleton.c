/* The skeleton of the language, from syntax.def: which elements stand where, and with
 * which attributes. */
#include "frontend/recipe/skeleton.h"

#include <string.h>

#include "frontend/syntax/branches.h"
#include "frontend/syntax/range.h"

/* -- elements of the language ------------------------------------------------------- */

bool may_stand_in(ElementKind kind, const Element *parent)
{
    const SyntaxRow *row = syntax_row(kind);
    if (!parent)
        return row->parents == 0;
    if (!is_branch(parent))
        return row->parents >> parent->kind & 1;
    return (row->flags & (SYNTAX_WHEN | SYNTAX_BRANCH)) != 0 &&
           row->parents >> element_holder(parent)->kind & 1;
}

static bool may_hold_calls(const Element *element)
{
    const Element *holder = is_branch(element) ? element_holder(element) : element;
    return syntax_row(holder->kind)->flags & SYNTAX_BODY;
}

/* Whether the element is of a recipe that extends another, which has said by `use` what
 * this one says more of. */
static bool is_of_extension(const Element *element)
{
    return element->parent && element->parent->kind == ELEMENT_model &&
           element_attribute(element->parent, "extends");
}

/* The row of an element's tag; ELEMENT_call if no row has it. Of several, one that may
 * stand here and whose first attribute is given. */
static ElementKind kind_of(const Element *element)
{
    ElementKind found = ELEMENT_call;
    bool may_say_more = is_of_extension(element) && !element_attribute(element, "name");
    for (ElementKind kind = 0; kind < ELEMENT_call; kind++) {
        if (strcmp(syntax_row(kind)->tag, element->name) != 0)
            continue;
        const char *first = syntax_row(kind)->attributes[0].name;
        bool fits = may_stand_in(kind, element->parent) &&
                    (!first || element_attribute(element, first) ||
                     (may_say_more &&
                      syntax_row(kind)->parents == (UINT64_C(1) << ELEMENT_model)));
        if (found == ELEMENT_call || fits)
            found = kind;
        if (fits)
            break;
    }
    return found;
}

enum { MOST_TESTS = 200 };

/* The tags that may stand in `parent`, into `known`. */
static size_t tags_in(const Element *parent, const char **known)
{
    size_t count = 0;
    for (ElementKind kind = 0; kind < ELEMENT_call; kind++)
        if (may_stand_in(kind, parent))
            known[count++] = syntax_row(kind)->tag;
    return count;
}

static bool misplaced(const Element *element, Diags *diags)
{
    const char *known[MOST_NAMES];
    size_t count = tags_in(element->parent, known);
    const char *where = element->parent ? element->parent->name : NULL;
    const char *nearest = nearest_name(element->name, known, count);
    if (!where)
        diag_error(diags, element->loc, "found <%s>, expected <model> or <library>",
                   element->name);
    else if (nearest && strcmp(nearest, element->name) != 0)
        diag_error(diags, element->loc, "<%s> cannot stand in <%s>; did you mean <%s>?",
                   element->name, where, nearest);
    else if (is_branch(element->parent))
        diag_error(diags, element->loc, "<%s> cannot stand in <%s> of <%s>%s",
                   element->name, where, element_holder(element)->name,
                   element->kind != ELEMENT_call &&
                           may_stand_in(element->kind, element_holder(element))
                       ? ": it cannot be skipped"
                       : "");
    else
        diag_error(diags, element->loc, "<%s> cannot stand in <%s>", element->name,
                   where);
    return false;
}

/* Whether each of its attributes is an entry. */
static bool is_short(const Element *element)
{
    const SyntaxRow *row = syntax_row(element->kind);
    return (row->flags & SYNTAX_EACH) &&
           !element_attribute(element, row->attributes[0].name);
}

/* A constant has one value, whichever of the two names it is given by. */
static bool check_const(const Element *element, Diags *diags)
{
    const Attribute *value = element_attribute(element, "value");
    const Attribute *other = element_attribute(element, "default");
    if (!value && !other)
        return missing_attribute(element, "value", diags);
    if (value && other) {
        diag_error(diags, other->loc,
                   "a constant has either 'value' or 'default', which mean the same");
        return false;
    }
    return range_is_sound(element, diags);
}

static bool check_attributes(const Element *element, Diags *diags)
{
    if (is_short(element))
        return entries_form(element, diags);
    const SyntaxRow *row = syntax_row(element->kind);
    const char *known[MOST_NAMES];
    size_t count = 0;
    bool ok = true;
    if (row->flags & SYNTAX_WHEN)
        known[count++] = "when";
    for (const SyntaxAttribute *attribute = row->attributes; attribute->name;
         attribute++) {
        known[count++] = attribute->name;
        if (attribute->needed && !element_attribute(element, attribute->name))
            ok = missing_attribute(element, attribute->name, diags);
    }
    for (uint32_t i = 0; i < element->attribute_count && !(row->flags & SYNTAX_OPEN);
         i++) {
        bool found = false;
        for (size_t j = 0; j < count; j++)
            found |= strcmp(known[j], element->attributes[i].name) == 0;
        if (!found)
            ok = unexpected_attribute(element, &element->attributes[i], known, count,
                                      diags);
    }
    if (element->kind == ELEMENT_size)
        ok &= entries_form(element, diags);
    return (element->kind != ELEMENT_const || check_const(element, diags)) && ok;
}

/* How many tests are asked, at most, to know whether what is inside a branch counts. */
static uint32_t count_tests(const Element *branch)
{
    uint32_t count = 0;
    for (; is_branch(branch); branch = branch->parent)
        for (const Element *at = branch; at && count <= MOST_TESTS;
             at = at->branch_before)
            count++;
    return count;
}

static bool check_branch(const Element *element, Diags *diags)
{
    const Element *before = element->branch_before;
    if (element->kind == ELEMENT_else && !before) {
        diag_error(diags, element->loc, "<else> without an <if> right before it");
        return false;
    }
    if (before && before->kind == ELEMENT_else && !element_attribute(before, "test")) {
        diag_error(diags, element->loc, "<else> after an <else> that has no test");
        diag_note(diags, before->loc, "this one is done in all other cases");
        return false;
    }
    if (count_tests(element) <= MOST_TESTS)
        return true;
    diag_error(diags, element->loc,
               "more than %d tests decide what is done here, in the branches before it "
               "and around it",
               MOST_TESTS);
    return false;
}

/* Tells the next element what is before it. */
static void link_branch(Element *element)
{
    if (element->kind != ELEMENT_else)
        element->branch_before = NULL;
    if (is_branch(element) && element->next)
        element->next->branch_before = element;
}

/* What has children is no op, but perhaps a body that is misspelt. */
static void has_children(const Element *element, Diags *diags)
{
    const char *known[MOST_NAMES];
    const char *nearest =
        nearest_name(element->name, known, tags_in(element->parent, known));
    diag_error(diags, element->loc, "<%s> is an op or a block and has no children%s%s%s",
               element->name, nearest ? "; did you mean <" : "", nearest ? nearest : "",
               nearest ? ">?" : "");
}

static bool check_element(Element *element, Diags *diags)
{
    element->kind = kind_of(element);
    link_branch(element);
    if (element->kind != ELEMENT_call) {
        if (!may_stand_in(element->kind, element->parent))
            return misplaced(element, diags);
        return check_attributes(element, diags) &&
               (!is_branch(element) || check_branch(element, diags));
    }
    if (!element->parent || !may_hold_calls(element->parent))
        return misplaced(element, diags);
    if (!element->first)
        return true;
    has_children(element, diags);
    return false;
}

bool skeleton_check(Element *root, Diags *diags)
{
    bool ok = true;
    for (Element *element = root; element;) {
        bool sound = check_element(element, diags);
        ok &= sound;
        element = element_following(element, sound || element->kind != ELEMENT_call);
    }
    return ok;
}
