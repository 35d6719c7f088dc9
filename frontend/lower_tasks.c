/* The graphs of a task: for training (if it has a loss) and for evaluation, the backbone
 * and then the task's loss; for generation what lower_generate.c makes of the backbone;
 * and for each site that methods are attached to, a graft. */
#include <string.h>

#include "frontend/lower.h"
#include "ir/axis.h"

enum { GRAFT_WORK = 200 }; /* what a graph costs, as elements */

static void start_graph(Lower *lower, GraphKind kind, const char *name)
{
    const char *task = lower->spec->tasks[lower->task]->name;
    lower->graph = graph_new(lower->module->interns, lower->diags, kind, name, task);
    lower->inputs = lower->results = (Names){0};
}

/* The graph is the module's from here on, good or not. */
static void finish_graph(Lower *lower)
{
    axes_derive_limits(lower->graph, lower->module->settings.tokens,
                       lower->module->settings.sequences);
    module_add_graph(lower->module, lower->graph);
}

/* -- the loss ----------------------------------------------------------------------- */

/* A loss sees the outputs of the backbone, and all inputs. */
static bool show_backbone(Lower *lower, const Frame *backbone, Frame *frame)
{
    const Definition *definition = backbone->definition;
    for (uint32_t i = 0; i < lower->inputs.count; i++)
        frame_bind(frame, lower->inputs.names[i], lower->inputs.values[i]);
    for (uint32_t i = 0; i < definition->output_count; i++) {
        const Node *node = frame_value(backbone, definition->outputs[i]);
        if (!node) {
            diag_error(lower->diags, definition->element->loc,
                       "backbone '%s' never binds its output '%s'", definition->name,
                       definition->outputs[i]);
            return false;
        }
        frame_bind(frame, definition->outputs[i], node);
    }
    return true;
}

static bool take_loss(Lower *lower, const Frame *frame, const Element *element)
{
    const Node *loss = frame_value(frame, intern(lower->module->interns, "loss"));
    if (!loss) {
        diag_error(lower->diags, element->loc, "the body must bind the value 'loss'");
        return false;
    }
    if (!type_equal(loss->type, TYPE_SCALAR)) {
        diag_error(lower->diags, loss->loc, "the loss must be one number, f32[1]");
        return false;
    }
    graph_output(lower->graph, OUTPUT_loss, "", loss, loss->loc);
    if (lower->graph->kind == GRAPH_evaluate)
        graph_output(lower->graph, OUTPUT_result, "loss", loss, loss->loc);
    return true;
}

/* A task without a loss is there for its results. */
static bool check_results(Lower *lower, const Definition *task)
{
    if (lower->graph->output_count > 0)
        return true;
    diag_error(lower->diags, task->element->loc,
               "task '%s' has no <loss>, and the backbone no <result>: there is nothing "
               "to compute",
               task->name);
    return false;
}

static bool lower_loss(Lower *lower, const Frame *backbone)
{
    const Definition *task = lower->spec->tasks[lower->task];
    const Element *loss = task_loss(task);
    Frame *frame = frame_new(lower->globals, NULL, task, NULL, (Loc){0});
    lower->params_allowed = lower->sites_allowed = false;
    /* The task's own children declare its axes and inputs. */
    bool ok = show_backbone(lower, backbone, frame) &&
              lower_body(lower, frame, task->element) &&
              (loss ? lower_body(lower, frame, loss) && take_loss(lower, frame, loss)
                    : check_results(lower, task));
    frame_free(frame);
    return ok;
}

/* -- grafts ------------------------------------------------------------------------- */

static const Node *graft_input(Lower *lower, const char *name, const Node *like)
{
    const Node *node = graph_source(lower->graph, (BuildSite){like->loc, STAGE_forward},
                                    OP_input, name, like->type);
    if (node)
        names_set(&lower->inputs, lower->arena, intern(lower->module->interns, name),
                  node);
    return node;
}

static const char *graft_prefix(Lower *lower, Frame *frame, const Graft *graft)
{
    const Attribute *as = element_attribute(graft->attach->element, "as");
    if (!as)
        return frame->scope;
    const char *text = expr_text(lower->spec->exprs, as, frame_path_names(frame));
    return text ? lower_scope(lower, frame, text, as->loc) : NULL;
}

static bool lower_graft_body(Lower *lower, Frame *frame, const Graft *graft)
{
    const Definition *block = graft->attach->block;
    const Node *out = graft_input(lower, "out", graft->site->node);
    const Node *in = block->input_count == 2
                         ? graft_input(lower, "in", graft->site->node->args[0])
                         : NULL;
    if (!out || (block->input_count == 2 && !in))
        return false;
    frame_bind(frame, block->inputs[0].name, out);
    if (in)
        frame_bind(frame, block->inputs[1].name, in);
    for (uint32_t i = 0; i < block->input_count; i++)
        if (block->inputs[i].optional)
            frame->arguments[frame->argument_count++] =
                (Argument){block->inputs[i].flag, {.number = 1}};
    if (!lower_body(lower, frame, block->element))
        return false;
    const Node *result = frame_value(frame, block->outputs[0]);
    if (!result) {
        diag_error(lower->diags, block->element->loc,
                   "block '%s' never binds its output '%s'", block->name,
                   block->outputs[0]);
        return false;
    }
    graph_output(lower->graph, OUTPUT_graft, "", result, result->loc);
    return true;
}

static bool lower_graft(Lower *lower, const Graph *host, Attach *attach, const Site *site,
                        uint32_t number)
{
    const char *name = arena_format(lower->arena, "%s.graft.%u", host->name, number);
    if (!lower_spend(lower, GRAFT_WORK, attach->element->loc))
        return false;
    start_graph(lower, GRAPH_graft, name);
    lower->graph->host = host->name;
    lower->graph->site = site->path;
    for (uint32_t i = 1; i < host->axis_count; i++)
        graph_axis(lower->graph, host->axes[i], attach->element->loc);
    Bindings sets = bindings_new(&attach->sets, lower->arena);
    Frame *frame =
        frame_new(lower->globals, NULL, attach->block, &sets, attach->element->loc);
    frame->arguments = ARENA_ARRAY(frame->arena, Argument, attach->block->input_count);
    frame->site = site->path;
    frame->scope = arena_format(frame->arena, "%s.", site->path);
    Graft graft = {attach, site, NULL};
    graft.prefix = graft_prefix(lower, frame, &graft);
    frame->scope = graft.prefix;
    lower->graft = &graft;
    lower->sites_allowed = false;
    lower->params_allowed = true;
    bool ok = graft.prefix && lower_graft_body(lower, frame, &graft);
    lower->graft = NULL;
    frame_free(frame);
    finish_graph(lower);
    return ok;
}

/* Which of an attach's <share> hold in this graph. */
static bool choose_shares(Lower *lower, Attach *attach)
{
    for (uint32_t i = 0; i < attach->share_count; i++) {
        Share *share = &attach->shares[i];
        Attribute *when = element_attribute(share->element, "when");
        share->wanted = true;
        if (when && !expr_condition(lower->spec->exprs, when,
                                    globals_names(lower->globals), &share->wanted))
            return false;
        share->active |= share->wanted;
    }
    return true;
}

static bool lower_grafts(Lower *lower, const Graph *host)
{
    ModelSpec *spec = lower->spec;
    uint32_t number = 0;
    for (uint32_t i = 0; i < spec->attach_count; i++) {
        Attach *attach = &spec->attaches[i];
        Attribute *when = element_attribute(attach->element, "when");
        bool wanted = true;
        if (when &&
            !expr_condition(spec->exprs, when, globals_names(lower->globals), &wanted))
            return false;
        if (!wanted || !attach->tasks[lower->task])
            continue;
        attach->active = true;
        if (!choose_shares(lower, attach) ||
            !lower_spend(lower, lower->site_count, attach->element->loc))
            return false;
        for (uint32_t j = 0; j < lower->site_count; j++)
            if (patterns_match(&attach->at, lower->sites[j].path) &&
                !lower_graft(lower, host, attach, &lower->sites[j], number++))
                return false;
    }
    return true;
}

/* -- tasks -------------------------------------------------------------------------- */

static bool lower_host(Lower *lower, GraphKind kind)
{
    ModelSpec *spec = lower->spec;
    const Definition *task = spec->tasks[lower->task];
    lower->globals = globals_new(spec, task, kind, lower->arena);
    lower->next_salt = 1;
    lower->site_count = 0;
    lower->site_nodes = (Names){0};
    lower->step_axis = AXIS_STATIC;
    lower->sites_allowed = lower->params_allowed = true;
    start_graph(lower, kind,
                arena_format(lower->arena, "%s.%s", task->name, graph_kind_names[kind]));
    Frame *frame = frame_new(lower->globals, NULL, spec->backbone, NULL, (Loc){0});
    bool generates = kind == GRAPH_encode || kind == GRAPH_decode;
    bool ok = lower_body(lower, frame, spec->backbone->element) &&
              (generates ? lower_prune(lower) : lower_loss(lower, frame));
    frame_free(frame);
    if (ok && generates && lower->graph->output_count == 0) {
        graph_free(lower->graph);
        return true;
    }
    const Graph *host = lower->graph;
    finish_graph(lower);
    return ok && lower_grafts(lower, host);
}

static uint32_t count_data(const Element *holder)
{
    uint32_t count = 0;
    for (const Element *child = holder->first; child; child = child->next)
        count += child->kind == ELEMENT_data;
    return count;
}

static bool has_data(const Task *task, const char *key)
{
    for (uint32_t i = 0; i < task->data_count; i++)
        if (strcmp(task->data[i].key, key) == 0)
            return true;
    return false;
}

/* The facts of one element, but for those the task has from another. */
static bool add_data(Lower *lower, Globals *globals, const Element *holder, Task *task)
{
    const ModelSpec *spec = lower->spec;
    Task others = *task;
    for (const Element *child = holder->first; child; child = child->next) {
        if (child->kind != ELEMENT_data)
            continue;
        const char *key = element_attribute(child, "key")->value;
        Attribute *when = element_attribute(child, "when");
        bool wanted = !has_data(&others, key);
        if (wanted && when &&
            !expr_condition(spec->exprs, when, globals_names(globals), &wanted))
            return false;
        if (!wanted)
            continue;
        const char *value = expr_text(spec->exprs, element_attribute(child, "value"),
                                      globals_names(globals));
        if (!value)
            return false;
        task->data[task->data_count++] = (DataSetting){key, value};
    }
    return true;
}

static bool add_task(Lower *lower)
{
    ModelSpec *spec = lower->spec;
    const Element *element = spec->tasks[lower->task]->element;
    const Element *backbone = spec->backbone->element;
    Globals *globals =
        globals_new(spec, spec->tasks[lower->task], GRAPH_train, lower->arena);
    Attribute *sequences = element_attribute(element, "sequences");
    Task task = {.name = intern(lower->module->interns, spec->tasks[lower->task]->name),
                 .sequences = lower->module->settings.sequences,
                 .loc = element->loc};
    if (sequences &&
        !expr_integer(spec->exprs, sequences, globals_names(globals), &task.sequences))
        return false;
    if (task.sequences < 1 || task.sequences > INT32_MAX) {
        diag_error(lower->diags, task.loc,
                   "task '%s' has %lld sequences, expected 1 to %d", task.name,
                   (long long)task.sequences, INT32_MAX);
        return false;
    }
    task.data = ARENA_ARRAY(lower->module->arena, DataSetting,
                            count_data(element) + count_data(backbone));
    if (!add_data(lower, globals, element, &task) ||
        !add_data(lower, globals, backbone, &task))
        return false;
    module_add_task(lower->module, task);
    return true;
}

bool lower_task(Lower *lower, uint32_t task)
{
    lower->task = task;
    lower->generates = false;
    bool is_trained = task_loss(lower->spec->tasks[task]) != NULL;
    if (!add_task(lower) || (is_trained && !lower_host(lower, GRAPH_train)) ||
        !lower_host(lower, GRAPH_evaluate))
        return false;
    return !lower->generates ||
           (lower_host(lower, GRAPH_encode) && lower_host(lower, GRAPH_decode));
}
