/* All that uses a block or an op, once all blocks are known. */
#include <string.h>

#include "frontend/recipe/skeleton.h"

static bool resolve_call(ModelSpec *spec, Element *element)
{
    element->block = names_get(&spec->blocks, element->name);
    element->op = op_find(element->name);
    if (!element->block && (element->op == OP_COUNT || !op_has_element(element->op)))
        return call_unknown(spec, element);
    return call_check(spec, element);
}

/* The block of an <attach>. */
static bool check_attached(const ModelSpec *spec, const Element *element)
{
    const Attribute *name = element_attribute(element, "block");
    return names_get(&spec->blocks, name->value) ||
           unknown_among(spec, name->loc, "block", name->value, &spec->blocks);
}

bool calls_resolve(ModelSpec *spec, Element *root)
{
    bool ok = true;
    for (Element *element = root; element; element = element_following(element, true))
        if (element->kind == ELEMENT_call)
            ok &= resolve_call(spec, element);
        else if (element->kind == ELEMENT_let)
            ok &= let_resolve(spec, element);
        else if (element->kind == ELEMENT_attach)
            ok &= check_attached(spec, element);
    return ok;
}

/* -- uses of blocks that expressions name ------------------------------------------- */

static Element *call_of(ModelSpec *spec, const Element *use, const Definition *block)
{
    Element *call = arena_alloc(spec->arena, sizeof *call);
    *call = *use;
    call->kind = ELEMENT_call;
    call->name = block->name;
    call->block = block;
    call->attributes = ARENA_ARRAY(spec->arena, Attribute, use->attribute_count);
    call->attribute_count = 0;
    for (uint32_t i = 0; i < use->attribute_count; i++)
        if (strcmp(use->attributes[i].name, "block") != 0)
            call->attributes[call->attribute_count++] = use->attributes[i];
    return call;
}

const Element *use_resolve(ModelSpec *spec, Element *use, const char *name)
{
    const Attribute *block = element_attribute(use, "block");
    const Element *known = use->calls ? names_get(use->calls, name) : NULL;
    if (known)
        return known;
    const Definition *definition = names_get(&spec->blocks, name);
    if (!definition) {
        unknown_among(spec, block->loc, "block", name, &spec->blocks);
        return NULL;
    }
    Element *call = call_of(spec, use, definition);
    if (!call_check(spec, call))
        return NULL;
    if (!use->calls)
        use->calls = arena_alloc(spec->arena, sizeof *use->calls);
    names_set(use->calls, spec->arena, name, call);
    return call;
}
