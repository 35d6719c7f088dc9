/* Progress: metrics are written as they come and flushed about once a second; the line
 * for people shows a moving mean of each task's loss. */
#include "runtime/train/progress.h"

#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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
    FILE *out;
    TaskLine *tasks;
    double *seconds; /* in steps, by task */
    uint32_t task_count;
    int64_t first, total;
    bool is_terminal, line_open;
    double last_step, last_shown, last_flushed; /* seconds */
    double busy;                                /* seconds in steps */
    double sequences, tokens;                   /* in these steps */
};

/* How much a new loss moves the mean; seconds between lines. */
static const double WEIGHT = 0.1, SHOW_TERMINAL = 0.1, SHOW_PLAIN = 5, FLUSH = 1;

static json_int_t now(void)
{
    return (json_int_t)clock_date();
}

/* A line for what is no step; `event` is used up. */
static void add_event(Progress *progress, json_t *event)
{
    char *line = json_dumps(event, 0);
    if (!line)
        out_of_memory(0);
    metrics_add(progress->metrics, line);
    free(line);
    json_decref(event);
}

Progress *progress_new(const Module *module, Metrics *metrics, FILE *out, int64_t first,
                       int64_t total)
{
    Progress *progress = heap_alloc(sizeof *progress);
    *progress =
        (Progress){.metrics = metrics, .out = out, .first = first, .total = total};
    progress->is_terminal = isatty(fileno(out));
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

static void end_line(Progress *progress)
{
    if (progress->line_open)
        fputc('\n', progress->out);
    progress->line_open = false;
    fflush(progress->out);
}

void progress_flush(Progress *progress)
{
    end_line(progress);
    metrics_flush(progress->metrics);
    progress->last_step = clock_seconds();
}

void progress_free(Progress *progress)
{
    if (!progress)
        return;
    end_line(progress);
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

static void show(Progress *progress, int64_t done)
{
    double seconds = progress->busy > 0 ? progress->busy : 1e-9;
    double rest =
        seconds / (double)(done - progress->first) * (double)(progress->total - done);
    int64_t left = (int64_t)(rest + 0.5);
    FILE *out = progress->out;
    fprintf(out, "%sstep %" PRId64 "/%" PRId64, progress->is_terminal ? "\r" : "", done,
            progress->total);
    for (uint32_t i = 0; i < progress->task_count; i++)
        if (progress->tasks[i].is_seen)
            fprintf(out, "  %s %.3f", progress->tasks[i].name, progress->tasks[i].loss);
    fprintf(out, "  %.0f samples/s  ", progress->sequences / seconds);
    if (left >= 3600)
        fprintf(out, "%" PRId64 ":", left / 3600);
    fprintf(out, "%02" PRId64 ":%02" PRId64 " left", left / 60 % 60, left % 60);
    fputs(progress->is_terminal ? "\033[K" : "\n", out);
    fflush(out);
    progress->line_open = progress->is_terminal;
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

static void add_step(Progress *progress, const TaskLine *task, int64_t step,
                     const Batch *batch, double rate, const StepResult *result,
                     double seconds)
{
    char *line = heap_format(
        "{\"step\": %" PRId64 ", \"task\": %s, \"loss\": %.9g, \"lr\": %.9g, "
        "\"gradient_norm\": %.9g, \"sequences\": %" PRId64 ", \"tokens\": %" PRId64
        ", \"microbatches\": %" PRId64 ", \"seconds\": %.4g, \"time\": %lld}",
        step, task->quoted, result->loss, rate, result->gradient_norm, batch->sequences,
        batch_tokens(batch), result->microbatches, seconds, (long long)now());
    metrics_add(progress->metrics, line);
    free(line);
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
    add_step(progress, task, step, batch, rate, result, seconds);
    double pause = progress->is_terminal ? SHOW_TERMINAL : SHOW_PLAIN;
    if (time - progress->last_shown >= pause || step + 1 == progress->total) {
        show(progress, step + 1);
        progress->last_shown = time;
    }
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
                  json_pack("{s:s, s:I, s:s, s:s, s:s, s:b, s:f, s:s, s:I, s:I}", "event",
                            "scores", "step", (json_int_t)step, "split", split, "task",
                            score->task, "metric", metric->name, "main", score->is_main,
                            "score", metric->value, "unit", metric->unit, "examples",
                            (json_int_t)metric->examples, "time", now()));
    }
    progress_flush(progress);
}

const double *progress_seconds(const Progress *progress)
{
    return progress->seconds;
}

void progress_end(Progress *progress, int64_t step)
{
    double busy = progress->busy > 0 ? progress->busy : HUGE_VAL;
    char *line =
        heap_format("{\"event\": \"end\", \"step\": %" PRId64
                    ", \"seconds\": %.4g, \"samples_per_second\": %.4g, "
                    "\"tokens_per_second\": %.4g, \"peak_resident_bytes\": %" PRId64
                    ", \"time\": %lld}",
                    step, progress->busy, progress->sequences / busy,
                    progress->tokens / busy, peak_resident_bytes(), (long long)now());
    metrics_add(progress->metrics, line);
    free(line);
    progress_flush(progress);
}
