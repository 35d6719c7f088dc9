/* A recipe and those that it extends, as one: what each says of the backbone, the tasks
 * and the optimizer, attribute by attribute. */
#include <string.h>

#include "frontend/recipe/model_spec.h"
#include "frontend/syntax/branches.h"

/* The only child of a kind: NULL if there is none, or, with an error, two. */
static const Element *only_child(const ModelSpec *spec, const Element *model,
                                 ElementKind kind, bool *out_ok)
{
    const Element *found = NULL;
    for (const Element *child = model->first; child; child = child->next) {
        if (child->kind != kind)
            continue;
        if (found) {
            diag_error(spec->diags, child->loc, "a second <%s use=...>",
                       syntax_row(kind)->tag);
            diag_note(spec->diags, found->loc, "the first is here");
            *out_ok = false;
            return NULL;
        }
        found = child;
    }
    return found;
}

/* Whether the later one speaks of what the earlier one uses. */
static bool is_same_use(const Element *earlier, const Element *later)
{
    const Attribute *a = element_attribute(earlier, "use");
    const Attribute *b = element_attribute(later, "use");
    return !a || !b || a->value == b->value;
}

static const Element *merge(ModelSpec *spec, const Element *earlier, const Element *later)
{
    Element *both = arena_alloc(spec->arena, sizeof *both);
    *both = *later;
    both->first = NULL;
    both->attributes = ARENA_ARRAY(spec->arena, Attribute,
                                   earlier->attribute_count + later->attribute_count);
    memcpy(both->attributes, later->attributes,
           later->attribute_count * sizeof *both->attributes);
    for (uint32_t i = 0; i < earlier->attribute_count; i++)
        if (!element_attribute(later, earlier->attributes[i].name))
            both->attributes[both->attribute_count++] = earlier->attributes[i];
    return both;
}

static void missing(const ModelSpec *spec, ElementKind kind)
{
    diag_error(spec->diags, spec->model->loc, "the model has no <%s use=...>",
               syntax_row(kind)->tag);
    for (uint32_t i = spec->model_count - 1; i-- > 0;)
        diag_note(spec->diags, spec->models[i]->loc,
                  "nor has this one, which it extends");
}

bool chain_has(const ModelSpec *spec, ElementKind kind)
{
    for (uint32_t i = 0; i < spec->model_count; i++)
        for (const Element *child = spec->models[i]->first; child; child = child->next)
            if (child->kind == kind)
                return true;
    return false;
}

bool chain_use(ModelSpec *spec, ElementKind kind, ChainUse *out)
{
    bool ok = true;
    *out =
        (ChainUse){.parts = ARENA_ARRAY(spec->arena, const Element *, spec->model_count)};
    for (uint32_t i = 0; i < spec->model_count && ok; i++) {
        const Element *part = only_child(spec, spec->models[i], kind, &ok);
        if (!part)
            continue;
        if (out->element && is_same_use(out->element, part)) {
            out->element = merge(spec, out->element, part);
        } else {
            out->element = part;
            out->part_count = 0;
        }
        out->parts[out->part_count++] = part;
    }
    bool found = out->element && element_attribute(out->element, "use");
    if (ok && !found)
        missing(spec, kind);
    return ok && found;
}
