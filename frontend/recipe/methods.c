/* What a recipe does to its backbone: attached blocks, what is trained and how accurate
 * products are. */
#include <string.h>

#include "frontend/recipe/model_spec.h"
#include "frontend/syntax/branches.h"
#include "frontend/syntax/entries.h"
#include "ir/base/list.h"

enum { MOST_PARTS = 10000 }; /* of all uses of methods: what they say, and constants */

/* The patterns of an attribute: read when all constants are known. */
static Patterns patterns_of(const Element *element, const char *name, bool may_bind)
{
    const Attribute *source = element_attribute(element, name);
    return (Patterns){.source = source,
                      .loc = source ? source->loc : element->loc,
                      .may_bind = may_bind};
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
    share->params = patterns_of(element, "params", false);
    if (!read_task_list(spec, element_attribute(element, "tasks"), attach->tasks, words,
                        &share->task_count, chosen))
        return false;
    const char *group = "";
    for (uint32_t i = 0; i < share->task_count; i++)
        group = arena_format(spec->arena, "%s%s%s", group, i ? " " : "", words[i]);
    share->group = intern(spec->interns, group);
    return true;
}

static bool resolve_target(const ModelSpec *spec, const Element *element, SiteChoice *out)
{
    *out = (SiteChoice){.at = patterns_of(element, "at", true),
                        .roles = patterns_of(element, "role", false)};
    if (out->at.source || out->roles.source)
        return true;
    diag_error(spec->diags, element->loc, "<%s> needs 'at' or 'role'", element->name);
    return false;
}

Selection *choice_add(ModelSpec *spec, ChoiceList *list, const Element *element,
                      const char *patterns)
{
    ARENA_LIST_ROOM(spec->arena, list->items, list->count + 1, list->capacity);
    Selection *choice = &list->items[list->count++];
    *choice = (Selection){.element = element};
    if (patterns)
        choice->names = patterns_of(element, patterns, false);
    if (element->kind == ELEMENT_for)
        consts_collect(spec, &choice->sets, element);
    return choice;
}

/* What a part of a method makes is trained from there on. */
static void train_made(ModelSpec *spec, const Element *part, const MethodUse *use,
                       const Names *made)
{
    Selection *choice = choice_add(spec, &spec->training, part, NULL);
    choice->use = use;
    choice->made = made;
}

static Attach *attach_new(ModelSpec *spec, const Element *element, const MethodUse *use)
{
    Attach *attach = arena_alloc(spec->arena, sizeof *attach);
    *attach = (Attach){.element = element, .use = use};
    ARENA_LIST_ROOM(spec->arena, spec->attaches, spec->attach_count + 1,
                    spec->attach_capacity);
    spec->attaches[spec->attach_count++] = attach;
    if (use)
        train_made(spec, element, use, &attach->made);
    return attach;
}

static bool resolve_attach(ModelSpec *spec, const Element *element, const MethodUse *use)
{
    Attach *attach = attach_new(spec, element, use);
    const Attribute *name = element_attribute(element, "block");
    const char **words = ARENA_ARRAY(spec->arena, const char *, spec->task_count);
    uint32_t count, shares = 0;
    attach->block = names_get(&spec->blocks, name->value);
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
    if (!resolve_target(spec, element, &attach->target) ||
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

static bool resolve_beside(ModelSpec *spec, const Element *element, const MethodUse *use)
{
    Beside *beside = arena_alloc(spec->arena, sizeof *beside);
    *beside = (Beside){.element = element, .use = use};
    ARENA_LIST_ROOM(spec->arena, spec->besides, spec->beside_count + 1,
                    spec->beside_capacity);
    spec->besides[spec->beside_count++] = beside;
    train_made(spec, element, use, &beside->made);
    return resolve_target(spec, element, &beside->target);
}

/* A part of a recipe, or of a method that it uses. */
static bool resolve_part(ModelSpec *spec, const Element *part, const MethodUse *use)
{
    if (part->kind == ELEMENT_attach)
        return resolve_attach(spec, part, use);
    if (part->kind == ELEMENT_beside)
        return resolve_beside(spec, part, use);
    if (part->kind == ELEMENT_train || part->kind == ELEMENT_freeze)
        choice_add(spec, &spec->training, part, "params")->use = use;
    else if (part->kind == ELEMENT_precision)
        choice_add(spec, &spec->precisions, part, "at")->use = use;
    return true;
}

/* -- uses of methods ---------------------------------------------------------------- */

static void know_consts(ModelSpec *spec, Names *known, const ConstList *consts)
{
    for (uint32_t i = 0; i < consts->count; i++)
        names_set(known, spec->arena, consts->items[i].name, consts);
}

/* The constants of a method: its own, those of the blocks that it attaches, and those of
 * its file. */
static Names constants_of(ModelSpec *spec, const Definition *method)
{
    Names known = {0};
    ConstList of_file = {0};
    know_consts(spec, &known, &method->consts);
    for (const Element *part = first_child(method->element); part;
         part = next_child(part)) {
        if (part->kind != ELEMENT_attach)
            continue;
        const Definition *block =
            names_get(&spec->blocks, element_attribute(part, "block")->value);
        know_consts(spec, &known, &block->consts);
    }
    consts_collect(spec, &of_file, method->element->parent);
    know_consts(spec, &known, &of_file);
    return known;
}

static bool take_given(ModelSpec *spec, MethodUse *use)
{
    Names known = constants_of(spec, use->method);
    for (uint32_t i = 0; i < use->element->attribute_count; i++) {
        Attribute *attribute = &use->element->attributes[i];
        if (strcmp(attribute->name, "use") == 0 || strcmp(attribute->name, "when") == 0)
            continue;
        if (!names_get(&known, attribute->name))
            return unknown_among(spec, attribute->loc, "constant of the method",
                                 attribute->name, &known);
        const_add(
            spec, &use->given,
            (Const){.name = attribute->name, .value = attribute, .loc = attribute->loc});
    }
    consts_collect(spec, &use->given, use->element);
    return constants_known(spec, &use->given);
}

static bool count_parts(ModelSpec *spec, const MethodUse *use)
{
    spec->part_count += 1 + use->element->attribute_count;
    for (const Element *child = use->element->first; child; child = child->next)
        spec->part_count += 1 + entry_count(child);
    for (const Element *child = use->method->element->first;
         child && spec->part_count <= MOST_PARTS; child = child->next)
        spec->part_count += 1 + entry_count(child);
    if (spec->part_count <= MOST_PARTS)
        return true;
    diag_error(spec->diags, use->element->loc,
               "the methods used have more than %d parts and constants, counted in every "
               "use",
               MOST_PARTS);
    return false;
}

static bool resolve_use(ModelSpec *spec, const Element *element)
{
    const Attribute *name = element_attribute(element, "use");
    MethodUse *use = arena_alloc(spec->arena, sizeof *use);
    *use = (MethodUse){.element = element, .index = spec->use_count};
    use->method = names_get(&spec->methods, name->value);
    if (!use->method)
        return unknown_among(spec, name->loc, "method", name->value, &spec->methods);
    if (!count_parts(spec, use))
        return false;
    ARENA_LIST_ROOM(spec->arena, spec->uses, spec->use_count + 1, spec->use_capacity);
    spec->uses[spec->use_count++] = use;
    bool ok = take_given(spec, use);
    for (const Element *part = first_child(use->method->element); part && ok;
         part = next_child(part))
        ok = resolve_part(spec, part, use);
    return ok;
}

bool methods_resolve(ModelSpec *spec)
{
    bool ok = true;
    for (uint32_t i = 0; i < spec->model_count; i++)
        for (const Element *child = first_child(spec->models[i]); child && ok;
             child = next_child(child))
            ok = child->kind == ELEMENT_use_method ? resolve_use(spec, child)
                                                   : resolve_part(spec, child, NULL);
    return ok;
}
