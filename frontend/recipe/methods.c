/* What a recipe does to its backbone: attached blocks, what is trained and how accurate
 * products are. */
#include <string.h>

#include "frontend/recipe/model_spec.h"
#include "frontend/syntax/branches.h"
#include "ir/base/list.h"

enum { LONGEST_PATTERNS = 4096 };

/* The patterns of an attribute. */
static bool read_patterns(const ModelSpec *spec, const Attribute *attribute,
                          Patterns *out)
{
    if (strlen(attribute->value) > LONGEST_PATTERNS) {
        diag_error(spec->diags, attribute->loc, "the patterns are longer than %d bytes",
                   LONGEST_PATTERNS);
        return false;
    }
    *out = patterns_parse(attribute->value, spec->arena);
    out->loc = attribute->loc;
    return true;
}

/* The tasks that an attribute names, of those that the model has: bools by index, all if
 * there is no attribute. Tasks that exist but are not in the model are passed over. */
static bool read_task_list(ModelSpec *spec, const Attribute *names, const bool *within,
                           const char **out_words, uint32_t *out_count, bool *out_chosen)
{
    uint32_t count = spec->task_count;
    const char **words = NULL;
    if (names)
        words = words_split(spec, names->value, &count);
    *out_count = 0;
    for (uint32_t i = 0; i < count; i++) {
        const char *word = words ? words[i] : spec->tasks[i]->name;
        if (!names_get(&spec->task_definitions, word))
            return unknown_among(spec, names->loc, "task", word, &spec->task_definitions);
        uint32_t index = task_index(spec, word);
        if (index == spec->task_count || (within && !within[index]) || out_chosen[index])
            continue;
        out_chosen[index] = true;
        out_words[(*out_count)++] = word;
    }
    return true;
}

static bool resolve_share(ModelSpec *spec, const Attach *attach, const Element *element,
                          Share *share)
{
    const char **words = ARENA_ARRAY(spec->arena, const char *, spec->task_count);
    bool *chosen = ARENA_ARRAY(spec->arena, bool, spec->task_count);
    share->element = element;
    share->tasks = words;
    if (!read_patterns(spec, element_attribute(element, "params"), &share->params) ||
        !read_task_list(spec, element_attribute(element, "tasks"), attach->tasks, words,
                        &share->task_count, chosen))
        return false;
    const char *group = "";
    for (uint32_t i = 0; i < share->task_count; i++)
        group = arena_format(spec->arena, "%s%s%s", group, i ? " " : "", words[i]);
    share->group = intern(spec->interns, group);
    return true;
}

static bool resolve_attach(ModelSpec *spec, const Element *element, Attach *attach)
{
    const Attribute *name = element_attribute(element, "block");
    const char **words = ARENA_ARRAY(spec->arena, const char *, spec->task_count);
    uint32_t count, shares = 0;
    attach->element = element;
    attach->block = names_get(&spec->blocks, name->value);
    if (!attach->block)
        return unknown_among(spec, name->loc, "block", name->value, &spec->blocks);
    uint32_t inputs = attach->block->input_count;
    if (inputs < 1 || inputs > 2 || attach->block->output_count != 1) {
        diag_error(
            spec->diags, name->loc,
            "block '%s' has %u inputs and %u outputs; a block to attach has one or two "
            "inputs and one output",
            name->value, inputs, attach->block->output_count);
        return false;
    }
    attach->tasks = ARENA_ARRAY(spec->arena, bool, spec->task_count);
    consts_collect(spec, &attach->sets, element);
    if (!read_patterns(spec, element_attribute(element, "at"), &attach->at) ||
        !read_task_list(spec, element_attribute(element, "tasks"), NULL, words, &count,
                        attach->tasks) ||
        !constants_known(spec, &attach->sets))
        return false;
    for (const Element *child = first_child(element); child; child = next_child(child))
        shares += child->kind == ELEMENT_share;
    attach->shares = ARENA_ARRAY(spec->arena, Share, shares);
    for (const Element *child = first_child(element); child; child = next_child(child))
        if (child->kind == ELEMENT_share &&
            !resolve_share(spec, attach, child, &attach->shares[attach->share_count++]))
            return false;
    return true;
}

bool choice_add(ModelSpec *spec, ChoiceList *list, const Element *element,
                const char *patterns)
{
    const Attribute *attribute = element_attribute(element, patterns);
    ARENA_LIST_ROOM(spec->arena, list->items, list->count + 1, list->capacity);
    Selection *choice = &list->items[list->count++];
    *choice = (Selection){.element = element};
    if (element->kind == ELEMENT_for)
        consts_collect(spec, &choice->sets, element);
    return !attribute || read_patterns(spec, attribute, &choice->names);
}

static bool resolve_child(ModelSpec *spec, const Element *child)
{
    if (child->kind == ELEMENT_attach)
        return resolve_attach(spec, child, &spec->attaches[spec->attach_count++]);
    if (child->kind == ELEMENT_train || child->kind == ELEMENT_freeze)
        return choice_add(spec, &spec->training, child, "params");
    return child->kind != ELEMENT_precision ||
           choice_add(spec, &spec->precisions, child, "at");
}

bool methods_resolve(ModelSpec *spec)
{
    uint32_t count = 0;
    bool ok = true;
    for (uint32_t i = 0; i < spec->model_count; i++)
        for (const Element *child = first_child(spec->models[i]); child;
             child = next_child(child))
            count += child->kind == ELEMENT_attach;
    spec->attaches = ARENA_ARRAY(spec->arena, Attach, count);
    for (uint32_t i = 0; i < spec->model_count; i++)
        for (const Element *child = first_child(spec->models[i]); child;
             child = next_child(child))
            ok &= resolve_child(spec, child);
    return ok;
}
