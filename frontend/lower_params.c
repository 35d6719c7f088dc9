/* Parameters: their names, what shares one name, and initial values. */
#include <stdlib.h>
#include <string.h>

#include "frontend/lower.h"
#include "ir/base/heap.h"
#include "ir/base/list.h"

enum { MOST_INIT_ARGS = 2, MOST_PARAMS = 100000 };

/* -- names -------------------------------------------------------------------------- */

const char *lower_name_for_task(Lower *lower, const char *marked, const char *task)
{
    if (!strchr(marked, TASK_MARK))
        return intern(lower->module->interns, marked);
    size_t len = 0, task_len = strlen(task);
    char *name = heap_alloc(size_product(strlen(marked), task_len + 1));
    for (const char *at = marked; *at; at++) {
        bool is_mark = *at == TASK_MARK;
        size_t count = is_mark ? task_len : 1;
        memcpy(name + len, is_mark ? task : at, count);
        len += count;
    }
    const char *result = intern_span(lower->module->interns, name, len);
    free(name);
    return result;
}

/* The <share> that takes in a parameter of the graft being lowered, or NULL. */
static const Share *find_share(Lower *lower, const char *marked)
{
    if (!lower->draft->graft)
        return NULL;
    Attach *attach = lower->draft->graft->attach;
    const char *task = lower->draft->globals->task;
    size_t prefix = strlen(lower->draft->graft->prefix);
    if (strncmp(marked, lower->draft->graft->prefix, prefix) == 0)
        marked += prefix;
    const char *name = lower_name_for_task(lower, marked, task);
    const Share *found = NULL;
    for (uint32_t i = 0; i < attach->share_count; i++) {
        Share *share = &attach->shares[i];
        bool ours = false;
        for (uint32_t j = 0; j < share->task_count && share->wanted; j++)
            ours |= share->tasks[j] == task;
        if (ours && patterns_match(&share->params, name))
            found = share;
    }
    return found;
}

static void add_alias(Lower *lower, Param *param, const char *alias)
{
    if (alias == param->name)
        return;
    for (uint32_t i = 0; i < param->alias_count; i++)
        if (param->aliases[i] == alias)
            return;
    ARENA_LIST_ROOM(lower->module->arena, param->aliases, param->alias_count + 1,
                    param->alias_capacity);
    param->aliases[param->alias_count++] = alias;
}

static bool add_aliases(Lower *lower, Frame *frame, const Element *element, Param *param,
                        const char *marked, const Share *share)
{
    const char *self = lower->draft->globals->task;
    const char *const *tasks = share ? share->tasks : &self;
    uint32_t task_count = share ? share->task_count : 1;
    const Attribute *aliases = element_attribute(element, "aliases");
    for (uint32_t i = 0; i < task_count; i++)
        add_alias(lower, param, lower_name_for_task(lower, marked, tasks[i]));
    if (!aliases)
        return true;
    const char *text = expr_text(lower->spec->exprs, aliases, frame_path_names(frame));
    if (!text)
        return false;
    uint32_t count;
    const char **words = words_split(lower->spec, text, &count);
    for (uint32_t i = 0; i < count; i++) {
        const char *alias = lower_path(lower, frame, words[i], element->loc);
        if (!alias || !lower_spend(lower, task_count + param->alias_count, element->loc))
            return false;
        for (uint32_t j = 0; j < task_count; j++)
            add_alias(lower, param, lower_name_for_task(lower, alias, tasks[j]));
    }
    return true;
}

/* -- initial values ----------------------------------------------------------------- */

/* Arguments separated by commas outside of parentheses, up to the last ')'. */
static bool init_arguments(Lower *lower, Frame *frame, const Attribute *attribute,
                           const char *text, uint32_t expected, double *out)
{
    const char *end = strrchr(text, ')');
    uint32_t count = 0;
    for (const char *at = text; end && at < end;) {
        int depth = 0;
        const char *stop = at;
        for (; stop < end && (depth || *stop != ','); stop++)
            depth += (*stop == '(') - (*stop == ')');
        while (at < stop && *at == ' ')
            at++;
        if (count < MOST_INIT_ARGS &&
            !expr_part(lower->spec->exprs, attribute, at, (size_t)(stop - at),
                       frame_names(frame), &out[count]))
            return false;
        count++;
        at = stop + 1;
    }
    if (end && end[1] == 0 && count == expected)
        return true;
    diag_error(lower->diags, attribute->loc,
               "'%s': expected %u argument%s in parentheses", attribute->value, expected,
               expected == 1 ? "" : "s");
    return false;
}

static bool read_init(Lower *lower, Frame *frame, const Attribute *attribute, Init *out)
{
    static const uint32_t argument_counts[INIT_KIND_COUNT] = {
        [INIT_constant] = 1, [INIT_normal] = 2, [INIT_uniform] = 2};
    const char *text = attribute->value;
    size_t len = strcspn(text, "( ");
    const char *word = intern_span(lower->module->interns, text, len);
    InitKind kind = 0;
    while (kind < INIT_KIND_COUNT && strcmp(init_kind_names[kind], word) != 0)
        kind++;
    if (kind == INIT_KIND_COUNT) {
        unknown_name(lower->diags, attribute->loc, "initial value", word, init_kind_names,
                     INIT_KIND_COUNT);
        return false;
    }
    double numbers[MOST_INIT_ARGS] = {0};
    if (argument_counts[kind] == 0 && text[len]) {
        diag_error(lower->diags, attribute->loc, "'%s' has no arguments", word);
        return false;
    }
    if (argument_counts[kind] && !init_arguments(lower, frame, attribute, text + len + 1,
                                                 argument_counts[kind], numbers))
        return false;
    *out = (Init){kind, numbers[0], numbers[1]};
    return true;
}

static bool same_init(const Init *a, const Init *b)
{
    return a->kind == b->kind && a->a == b->a && a->b == b->b;
}

/* -- declaring ---------------------------------------------------------------------- */

static void note_first(const Lower *lower, const Param *param)
{
    diag_note(lower->diags, param->loc, "it is declared here first");
}

/* A parameter that is known must be the same. */
static bool check_same(Lower *lower, const Element *element, Param *param, Type type,
                       const Init *init)
{
    if (!type_equal(param->type, type)) {
        diag_error(lower->diags, element->loc, "parameter '%s' has two shapes",
                   param->name);
        note_first(lower, param);
        return false;
    }
    if (!init)
        return true;
    if (names_get(&lower->init_elements, param->name) && !same_init(&param->init, init)) {
        diag_error(lower->diags, element->loc, "parameter '%s' has two initial values",
                   param->name);
        note_first(lower, param);
        return false;
    }
    param->init = *init;
    return true;
}

static Param *declare(Lower *lower, Frame *frame, const Element *element,
                      const char *name, Type type)
{
    const Attribute *given = element_attribute(element, "init");
    Init init = {INIT_zeros, 0, 0};
    if (given && !read_init(lower, frame, given, &init))
        return NULL;
    Param *param = module_find_param(lower->module, name);
    if (param && !check_same(lower, element, param, type, given ? &init : NULL))
        return NULL;
    if (!param && lower->module->param_count == MOST_PARAMS) {
        diag_error(lower->diags, element->loc, "more than %d parameters", MOST_PARAMS);
        return NULL;
    }
    if (!param)
        param = module_add_param(lower->module, (Param){.name = name,
                                                        .type = type,
                                                        .init = init,
                                                        .group = "",
                                                        .reason = "",
                                                        .loc = element->loc});
    if (given)
        names_set(&lower->init_elements, lower->arena, param->name, element);
    return param;
}

bool lower_param(Lower *lower, Frame *frame, const Element *element)
{
    Exprs *exprs = lower->spec->exprs;
    const Attribute *attribute = element_attribute(element, "name");
    const Attribute *out = element_attribute(element, "out");
    Attribute *buffer = element_attribute(element, "buffer");
    Type type;
    if (!lower->draft->params_allowed) {
        diag_error(lower->diags, element->loc, "%s cannot declare parameters",
                   lower->draft->graph->kind == GRAPH_update ? "an optimizer" : "a loss");
        frame_note(frame);
        return false;
    }
    const char *path = expr_text(exprs, attribute, frame_path_names(frame));
    const char *value = expr_text(exprs, out ? out : attribute, frame_names(frame));
    if (!path || !value ||
        !lower_shape(lower, frame, element_attribute(element, "shape"), false, &type))
        return false;
    const char *marked = lower_path(lower, frame, path, element->loc);
    if (!marked)
        return false;
    const Share *share = find_share(lower, marked);
    const char *name = lower_name_for_task(
        lower, marked, share ? share->tasks[0] : lower->draft->globals->task);
    const Node *node =
        graph_source(lower->draft->graph, (BuildSite){element->loc, STAGE_forward},
                     OP_param, name, type);
    if (node && lower->draft->exchange)
        node = exchange_param(lower, name, node, element->loc);
    Param *param = node ? declare(lower, frame, element, name, type) : NULL;
    if (!param || !add_aliases(lower, frame, element, param, marked, share)) {
        frame_note(frame);
        return false;
    }
    if (buffer && !expr_condition(exprs, buffer, frame_names(frame), &param->buffer))
        return false;
    if (share && strchr(marked, TASK_MARK))
        param->group = share->group;
    names_set(lower->draft->made ? lower->draft->made : &lower->host_params, lower->arena,
              param->name, param);
    if (lower->draft->globals->kind == GRAPH_train)
        names_set(&lower->task_params[lower->draft->task], lower->arena, param->name,
                  node);
    frame_bind(frame, intern(lower->module->interns, value + (value[0] == '/')), node);
    return true;
}

/* -- names of all parameters -------------------------------------------------------- */

/* An alias that is the name of another parameter would make checkpoints ambiguous. */
bool lower_check_names(Lower *lower)
{
    Names owners = {0};
    bool ok = true;
    for (uint32_t i = 0; i < lower->module->param_count; i++) {
        const Param *param = &lower->module->params[i];
        for (uint32_t j = 0; j <= param->alias_count; j++) {
            const char *name = j ? param->aliases[j - 1] : param->name;
            const Param *owner = names_get(&owners, name);
            if (owner && owner != param) {
                diag_error(lower->diags, param->loc,
                           "'%s' names two parameters, '%s' and '%s'", name, owner->name,
                           param->name);
                note_first(lower, owner);
                ok = false;
            }
            names_set(&owners, lower->arena, name, param);
        }
    }
    return ok;
}
