/* Results of all rows, and the table of them for programs. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ir/base/files.h"
#include "ir/base/heap.h"
#include "runtime/run/run_directory.h"
#include "runtime/sweep/sweep_pages.h"

/* -- reading ------------------------------------------------------------------------- */

static void add_labels(Strings *labels, const SweepRow *row)
{
    const char *name;
    json_t *value;
    json_object_foreach(row->labels, name, value) strings_add(labels, name, strlen(name));
}

/* The run of a row, under the row's name; nothing where it has none yet. */
static bool read_row(ReportRun *out, const SweepRow *row, const char *directory,
                     Diags *diags)
{
    char *run = sweep_row_path(directory, row, "run"), *metrics = run_metrics_path(run);
    ReportRuns runs = {0};
    const char *directories[] = {run};
    bool is_there = access(metrics, F_OK) == 0,
         ok = !is_there || report_read(&runs, directories, 1, diags);
    *out = (ReportRun){.steps = NAN};
    if (is_there) {
        *out = runs.items[0];
        free(out->name);
        free(runs.items);
    }
    out->name = heap_string(row->name);
    out->directory = row->id;
    free(metrics);
    free(run);
    return ok;
}

static void add_tasks(Strings *tasks, const History *history)
{
    for (uint32_t t = 0; history->tasks && t < history_task_count(history); t++) {
        const char *task = history_task(history, t);
        strings_add(tasks, task, strlen(task));
    }
}

bool sweep_results_read(SweepResults *out, const SweepFile *sweep, const char *directory,
                        Diags *diags)
{
    *out = (SweepResults){.sweep = sweep,
                          .directory = directory,
                          .runs = HEAP_ARRAY(ReportRun, sweep->count),
                          .rows = HEAP_ARRAY(RowResult, sweep->count),
                          .labels = strings_new(),
                          .tasks = strings_new()};
    bool ok = true;
    for (uint32_t i = 0; i < sweep->count; i++) {
        add_labels(out->labels, &sweep->rows[i]);
        ok = read_row(&out->runs[i], &sweep->rows[i], directory, diags) && ok;
        add_tasks(out->tasks, &out->runs[i].history);
        out->rows[i] = sweep_row_result(sweep, &out->runs[i]);
        out->finished += out->rows[i].is_finished;
    }
    return ok;
}

void sweep_results_free(SweepResults *results)
{
    ReportRuns runs = {.items = results->runs, .count = results->sweep->count};
    report_free(&runs);
    free(results->rows);
    strings_free(results->labels);
    strings_free(results->tasks);
}

/* -- the table ----------------------------------------------------------------------- */

/* Tabs and ends of lines would be others of the table. */
static void write_text(FILE *out, const char *text)
{
    for (; text && *text; text++)
        fputc(*text == '\t' || *text == '\n' || *text == '\r' ? ' ' : *text, out);
}

static void write_number(FILE *out, double value)
{
    fputc('\t', out);
    if (isfinite(value))
        fprintf(out, "%.9g", value);
}

static void write_head(FILE *out, const SweepResults *results)
{
    fputs("row", out);
    for (uint32_t i = 0; i < strings_count(results->labels); i++) {
        fputc('\t', out);
        write_text(out, strings_text(results->labels, i));
    }
    fputs("\tstate\ttrained\ttotal\tpercent", out);
    for (uint32_t i = 0; i < strings_count(results->tasks); i++) {
        fputc('\t', out);
        write_text(out, strings_text(results->tasks, i));
    }
    fputs("\tmean\ttrain_examples_per_second\ttest_examples_per_second\tpeak_mb\tseconds"
          "\tdirectory\n",
          out);
}

static void write_row(FILE *out, const SweepResults *results, uint32_t number)
{
    static const double BYTES_IN_MB = 1e6;
    const SweepRow *row = &results->sweep->rows[number];
    const ReportRun *run = &results->runs[number];
    const RowResult *result = &results->rows[number];
    fprintf(out, "%" PRIu32, row->number);
    for (uint32_t i = 0; i < strings_count(results->labels); i++) {
        fputc('\t', out);
        write_text(out, json_string_value(json_object_get(
                            row->labels, strings_text(results->labels, i))));
    }
    fprintf(out, "\t%s",
            result->is_finished  ? "finished"
            : run->history.tasks ? "begun"
                                 : "");
    write_number(out, result->trained);
    write_number(out, result->all);
    write_number(out, result->percent);
    for (uint32_t i = 0; i < strings_count(results->tasks); i++)
        write_number(
            out, sweep_row_score(results->sweep, run, strings_text(results->tasks, i)));
    write_number(out, result->mean);
    write_number(out, result->train_speed);
    write_number(out, result->test_speed);
    write_number(out, result->peak_bytes / BYTES_IN_MB);
    write_number(out, result->seconds);
    fprintf(out, "\trows/%s\n", row->id);
}

bool sweep_write_table(const SweepResults *results, const char *path, Diags *diags)
{
    NewFile *file = new_file_open(path, diags);
    if (!file)
        return false;
    FILE *out = new_file_stream(file);
    write_head(out, results);
    for (uint32_t i = 0; i < results->sweep->count; i++)
        write_row(out, results, i);
    return new_file_finish(file, diags);
}
