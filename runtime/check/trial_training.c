/* Gradients of the first step, and updates after all steps, against those recorded. */
#include <math.h>
#include <string.h>

#include "runtime/check/trial.h"

static const double NOISE = 1e-6;

/* -- gradients --------------------------------------------------------------------- */

static double compare_gradient(Trial *trial, const StoreEntry *entry,
                               const Tensor *tensor)
{
    if (tensor->elements != entry->elements)
        return INFINITY;
    const float *wanted = trial_numbers(trial, tensor);
    double largest = trial_largest(wanted, entry->elements), difference = 0;
    trial->largest_gradient = fmax(trial->largest_gradient, largest);
    for (int64_t i = 0; i < entry->elements; i++) {
        double gap = fabs((double)entry->gradient[i] - (double)wanted[i]);
        difference = trial_worse(gap, difference);
    }
    return difference / fmax(largest, 1e-30);
}

static double norm_of(const float *values, int64_t count)
{
    double sum = 0;
    for (int64_t i = 0; i < count; i++)
        sum += (double)values[i] * (double)values[i];
    return sqrt(sum);
}

/* [2-norm, sum, first elements...] */
static double compare_gradient_summary(Trial *trial, const StoreEntry *entry,
                                       const Tensor *tensor)
{
    const float *wanted = trial_numbers(trial, tensor), *got = entry->gradient;
    double norm = norm_of(got, entry->elements), sum = 0;
    double largest = fmax(trial_largest(got, entry->elements), 1e-30);
    trial->largest_gradient = fmax(trial->largest_gradient, largest);
    for (int64_t i = 0; i < entry->elements; i++)
        sum += (double)got[i];
    double error = trial_relative(norm, (double)wanted[0]);
    error = trial_worse(error, fabs(sum - (double)wanted[1]) /
                                   (largest * sqrt((double)entry->elements)));
    for (int64_t i = 2; i < tensor->elements && i - 2 < entry->elements; i++)
        error =
            trial_worse(error, fabs((double)got[i - 2] - (double)wanted[i]) / largest);
    return error;
}

/* Where a gradient is nothing but rounding, both in the recording and here, its error
 * says nothing. A recorded 2-norm is no less than the largest magnitude. */
static double forgive_noise(Trial *trial, const StoreEntry *entry, double error)
{
    const Tensor *whole = trial_find(trial, "grad/", entry);
    const Tensor *summary = trial_find(trial, "summary/grad/", entry);
    double limit = NOISE * trial->largest_gradient, recorded = INFINITY;
    if (whole)
        recorded = trial_largest(trial_numbers(trial, whole), whole->elements);
    else if (summary)
        recorded = fabs((double)*trial_numbers(trial, summary));
    bool is_noise =
        recorded <= limit && trial_largest(entry->gradient, entry->elements) <= limit;
    return is_noise && isfinite(error) ? 0 : error;
}

static bool check_gradients(Trial *trial)
{
    const CaseStep *step = &trial->recorded->steps[0];
    const Graph *graph = trial_graph(trial, GRAPH_train, step->task);
    Batch *batch = graph ? case_batch(trial->recorded, step, graph, trial->diags) : NULL;
    double loss, *errors = ARENA_ARRAY(trial->arena, double, store_count(trial->store));
    bool is_run =
        batch && session_gradients(trial->session, batch, 0, &loss, trial->diags);
    for (uint32_t i = 0; is_run && i < store_count(trial->store); i++) {
        const StoreEntry *entry = store_at(trial->store, i);
        bool is_computed = entry->param &&
                           graph_find_output(graph, OUTPUT_gradient, entry->name) != NULL;
        const Tensor *whole = entry->param ? trial_find(trial, "grad/", entry) : NULL;
        const Tensor *summary =
            entry->param ? trial_find(trial, "summary/grad/", entry) : NULL;
        if (is_computed && whole)
            errors[i] = compare_gradient(trial, entry, whole);
        else if (is_computed && summary)
            errors[i] = compare_gradient_summary(trial, entry, summary);
        else
            errors[i] = is_computed || whole || summary ? INFINITY : -1;
    }
    for (uint32_t i = 0; is_run && i < store_count(trial->store); i++) {
        const StoreEntry *entry = store_at(trial->store, i);
        if (errors[i] >= 0 && entry->gradient)
            trial_note(trial, KIND_gradient, entry->name,
                       forgive_noise(trial, entry, errors[i]));
        else if (errors[i] >= 0)
            trial_note(trial, KIND_gradient, entry->name, errors[i]);
    }
    if (batch)
        batch_free(batch);
    return is_run;
}

/* -- steps and updates -------------------------------------------------------------- */

static bool run_steps(Trial *trial)
{
    for (uint32_t i = 0; i < trial->recorded->step_count; i++) {
        const CaseStep *step = &trial->recorded->steps[i];
        const Graph *graph = trial_graph(trial, GRAPH_train, step->task);
        Batch *batch =
            graph ? case_batch(trial->recorded, step, graph, trial->diags) : NULL;
        StepResult result;
        bool is_run = batch && session_train_step(trial->session, batch, i, step->lr,
                                                  &result, trial->diags);
        if (batch)
            batch_free(batch);
        if (!is_run)
            return false;
        char name[64];
        snprintf(name, sizeof name, "step %u", i + 1);
        trial_note(trial, KIND_loss, name, trial_relative(result.loss, step->loss));
        if (step->gradient_norm >= 0)
            trial_note(trial, KIND_norm, name,
                       trial_relative(result.gradient_norm, step->gradient_norm));
    }
    return true;
}

static double compare_update(Trial *trial, const StoreEntry *entry, const float *before,
                             const Tensor *tensor)
{
    if (tensor->elements != entry->elements)
        return INFINITY;
    const float *wanted = trial_numbers(trial, tensor);
    double difference = 0, change = 0;
    for (int64_t i = 0; i < entry->elements; i++) {
        double gap = (double)entry->data[i] - (double)wanted[i];
        double step = (double)wanted[i] - (double)before[i];
        difference += gap * gap;
        change += step * step;
    }
    return difference == 0 ? 0 : sqrt(difference) / fmax(sqrt(change), 1e-30);
}

/* [2-norm, first elements...]: the change of an element is at most the sum of the
 * rates. */
static double compare_update_summary(Trial *trial, const StoreEntry *entry,
                                     const Tensor *tensor)
{
    const float *wanted = trial_numbers(trial, tensor);
    double rates = 0, norm = norm_of(entry->data, entry->elements);
    for (uint32_t i = 0; i < trial->recorded->step_count; i++)
        rates += trial->recorded->steps[i].lr;
    double scale = fmax(rates, 1e-30);
    double error =
        fabs(norm - (double)wanted[0]) / (scale * sqrt((double)entry->elements));
    for (int64_t i = 1; i < tensor->elements && i - 1 < entry->elements; i++)
        error = trial_worse(error,
                            fabs((double)entry->data[i - 1] - (double)wanted[i]) / scale);
    return error;
}

static bool is_exempt(Trial *trial, const StoreEntry *entry)
{
    const Tensor *gradient = trial_find(trial, "grad/", entry);
    return gradient && trial_largest(trial_numbers(trial, gradient), gradient->elements) <
                           NOISE * trial->largest_gradient;
}

static void check_updates(Trial *trial)
{
    char whole_prefix[32], summary_prefix[32];
    uint32_t steps = trial->recorded->step_count;
    snprintf(whole_prefix, sizeof whole_prefix, "after%u/", steps);
    snprintf(summary_prefix, sizeof summary_prefix, "summary/after%u/", steps);
    for (uint32_t i = 0; i < store_count(trial->store); i++) {
        const StoreEntry *entry = store_at(trial->store, i);
        if (!entry->param)
            continue;
        const Tensor *whole = trial_find(trial, whole_prefix, entry);
        const Tensor *summary = trial_find(trial, summary_prefix, entry);
        if (whole && is_exempt(trial, entry))
            trial->tallies[KIND_update].exempt++;
        else if (whole)
            trial_note(trial, KIND_update, entry->name,
                       compare_update(trial, entry, trial->before[i], whole));
        else if (summary)
            trial_note(trial, KIND_update, entry->name,
                       compare_update_summary(trial, entry, summary));
        else
            trial_note(trial, KIND_unchanged, entry->name,
                       memcmp(entry->data, trial->before[i],
                              (size_t)entry->elements * sizeof(float)) == 0
                           ? 0
                           : INFINITY);
    }
}

static void keep_parameters(Trial *trial)
{
    trial->before = ARENA_ARRAY(trial->arena, float *, store_count(trial->store));
    for (uint32_t i = 0; i < store_count(trial->store); i++) {
        const StoreEntry *entry = store_at(trial->store, i);
        if (entry->param)
            trial->before[i] = arena_copy(trial->arena, entry->data,
                                          (size_t)entry->elements * sizeof(float));
    }
}

bool trial_check_training(Trial *trial)
{
    keep_parameters(trial);
    if (!check_gradients(trial) || !run_steps(trial))
        return false;
    check_updates(trial);
    return true;
}
