/* An element has the long form if the first attribute of its row is given; those of
 * <size> are always entries, but for its name. */
#include "frontend/syntax/entries.h"

#include <string.h>

static bool is_long(const Element *element)
{
    const SyntaxRow *row = syntax_row(element->kind);
    return (row->flags & SYNTAX_EACH) &&
           element_attribute(element, row->attributes[0].name);
}

static void long_entry(const Element *element, Entry *out)
{
    const char *first = syntax_row(element->kind)->attributes[0].name;
    const Attribute *name = element_attribute(element, first);
    Attribute *value = element_attribute(element, "value");
    *out = (Entry){.name = name->value,
                   .value = value ? value : element_attribute(element, "default"),
                   .loc = element->loc,
                   .name_loc = name->loc};
}

const SyntaxAttribute *entry_reserved(ElementKind kind)
{
    bool is_own = kind == ELEMENT_data || kind == ELEMENT_member;
    return syntax_row(is_own ? kind : ELEMENT_const)->attributes;
}

bool entry_is_reserved(ElementKind kind, const char *name)
{
    for (const SyntaxAttribute *at = entry_reserved(kind); at->name; at++)
        if (strcmp(at->name, name) == 0)
            return true;
    return strcmp(name, "when") == 0;
}

bool entry_next(const Element *element, uint32_t *at, Entry *out)
{
    ElementKind kind = element->kind;
    if (kind == ELEMENT_call ||
        (kind != ELEMENT_size && !(syntax_row(kind)->flags & SYNTAX_EACH)))
        return false;
    if (is_long(element)) {
        long_entry(element, out);
        return (*at)++ == 0;
    }
    while (*at < element->attribute_count) {
        Attribute *attribute = &element->attributes[(*at)++];
        *out = (Entry){attribute->name, attribute, attribute->loc, attribute->loc};
        if (!entry_is_reserved(kind, attribute->name))
            return true;
    }
    return false;
}

uint32_t entry_count(const Element *element)
{
    uint32_t count = 0;
    Entry entry;
    for (uint32_t at = 0; entry_next(element, &at, &entry);)
        count++;
    return count;
}
