/* The table of syntax.def. */
#include "frontend/syntax/syntax.h"

#include <string.h>

#define NEED(name) {#name, true},
#define MAY(name) {#name, false},
#define NO_ATTRIBUTES
#define ELEMENT(kind, tag, parents, flags, attributes, meaning)                          \
    static const SyntaxAttribute attributes_##kind[] = {attributes{0}};
#include "frontend/syntax/syntax.def"

#define IN(kind) UINT64_C(1) << ELEMENT_##kind
#define ROOT 0
#define WHEN SYNTAX_WHEN
#define OPEN SYNTAX_OPEN
#define HOLDS_BODY SYNTAX_BODY
#define HOLDS_NO_BODY 0
#define EACH SYNTAX_EACH
#define BRANCH SYNTAX_BRANCH
static const SyntaxRow rows[ELEMENT_call] = {
#define ELEMENT(kind, tag, parents, flags, attributes, meaning)                          \
    [ELEMENT_##kind] = {tag, parents, flags, attributes_##kind, meaning},
#include "frontend/syntax/syntax.def"
};

const SyntaxRow *syntax_row(ElementKind kind)
{
    return &rows[kind];
}

bool syntax_has_settings(ElementKind kind)
{
    return kind == ELEMENT_schedule || kind == ELEMENT_batch ||
           kind == ELEMENT_use_optimizer;
}

enum { ELEMENT_any = ELEMENT_COUNT };

static const struct {
    ElementKind kind;
    const char *name, *meaning;
} meanings[] = {
#define MEANING(kind, name, meaning) {(ElementKind)ELEMENT_##kind, #name, meaning},
#include "frontend/syntax/attribute_meanings.def"
};

const char *syntax_attribute_meaning(ElementKind kind, const char *name)
{
    const char *found = NULL;
    for (size_t i = 0; i < sizeof meanings / sizeof *meanings; i++) {
        if (strcmp(meanings[i].name, name) != 0)
            continue;
        if (meanings[i].kind == kind)
            return meanings[i].meaning;
        if (meanings[i].kind == (ElementKind)ELEMENT_any)
            found = meanings[i].meaning;
    }
    return found;
}

Attribute *element_attribute(const Element *element, const char *name)
{
    for (uint32_t i = 0; i < element->attribute_count; i++)
        if (strcmp(element->attributes[i].name, name) == 0)
            return &element->attributes[i];
    return NULL;
}

Element *element_following(Element *element, bool inside)
{
    if (inside && element->first)
        return element->first;
    while (element && !element->next)
        element = element->parent;
    return element ? element->next : NULL;
}
