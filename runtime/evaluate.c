/* Evaluation: every batch of a split through the task's evaluate graph, scored by the
 * data source, which alone knows what a prediction means. */
#include "runtime/evaluate.h"

#include <inttypes.h>

const char *const split_names[SPLIT_COUNT] = {"train", "valid", "test"};

static bool evaluate_batch(Session *session, DataSource *source, const Batch *batch,
                           double *hits, int64_t *count, Diags *diags)
{
    EvalResult result;
    if (!session_evaluate(session, batch, &result, diags))
        return false;
    if (!result.prediction) {
        diag_error(diags, (Loc){0}, "task '%s' has no result \"prediction\" to score",
                   batch->task);
        return false;
    }
    source->score(source->state, batch, result.prediction, hits, count);
    return true;
}

static bool evaluate_task(Session *session, DataSource *source, Split split,
                          const Interrupt *interrupt, TaskScore *score, Diags *diags)
{
    double hits = 0;
    bool is_good = true;
    uint32_t errors = diags_error_count(diags);
    Batch *batch = NULL;
    for (int64_t i = 0; is_good && !interrupt_is_set(interrupt); i++) {
        batch = source->eval_batch(source->state, score->task, split, i, diags);
        if (!batch)
            break;
        is_good = evaluate_batch(session, source, batch, &hits, &score->examples, diags);
        batch_free(batch);
    }
    score->value = score->examples ? hits / (double)score->examples : 0;
    return is_good && diags_error_count(diags) == errors;
}

bool evaluate_tasks(Session *session, DataSource *source, Split split,
                    const Interrupt *interrupt, TaskScore *out, Diags *diags)
{
    const Module *module = session_module(session);
    for (uint32_t i = 0; i < module->task_count; i++) {
        const char *task = module->tasks[i].name;
        out[i] = (TaskScore){.task = task, .metric = source->metric(source->state, task)};
        if (!evaluate_task(session, source, split, interrupt, &out[i], diags))
            return false;
    }
    return true;
}

void evaluate_print(const TaskScore *before, const TaskScore *after, uint32_t count,
                    FILE *out)
{
    fprintf(out, "%-12s %-14s %8s %9s%s\n", "task", "metric", "examples",
            before ? "before" : "score", before ? "     after" : "");
    double before_sum = 0, after_sum = 0;
    for (uint32_t i = 0; i < count; i++) {
        fprintf(out, "%-12s %-14s %8" PRId64, after[i].task, after[i].metric,
                after[i].examples);
        if (before)
            fprintf(out, " %7.1f %%", 100 * before[i].value);
        fprintf(out, " %7.1f %%\n", 100 * after[i].value);
        before_sum += before ? before[i].value : 0;
        after_sum += after[i].value;
    }
    if (count < 2)
        return;
    fprintf(out, "%-12s %-14s %8s", "mean", "", "");
    if (before)
        fprintf(out, " %7.1f %%", 100 * before_sum / count);
    fprintf(out, " %7.1f %%\n", 100 * after_sum / count);
}
