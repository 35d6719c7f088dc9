/* The graphs of a task: for training (if it has a loss) and for evaluation, the backbone
 * and then the task's loss; for generation what lower_generate.c makes of the backbone;
 * and for each site that methods are attached to, a graft. */
#include <string.h>

#include "frontend/lower.h"
#include "frontend/syntax/branches.h"
#include "frontend/syntax/entries.h"

/* -- the loss ----------------------------------------------------------------------- */

/* A loss sees the outputs of the backbone, and all inputs. */
static bool show_backbone(Lower *lower, const Frame *backbone, Frame *frame)
{
    const Definition *definition = backbone->definition;
    for (uint32_t i = 0; i < lower->draft->inputs.count; i++)
        frame_bind(frame, lower->draft->inputs.names[i], lower->draft->inputs.values[i]);
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
    graph_output(lower->draft->graph, OUTPUT_loss, "", loss, loss->loc);
    if (lower->draft->graph->kind == GRAPH_evaluate)
        graph_output(lower->draft->graph, OUTPUT_result, "loss", loss, loss->loc);
    return true;
}

/* A task without a loss is there for its results. */
static bool check_results(Lower *lower, const Definition *task)
{
    if (lower->draft->graph->output_count > 0)
        return true;
    diag_error(lower->diags, task->element->loc,
               "task '%s' has no <loss>, and the backbone no <result>: there is nothing "
               "to compute",
               task->name);
    return false;
}

static bool lower_loss(Lower *lower, const Frame *backbone)
{
    const Definition *task = lower->spec->tasks[lower->draft->task];
    const Element *loss = task_loss(task);
    Frame *frame = frame_new(lower->draft->globals, NULL, task, NULL, (Loc){0});
    lower->draft->params_allowed = lower->draft->sites_allowed = false;
    /* The task's own children declare its axes and inputs. */
    bool ok = show_backbone(lower, backbone, frame) &&
              lower_body(lower, frame, task->element) &&
              (loss ? lower_body(lower, frame, loss) && take_loss(lower, frame, loss)
                    : check_results(lower, task));
    frame_free(frame);
    return ok;
}

/* -- tasks -------------------------------------------------------------------------- */

/* A graph of generation, which is a part of the backbone. */
static bool is_part(GraphKind kind)
{
    return kind == GRAPH_encode || kind == GRAPH_decode;
}

/* Its body, and what its kind has besides. */
static bool lower_host_body(Lower *lower)
{
    const Draft *draft = lower->draft;
    const Definition *backbone = lower->spec->backbone;
    Frame *frame = frame_new(draft->globals, NULL, backbone, NULL, (Loc){0});
    bool ok =
        lower_body(lower, frame, backbone->element) &&
        (is_part(draft->graph->kind) ? lower_prune(lower) : lower_loss(lower, frame));
    draft_free_besides(lower);
    frame_free(frame);
    return ok;
}

/* Sets *generates if something says what to keep or to cache. */
static bool lower_host(Lower *lower, uint32_t task, GraphKind kind, bool *generates)
{
    Globals *globals =
        globals_new(lower->spec, lower->spec->tasks[task], kind, lower->arena);
    Draft draft = draft_new(lower, task, globals, kind, graph_kind_names[kind]);
    draft.sites_allowed = draft.params_allowed = true;
    lower->draft = &draft;
    bool ok = lower_host_body(lower);
    if (ok && is_part(kind) && draft.graph->output_count == 0) {
        graph_free(draft.graph);
    } else {
        draft_finish(lower);
        ok = ok && lower_grafts(lower, &draft) &&
             (kind != GRAPH_evaluate || lower_exchanges(lower, &draft));
    }
    *generates |= draft.generates;
    lower->draft = NULL;
    return ok;
}

static uint32_t count_data(const Element *holder)
{
    uint32_t count = 0;
    for (const Element *child = first_child(holder); child; child = next_child(child))
        if (child->kind == ELEMENT_data)
            count += entry_count(child);
    return count;
}

static bool has_data(const Task *task, const char *key)
{
    for (uint32_t i = 0; i < task->data_count; i++)
        if (strcmp(task->data[i].key, key) == 0)
            return true;
    return false;
}

/* The facts of one <data>, but for those that `others` has. */
static bool add_facts(Lower *lower, Globals *globals, const Element *data,
                      const Task *others, Task *task)
{
    Entry entry;
    for (uint32_t at = 0; entry_next(data, &at, &entry);) {
        if (has_data(others, entry.name))
            continue;
        const char *value =
            expr_text(lower->spec->exprs, entry.value, globals_names(globals));
        if (!value)
            return false;
        task->data[task->data_count++] = (DataSetting){.key = entry.name, .value = value};
    }
    return true;
}

/* The facts of one element, but for those the task has from another. */
static bool add_data(Lower *lower, Globals *globals, const Element *holder, Task *task)
{
    const ModelSpec *spec = lower->spec;
    Task others = *task;
    for (const Element *child = first_child(holder); child; child = next_child(child)) {
        if (child->kind != ELEMENT_data)
            continue;
        bool wanted;
        if (!element_counts(spec->exprs, child, globals_names(globals), &wanted))
            return false;
        if (wanted && !add_facts(lower, globals, child, &others, task))
            return false;
    }
    return true;
}

static bool add_task(Lower *lower, uint32_t index)
{
    ModelSpec *spec = lower->spec;
    const Element *element = spec->tasks[index]->element;
    const Element *backbone = spec->backbone->element;
    Globals *globals = globals_new(spec, spec->tasks[index], GRAPH_train, lower->arena);
    Attribute *sequences = element_attribute(element, "sequences");
    Task task = {.name = intern(lower->module->interns, spec->tasks[index]->name),
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
                            element->attribute_count + count_data(element) +
                                count_data(backbone));
    if (!lower_texts(lower, globals, element, &task) ||
        !add_data(lower, globals, element, &task) ||
        !add_data(lower, globals, backbone, &task))
        return false;
    module_add_task(lower->module, task);
    return true;
}

bool lower_task(Lower *lower, uint32_t task)
{
    bool is_trained = task_loss(lower->spec->tasks[task]) != NULL, generates = false;
    if (!add_task(lower, task) ||
        (is_trained && !lower_host(lower, task, GRAPH_train, &generates)) ||
        !lower_host(lower, task, GRAPH_evaluate, &generates))
        return false;
    return !generates || (lower_host(lower, task, GRAPH_encode, &generates) &&
                          lower_host(lower, task, GRAPH_decode, &generates));
}
