/* The rank of an attribute is its place in the table that lists it. */
#include "frontend/syntax/attribute_order.h"

#include <string.h>

#include "frontend/syntax/syntax.h"

enum { RANK_unlisted = 1000, RANK_last = 2000 };

static const MarkupAttribute *find_attribute(const Markup *element, const char *name)
{
    for (uint32_t i = 0; i < element->attribute_count; i++)
        if (span_is(element->attributes[i].name, name))
            return &element->attributes[i];
    return NULL;
}

/* The row of the element's tag; of several, one whose first attribute is given. NULL if
 * it is an op or a block. */
static const SyntaxRow *row_of(const Markup *element)
{
    const SyntaxRow *found = NULL;
    for (ElementKind kind = 0; kind < ELEMENT_call; kind++) {
        const SyntaxRow *row = syntax_row(kind);
        if (!span_is(element->text, row->tag))
            continue;
        const char *first = row->attributes[0].name;
        if (!found || (first && find_attribute(element, first)))
            found = row;
    }
    return found;
}

static int rank_of_setting(SourceSpan name)
{
    static const char *const settings[] = {
#define SETTING(kind, name, ...) #name,
#include "ir/settings.def"
    };
    enum { SETTING_COUNT = sizeof settings / sizeof *settings };
    int rank = 0;
    while (rank < SETTING_COUNT && !span_is(name, settings[rank]))
        rank++;
    return rank < SETTING_COUNT ? rank : RANK_unlisted;
}

static int rank_in_row(const SyntaxRow *row, SourceSpan name)
{
    int rank = 0;
    for (; row->attributes[rank].name; rank++)
        if (span_is(name, row->attributes[rank].name))
            return rank;
    if (!syntax_has_settings((ElementKind)(row - syntax_row(0))))
        return RANK_unlisted;
    int setting = rank_of_setting(name);
    return setting == RANK_unlisted ? setting : rank + setting;
}

static int rank_in_op(OpKind op, SourceSpan name)
{
    const OpInfo *info = op_info(op);
    uint32_t count;
    const AttrField *fields = op_fields(op, &count);
    for (uint32_t i = 0; i < info->max_args; i++)
        if (span_is(name, info->arg_names[i]))
            return 1 + (int)i;
    for (uint32_t i = 0; i < count; i++)
        if (span_is(name, fields[i].name) ||
            (fields[i].kind == ATTR_type &&
             (span_is(name, "shape") || span_is(name, "like"))))
            return 1 + (int)(info->max_args + i);
    return RANK_unlisted;
}

static OpKind op_of(const Markup *element)
{
    for (OpKind op = 0; op < OP_COUNT; op++)
        if (span_is(element->text, op_info(op)->name))
            return op;
    return OP_COUNT;
}

static int rank_of(const SyntaxRow *row, OpKind op, SourceSpan name)
{
    if (span_is(name, "when"))
        return RANK_last;
    if (row)
        return rank_in_row(row, name);
    if (span_is(name, "out"))
        return 0;
    return op != OP_COUNT ? rank_in_op(op, name) : RANK_unlisted;
}

void order_attributes(const Markup *element)
{
    const SyntaxRow *row = row_of(element);
    OpKind op = row ? OP_COUNT : op_of(element);
    MarkupAttribute *items = element->attributes;
    for (uint32_t i = 1; i < element->attribute_count; i++) {
        MarkupAttribute moved = items[i];
        uint32_t to = i;
        for (; to > 0 &&
               rank_of(row, op, items[to - 1].name) > rank_of(row, op, moved.name);
             to--)
            items[to] = items[to - 1];
        items[to] = moved;
    }
}

bool blanks_only_separate(const Markup *element, const MarkupAttribute *attribute)
{
    static const char *const names[] = {"test",   "when",  "at",
                                        "params", "shape", "aliases"};
    const SyntaxRow *row = row_of(element);
    if (row && ((row->flags & SYNTAX_EACH) || row == syntax_row(ELEMENT_size)))
        return false;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (span_is(attribute->name, names[i]))
            return true;
    return span_is(element->text, "let");
}
