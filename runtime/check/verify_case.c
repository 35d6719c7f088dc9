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

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/check/case.h"
#include "runtime/exec/generate.h"
#include "runtime/weights/weights.h"

typedef enum CaseKind {
    KIND_loss,
    KIND_norm,
    KIND_result,
    KIND_greedy,
    KIND_beams,
    KIND_gradient,
    KIND_update,
    KIND_unchanged,
    KIND_COUNT
} CaseKind;

static const struct {
    const char *name;
    double limit;
} kinds[KIND_COUNT] = {
    [KIND_loss] = {"loss", 1e-5},     [KIND_norm] = {"norm", 1e-4},
    [KIND_result] = {"result", 1e-5}, [KIND_greedy] = {"greedy", 0},
    [KIND_beams] = {"beams", 0},      [KIND_gradient] = {"gradient", 1e-4},
    [KIND_update] = {"update", 1e-2}, [KIND_unchanged] = {"unchanged", 0},
};

static const double NOISE = 1e-6;

typedef struct CaseTally {
    uint32_t count, failures, exempt, skipped;
    double worst;
    char worst_name[200];
} CaseTally;

typedef struct Trial {
    const Module *module;
    const CaseOptions *options;
    const RecordedCase *recorded;
    Store *store;
    Session *session;
    Arena *arena;
    float **before;          /* by store index: trained parameters before step 1 */
    double largest_gradient; /* of the recording */
    CaseTally tallies[KIND_COUNT];
    Diags *diags;
} Trial;

static void note(Trial *trial, CaseKind kind, const char *name, double error)
{
    CaseTally *tally = &trial->tallies[kind];
    bool is_wrong = !(error <= kinds[kind].limit); /* NaN is wrong */
    tally->count++;
    tally->failures += is_wrong;
    if (tally->count == 1 || !(error <= tally->worst)) {
        tally->worst = error;
        snprintf(tally->worst_name, sizeof tally->worst_name, "%s", name);
    }
    if (trial->options->verbose || is_wrong)
        fprintf(trial->options->out, "  %s %-9s %.3e  %s\n", is_wrong ? "WRONG" : "     ",
                kinds[kind].name, error, name);
}

/* The larger of two errors, NaN being the largest. */
static double worse(double a, double b)
{
    return isnan(a) || a > b ? a : b;
}

static double relative(double got, double wanted)
{
    return fabs(got - wanted) / fmax(fabs(wanted), 1e-30);
}

static double largest_of(const float *values, int64_t count)
{
    double largest = 0;
    for (int64_t i = 0; i < count; i++)
        largest = fmax(largest, fabs((double)values[i]));
    return largest;
}

static const float *numbers(Trial *trial, const Tensor *tensor)
{
    float *values = ARENA_ARRAY(trial->arena, float, tensor->elements + 1);
    tensor_read_f32(tensor, 0, tensor->elements, values);
    return values;
}

/* The tensor <prefix><a name of the entry>, or NULL. */
static const Tensor *find_named(const Trial *trial, const char *prefix,
                                const StoreEntry *entry)
{
    char name[512];
    snprintf(name, sizeof name, "%s%s", prefix, entry->name);
    const Tensor *tensor = tensor_file_find(trial->recorded->file, name);
    for (uint32_t i = 0; !tensor && i < entry->param->alias_count; i++) {
        snprintf(name, sizeof name, "%s%s", prefix, entry->param->aliases[i]);
        tensor = tensor_file_find(trial->recorded->file, name);
    }
    return tensor;
}

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
        const Tensor *tensor = find_named(trial, prefix, entry);
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

/* -- results ------------------------------------------------------------------------ */

static const Graph *graph_of(const Trial *trial, GraphKind kind, const char *task)
{
    const Graph *graph = module_task_graph(trial->module, kind, task);
    if (!graph)
        diag_error(trial->diags, (Loc){0}, "the plan has no %s graph for task '%s'",
                   graph_kind_names[kind], task);
    return graph;
}

static double compare_result(Trial *trial, const Graph *graph, const Batch *batch,
                             const NamedResult *result, const Tensor *tensor)
{
    const CaseStep *step = &trial->recorded->steps[0];
    int64_t width = type_width(result->type);
    int64_t extent = case_extent(trial->recorded, step, graph, result->type.axis);
    if (tensor->elements != batch->sequences * extent * width)
        return INFINITY;
    const float *wanted = numbers(trial, tensor), *got = result->data;
    double difference = 0;
    for (int64_t s = 0; s < batch->sequences; s++)
        for (int64_t row = result->starts[s]; row < result->starts[s + 1]; row++) {
            int64_t place = case_place(trial->recorded, step, graph, batch,
                                       result->type.axis, s, row - result->starts[s]);
            for (int64_t i = 0; i < width; i++) {
                double gap = fabs((double)got[row * width + i] -
                                  (double)wanted[(s * extent + place) * width + i]);
                difference = worse(gap, difference);
            }
        }
    return difference / fmax(largest_of(wanted, tensor->elements), 1e-30);
}

static bool check_results(Trial *trial)
{
    const CaseStep *step = &trial->recorded->steps[0];
    const Graph *graph = graph_of(trial, GRAPH_evaluate, step->task);
    Batch *batch = graph ? case_batch(trial->recorded, step, graph, trial->diags) : NULL;
    EvalResult result;
    bool is_run = batch && session_evaluate(trial->session, batch, &result, trial->diags);
    for (uint32_t i = 0; is_run && i < result.result_count; i++) {
        static const char *const folders[] = {"mid", "out"};
        const NamedResult *named = &result.results[i];
        for (uint32_t f = 0; f < 2; f++) {
            char name[256];
            snprintf(name, sizeof name, "%s/%s", folders[f], named->name);
            const Tensor *tensor = tensor_file_find(trial->recorded->file, name);
            if (tensor && type_is_ragged(named->type) && named->type.dtype == DTYPE_f32)
                note(trial, KIND_result, name,
                     compare_result(trial, graph, batch, named, tensor));
        }
    }
    if (is_run && graph_find_output(graph, OUTPUT_loss, ""))
        note(trial, KIND_loss, "evaluate", relative(result.loss, step->loss));
    if (batch)
        batch_free(batch);
    return is_run;
}

/* -- generations ------------------------------------------------------------------- */

/* Tokens that differ, those that only fill up included. */
static double compare_generated(Trial *trial, const Generated *got, const Tensor *tensor,
                                int32_t pad)
{
    int64_t extent = tensor->rank == 2 ? tensor->dims[1] : 0, wrong = 0;
    if (tensor->elements != got->sequences * extent || got->width > extent)
        return INFINITY;
    int32_t *wanted = ARENA_ARRAY(trial->arena, int32_t, tensor->elements + 1);
    if (!tensor_read_i32(tensor, 0, tensor->elements, wanted))
        return INFINITY;
    for (int64_t s = 0; s < got->sequences; s++)
        for (int64_t i = 0; i < extent; i++) {
            int32_t token = i < got->width ? got->ids[s * got->width + i] : pad;
            wrong += token != wanted[s * extent + i];
        }
    return (double)wrong;
}

static bool is_beams(const Tensor *tensor)
{
    return strncmp(tensor->name, "generate/", 9) == 0;
}

static bool is_generation(const Tensor *tensor)
{
    return is_beams(tensor) || strcmp(tensor->name, "out/greedy_ids") == 0;
}

static bool check_generation(Trial *trial, const Batch *batch, const Tensor *tensor)
{
    GenerateOptions options = trial->recorded->generation;
    options.beams = 1;
    options.max_length = tensor->rank == 2 ? tensor->dims[1] : 0;
    if (is_beams(tensor)) {
        char *end;
        options.beams = strtoll(tensor->name + 9, &end, 10);
        options.max_length = *end == '_' ? strtoll(end + 1, NULL, 10) : 0;
    }
    Generated generated;
    if (!generate(trial->session, batch, &options, &generated, trial->diags))
        return false;
    note(trial, is_beams(tensor) ? KIND_beams : KIND_greedy, tensor->name,
         compare_generated(trial, &generated, tensor, options.pad));
    generated_free(&generated);
    return true;
}

/* Plans without graphs for generation cannot be compared; that must not look like
 * success. */
static void skip_generations(Trial *trial)
{
    const TensorFile *file = trial->recorded->file;
    for (uint32_t i = 0; i < tensor_file_count(file); i++) {
        const Tensor *tensor = tensor_file_at(file, i);
        if (is_generation(tensor))
            trial->tallies[is_beams(tensor) ? KIND_beams : KIND_greedy].skipped++;
    }
}

static bool check_generations(Trial *trial)
{
    const CaseStep *step = &trial->recorded->steps[0];
    const TensorFile *file = trial->recorded->file;
    if (!generate_can(trial->module, step->task)) {
        skip_generations(trial);
        return true;
    }
    const Graph *graph = graph_of(trial, GRAPH_encode, step->task);
    Batch *batch = graph ? case_batch(trial->recorded, step, graph, trial->diags) : NULL;
    bool is_run = batch != NULL;
    for (uint32_t i = 0; is_run && i < tensor_file_count(file); i++) {
        const Tensor *tensor = tensor_file_at(file, i);
        if (is_generation(tensor))
            is_run = check_generation(trial, batch, tensor);
    }
    if (batch)
        batch_free(batch);
    return is_run;
}

/* -- gradients --------------------------------------------------------------------- */

static double compare_gradient(Trial *trial, const StoreEntry *entry,
                               const Tensor *tensor)
{
    if (tensor->elements != entry->elements)
        return INFINITY;
    const float *wanted = numbers(trial, tensor);
    double largest = largest_of(wanted, entry->elements), difference = 0;
    trial->largest_gradient = fmax(trial->largest_gradient, largest);
    for (int64_t i = 0; i < entry->elements; i++) {
        double gap = fabs((double)entry->gradient[i] - (double)wanted[i]);
        difference = worse(gap, difference);
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
    const float *wanted = numbers(trial, tensor), *got = entry->gradient;
    double norm = norm_of(got, entry->elements), sum = 0;
    double largest = fmax(largest_of(got, entry->elements), 1e-30);
    trial->largest_gradient = fmax(trial->largest_gradient, largest);
    for (int64_t i = 0; i < entry->elements; i++)
        sum += (double)got[i];
    double error = relative(norm, (double)wanted[0]);
    error = worse(error, fabs(sum - (double)wanted[1]) /
                             (largest * sqrt((double)entry->elements)));
    for (int64_t i = 2; i < tensor->elements && i - 2 < entry->elements; i++)
        error = worse(error, fabs((double)got[i - 2] - (double)wanted[i]) / largest);
    return error;
}

/* Where a gradient is nothing but rounding, both in the recording and here, its error
 * says nothing. A recorded 2-norm is no less than the largest magnitude. */
static double forgive_noise(Trial *trial, const StoreEntry *entry, double error)
{
    const Tensor *whole = find_named(trial, "grad/", entry);
    const Tensor *summary = find_named(trial, "summary/grad/", entry);
    double limit = NOISE * trial->largest_gradient, recorded = INFINITY;
    if (whole)
        recorded = largest_of(numbers(trial, whole), whole->elements);
    else if (summary)
        recorded = fabs((double)*numbers(trial, summary));
    bool is_noise =
        recorded <= limit && largest_of(entry->gradient, entry->elements) <= limit;
    return is_noise && isfinite(error) ? 0 : error;
}

static bool check_gradients(Trial *trial)
{
    const CaseStep *step = &trial->recorded->steps[0];
    const Graph *graph = graph_of(trial, GRAPH_train, step->task);
    Batch *batch = graph ? case_batch(trial->recorded, step, graph, trial->diags) : NULL;
    double loss, *errors = ARENA_ARRAY(trial->arena, double, store_count(trial->store));
    bool is_run =
        batch && session_gradients(trial->session, batch, 0, &loss, trial->diags);
    for (uint32_t i = 0; is_run && i < store_count(trial->store); i++) {
        const StoreEntry *entry = store_at(trial->store, i);
        bool is_computed = entry->param &&
                           graph_find_output(graph, OUTPUT_gradient, entry->name) != NULL;
        const Tensor *whole = entry->param ? find_named(trial, "grad/", entry) : NULL;
        const Tensor *summary =
            entry->param ? find_named(trial, "summary/grad/", entry) : NULL;
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
            note(trial, KIND_gradient, entry->name,
                 forgive_noise(trial, entry, errors[i]));
        else if (errors[i] >= 0)
            note(trial, KIND_gradient, entry->name, errors[i]);
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
        const Graph *graph = graph_of(trial, GRAPH_train, step->task);
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
        note(trial, KIND_loss, name, relative(result.loss, step->loss));
        if (step->gradient_norm >= 0)
            note(trial, KIND_norm, name,
                 relative(result.gradient_norm, step->gradient_norm));
    }
    return true;
}

static double compare_update(Trial *trial, const StoreEntry *entry, const float *before,
                             const Tensor *tensor)
{
    if (tensor->elements != entry->elements)
        return INFINITY;
    const float *wanted = numbers(trial, tensor);
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
    const float *wanted = numbers(trial, tensor);
    double rates = 0, norm = norm_of(entry->data, entry->elements);
    for (uint32_t i = 0; i < trial->recorded->step_count; i++)
        rates += trial->recorded->steps[i].lr;
    double scale = fmax(rates, 1e-30);
    double error =
        fabs(norm - (double)wanted[0]) / (scale * sqrt((double)entry->elements));
    for (int64_t i = 1; i < tensor->elements && i - 1 < entry->elements; i++)
        error =
            worse(error, fabs((double)entry->data[i - 1] - (double)wanted[i]) / scale);
    return error;
}

static bool is_exempt(Trial *trial, const StoreEntry *entry)
{
    const Tensor *gradient = find_named(trial, "grad/", entry);
    return gradient && largest_of(numbers(trial, gradient), gradient->elements) <
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
        const Tensor *whole = find_named(trial, whole_prefix, entry);
        const Tensor *summary = find_named(trial, summary_prefix, entry);
        if (whole && is_exempt(trial, entry))
            trial->tallies[KIND_update].exempt++;
        else if (whole)
            note(trial, KIND_update, entry->name,
                 compare_update(trial, entry, trial->before[i], whole));
        else if (summary)
            note(trial, KIND_update, entry->name,
                 compare_update_summary(trial, entry, summary));
        else
            note(trial, KIND_unchanged, entry->name,
                 memcmp(entry->data, trial->before[i],
                        (size_t)entry->elements * sizeof(float)) == 0
                     ? 0
                     : INFINITY);
    }
}

/* -- the trial ---------------------------------------------------------------------- */

static Verdict print_tallies(const Trial *trial)
{
    FILE *out = trial->options->out;
    bool is_equal = true;
    for (CaseKind kind = 0; kind < KIND_COUNT; kind++) {
        const CaseTally *tally = &trial->tallies[kind];
        if (tally->skipped)
            fprintf(out, "%-9s skipped %u: the plan cannot generate\n", kinds[kind].name,
                    tally->skipped);
        if (tally->count == 0)
            continue;
        fprintf(out, "%-9s %s  %4u compared, worst %.2e of %.0e allowed: %s",
                kinds[kind].name, tally->failures ? "WRONG" : "ok   ", tally->count,
                tally->worst, kinds[kind].limit, tally->worst_name);
        if (tally->exempt)
            fprintf(out, " (%u exempt)", tally->exempt);
        fputc('\n', out);
        is_equal = is_equal && tally->failures == 0;
    }
    return is_equal ? VERDICT_equal : VERDICT_different;
}

static bool check_training(Trial *trial)
{
    keep_parameters(trial);
    if (!check_gradients(trial) || !run_steps(trial))
        return false;
    check_updates(trial);
    return true;
}

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
    if (!trial->session || !check_results(trial) || !check_generations(trial))
        return false;
    const char *task = trial->recorded->steps[0].task;
    return module_task_graph(trial->module, GRAPH_train, task) ? check_training(trial)
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
    Verdict verdict = run_trial(&trial) ? print_tallies(&trial) : VERDICT_failed;
    session_free(trial.session);
    store_free(trial.store);
    arena_free(trial.arena);
    case_close(recorded);
    return verdict;
}
