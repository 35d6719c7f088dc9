/* The recipe: what the <model> element asks for, with every name in it resolved. */
#include <string.h>

#include "frontend/recipe/model_spec.h"
#include "frontend/syntax/branches.h"
#include "ir/base/list.h"

enum { MOST_TASKS = 1000, LONGEST_PATTERNS = 4096 };

static bool unknown_among(const ModelSpec *spec, Loc loc, const char *what,
                          const char *name, const Names *known)
{
    unknown_name(spec->diags, loc, what, name, known->names, known->count);
    return false;
}

/* The only child of a kind. */
static bool has_child(const ModelSpec *spec, ElementKind kind)
{
    const Element *child = spec->model->first;
    while (child && child->kind != kind)
        child = child->next;
    return child != NULL;
}

static Element *need_one(const ModelSpec *spec, ElementKind kind)
{
    Element *found = NULL;
    const char *tag = syntax_row(kind)->tag;
    for (Element *child = spec->model->first; child; child = child->next) {
        if (child->kind != kind)
            continue;
        if (found) {
            diag_error(spec->diags, child->loc, "a second <%s use=...>", tag);
            diag_note(spec->diags, found->loc, "the first is here");
            return NULL;
        }
        found = child;
    }
    if (!found)
        diag_error(spec->diags, spec->model->loc, "the model has no <%s use=...>", tag);
    return found;
}

/* -- overrides and settings -------------------------------------------------------- */

static const char *const setting_names[] = {
#define SETTING(kind, name, ...) #name,
#include "ir/settings.def"
};
static const char *const setting_presets[] = {
#define SETTING(kind, name, preset, ...) #preset,
#include "ir/settings.def"
};
enum { SETTING_COUNT = sizeof setting_names / sizeof *setting_names };

static Attribute *new_attribute(ModelSpec *spec, const char *name, const char *value,
                                Loc loc)
{
    Attribute *attribute = arena_alloc(spec->arena, sizeof *attribute);
    attribute->name = intern(spec->interns, name);
    attribute->value = intern(spec->interns, value);
    attribute->loc = loc;
    return attribute;
}

static void declare(ModelSpec *spec, const char *name)
{
    const char *word = intern(spec->interns, name);
    if (!names_get(&spec->constants, word))
        names_set(&spec->constants, spec->arena, word, spec->model);
}

static void add_settings(ModelSpec *spec)
{
    for (uint32_t i = 0; i < SETTING_COUNT; i++) {
        declare(spec, setting_names[i]);
        Attribute *value =
            new_attribute(spec, setting_names[i], setting_presets[i], (Loc){0});
        const_add(spec, &spec->settings, (Const){.name = value->name, .value = value});
    }
    declare(spec, "trace");
    Attribute *trace = new_attribute(spec, "trace", "0", (Loc){0});
    const_add(spec, &spec->settings, (Const){.name = trace->name, .value = trace});
}

/* --set name=value, as a constant; size and tasks are not constants but choices. */
static bool add_command_line(ModelSpec *spec, const char *text)
{
    const char *equals = strchr(text, '=');
    Loc loc = {intern(spec->interns, arena_format(spec->arena, "--set %s", text)), 0, 0};
    if (!equals || equals == text) {
        diag_error(spec->diags, loc, "expected name=value");
        return false;
    }
    const char *name = intern_span(spec->interns, text, (size_t)(equals - text));
    Attribute *value = new_attribute(spec, name, equals + 1, loc);
    if (!names_get(&spec->constants, name))
        return unknown_among(spec, loc, "constant", name, &spec->constants);
    const_add(spec, &spec->command_line,
              (Const){.name = name, .value = value, .loc = loc});
    return true;
}

static const Const *command_line_value(const ModelSpec *spec, const char *name)
{
    const Const *found = NULL;
    for (uint32_t i = 0; i < spec->command_line.count; i++)
        if (strcmp(spec->command_line.items[i].name, name) == 0)
            found = &spec->command_line.items[i];
    return found;
}

static bool check_sets(const ModelSpec *spec, const ConstList *list)
{
    bool ok = true;
    for (uint32_t i = 0; i < list->count; i++)
        if (!names_get(&spec->constants, list->items[i].name))
            ok = unknown_among(spec, list->items[i].loc, "constant", list->items[i].name,
                               &spec->constants);
    return ok;
}

/* -- backbone and tasks ------------------------------------------------------------- */

static bool choose_size(ModelSpec *spec, const Element *use)
{
    const Attribute *attribute = element_attribute(use, "size");
    const Const *override = command_line_value(spec, "size");
    const Attribute *chosen = override ? override->value : attribute;
    const Element *backbone = spec->backbone->element;
    Names sizes = {0};
    for (const Element *child = backbone->first; child; child = child->next)
        if (child->kind == ELEMENT_size)
            names_set(&sizes, spec->arena, element_attribute(child, "name")->value,
                      child);
    if (!chosen && sizes.count == 0)
        return true;
    if (!chosen) {
        diag_error(spec->diags, use->loc,
                   "backbone '%s' has sizes; choose one by size=...",
                   spec->backbone->name);
        return false;
    }
    const Element *size = names_get(&sizes, chosen->value);
    if (!size)
        return unknown_among(spec, chosen->loc, "size", chosen->value, &sizes);
    consts_collect(spec, &spec->size, size);
    return true;
}

static bool resolve_backbone(ModelSpec *spec)
{
    Element *use = need_one(spec, ELEMENT_use_backbone);
    if (!use)
        return false;
    const Attribute *name = element_attribute(use, "use");
    spec->backbone = names_get(&spec->backbones, name->value);
    if (!spec->backbone)
        return unknown_among(spec, name->loc, "backbone", name->value, &spec->backbones);
    consts_collect(spec, &spec->model_consts, use);
    return choose_size(spec, use);
}

static uint32_t task_index(const ModelSpec *spec, const char *name)
{
    uint32_t i = 0;
    while (i < spec->task_count && spec->tasks[i]->name != name)
        i++;
    return i;
}

static bool resolve_tasks(ModelSpec *spec)
{
    Element *use = need_one(spec, ELEMENT_tasks);
    if (!use)
        return false;
    const Const *override = command_line_value(spec, "tasks");
    const Attribute *names = override ? override->value : element_attribute(use, "use");
    uint32_t count;
    const char **words = words_split(spec, names->value, &count);
    if (count == 0 || count > MOST_TASKS) {
        diag_error(spec->diags, names->loc, "expected 1 to %d tasks", MOST_TASKS);
        return false;
    }
    spec->tasks = ARENA_ARRAY(spec->arena, const Definition *, count);
    for (uint32_t i = 0; i < count; i++) {
        const Definition *task = names_get(&spec->task_definitions, words[i]);
        if (!task)
            return unknown_among(spec, names->loc, "task", words[i],
                                 &spec->task_definitions);
        if (task_index(spec, words[i]) < spec->task_count) {
            diag_error(spec->diags, names->loc, "task '%s' is named twice", words[i]);
            return false;
        }
        spec->tasks[spec->task_count++] = task;
    }
    return true;
}

const Element *task_loss(const Definition *task)
{
    for (const Element *child = task->element->first; child; child = child->next)
        if (child->kind == ELEMENT_loss)
            return child;
    return NULL;
}

static bool has_losses(const ModelSpec *spec)
{
    for (uint32_t i = 0; i < spec->task_count; i++)
        if (task_loss(spec->tasks[i]))
            return true;
    return false;
}

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

/* -- methods ------------------------------------------------------------------------ */

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
        !check_sets(spec, &attach->sets))
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

/* `patterns` is the attribute that has them, if it is given. */
static bool choice_add(ModelSpec *spec, ChoiceList *list, const Element *element,
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

static bool resolve_methods(ModelSpec *spec)
{
    uint32_t count = 0;
    for (const Element *child = first_child(spec->model); child;
         child = next_child(child))
        count += child->kind == ELEMENT_attach;
    spec->attaches = ARENA_ARRAY(spec->arena, Attach, count);
    bool ok = true;
    for (const Element *child = first_child(spec->model); child;
         child = next_child(child)) {
        if (child->kind == ELEMENT_attach)
            ok &= resolve_attach(spec, child, &spec->attaches[spec->attach_count++]);
        else if (child->kind == ELEMENT_train || child->kind == ELEMENT_freeze)
            ok &= choice_add(spec, &spec->training, child, "params");
        else if (child->kind == ELEMENT_precision)
            ok &= choice_add(spec, &spec->precisions, child, "at");
    }
    return ok;
}

/* -- optimizer and settings --------------------------------------------------------- */

static bool is_optimizer_const(const ModelSpec *spec, const char *name)
{
    const ConstList *consts = &spec->optimizer->consts;
    for (uint32_t i = 0; i < consts->count; i++)
        if (strcmp(consts->items[i].name, name) == 0)
            return true;
    return false;
}

static bool is_setting(const char *name)
{
    for (uint32_t i = 0; i < SETTING_COUNT; i++)
        if (strcmp(setting_names[i], name) == 0)
            return true;
    return false;
}

/* The attributes of an open element as constants: of the optimizer, or (settings) of the
 * model. */
static bool take_attributes(ModelSpec *spec, const Element *element, ConstList *into,
                            bool settings)
{
    bool ok = true;
    for (uint32_t i = 0; i < element->attribute_count; i++) {
        Attribute *attribute = &element->attributes[i];
        if (element->kind == ELEMENT_use_optimizer && strcmp(attribute->name, "use") == 0)
            continue;
        if (!is_optimizer_const(spec, attribute->name) &&
            !(settings && is_setting(attribute->name))) {
            Names known = {0};
            const ConstList *consts = &spec->optimizer->consts;
            for (uint32_t j = 0; j < consts->count; j++)
                names_set(&known, spec->arena, consts->items[j].name, element);
            for (uint32_t j = 0; settings && j < SETTING_COUNT; j++)
                names_set(&known, spec->arena, intern(spec->interns, setting_names[j]),
                          element);
            ok = unknown_among(spec, attribute->loc,
                               settings ? "setting or constant of the optimizer"
                                        : "constant of the optimizer",
                               attribute->name, &known);
            continue;
        }
        const_add(
            spec, into,
            (Const){.name = attribute->name, .value = attribute, .loc = attribute->loc});
    }
    return ok;
}

static bool take_settings(ModelSpec *spec)
{
    bool ok = true;
    for (const Element *child = spec->model->first; child; child = child->next)
        if (child->kind == ELEMENT_schedule || child->kind == ELEMENT_batch)
            ok &= take_attributes(spec, child, &spec->model_consts, true);
    return ok;
}

/* Where nothing is trained there may be none: then it is one without constants. */
static bool resolve_optimizer(ModelSpec *spec)
{
    if (!has_losses(spec) && !has_child(spec, ELEMENT_use_optimizer)) {
        Definition *none = arena_alloc(spec->arena, sizeof *none);
        *none =
            (Definition){.kind = ELEMENT_optimizer, .name = "", .element = spec->model};
        spec->optimizer = none;
        return take_settings(spec);
    }
    const Element *use = need_one(spec, ELEMENT_use_optimizer);
    if (!use)
        return false;
    const Attribute *name = element_attribute(use, "use");
    spec->optimizer = names_get(&spec->optimizers, name->value);
    if (!spec->optimizer)
        return unknown_among(spec, name->loc, "optimizer", name->value,
                             &spec->optimizers);
    bool ok = take_attributes(spec, use, &spec->optimizer_sets, false);
    const Element *const holders[] = {spec->optimizer->element, use};
    for (int i = 0; i < 2; i++)
        for (const Element *child = first_child(holders[i]); child;
             child = next_child(child))
            if (child->kind == ELEMENT_for)
                ok &= choice_add(spec, &spec->exceptions, child, "params");
    for (uint32_t i = 0; i < spec->exceptions.count; i++)
        ok &= check_sets(spec, &spec->exceptions.items[i].sets);
    return take_settings(spec) && ok;
}

bool recipe_resolve(ModelSpec *spec, const FrontendOptions *options)
{
    if (spec->model->kind != ELEMENT_model && options && options->out_library) {
        *options->out_library = true;
        return false;
    }
    if (spec->model->kind != ELEMENT_model) {
        diag_error(spec->diags, spec->model->loc,
                   "a library holds definitions only; expected a <model>");
        return false;
    }
    add_settings(spec);
    declare(spec, "size");
    declare(spec, "tasks");
    consts_collect(spec, &spec->model_consts, spec->model);
    bool ok = check_sets(spec, &spec->model_consts);
    for (uint32_t i = 0; options && i < options->set_count; i++)
        ok &= add_command_line(spec, options->sets[i]);
    ok = ok && resolve_backbone(spec) && resolve_tasks(spec);
    ok = ok && resolve_methods(spec) && resolve_optimizer(spec);
    return ok && check_sets(spec, &spec->model_consts);
}
