/* Progress: metrics are written as they come and flushed about once a second; people are
 * shown a moving mean of each task's loss. */
#include "runtime/train/progress.h"

#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ir/base/clock.h"
#include "ir/base/heap.h"
#include "runtime/train/summary.h"

typedef struct TaskLine {
    const char *name;
    char *quoted; /* as a JSON string */
    double loss;  /* moving mean */
    bool is_seen;
} TaskLine;

struct Progress {
    Metrics *metrics;
    Display *display;
    TaskLine *tasks;
    double *seconds; /* in steps, by task */
    uint32_t task_count;
    int64_t first, total;
    double last_step, last_flushed; /* seconds */
    double busy;                    /* seconds in steps */
    double sequences, tokens;       /* in these steps */
};

/* How much a new loss moves the mean; seconds between flushes. */
static const double WEIGHT = 0.1, FLUSH = 1;

static json_int_t now(void)
{
    return (json_int_t)clock_date();
}

/* A line for what is no step. */
static void add_line(Progress *progress, const char *line)
{
    metrics_add(progress->metrics, line);
    if (progress->display->lines)
        fprintf(progress->display->lines, "%s\n", line);
}

/* The same; `event` is used up. */
static void add_event(Progress *progress, json_t *event)
{
    char *line = json_dumps(event, 0);
    if (!line)
        out_of_memory(0);
    add_line(progress, line);
    free(line);
    json_decref(event);
}

Progress *progress_new(const Module *module, Metrics *metrics, Display *display,
                       int64_t first, int64_t total)
{
    Progress *progress = heap_alloc(sizeof *progress);
    *progress = (Progress){
        .metrics = metrics, .display = display, .first = first, .total = total};
    progress->task_count = module->task_count;
    progress->tasks = heap_array(module->task_count, sizeof *progress->tasks);
    progress->seconds = heap_array(module->task_count, sizeof *progress->seconds);
    for (uint32_t i = 0; i < module->task_count; i++) {
        json_t *name = json_string(module->tasks[i].name);
        char *quoted = name ? json_dumps(name, JSON_ENCODE_ANY) : NULL;
        progress->tasks[i] = (TaskLine){.name = module->tasks[i].name, .quoted = quoted};
        json_decref(name);
        progress->seconds[i] = 0;
    }
    progress->last_step = progress->last_flushed = clock_seconds();
    if (first)
        add_event(progress, json_pack("{s:s, s:I, s:I}", "event", "resume", "step",
                                      (json_int_t)first, "time", now()));
    return progress;
}

void progress_start(Progress *progress, const ProcessorInfo *processor)
{
    add_event(progress,
              json_pack("{s:s, s:I, s:s, s:s, s:I}", "event", "start", "step",
                        (json_int_t)progress->first, "processor", processor->text,
                        "processor_name", processor->name, "time", now()));
}

void progress_flush(Progress *progress)
{
    display_end_line(progress->display);
    metrics_flush(progress->metrics);
    progress->last_step = clock_seconds();
}

void progress_free(Progress *progress)
{
    if (!progress)
        return;
    display_end_line(progress->display);
    for (uint32_t i = 0; i < progress->task_count; i++)
        free(progress->tasks[i].quoted);
    free(progress->tasks);
    free(progress->seconds);
    free(progress);
}

static TaskLine *find_task(Progress *progress, const char *task)
{
    for (uint32_t i = 0; i < progress->task_count; i++)
        if (strcmp(progress->tasks[i].name, task) == 0)
            return &progress->tasks[i];
    return &progress->tasks[0];
}

static void show(Progress *progress, int64_t done, double rate, double norm,
                 const char *line)
{
    double seconds = progress->busy > 0 ? progress->busy : 1e-9;
    TaskLoss *losses = HEAP_ARRAY(TaskLoss, progress->task_count + 1);
    StepFacts facts = {
        .done = done,
        .total = progress->total,
        .losses = losses,
        .rate = rate,
        .gradient_norm = norm,
        .tokens_per_second = progress->tokens / seconds,
        .seconds_left =
            seconds / (double)(done - progress->first) * (double)(progress->total - done),
    };
    for (uint32_t i = 0; i < progress->task_count; i++)
        if (progress->tasks[i].is_seen)
            losses[facts.loss_count++] =
                (TaskLoss){progress->tasks[i].name, progress->tasks[i].loss};
    display_step(progress->display, &facts, line);
    free(losses);
}

/* Of all sequences, along every axis that has a length of its own. */
static int64_t batch_tokens(const Batch *batch)
{
    int64_t tokens = 0;
    for (uint32_t a = 0; a < batch->axis_count; a++)
        for (int64_t s = 0; s < batch->sequences; s++)
            tokens += batch->axes[a].lengths[s];
    return tokens;
}

/* malloc'ed */
static char *step_line(const TaskLine *task, int64_t step, const Batch *batch,
                       double rate, const StepResult *result, double seconds)
{
    return heap_format(
        "{\"step\": %" PRId64 ", \"task\": %s, \"loss\": %.9g, \"lr\": %.9g, "
        "\"gradient_norm\": %.9g, \"sequences\": %" PRId64 ", \"tokens\": %" PRId64
        ", \"microbatches\": %" PRId64 ", \"seconds\": %.4g, \"time\": %lld}",
        step, task->quoted, result->loss, rate, result->gradient_norm, batch->sequences,
        batch_tokens(batch), result->microbatches, seconds, (long long)now());
}

void progress_step(Progress *progress, int64_t step, const Batch *batch, double rate,
                   const StepResult *result)
{
    double time = clock_seconds(), seconds = time - progress->last_step;
    TaskLine *task = find_task(progress, batch->task);
    progress->last_step = time;
    progress->busy += seconds;
    progress->seconds[task - progress->tasks] += seconds;
    progress->sequences += (double)batch->sequences;
    progress->tokens += (double)batch_tokens(batch);
    task->loss =
        task->is_seen ? task->loss + WEIGHT * (result->loss - task->loss) : result->loss;
    task->is_seen = true;
    char *line = step_line(task, step, batch, rate, result, seconds);
    metrics_add(progress->metrics, line);
    if (display_is_due(progress->display) || step + 1 == progress->total)
        show(progress, step + 1, rate, result->gradient_norm, line);
    free(line);
    if (time - progress->last_flushed >= FLUSH) {
        metrics_flush(progress->metrics);
        progress->last_flushed = time;
    }
}

void progress_scores(Progress *progress, int64_t step, const char *split,
                     const Evaluation *evaluation)
{
    progress_flush(progress);
    for (uint32_t i = 0; i < evaluation->count; i++) {
        const TaskScore *score = &evaluation->scores[i];
        const Metric *metric = &score->metric;
        add_event(progress,
                  json_pack("{s:s, s:I, s:s, s:s, s:s, s:b, s:f, s:s, s:I, s:f, s:I}",
                            "event", "scores", "step", (json_int_t)step, "split", split,
                            "task", score->task, "metric", metric->name, "main",
                            score->is_main, "score", metric->value, "unit", metric->unit,
                            "examples", (json_int_t)metric->examples, "seconds",
                            score->seconds, "time", now()));
    }
    progress_flush(progress);
}

const double *progress_seconds(const Progress *progress)
{
    return progress->seconds;
}

void progress_end(Progress *progress, int64_t step, const BestScore *best)
{
    double busy = progress->busy > 0 ? progress->busy : HUGE_VAL;
    json_t *event = json_pack(
        "{s:s, s:I, s:f, s:f, s:f, s:I, s:I}", "event", "end", "step", (json_int_t)step,
        "seconds", progress->busy, "samples_per_second", progress->sequences / busy,
        "tokens_per_second", progress->tokens / busy, "peak_resident_bytes",
        (json_int_t)peak_resident_bytes(), "time", now());
    if (best->is_known) {
        json_object_set_new(event, "best_by", json_string(best->by));
        json_object_set_new(event, "best_step", json_integer(best->step));
        json_object_set_new(event, "best_score", json_real(best->score));
        json_object_set_new(event, "ended_early", json_boolean(step < progress->total));
    }
    add_event(progress, event);
    progress_flush(progress);
}
