/* Runs as their directories show them. */
#include "runtime/report/report.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ir/base/files.h"
#include "ir/base/heap.h"
#include "ir/plan.h"
#include "runtime/run/run_directory.h"

enum { LARGEST_RECORD = 1 << 24 };

/* -- reading ------------------------------------------------------------------------- */

static bool is_there(const char *path)
{
    return access(path, F_OK) == 0;
}

/* run.json as it is: members that this version does not know are shown, too. */
static json_t *read_record(const char *path, Diags *diags)
{
    size_t len;
    json_error_t error;
    char *text = file_read(path, LARGEST_RECORD, &len, diags);
    if (!text)
        return NULL;
    json_t *record = json_loadb(text, len, JSON_REJECT_DUPLICATES, &error);
    free(text);
    if (json_is_object(record))
        return record;
    diag_error(diags, (Loc){.file = path}, "%s", record ? "is no object" : error.text);
    json_decref(record);
    return NULL;
}

static void read_rest(ReportRun *run, Diags *diags)
{
    char *record = run_record_path(run->directory), *plan = run_plan_path(run->directory);
    if (is_there(record))
        run->record = read_record(record, diags);
    if (is_there(plan))
        run->module = module_read(plan, diags);
    const json_t *steps = run->record ? json_object_get(run->record, "steps") : NULL;
    run->steps = json_is_integer(steps) ? (double)json_integer_value(steps) : NAN;
    run->is_at_work = run_is_at_work(run->directory);
    free(record);
    free(plan);
}

static bool read_run(ReportRun *run, Diags *diags)
{
    if (!run_is_directory(run->directory)) {
        diag_error(diags, (Loc){.file = run->directory}, "is no directory of a run");
        return false;
    }
    char *path = run_metrics_path(run->directory);
    bool ok = is_there(path) && history_read(&run->history, path, diags);
    if (!is_there(path))
        diag_error(diags, (Loc){.file = run->directory},
                   "is no directory of a run: it has no metrics.jsonl");
    if (ok)
        read_rest(run, diags);
    free(path);
    return ok;
}

/* -- names --------------------------------------------------------------------------- */

/* The end of a path, with so many folders above it. */
static const char *path_end(const char *path, int folders)
{
    const char *at = path + strlen(path);
    while (at > path && at[-1] == '/')
        at--;
    for (; at > path; at--)
        if (at[-1] == '/' && folders-- == 0)
            break;
    return at;
}

static bool is_alone(const ReportRuns *runs, uint32_t which, int folders)
{
    for (uint32_t i = 0; i < runs->count; i++)
        if (i != which && strcmp(path_end(runs->items[i].directory, folders),
                                 path_end(runs->items[which].directory, folders)) == 0)
            return false;
    return true;
}

static void name_run(ReportRuns *runs, uint32_t which)
{
    ReportRun *run = &runs->items[which];
    int folders = 0;
    while (!is_alone(runs, which, folders) &&
           path_end(run->directory, folders) > run->directory)
        folders++;
    run->name = heap_string(path_end(run->directory, folders));
    size_t len = strlen(run->name);
    while (len > 1 && run->name[len - 1] == '/')
        run->name[--len] = '\0';
}

bool report_read(ReportRuns *out, const char *const *directories, uint32_t count,
                 Diags *diags)
{
    *out = (ReportRuns){.items = HEAP_ARRAY(ReportRun, count), .count = count};
    bool ok = true;
    for (uint32_t i = 0; i < count; i++)
        out->items[i] = (ReportRun){.directory = directories[i], .steps = NAN};
    for (uint32_t i = 0; i < count; i++) {
        name_run(out, i);
        ok = read_run(&out->items[i], diags) && ok;
    }
    return ok;
}

void report_free(ReportRuns *runs)
{
    for (uint32_t i = 0; i < runs->count; i++) {
        ReportRun *run = &runs->items[i];
        history_free(&run->history);
        json_decref(run->record);
        if (run->module)
            module_free(run->module);
        free(run->name);
    }
    free(runs->items);
    *runs = (ReportRuns){0};
}

/* -- numbers ------------------------------------------------------------------------- */

double report_trained(const ReportRun *run)
{
    if (!run->module)
        return NAN;
    ParamTotals totals = module_param_totals(run->module);
    if (run->steps == 0 || totals.all == 0)
        return 0;
    return 100.0 * (double)totals.trained / (double)totals.all;
}

const HistoryScore *report_test(const ReportRun *run, const char *task)
{
    return history_last(&run->history, task, "test", run->steps == 0 ? 0 : 1);
}

double report_mean(const ReportRun *run)
{
    double sum = 0;
    int count = 0;
    for (uint32_t t = 0; t < history_task_count(&run->history); t++) {
        const HistoryScore *score = report_test(run, history_task(&run->history, t));
        sum += score ? score->score : 0;
        count += score != NULL;
    }
    return count ? sum / count : NAN;
}

Strings *report_tasks(const ReportRuns *runs)
{
    Strings *tasks = strings_new();
    for (uint32_t r = 0; r < runs->count; r++)
        for (uint32_t t = 0; t < history_task_count(&runs->items[r].history); t++) {
            const char *task = history_task(&runs->items[r].history, t);
            strings_add(tasks, task, strlen(task));
        }
    return tasks;
}
