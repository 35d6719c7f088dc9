/* The recipe: what the <model> element asks for, with every name in it resolved. */
#include <string.h>

#include "frontend/program.h"

enum { MOST_TASKS = 1000, LONGEST_PATTERNS = 4096 };

static bool unknown_among(const Program *program, Loc loc, const char *what,
                          const char *name, const Names *known)
{
    unknown_name(program->diags, loc, what, name, known->names, known->count);
    return false;
}

/* The only child of a kind. */
static bool has_child(const Program *program, ElementKind kind)
{
    const Element *child = program->model->first;
    while (child && child->kind != kind)
        child = child->next;
    return child != NULL;
}

static Element *need_one(const Program *program, ElementKind kind)
{
    Element *found = NULL;
    const char *tag = syntax_row(kind)->tag;
    for (Element *child = program->model->first; child; child = child->next) {
        if (child->kind != kind)
            continue;
        if (found) {
            diag_error(program->diags, child->loc, "a second <%s use=...>", tag);
            diag_note(program->diags, found->loc, "the first is here");
            return NULL;
        }
        found = child;
    }
    if (!found)
        diag_error(program->diags, program->model->loc, "the model has no <%s use=...>",
                   tag);
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

static Attribute *new_attribute(Program *program, const char *name, const char *value,
                                Loc loc)
{
    Attribute *attribute = arena_alloc(program->arena, sizeof *attribute);
    attribute->name = intern(program->interns, name);
    attribute->value = intern(program->interns, value);
    attribute->loc = loc;
    return attribute;
}

static void declare(Program *program, const char *name)
{
    const char *word = intern(program->interns, name);
    if (!names_get(&program->constants, word))
        names_set(&program->constants, program->arena, word, program->model);
}

static void add_settings(Program *program)
{
    for (uint32_t i = 0; i < SETTING_COUNT; i++) {
        declare(program, setting_names[i]);
        Attribute *value =
            new_attribute(program, setting_names[i], setting_presets[i], (Loc){0});
        const_add(program, &program->settings,
                  (Const){.name = value->name, .value = value});
    }
    declare(program, "trace");
    Attribute *trace = new_attribute(program, "trace", "0", (Loc){0});
    const_add(program, &program->settings, (Const){.name = trace->name, .value = trace});
}

/* --set name=value, as a constant; size and tasks are not constants but choices. */
static bool add_command_line(Program *program, const char *text)
{
    const char *equals = strchr(text, '=');
    Loc loc = {intern(program->interns, arena_format(program->arena, "--set %s", text)),
               0, 0};
    if (!equals || equals == text) {
        diag_error(program->diags, loc, "expected name=value");
        return false;
    }
    const char *name = intern_span(program->interns, text, (size_t)(equals - text));
    Attribute *value = new_attribute(program, name, equals + 1, loc);
    if (!names_get(&program->constants, name))
        return unknown_among(program, loc, "constant", name, &program->constants);
    const_add(program, &program->command_line,
              (Const){.name = name, .value = value, .loc = loc});
    return true;
}

static const Const *command_line_value(const Program *program, const char *name)
{
    const Const *found = NULL;
    for (uint32_t i = 0; i < program->command_line.count; i++)
        if (strcmp(program->command_line.items[i].name, name) == 0)
            found = &program->command_line.items[i];
    return found;
}

static bool check_sets(const Program *program, const ConstList *list)
{
    bool good = true;
    for (uint32_t i = 0; i < list->count; i++)
        if (!names_get(&program->constants, list->items[i].name))
            good = unknown_among(program, list->items[i].loc, "constant",
                                 list->items[i].name, &program->constants);
    return good;
}

/* -- backbone and tasks ------------------------------------------------------------- */

static bool choose_size(Program *program, const Element *use)
{
    const Attribute *attribute = element_attribute(use, "size");
    const Const *override = command_line_value(program, "size");
    const Attribute *chosen = override ? override->value : attribute;
    const Element *backbone = program->backbone->element;
    Names sizes = {0};
    for (const Element *child = backbone->first; child; child = child->next)
        if (child->kind == ELEMENT_size)
            names_set(&sizes, program->arena, element_attribute(child, "name")->value,
                      child);
    if (!chosen && sizes.count == 0)
        return true;
    if (!chosen) {
        diag_error(program->diags, use->loc,
                   "backbone '%s' has sizes; choose one by size=...",
                   program->backbone->name);
        return false;
    }
    const Element *size = names_get(&sizes, chosen->value);
    if (!size)
        return unknown_among(program, chosen->loc, "size", chosen->value, &sizes);
    consts_collect(program, &program->size, size);
    return true;
}

static bool resolve_backbone(Program *program)
{
    Element *use = need_one(program, ELEMENT_use_backbone);
    if (!use)
        return false;
    const Attribute *name = element_attribute(use, "use");
    program->backbone = names_get(&program->backbones, name->value);
    if (!program->backbone)
        return unknown_among(program, name->loc, "backbone", name->value,
                             &program->backbones);
    consts_collect(program, &program->model_consts, use);
    return choose_size(program, use);
}

static uint32_t task_index(const Program *program, const char *name)
{
    uint32_t i = 0;
    while (i < program->task_count && program->tasks[i]->name != name)
        i++;
    return i;
}

static bool resolve_tasks(Program *program)
{
    Element *use = need_one(program, ELEMENT_tasks);
    if (!use)
        return false;
    const Const *override = command_line_value(program, "tasks");
    const Attribute *names = override ? override->value : element_attribute(use, "use");
    uint32_t count;
    const char **words = words_split(program, names->value, &count);
    if (count == 0 || count > MOST_TASKS) {
        diag_error(program->diags, names->loc, "expected 1 to %d tasks", MOST_TASKS);
        return false;
    }
    program->tasks = ARENA_ARRAY(program->arena, const Definition *, count);
    for (uint32_t i = 0; i < count; i++) {
        const Definition *task = names_get(&program->task_definitions, words[i]);
        if (!task)
            return unknown_among(program, names->loc, "task", words[i],
                                 &program->task_definitions);
        if (task_index(program, words[i]) < program->task_count) {
            diag_error(program->diags, names->loc, "task '%s' is named twice", words[i]);
            return false;
        }
        program->tasks[program->task_count++] = task;
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

static bool has_losses(const Program *program)
{
    for (uint32_t i = 0; i < program->task_count; i++)
        if (task_loss(program->tasks[i]))
            return true;
    return false;
}

/* The patterns of an attribute. */
static bool read_patterns(const Program *program, const Attribute *attribute,
                          Patterns *out)
{
    if (strlen(attribute->value) > LONGEST_PATTERNS) {
        diag_error(program->diags, attribute->loc,
                   "the patterns are longer than %d bytes", LONGEST_PATTERNS);
        return false;
    }
    *out = patterns_parse(attribute->value, program->arena);
    return true;
}

/* -- methods ------------------------------------------------------------------------ */

/* The tasks that an attribute names, of those that the model has: bools by index, all if
 * there is no attribute. Tasks that exist but are not in the model are passed over. */
static bool read_task_list(Program *program, const Attribute *names, const bool *within,
                           const char **out_words, uint32_t *out_count, bool *out_chosen)
{
    uint32_t count = program->task_count;
    const char **words = NULL;
    if (names)
        words = words_split(program, names->value, &count);
    *out_count = 0;
    for (uint32_t i = 0; i < count; i++) {
        const char *word = words ? words[i] : program->tasks[i]->name;
        if (!names_get(&program->task_definitions, word))
            return unknown_among(program, names->loc, "task", word,
                                 &program->task_definitions);
        uint32_t index = task_index(program, word);
        if (index == program->task_count || (within && !within[index]) ||
            out_chosen[index])
            continue;
        out_chosen[index] = true;
        out_words[(*out_count)++] = word;
    }
    return true;
}

static bool resolve_share(Program *program, const Attach *attach, const Element *element,
                          Share *share)
{
    const char **words = ARENA_ARRAY(program->arena, const char *, program->task_count);
    bool *chosen = ARENA_ARRAY(program->arena, bool, program->task_count);
    share->element = element;
    share->tasks = words;
    if (!read_patterns(program, element_attribute(element, "params"), &share->params) ||
        !read_task_list(program, element_attribute(element, "tasks"), attach->tasks,
                        words, &share->task_count, chosen))
        return false;
    const char *group = "";
    for (uint32_t i = 0; i < share->task_count; i++)
        group = arena_format(program->arena, "%s%s%s", group, i ? " " : "", words[i]);
    share->group = intern(program->interns, group);
    return true;
}

static bool resolve_attach(Program *program, const Element *element, Attach *attach)
{
    const Attribute *name = element_attribute(element, "block");
    const char **words = ARENA_ARRAY(program->arena, const char *, program->task_count);
    uint32_t count, shares = 0;
    attach->element = element;
    attach->block = names_get(&program->blocks, name->value);
    if (!attach->block)
        return unknown_among(program, name->loc, "block", name->value, &program->blocks);
    uint32_t inputs = attach->block->input_count;
    if (inputs < 1 || inputs > 2 || attach->block->output_count != 1) {
        diag_error(
            program->diags, name->loc,
            "block '%s' has %u inputs and %u outputs; a block to attach has one or two "
            "inputs and one output",
            name->value, inputs, attach->block->output_count);
        return false;
    }
    attach->tasks = ARENA_ARRAY(program->arena, bool, program->task_count);
    consts_collect(program, &attach->sets, element);
    if (!read_patterns(program, element_attribute(element, "at"), &attach->at) ||
        !read_task_list(program, element_attribute(element, "tasks"), NULL, words, &count,
                        attach->tasks) ||
        !check_sets(program, &attach->sets))
        return false;
    for (const Element *child = element->first; child; child = child->next)
        shares += child->kind == ELEMENT_share;
    attach->shares = ARENA_ARRAY(program->arena, Share, shares);
    for (const Element *child = element->first; child; child = child->next)
        if (child->kind == ELEMENT_share &&
            !resolve_share(program, attach, child,
                           &attach->shares[attach->share_count++]))
            return false;
    return true;
}

static bool choice_add(Program *program, ChoiceList *list, const Element *element)
{
    if (list->count == list->capacity) {
        list->capacity = list->capacity ? 2 * list->capacity : 8;
        Choice *larger = ARENA_ARRAY(program->arena, Choice, list->capacity);
        if (list->count)
            memcpy(larger, list->items, list->count * sizeof *larger);
        list->items = larger;
    }
    Choice *choice = &list->items[list->count++];
    *choice = (Choice){.element = element};
    if (element->kind == ELEMENT_for)
        consts_collect(program, &choice->sets, element);
    return read_patterns(program, element_attribute(element, "params"), &choice->params);
}

static bool resolve_methods(Program *program)
{
    uint32_t count = 0;
    for (const Element *child = program->model->first; child; child = child->next)
        count += child->kind == ELEMENT_attach;
    program->attaches = ARENA_ARRAY(program->arena, Attach, count);
    bool good = true;
    for (const Element *child = program->model->first; child; child = child->next) {
        if (child->kind == ELEMENT_attach)
            good &= resolve_attach(program, child,
                                   &program->attaches[program->attach_count++]);
        else if (child->kind == ELEMENT_train || child->kind == ELEMENT_freeze)
            good &= choice_add(program, &program->training, child);
    }
    return good;
}

/* -- optimizer and settings --------------------------------------------------------- */

static bool is_optimizer_const(const Program *program, const char *name)
{
    const ConstList *consts = &program->optimizer->consts;
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
static bool take_attributes(Program *program, const Element *element, ConstList *into,
                            bool settings)
{
    bool good = true;
    for (uint32_t i = 0; i < element->attribute_count; i++) {
        Attribute *attribute = &element->attributes[i];
        if (element->kind == ELEMENT_use_optimizer && strcmp(attribute->name, "use") == 0)
            continue;
        if (!is_optimizer_const(program, attribute->name) &&
            !(settings && is_setting(attribute->name))) {
            Names known = {0};
            const ConstList *consts = &program->optimizer->consts;
            for (uint32_t j = 0; j < consts->count; j++)
                names_set(&known, program->arena, consts->items[j].name, element);
            for (uint32_t j = 0; settings && j < SETTING_COUNT; j++)
                names_set(&known, program->arena,
                          intern(program->interns, setting_names[j]), element);
            good = unknown_among(program, attribute->loc,
                                 settings ? "setting or constant of the optimizer"
                                          : "constant of the optimizer",
                                 attribute->name, &known);
            continue;
        }
        const_add(
            program, into,
            (Const){.name = attribute->name, .value = attribute, .loc = attribute->loc});
    }
    return good;
}

static bool take_settings(Program *program)
{
    bool good = true;
    for (const Element *child = program->model->first; child; child = child->next)
        if (child->kind == ELEMENT_schedule || child->kind == ELEMENT_batch)
            good &= take_attributes(program, child, &program->model_consts, true);
    return good;
}

/* Where nothing is trained there may be none: then it is one without constants. */
static bool resolve_optimizer(Program *program)
{
    if (!has_losses(program) && !has_child(program, ELEMENT_use_optimizer)) {
        Definition *none = arena_alloc(program->arena, sizeof *none);
        *none = (Definition){
            .kind = ELEMENT_optimizer, .name = "", .element = program->model};
        program->optimizer = none;
        return take_settings(program);
    }
    const Element *use = need_one(program, ELEMENT_use_optimizer);
    if (!use)
        return false;
    const Attribute *name = element_attribute(use, "use");
    program->optimizer = names_get(&program->optimizers, name->value);
    if (!program->optimizer)
        return unknown_among(program, name->loc, "optimizer", name->value,
                             &program->optimizers);
    bool good = take_attributes(program, use, &program->optimizer_sets, false);
    const Element *const holders[] = {program->optimizer->element, use};
    for (int i = 0; i < 2; i++)
        for (const Element *child = holders[i]->first; child; child = child->next)
            if (child->kind == ELEMENT_for)
                good &= choice_add(program, &program->exceptions, child);
    for (uint32_t i = 0; i < program->exceptions.count; i++)
        good &= check_sets(program, &program->exceptions.items[i].sets);
    return take_settings(program) && good;
}

bool recipe_resolve(Program *program, const FrontendOptions *options)
{
    if (program->model->kind != ELEMENT_model && options && options->out_library) {
        *options->out_library = true;
        return false;
    }
    if (program->model->kind != ELEMENT_model) {
        diag_error(program->diags, program->model->loc,
                   "a library holds definitions only; expected a <model>");
        return false;
    }
    add_settings(program);
    declare(program, "size");
    declare(program, "tasks");
    consts_collect(program, &program->model_consts, program->model);
    bool good = check_sets(program, &program->model_consts);
    for (uint32_t i = 0; options && i < options->set_count; i++)
        good &= add_command_line(program, options->sets[i]);
    good = good && resolve_backbone(program) && resolve_tasks(program);
    good = good && resolve_methods(program) && resolve_optimizer(program);
    return good && check_sets(program, &program->model_consts);
}
