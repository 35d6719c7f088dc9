/* The optimizer: settings of the run, and per task a graph that updates the parameters it
 * trains. The optimizer's body is lowered once for every parameter. */
#include <math.h>
#include <string.h>

#include "frontend/lower.h"
#include "frontend/syntax/branches.h"

/* -- settings ----------------------------------------------------------------------- */

/* Where a name is given a value, for messages. */
static Loc setting_loc(const ModelSpec *spec, const char *name)
{
    const ConstList *const lists[] = {&spec->model_consts, &spec->optimizer_sets,
                                      &spec->command_line};
    Loc loc = spec->model->loc;
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        for (uint32_t j = 0; j < lists[i]->count; j++)
            if (strcmp(lists[i]->items[j].name, name) == 0)
                loc = lists[i]->items[j].value->loc;
    return loc;
}

/* What a name means in the optimizer, whether it is a constant of it or of the model. */
static Attribute setting_attribute(const Lower *lower, const char *name)
{
    return (Attribute){
        .name = name,
        .value = intern(lower->spec->interns, arena_format(lower->arena, "$%s", name)),
        .loc = setting_loc(lower->spec, name)};
}

static bool check_range(const Lower *lower, const Attribute *attribute, double number,
                        double least, double most)
{
    if (number >= least && number <= most)
        return true;
    diag_error(lower->diags, attribute->loc,
               "setting '%s' is %.10g, expected %.10g to %.10g", attribute->name, number,
               least, most);
    return false;
}

static bool read_int(Lower *lower, Frame *frame, const char *name, double least,
                     double most, int64_t *out)
{
    Attribute attribute = setting_attribute(lower, name);
    return expr_integer(lower->spec->exprs, &attribute, frame_names(frame), out) &&
           check_range(lower, &attribute, (double)*out, least, most);
}

static bool read_real(Lower *lower, Frame *frame, const char *name, double least,
                      double most, double *out)
{
    Attribute attribute = setting_attribute(lower, name);
    return expr_number(lower->spec->exprs, &attribute, frame_names(frame), out) &&
           check_range(lower, &attribute, *out, least, most) &&
           lower_f32(lower, *out, attribute.loc);
}

/* The one setting that is a name: a row of decays.def. */
static bool read_name(Lower *lower, Frame *frame, const char *name, double least,
                      double most, const char **out)
{
    (void)least;
    (void)most;
    static const char *const known[] = {
#define DECAY(row, factor) #row,
#include "ir/decays.def"
    };
    enum { KNOWN_COUNT = sizeof known / sizeof *known };
    Attribute attribute = setting_attribute(lower, name);
    Value value;
    if (!expr_value(lower->spec->exprs, &attribute, frame_names(frame), &value))
        return false;
    *out = value.text ? value.text : number_text(lower->spec->interns, value.number);
    for (size_t i = 0; i < KNOWN_COUNT; i++)
        if (strcmp(known[i], *out) == 0)
            return true;
    unknown_name(lower->diags, attribute.loc, name, *out, known, KNOWN_COUNT);
    return false;
}

static Frame *optimizer_frame(Lower *lower, Globals *globals, Bindings *sets)
{
    *sets = bindings_new(&lower->spec->optimizer_sets, lower->arena);
    return frame_new(globals, NULL, lower->spec->optimizer, sets, (Loc){0});
}

bool lower_settings(Lower *lower)
{
    Settings *settings = &lower->module->settings;
    Bindings sets;
    Globals *globals = globals_new(lower->spec, NULL, GRAPH_train, lower->arena);
    Frame *frame = optimizer_frame(lower, globals, &sets);
    bool ok = true;
#define SETTING(kind, name, preset, least, most, meaning)                                \
    ok = ok && read_##kind(lower, frame, #name, least, most, &settings->name);
#include "ir/settings.def"
    frame_free(frame);
    return ok;
}

/* -- the frame of one parameter ----------------------------------------------------- */

/* The constants of every <for> that takes in the parameter become arguments; later ones
 * win. */
static bool apply_exceptions(Lower *lower, Frame *frame, const Param *param)
{
    ChoiceList *exceptions = &lower->spec->exceptions;
    Exprs *exprs = lower->spec->exprs;
    uint32_t most = 0;
    for (uint32_t i = 0; i < exceptions->count; i++)
        most += exceptions->items[i].sets.count;
    frame->arguments = ARENA_ARRAY(frame->arena, Argument, most);
    for (uint32_t i = 0; i < exceptions->count; i++) {
        Selection *choice = &exceptions->items[i];
        bool wanted;
        if (!lower_spend(lower, 1, choice->element->loc) ||
            !frame_wants(frame, choice->element, &wanted))
            return false;
        if (!wanted || !patterns_match(&choice->names, param->name))
            continue;
        for (uint32_t j = 0; j < choice->sets.count; j++) {
            const Const *set = &choice->sets.items[j];
            Value value;
            if (!frame_wants(frame, set->element, &wanted))
                return false;
            if (!wanted)
                continue;
            if (!expr_value(exprs, set->value, frame_names(frame), &value) ||
                !frame_accepts(frame, set->name, value, set->value->loc))
                return false;
            frame->arguments[frame->argument_count++] = (Argument){set->name, value};
        }
    }
    return true;
}

static bool find_decay(Lower *lower, Param *param)
{
    Bindings sets;
    Globals *globals = globals_new(lower->spec, NULL, GRAPH_train, lower->arena);
    Frame *frame = optimizer_frame(lower, globals, &sets);
    const char *name = intern(lower->spec->interns, "weight_decay");
    bool ok = apply_exceptions(lower, frame, param);
    if (ok && frame_has_constant(frame, name))
        ok = read_real(lower, frame, name, -HUGE_VAL, HUGE_VAL, &param->weight_decay);
    frame_free(frame);
    return ok;
}

/* -- states ------------------------------------------------------------------------- */

static bool add_state(Lower *lower, Frame *frame, const Element *element,
                      const Param *param, StateVar **out)
{
    const char *variable = element_attribute(element, "name")->value;
    const char *name = arena_format(frame->arena, "%s:%s", param->name, variable);
    *out = module_find_state(lower->module, name);
    if (*out)
        return true;
    Attribute *init = element_attribute(element, "init");
    Attribute *shape = element_attribute(element, "shape");
    StateVar state = {.name = name, .param = param->name, .type = param->type};
    if (init && !expr_number(lower->spec->exprs, init, frame_names(frame), &state.init))
        return false;
    if (shape && !lower_shape(lower, frame, shape, false, &state.type))
        return false;
    *out = module_add_state(lower->module, state);
    return true;
}

static bool bind_states(Lower *lower, Frame *frame, const Param *param)
{
    const Element *optimizer = lower->spec->optimizer->element;
    for (const Element *child = first_child(optimizer); child;
         child = next_child(child)) {
        StateVar *state;
        bool wanted = child->kind == ELEMENT_state;
        if (wanted && !frame_wants(frame, child, &wanted))
            return false;
        if (!wanted)
            continue;
        if (!add_state(lower, frame, child, param, &state))
            return false;
        const Node *node =
            graph_source(lower->draft->graph, (BuildSite){child->loc, STAGE_forward},
                         OP_state, state->name, state->type);
        if (!node)
            return false;
        frame_bind(frame, element_attribute(child, "name")->value, node);
    }
    return true;
}

/* -- the graph ---------------------------------------------------------------------- */

typedef struct UpdateValues {
    const Node *lr, *gradient_norm;
} UpdateValues;

static void bind_word(Lower *lower, Frame *frame, const char *word, const Node *node)
{
    frame_bind(frame, intern(lower->module->interns, word), node);
}

static bool lower_param_update(Lower *lower, const Param *param, UpdateValues values)
{
    const Element *optimizer = lower->spec->optimizer->element;
    BuildSite site = {optimizer->loc, STAGE_forward};
    Bindings sets;
    Frame *frame = optimizer_frame(lower, lower->draft->globals, &sets);
    frame->scope = arena_format(frame->arena, "%s:", param->name);
    lower->draft->param = param;
    lower->draft->assigned = (Names){0};
    bind_word(
        lower, frame, "param",
        graph_source(lower->draft->graph, site, OP_param, param->name, param->type));
    bind_word(
        lower, frame, "gradient",
        graph_source(lower->draft->graph, site, OP_gradient, param->name, param->type));
    bind_word(lower, frame, "lr", values.lr);
    bind_word(lower, frame, "gradient_norm", values.gradient_norm);
    bool ok = apply_exceptions(lower, frame, param) && bind_states(lower, frame, param) &&
              lower_body(lower, frame, optimizer);
    frame_free(frame);
    if (ok &&
        !names_get(&lower->draft->assigned, intern(lower->module->interns, "param"))) {
        diag_error(lower->diags, optimizer->loc, "the optimizer never assigns 'param'");
        ok = false;
    }
    lower->draft->param = NULL;
    return ok;
}

/* The sum of the squares of all elements. */
static const Node *sum_of_squares(Graph *graph, BuildSite site, const Node *x)
{
    const Node *sum =
        graph_unary(graph, site, OP_sum_width, graph_binary(graph, site, OP_mul, x, x));
    return sum->type.rank > 1 ? graph_unary(graph, site, OP_sum_rows, sum) : sum;
}

/* sqrt(sum over parameters of |gradient|^2) */
static const Node *norm_of_gradients(Lower *lower, BuildSite site,
                                     const Param *const *params, uint32_t count)
{
    Graph *graph = lower->draft->graph;
    const Node *total = NULL;
    for (uint32_t i = 0; i < count; i++) {
        const Node *gradient =
            graph_source(graph, site, OP_gradient, params[i]->name, params[i]->type);
        const Node *squares = sum_of_squares(graph, site, gradient);
        total = total ? graph_binary(graph, site, OP_add, total, squares) : squares;
    }
    return graph_unary(graph, site, OP_sqrt, total);
}

static bool lower_update(Lower *lower, uint32_t task)
{
    ModelSpec *spec = lower->spec;
    const Names *used = &lower->task_params[task];
    const Param **params = ARENA_ARRAY(lower->arena, const Param *, used->count);
    uint32_t count = 0;
    for (uint32_t i = 0; i < used->count; i++) {
        const Param *param = module_find_param(lower->module, used->names[i]);
        if (param->trained)
            params[count++] = param;
    }
    if (count == 0) {
        diag_error(lower->diags, spec->model->loc, "task '%s' has no trained parameter",
                   spec->tasks[task]->name);
        return false;
    }
    Globals *globals = globals_new(spec, spec->tasks[task], GRAPH_train, lower->arena);
    Draft draft = draft_new(lower, task, globals, GRAPH_update, "update");
    lower->draft = &draft;
    BuildSite site = {spec->optimizer->element->loc, STAGE_forward};
    UpdateValues values = {
        .lr = graph_source(draft.graph, site, OP_input, "lr", TYPE_SCALAR),
        .gradient_norm = norm_of_gradients(lower, site, params, count),
    };
    graph_name(draft.graph, values.gradient_norm,
               intern(lower->module->interns, "gradient_norm"));
    bool ok = true;
    for (uint32_t i = 0; i < count && ok; i++)
        ok = lower_param_update(lower, params[i], values);
    graph_output(draft.graph, OUTPUT_result, "gradient_norm", values.gradient_norm,
                 site.loc);
    draft_finish(lower);
    lower->draft = NULL;
    return ok;
}

bool lower_updates(Lower *lower)
{
    for (uint32_t i = 0; i < lower->module->param_count; i++)
        if (!find_decay(lower, &lower->module->params[i]))
            return false;
    for (uint32_t i = 0; i < lower->spec->task_count; i++)
        if (task_loss(lower->spec->tasks[i]) && !lower_update(lower, i))
            return false;
    return true;
}
