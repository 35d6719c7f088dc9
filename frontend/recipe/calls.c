/* Uses of ops and blocks, checked against the op table and the blocks' inputs. */
#include <string.h>

#include "frontend/recipe/skeleton.h"

bool op_has_element(OpKind op)
{
    return !(op_info(op)->traits & TRAIT_DECLARED);
}

bool call_unknown(const ModelSpec *spec, const Element *element)
{
    size_t count = 0;
    const char **known = ARENA_ARRAY(
        spec->arena, const char *, (size_t)OP_COUNT + ELEMENT_COUNT + spec->blocks.count);
    for (OpKind op = 0; op < OP_COUNT; op++)
        if (op_has_element(op))
            known[count++] = op_info(op)->name;
    for (uint32_t i = 0; i < spec->blocks.count; i++)
        known[count++] = spec->blocks.names[i];
    for (ElementKind kind = 0; kind < ELEMENT_call; kind++)
        if (element->parent && may_stand_in(kind, element->parent))
            known[count++] = syntax_row(kind)->tag;
    unknown_name(spec->diags, element->loc, "op or block", element->name, known, count);
    return false;
}

/* Attributes that a use may have, and how many of them, from the start, it must have. */
typedef struct CallSyntax {
    const char **known;
    size_t needed, count;
} CallSyntax;

static void op_syntax(OpKind op, CallSyntax *syntax)
{
    const OpInfo *info = op_info(op);
    uint32_t field_count;
    const AttrField *fields = op_fields(op, &field_count);
    for (uint32_t i = 0; i < info->min_args; i++)
        syntax->known[syntax->count++] = info->arg_names[i];
    for (uint32_t i = 0; i < field_count; i++)
        if (strcmp(fields[i].preset, "REQUIRED") == 0 && fields[i].kind != ATTR_type)
            syntax->known[syntax->count++] = fields[i].name;
    syntax->needed = syntax->count;
    for (uint32_t i = info->min_args; i < info->max_args; i++)
        syntax->known[syntax->count++] = info->arg_names[i];
    for (uint32_t i = 0; i < field_count; i++) {
        if (fields[i].kind == ATTR_type) {
            syntax->known[syntax->count++] = "shape";
            syntax->known[syntax->count++] = "like";
        } else if (field_is_of_language(&fields[i]) &&
                   strcmp(fields[i].preset, "REQUIRED") != 0) {
            syntax->known[syntax->count++] = fields[i].name;
        }
    }
}

static void block_syntax(const Definition *block, CallSyntax *syntax)
{
    for (uint32_t i = 0; i < block->input_count; i++)
        if (!block->inputs[i].optional)
            syntax->known[syntax->count++] = block->inputs[i].name;
    syntax->needed = syntax->count;
    for (uint32_t i = 0; i < block->input_count; i++)
        if (block->inputs[i].optional)
            syntax->known[syntax->count++] = block->inputs[i].name;
    for (uint32_t i = 0; i < block->consts.count; i++)
        syntax->known[syntax->count++] = block->consts.items[i].name;
    syntax->known[syntax->count++] = "as";
}

bool call_check(const ModelSpec *spec, const Element *element)
{
    size_t most = 3;
    if (element->block)
        most += element->block->input_count + element->block->consts.count;
    else
        most += 2 * MOST_NAMES;
    CallSyntax syntax = {.known = ARENA_ARRAY(spec->arena, const char *, most)};
    if (element->block)
        block_syntax(element->block, &syntax);
    else
        op_syntax(element->op, &syntax);
    bool ok = true;
    for (size_t i = 0; i < syntax.needed; i++)
        if (!element_attribute(element, syntax.known[i]))
            ok = missing_attribute(element, syntax.known[i], spec->diags);
    if (element->parent) {
        if (!element_attribute(element, "out"))
            ok = missing_attribute(element, "out", spec->diags);
        syntax.known[syntax.count++] = "out";
        syntax.known[syntax.count++] = "when";
    }
    for (uint32_t i = 0; i < element->attribute_count; i++) {
        bool found = false;
        for (size_t j = 0; j < syntax.count && !found; j++)
            found = strcmp(syntax.known[j], element->attributes[i].name) == 0;
        if (!found)
            ok = unexpected_attribute(element, &element->attributes[i], syntax.known,
                                      syntax.count, spec->diags);
    }
    return ok;
}
