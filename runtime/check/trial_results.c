/* Results of evaluation and generated texts, against those recorded. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/check/trial.h"
#include "runtime/exec/generate.h"

/* -- results ------------------------------------------------------------------------ */

static double compare_result(Trial *trial, const Graph *graph, const Batch *batch,
                             const NamedResult *result, const Tensor *tensor)
{
    const CaseStep *step = &trial->recorded->steps[0];
    int64_t width = type_width(result->type);
    int64_t extent = case_extent(trial->recorded, step, graph, result->type.axis);
    if (tensor->elements != batch->sequences * extent * width)
        return INFINITY;
    const float *wanted = trial_numbers(trial, tensor), *got = result->data;
    double difference = 0;
    for (int64_t s = 0; s < batch->sequences; s++)
        for (int64_t row = result->starts[s]; row < result->starts[s + 1]; row++) {
            int64_t place = case_place(trial->recorded, step, graph, batch,
                                       result->type.axis, s, row - result->starts[s]);
            for (int64_t i = 0; i < width; i++) {
                double gap = fabs((double)got[row * width + i] -
                                  (double)wanted[(s * extent + place) * width + i]);
                difference = trial_worse(gap, difference);
            }
        }
    return difference / fmax(trial_largest(wanted, tensor->elements), 1e-30);
}

bool trial_check_results(Trial *trial)
{
    const CaseStep *step = &trial->recorded->steps[0];
    const Graph *graph = trial_graph(trial, GRAPH_evaluate, step->task);
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
                trial_note(trial, KIND_result, name,
                           compare_result(trial, graph, batch, named, tensor));
        }
    }
    if (is_run && graph_find_output(graph, OUTPUT_loss, ""))
        trial_note(trial, KIND_loss, "evaluate", trial_relative(result.loss, step->loss));
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
    trial_note(trial, is_beams(tensor) ? KIND_beams : KIND_greedy, tensor->name,
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

bool trial_check_generations(Trial *trial)
{
    const CaseStep *step = &trial->recorded->steps[0];
    const TensorFile *file = trial->recorded->file;
    if (!generate_can(trial->module, step->task)) {
        skip_generations(trial);
        return true;
    }
    const Graph *graph = trial_graph(trial, GRAPH_encode, step->task);
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
