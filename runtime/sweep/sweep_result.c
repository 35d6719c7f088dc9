/* Rows by their directories. A run tells by itself of which plan and weights it is, so
 * that nothing else need be kept. */
#include "runtime/sweep/sweep_result.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ir/base/heap.h"
#include "ir/plan.h"
#include "runtime/run/run_directory.h"
#include "runtime/weights/checkpoint.h"
#include "runtime/weights/fingerprint.h"

enum { HASH_TEXT = 17 };

char *sweep_row_path(const char *directory, const SweepRow *row, const char *name)
{
    return heap_format("%s/rows/%s%s%s", directory, row->id, name ? "/" : "",
                       name ? name : "");
}

/* -- what is there ------------------------------------------------------------------- */

static bool has_hash(const ReportRun *run, const char *member, uint64_t hash)
{
    char text[HASH_TEXT];
    snprintf(text, sizeof text, "%016" PRIx64, hash);
    const char *said = json_string_value(json_object_get(run->record, member));
    return said && strcmp(said, text) == 0;
}

/* False and an error if the row's weights cannot be read. */
static bool hash_weights(const SweepRow *row, uint64_t *out_hash, Diags *diags)
{
    *out_hash = 0;
    if (!row->weights)
        return true;
    TensorSet *set = tensor_set_open(row->weights, diags);
    if (set)
        *out_hash = weights_fingerprint(set);
    tensor_set_close(set);
    return set;
}

static RowState state_of(const ReportRun *run, uint64_t plan, uint64_t weights)
{
    bool is_same = has_hash(run, "plan_fingerprint", plan) &&
                   has_hash(run, "weights_fingerprint", weights);
    if (!is_same)
        return ROW_new;
    if (run->history.is_ended)
        return ROW_finished;
    return run_has_checkpoint(run->directory) ? ROW_begun : ROW_new;
}

static bool has_run(const char *run)
{
    char *record = run_record_path(run), *metrics = run_metrics_path(run);
    bool ok = access(record, F_OK) == 0 && access(metrics, F_OK) == 0;
    free(record);
    free(metrics);
    return ok;
}

bool sweep_row_state(const char *directory, const SweepRow *row, RowState *out_state,
                     Diags *diags)
{
    char *plan = sweep_row_path(directory, row, "plan.bin"),
         *run = sweep_row_path(directory, row, "run");
    Module *module = module_read(plan, diags);
    uint64_t weights;
    bool ok = module && hash_weights(row, &weights, diags);
    *out_state = ROW_new;
    if (ok && has_run(run)) {
        ReportRuns runs;
        const char *directories[] = {run};
        ok = report_read(&runs, directories, 1, diags);
        if (ok)
            *out_state = state_of(&runs.items[0], plan_fingerprint(module), weights);
        report_free(&runs);
    }
    if (module)
        module_free(module);
    free(plan);
    free(run);
    return ok;
}

/* -- numbers ------------------------------------------------------------------------- */

double sweep_row_score(const SweepFile *sweep, const ReportRun *run, const char *task)
{
    const HistoryScore *score = run->history.tasks ? report_test(run, task) : NULL;
    const json_t *scale = sweep->scale ? json_object_get(sweep->scale, task) : NULL;
    if (!score)
        return NAN;
    return score->score * (scale ? json_number_value(scale) : 1);
}

static double quotient(double amount, double seconds)
{
    return seconds > 0 ? amount / seconds : NAN;
}

/* Over all tasks: means of scores, and examples answered in all seconds of it. */
static void add_tests(RowResult *result, const SweepFile *sweep, const ReportRun *run)
{
    double sum = 0, examples = 0, seconds = 0;
    uint32_t count = 0;
    for (uint32_t t = 0; t < history_task_count(&run->history); t++) {
        const char *task = history_task(&run->history, t);
        const HistoryScore *score = report_test(run, task);
        if (!score)
            continue;
        sum += sweep_row_score(sweep, run, task);
        examples += score->examples;
        seconds += score->seconds;
        count++;
    }
    result->mean = count ? sum / count : NAN;
    result->test_speed = quotient(examples, seconds);
}

RowResult sweep_row_result(const SweepFile *sweep, const ReportRun *run)
{
    RowResult result = {false, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN};
    const History *history = &run->history;
    if (!history->tasks)
        return result;
    result.is_finished = history->is_ended;
    if (run->module) {
        ParamTotals totals = module_param_totals(run->module);
        result.all = (double)totals.all;
        result.trained = run->steps == 0 ? 0 : (double)totals.trained;
    }
    result.percent = report_trained(run);
    result.peak_bytes = history->peak_bytes;
    result.seconds = history->last_step > 0 ? history->seconds : NAN;
    result.train_speed = quotient(history->sequences, history->seconds);
    add_tests(&result, sweep, run);
    return result;
}
