/* Evaluation: what the model says about every batch of a split, scored by the data
 * source, which alone has the right answers. */
#include "runtime/train/evaluate.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ir/base/clock.h"
#include "ir/base/heap.h"
#include "ir/base/terminal.h"
#include "runtime/train/predict.h"

void evaluation_add(Evaluation *evaluation, const TaskScore *score)
{
    if (!evaluation->arena)
        evaluation->arena = arena_new();
    uint32_t count = evaluation->count;
    TaskScore *scores = ARENA_ARRAY(evaluation->arena, TaskScore, count + 1);
    if (count)
        memcpy(scores, evaluation->scores, count * sizeof *scores);
    scores[count] = *score;
    Metric *metric = &scores[count].metric;
    scores[count].task = arena_format(evaluation->arena, "%s", score->task);
    metric->name = arena_format(evaluation->arena, "%s", metric->name);
    metric->unit = arena_format(evaluation->arena, "%s", metric->unit);
    evaluation->scores = scores;
    evaluation->count++;
}

const TaskScore *evaluation_main(const Evaluation *evaluation, const char *task)
{
    for (uint32_t i = 0; i < evaluation->count; i++)
        if (evaluation->scores[i].is_main &&
            strcmp(evaluation->scores[i].task, task) == 0)
            return &evaluation->scores[i];
    return NULL;
}

uint32_t evaluation_mean(const Evaluation *evaluation, double *out_mean)
{
    double sum = 0;
    uint32_t count = 0;
    for (uint32_t i = 0; i < evaluation->count; i++)
        if (evaluation->scores[i].is_main) {
            sum += evaluation->scores[i].metric.value;
            count++;
        }
    *out_mean = count ? sum / count : 0;
    return count;
}

void evaluation_free(Evaluation *evaluation)
{
    if (evaluation->arena)
        arena_free(evaluation->arena);
    *evaluation = (Evaluation){0};
}

/* -- a task ---------------------------------------------------------------------- */

typedef struct TaskRun {
    Session *session;
    DataSource *source;
    const EvaluateOptions *options;
    const char *task;
    GenerateOptions generation;
    Scores *scores;
    int64_t done; /* examples */
    Diags *diags;
} TaskRun;

static bool evaluate_batch(TaskRun *run, Batch *batch)
{
    int64_t limit = run->options->limit;
    if (limit && batch->sequences > limit - run->done)
        batch->sequences = limit - run->done;
    Generated said;
    if (!predict(run->session, run->source, batch, &run->generation, &said, run->diags)) {
        diag_note(run->diags, (Loc){0}, "while scoring task '%s'", run->task);
        return false;
    }
    for (int64_t s = 0; s < batch->sequences; s++)
        run->source->scores_add(run->scores, batch, s, said.ids + s * said.width,
                                said.lengths[s]);
    run->done += batch->sequences;
    generated_free(&said);
    if (run->options->progress) {
        char *text = heap_format("%s %s: %" PRId64 " examples", run->task,
                                 split_names[run->options->split], run->done);
        terminal_show(run->options->progress, text);
        free(text);
    }
    return true;
}

static bool evaluate_batches(TaskRun *run)
{
    uint32_t errors = diags_error_count(run->diags);
    const EvaluateOptions *options = run->options;
    bool ok = true;
    for (int64_t i = 0; ok && (!options->limit || run->done < options->limit) &&
                        !interrupt_is_set(options->interrupt);
         i++) {
        Batch *batch = run->source->eval_batch(run->source->state, run->task,
                                               options->split, i, run->diags);
        if (!batch)
            break;
        ok = evaluate_batch(run, batch);
        batch_free(batch);
    }
    if (options->progress)
        terminal_show(options->progress, "");
    return ok && diags_error_count(run->diags) == errors;
}

/* What no example tells is no score of 0. */
static bool has_scores(const TaskRun *run, const Metric *metrics, uint32_t count)
{
    if (count > 0 && metrics[0].examples > 0)
        return true;
    if (run->done > 0)
        diag_warning(run->diags, (Loc){0},
                     "task '%s' is not scored: none of %" PRId64
                     " examples of the %s split has an answer",
                     run->task, run->done, split_names[run->options->split]);
    return false;
}

static bool evaluate_task(TaskRun *run, Evaluation *out)
{
    DataSource *source = run->source;
    if (!generate_settings(session_module(run->session), run->task, &run->generation,
                           run->diags))
        return false;
    run->scores = source->scores_new(source->state, run->task);
    double start = clock_seconds();
    bool ok = evaluate_batches(run);
    double seconds = clock_seconds() - start;
    uint32_t count = 0;
    const Metric *metrics = source->scores_finish(run->scores, &count);
    bool is_scored = ok && has_scores(run, metrics, count);
    for (uint32_t i = 0; is_scored && i < count; i++) {
        evaluation_add(out, &(TaskScore){run->task, metrics[i], i == 0, seconds});
        if (!isfinite(metrics[i].value)) {
            diag_not_finite(run->diags, (Loc){0}, "task '%s': %s is not finite",
                            run->task, metrics[i].name);
            ok = false;
        }
    }
    source->scores_free(run->scores);
    return ok;
}

bool evaluate(Session *session, DataSource *source, const EvaluateOptions *options,
              Evaluation *out, Diags *diags)
{
    const Module *module = session_module(session);
    *out = (Evaluation){0};
    if (options->task && !module_named_task(module, options->task, (Loc){0}, diags))
        return false;
    for (uint32_t i = 0; i < module->task_count; i++) {
        TaskRun run = {.session = session,
                       .source = source,
                       .options = options,
                       .task = module->tasks[i].name,
                       .diags = diags};
        if (options->task && strcmp(run.task, options->task) != 0)
            continue;
        if (!evaluate_task(&run, out))
            return false;
    }
    return true;
}
