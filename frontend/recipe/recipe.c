/* The recipe: what the <model> element asks for, with every name in it resolved. */
#include <string.h>

#include "frontend/recipe/model_spec.h"
#include "frontend/syntax/branches.h"
#include "ir/base/list.h"

enum { MOST_TASKS = 1000 };

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

static bool resolve_backbone(ModelSpec *spec, ChainUse *out_use)
{
    if (!chain_use(spec, ELEMENT_use_backbone, out_use))
        return false;
    const Element *use = out_use->element;
    const Attribute *name = element_attribute(use, "use");
    spec->backbone = names_get(&spec->backbones, name->value);
    if (!spec->backbone)
        return unknown_among(spec, name->loc, "backbone", name->value, &spec->backbones);
    return choose_size(spec, use);
}

/* A second <loss> would count for nothing. */
static bool check_losses(const ModelSpec *spec, const Definition *task)
{
    const Element *first = task_loss(task);
    for (const Element *other = first ? first->next : NULL; other; other = other->next)
        if (other->kind == ELEMENT_loss) {
            diag_error(spec->diags, other->loc, "task '%s' has two losses", task->name);
            diag_note(spec->diags, first->loc, "the first is here");
            return false;
        }
    return true;
}

static bool resolve_tasks(ModelSpec *spec)
{
    ChainUse use;
    if (!chain_use(spec, ELEMENT_tasks, &use))
        return false;
    const Const *override = command_line_value(spec, "tasks");
    const Attribute *names =
        override ? override->value : element_attribute(use.element, "use");
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
        if (!check_losses(spec, task))
            return false;
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

/* -- optimizer and settings --------------------------------------------------------- */

static bool is_optimizer_const(const Definition *optimizer, const char *name)
{
    const ConstList *consts = &optimizer->consts;
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

/* Whether an attribute is a constant of the optimizer that a recipe used before another
 * that extends it chose the present one. */
static bool is_of_replaced(const ModelSpec *spec, const Element *element,
                           const char *name)
{
    bool before = false;
    for (uint32_t i = 0; i < spec->optimizer_from; i++)
        before |= spec->models[i] == element->parent;
    return before && names_get(&spec->optimizer_constants, name);
}

static bool unknown_setting(ModelSpec *spec, const Attribute *attribute, bool settings)
{
    Names known = {0};
    const ConstList *consts = &spec->optimizer->consts;
    for (uint32_t i = 0; i < consts->count; i++)
        names_set(&known, spec->arena, consts->items[i].name, attribute);
    for (uint32_t i = 0; settings && i < SETTING_COUNT; i++)
        names_set(&known, spec->arena, intern(spec->interns, setting_names[i]),
                  attribute);
    return unknown_among(spec, attribute->loc,
                         settings ? "setting or constant of the optimizer"
                                  : "constant of the optimizer",
                         attribute->name, &known);
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
        if (is_optimizer_const(spec->optimizer, attribute->name) ||
            (settings && is_setting(attribute->name)))
            const_add(spec, into,
                      (Const){.name = attribute->name,
                              .value = attribute,
                              .loc = attribute->loc});
        else if (!is_of_replaced(spec, element, attribute->name))
            ok = unknown_setting(spec, attribute, settings);
    }
    return ok;
}

/* Constants of the model, from the recipe that the others extend on. */
static bool take_constants(ModelSpec *spec, const ChainUse *backbone)
{
    bool ok = true;
    for (uint32_t i = 0; i < spec->model_count; i++) {
        const Element *model = spec->models[i];
        consts_collect(spec, &spec->model_consts, model);
        for (uint32_t j = 0; j < backbone->part_count; j++)
            if (backbone->parts[j]->parent == model)
                consts_collect(spec, &spec->model_consts, backbone->parts[j]);
        for (const Element *child = model->first; child; child = child->next)
            if (child->kind == ELEMENT_schedule || child->kind == ELEMENT_batch)
                ok &= take_attributes(spec, child, &spec->model_consts, true);
    }
    return constants_known(spec, &spec->model_consts) && ok;
}

static void add_exceptions(ModelSpec *spec, const Element *holder)
{
    for (const Element *child = first_child(holder); child; child = next_child(child))
        if (child->kind == ELEMENT_for)
            choice_add(spec, &spec->exceptions, child, "params");
}

/* Where nothing is trained there may be none: then it is one without constants. */
static bool resolve_optimizer(ModelSpec *spec)
{
    if (!has_losses(spec) && !chain_has(spec, ELEMENT_use_optimizer)) {
        Definition *none = arena_alloc(spec->arena, sizeof *none);
        *none =
            (Definition){.kind = ELEMENT_optimizer, .name = "", .element = spec->model};
        spec->optimizer = none;
        return true;
    }
    ChainUse use;
    if (!chain_use(spec, ELEMENT_use_optimizer, &use))
        return false;
    const Attribute *name = element_attribute(use.element, "use");
    spec->optimizer = names_get(&spec->optimizers, name->value);
    if (!spec->optimizer)
        return unknown_among(spec, name->loc, "optimizer", name->value,
                             &spec->optimizers);
    while (spec->models[spec->optimizer_from] != use.parts[0]->parent)
        spec->optimizer_from++;
    bool ok = take_attributes(spec, use.element, &spec->optimizer_sets, false);
    add_exceptions(spec, spec->optimizer->element);
    for (uint32_t i = 0; i < use.part_count; i++)
        add_exceptions(spec, use.parts[i]);
    for (uint32_t i = 0; i < spec->exceptions.count; i++)
        ok &= constants_known(spec, &spec->exceptions.items[i].sets);
    return ok;
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
    bool ok = true;
    for (uint32_t i = 0; options && i < options->set_count; i++)
        ok &= add_command_line(spec, options->sets[i]);
    ChainUse backbone;
    ok = ok && resolve_backbone(spec, &backbone) && resolve_tasks(spec);
    ok = ok && methods_resolve(spec) && resolve_optimizer(spec);
    return ok && take_constants(spec, &backbone);
}
