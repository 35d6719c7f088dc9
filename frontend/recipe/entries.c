/* Constants and facts where they are written: under names that they can have, each once,
 * and not too many. */
#include <string.h>

#include "frontend/recipe/skeleton.h"
#include "frontend/syntax/branches.h"
#include "frontend/syntax/entries.h"

enum { MOST_ENTRIES = 200000 };

static const char *what_of(ElementKind kind)
{
    return kind == ELEMENT_data ? "fact" : kind == ELEMENT_member ? "member" : "constant";
}

/* -- the form of one element -------------------------------------------------------- */

/* The attribute that looks like the misspelt first one of the long form. */
static const Attribute *misspelt(const Element *element, const char *name)
{
    for (uint32_t i = 0; i < element->attribute_count; i++)
        if (!entry_is_reserved(element->kind, element->attributes[i].name) &&
            nearest_name(element->attributes[i].name, &name, 1))
            return &element->attributes[i];
    return NULL;
}

static bool reserved(const Element *element, const Attribute *attribute, Diags *diags)
{
    const char *first = syntax_row(element->kind)->attributes[0].name;
    const char *what = what_of(element->kind);
    if (element->kind == ELEMENT_size) {
        diag_error(diags, attribute->loc,
                   "a constant named '%s' is no attribute of <size>; write <const "
                   "name=\"%s\" value=\"...\"/> inside",
                   attribute->name, attribute->name);
        return false;
    }
    const Attribute *meant = misspelt(element, first);
    diag_error(diags, attribute->loc, "<%s> has '%s' but no '%s'%s%s%s", element->name,
               attribute->name, first, meant ? "; did you mean '" : "",
               meant ? first : "", meant ? "'?" : "");
    if (meant)
        diag_note(diags, meant->loc, "where '%s' is", meant->name);
    else
        diag_note(diags, element->loc,
                  "without '%s' each attribute is a %s of its own; none can be named so",
                  first, what);
    return false;
}

static bool nothing_said(const Element *element, Diags *diags)
{
    diag_error(diags, element->loc, "<%s> needs the attribute '%s', or a %s as attribute",
               element->name, syntax_row(element->kind)->attributes[0].name,
               what_of(element->kind));
    return false;
}

/* Both words of the long form misspelt: two attributes, each near to one of them. */
static bool looks_long(const Element *element, Diags *diags)
{
    const char *first = syntax_row(element->kind)->attributes[0].name;
    const Attribute *name = misspelt(element, first);
    const Attribute *value = misspelt(element, "value");
    if (element->kind == ELEMENT_size || !name || !value || name == value ||
        entry_count(element) != 2)
        return false;
    diag_error(diags, name->loc, "'%s' and '%s'; did you mean '%s' and 'value'?",
               name->name, value->name, first);
    return true;
}

bool entries_form(const Element *element, Diags *diags)
{
    const SyntaxRow *row = syntax_row(element->kind);
    bool ok = true, any = element->kind == ELEMENT_size;
    for (uint32_t i = 0; i < element->attribute_count; i++) {
        const Attribute *attribute = &element->attributes[i];
        bool is_when = strcmp(attribute->name, "when") == 0;
        if (is_when && (row->flags & SYNTAX_WHEN))
            continue;
        any = true;
        if (is_when)
            ok = unexpected_attribute(element, attribute, NULL, 0, diags);
        else if (entry_is_reserved(element->kind, attribute->name) &&
                 !(element->kind == ELEMENT_size && strcmp(attribute->name, "name") == 0))
            ok = reserved(element, attribute, diags);
    }
    if (!any)
        return nothing_said(element, diags);
    return ok && !looks_long(element, diags);
}

/* -- names said twice --------------------------------------------------------------- */

typedef struct EntryCheck {
    ModelSpec *spec;
    Names said[ELEMENT_call]; /* Loc by name, of one holder */
    uint32_t count;           /* in the file */
} EntryCheck;

static bool said_twice(const EntryCheck *check, ElementKind kind, const Entry *entry,
                       const Loc *older)
{
    Diags *diags = check->spec->diags;
    diag_error(diags, entry->loc, "%s '%s' is %s twice", what_of(kind), entry->name,
               kind == ELEMENT_const ? "declared" : "given");
    diag_note(diags, *older, "the first is here");
    return false;
}

/* The entries of an element that stand under `kind`. */
static bool check_once(EntryCheck *check, const Element *element, ElementKind kind)
{
    Arena *arena = check->spec->arena;
    bool ok = true;
    Entry entry;
    for (uint32_t at = 0; entry_next(element, &at, &entry); check->count++) {
        const Loc *older = names_get(&check->said[kind], entry.name);
        if (older) {
            ok = said_twice(check, kind, &entry, older);
            continue;
        }
        Loc *loc = arena_alloc(arena, sizeof *loc);
        *loc = entry.loc;
        names_set(&check->said[kind], arena, entry.name, loc);
    }
    return ok;
}

/* What a condition decides of may be said again for when it does not hold. */
static bool check_holder(EntryCheck *check, const Element *holder)
{
    static const ElementKind kinds[] = {ELEMENT_const, ELEMENT_set, ELEMENT_data};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        check->said[kinds[i]] = (Names){0};
    bool ok = holder->kind != ELEMENT_size || check_once(check, holder, ELEMENT_const);
    for (const Element *child = holder->first; child; child = child->next)
        if (child->kind == ELEMENT_size)
            continue;
        else if (is_branch(holder) || element_attribute(child, "when"))
            check->count += entry_count(child);
        else
            ok &= check_once(check, child, child->kind);
    return ok;
}

bool entries_check(ModelSpec *spec, Element *root)
{
    EntryCheck *check = arena_alloc(spec->arena, sizeof *check);
    check->spec = spec;
    bool ok = true;
    for (Element *element = root; element; element = element_following(element, true)) {
        ok &= check_holder(check, element);
        if (check->count <= MOST_ENTRIES)
            continue;
        diag_error(spec->diags, element->loc,
                   "more than %d constants and facts in one file", MOST_ENTRIES);
        return false;
    }
    return ok;
}
