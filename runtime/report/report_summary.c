/* The first sections: what became of each run, what it cost, and how good it is. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "ir/base/heap.h"
#include "runtime/report/report.h"

static const double BYTES_IN_MIB = 1 << 20;

/* -- what became of it --------------------------------------------------------------- */

static void add_state(Page *page, const ReportRun *run)
{
    const History *history = &run->history;
    bool is_done = history->last_step >= run->steps;
    const char *state = run->is_at_work                ? "at work"
                        : history->is_ended && is_done ? "finished"
                        : history->is_ended            ? "ended early"
                        : is_done                      ? "trained, not scored"
                                                       : "stopped";
    page_cell(page, state);
    page_cell_number(page, history->last_step, 0);
    page_cell_number(page, run->steps, 0);
}

static double rate(double amount, double seconds)
{
    return seconds > 0 ? amount / seconds : NAN;
}

static void add_cost(Page *page, const ReportRun *run)
{
    const History *history = &run->history;
    page_cell_number(page, report_trained(run), 2);
    page_cell_number(page, history->last_step > 0 ? history->seconds : NAN, 1);
    page_cell_number(page, rate(history->sequences, history->seconds), 1);
    page_cell_number(page, rate(history->tokens, history->seconds), 0);
    page_cell_number(page, history->peak_bytes / BYTES_IN_MIB, 0);
}

static void add_run(Page *page, const ReportRun *run, double best)
{
    const char *model = json_string_value(json_object_get(run->record, "model"));
    double mean = report_mean(run);
    page_cell(page, run->name);
    page_cell(page, model ? model : run->module ? run->module->name : NULL);
    add_state(page, run);
    if (mean == best)
        page_cell_best(page, mean, 1);
    else
        page_cell_number(page, mean, 1);
    add_cost(page, run);
}

static void warn(Page *page, const ReportRun *run)
{
    const History *history = &run->history;
    if (!run->record)
        page_warning(page,
                     "%s has no run.json: an earlier version made it, or it has not "
                     "begun. How many steps it was to have is not known.",
                     run->name);
    if (run->is_at_work)
        page_warning(page, "%s is at work: this page shows it as far as it was.",
                     run->name);
    else if (history->last_step < run->steps && !history->is_ended)
        page_warning(page,
                     "%s ended after step %.0f of %.0f. It goes on with: vlrun train "
                     "--resume %s",
                     run->name, history->last_step, run->steps, run->directory);
    if (history->is_cut && !run->is_at_work)
        page_warning(page, "The last line of %s/metrics.jsonl is not whole.", run->name);
}

void report_add_summary(Page *page, const ReportRuns *runs)
{
    static const PageColumn columns[] = {
        {.name = "run"},
        {.name = "model"},
        {.name = "state"},
        {"step", "steps done", true},
        {"of", "steps that it is to have", true},
        {"mean score", "of the test split's scores of all tasks", true},
        {"trained %", "of all parameters", true},
        {"seconds", "in training steps", true},
        {"samples/s", "in training steps", true},
        {"tokens/s", "in training steps", true},
        {"peak MiB", "of resident memory, scoring included", true}};
    double best = NAN;
    for (uint32_t i = 0; i < runs->count; i++)
        best = fmax(best, report_mean(&runs->items[i]));
    page_heading(page, runs->count > 1 ? "Runs" : "Run");
    for (uint32_t i = 0; i < runs->count; i++)
        warn(page, &runs->items[i]);
    page_table_begin(page, NULL, columns, sizeof columns / sizeof *columns);
    for (uint32_t i = 0; i < runs->count; i++)
        add_run(page, &runs->items[i], runs->count > 1 ? best : NAN);
    page_table_end(page);
}

/* -- scores -------------------------------------------------------------------------- */

static void add_score(Page *page, const HistoryScore *score, double best)
{
    if (score && score->score == best)
        page_cell_best(page, score->score, 1);
    else
        page_cell_number(page, score ? score->score : NAN, 1);
}

/* Scores of a task in a run: before training, in validation, and at last. */
typedef struct TaskRow {
    const HistoryScore *before, *valid, *last_valid, *test;
} TaskRow;

static TaskRow row_of(const ReportRun *run, const char *task)
{
    const History *history = &run->history;
    const HistoryScore *first = history_last(history, task, "test", 0);
    TaskRow row = {.valid = history_best(history, task, "valid"),
                   .last_valid = history_last(history, task, "valid", 0),
                   .test = report_test(run, task)};
    for (size_t i = 0; !row.before && i < history->score_count; i++) {
        const HistoryScore *score = &history->scores[i];
        if (score->step == 0 && score->is_main && first && score->task == first->task &&
            score->split[0] == 't')
            row.before = score;
    }
    return row;
}

static void add_task_row(Page *page, const ReportRun *run, const char *task, double best)
{
    TaskRow row = row_of(run, task);
    const HistoryScore *any = row.test ? row.test : row.valid ? row.valid : row.before;
    if (!any)
        return;
    page_cell(page, task);
    page_cell(page, run->name);
    page_cell(page, any->metric);
    page_cell_number(page, row.before ? row.before->score : NAN, 1);
    page_cell_number(page, row.valid ? row.valid->score : NAN, 1);
    page_cell_number(page, row.valid ? row.valid->step : NAN, 0);
    page_cell_number(page, row.last_valid ? row.last_valid->score : NAN, 1);
    add_score(page, row.test, best);
    page_cell_number(page, row.test ? row.test->examples : NAN, 0);
    page_cell_number(page, row.test ? rate(row.test->examples, row.test->seconds) : NAN,
                     1);
}

static double best_test(const ReportRuns *runs, const char *task)
{
    double best = NAN;
    for (uint32_t r = 0; runs->count > 1 && r < runs->count; r++) {
        const HistoryScore *score = report_test(&runs->items[r], task);
        best = score ? fmax(best, score->score) : best;
    }
    return best;
}

void report_add_scores(Page *page, const ReportRuns *runs)
{
    static const PageColumn columns[] = {
        {.name = "task"},
        {.name = "run"},
        {.name = "metric"},
        {"before", "test split, before training", true},
        {"best valid", "the best score of the validation split", true},
        {"at step", "where that was", true},
        {"last valid", "the last score of the validation split", true},
        {"test", "the last score of the test split", true},
        {"examples", "of the test split", true},
        {"examples/s", "answered and scored", true}};
    Strings *tasks = report_tasks(runs);
    page_heading(page, "Scores");
    page_table_begin(page, NULL, columns, sizeof columns / sizeof *columns);
    for (uint32_t t = 0; t < strings_count(tasks); t++) {
        const char *task = strings_text(tasks, t);
        for (uint32_t r = 0; r < runs->count; r++)
            add_task_row(page, &runs->items[r], task, best_test(runs, task));
    }
    page_table_end(page);
    strings_free(tasks);
}
