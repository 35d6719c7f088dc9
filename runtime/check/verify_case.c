/* Compares the numbers of a plan with a recorded case, kind by kind:
 *
 *     loss       of every step, relative
 *     norm       of all gradients of every step before clipping, relative
 *     result     named results of the evaluate graph, over the largest magnitude recorded
 *     greedy     generations recorded as out/greedy_ids: tokens that differ
 *     beams      those recorded as generate/BEAMS_LENGTH, likewise
 *     gradient   each tensor of step 1, over its largest magnitude
 *     update     after all steps, the change of each parameter: relative 2-norm of the
 *                difference. Exempt: tensors whose largest gradient is under 1e-6 of the
 *                model's largest, where optimizers turn rounding noise into whole steps
 *     unchanged  parameters that got no gradient, to the last bit
 *
 * Some cases record summaries instead of whole tensors: of a gradient its 2-norm, sum and
 * first elements, of an updated parameter its 2-norm and first elements. */
#include "runtime/check/verify_case.h"

#include <string.h>

#include "runtime/check/trial.h"
#include "runtime/weights/weights.h"

/* -- parameters --------------------------------------------------------------------- */

static bool same_shape(const Tensor *tensor, Type type)
{
    if (tensor->rank != type.rank)
        return false;
    for (uint32_t i = 0; i < type.rank; i++)
        if (tensor->dims[i] != type.dims[i])
            return false;
    return true;
}

static bool load_weights(Trial *trial)
{
    WeightsReport report;
    if (!weights_load(trial->store, trial->options->weights, &report, trial->diags))
        return false;
    weights_report(trial->store, trial->options->weights, &report, trial->options->out);
    if (report.missing > 0)
        diag_error(trial->diags, (Loc){.file = tensor_set_path(trial->options->weights)},
                   "%u parameters of the plan are not there", report.missing);
    return report.missing == 0;
}

static bool load_parameters(Trial *trial)
{
    if (trial->options->weights)
        return load_weights(trial);
    const char *path = trial->recorded->path;
    uint32_t errors = diags_error_count(trial->diags);
    for (uint32_t i = 0; i < store_count(trial->store); i++) {
        StoreEntry *entry = store_at(trial->store, i);
        for (int64_t e = 0; entry->state && e < entry->elements; e++)
            entry->data[e] = (float)entry->state->init;
        if (entry->state)
            continue;
        const char *prefix = entry->param->buffer ? "buffer/" : "param/";
        const Tensor *tensor = trial_find(trial, prefix, entry);
        if (!tensor)
            diag_error(trial->diags, (Loc){.file = path}, "no %s%s", prefix, entry->name);
        else if (!same_shape(tensor, entry->type))
            diag_error(trial->diags, (Loc){.file = path},
                       "%s has another shape than the plan's parameter", tensor->name);
        else
            tensor_read_f32(tensor, 0, tensor->elements, entry->data);
    }
    for (uint32_t i = 0; i < tensor_file_count(trial->recorded->file); i++) {
        const Tensor *tensor = tensor_file_at(trial->recorded->file, i);
        if (strncmp(tensor->name, "param/", 6) == 0 &&
            !store_find(trial->store, tensor->name + 6))
            diag_error(trial->diags, (Loc){.file = path},
                       "the plan has no parameter '%s'", tensor->name + 6);
    }
    return diags_error_count(trial->diags) == errors;
}

/* -- the trial ---------------------------------------------------------------------- */

/* A plan that only computes results must find some to compare. */
static bool check_compared(Trial *trial)
{
    if (trial->tallies[KIND_result].count > 0)
        return true;
    diag_error(trial->diags, (Loc){.file = trial->recorded->path},
               "no tensor mid/NAME or out/NAME is named as a result of @%s.evaluate",
               trial->recorded->steps[0].task);
    return false;
}

static bool run_trial(Trial *trial)
{
    if (!load_parameters(trial))
        return false;
    trial->session =
        session_new(trial->module, trial->store, &trial->options->session, trial->diags);
    if (!trial->session || !trial_check_results(trial) || !trial_check_generations(trial))
        return false;
    const char *task = trial->recorded->steps[0].task;
    return module_task_graph(trial->module, GRAPH_train, task)
               ? trial_check_training(trial)
               : check_compared(trial);
}

Verdict verify_case(const Module *module, const CaseOptions *options, Diags *diags)
{
    RecordedCase *recorded = case_open(options->path, diags);
    if (!recorded)
        return VERDICT_failed;
    Trial trial = {.module = module,
                   .options = options,
                   .recorded = recorded,
                   .store = store_new(module),
                   .arena = arena_new(),
                   .diags = diags};
    Verdict verdict = VERDICT_failed;
    if (run_trial(&trial))
        verdict = trial_print(&trial) ? VERDICT_equal : VERDICT_different;
    session_free(trial.session);
    store_free(trial.store);
    arena_free(trial.arena);
    case_close(recorded);
    return verdict;
}
