/* A row is compiled, looked at, and trained, each by a process of its own. Whenever a
 * place is free, the first row that is not compiled is; when all are, the first that is
 * not trained is. */
#include "runtime/sweep/sweep_run.h"

#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "ir/base/clock.h"
#include "ir/base/files.h"
#include "ir/base/heap.h"
#include "ir/base/terminal.h"
#include "runtime/sweep/child.h"
#include "runtime/sweep/sweep_result.h"

enum { TAIL_BYTES = 4096, SHOWN_LINES = 5, POLL_NANOSECONDS = 50 * 1000 * 1000 };

/* Seconds between two looks at how far rows are. */
static const double SHOW = 0.5;

typedef enum JobStage {
    JOB_to_compile,
    JOB_compiles,
    JOB_to_train,
    JOB_trains,
    JOB_over,
} JobStage;

typedef struct Job {
    const SweepRow *row;
    JobStage stage;
    bool goes_on; /* with a run that was begun */
    pid_t child;
    double start;
} Job;

typedef struct Runner {
    const SweepFile *sweep;
    const SweepWork *work;
    Diags *diags;
    char *vlc, *vlrun;
    Job *jobs;
    uint32_t count, running, over;
    bool is_stopping;
    FILE *terminal; /* or NULL */
    double shown;
    SweepCounts counts;
} Runner;

/* -- what is said -------------------------------------------------------------------- */

static void clear_line(const Runner *runner)
{
    if (runner->terminal)
        terminal_show(runner->terminal, "");
}

/* The end of a file; malloc'ed, "" if it cannot be read. */
static char *read_tail(const char *path)
{
    char *text = heap_array(TAIL_BYTES + 1, 1);
    FILE *file = fopen(path, "rb");
    if (!file)
        return text;
    if (fseek(file, -TAIL_BYTES, SEEK_END) != 0)
        rewind(file);
    text[fread(text, 1, TAIL_BYTES, file)] = '\0';
    fclose(file);
    return text;
}

static const char *last_lines(const char *text)
{
    const char *at = text + strlen(text);
    for (int lines = 0; at > text; at--)
        if (at[-1] == '\n' && *at && ++lines == SHOWN_LINES)
            break;
    return at;
}

/* The step of the last line that has one; -1 if there is none. */
static long long last_step(const Runner *runner, const SweepRow *row)
{
    char *path = sweep_row_path(runner->work->directory, row, "run/metrics.jsonl"),
         *text = read_tail(path), *found = NULL;
    for (char *at = text; (at = strstr(at, "{\"step\": ")); at++)
        found = at;
    long long step = found ? strtoll(found + strlen("{\"step\": "), NULL, 10) + 1 : -1;
    free(text);
    free(path);
    return step;
}

static void show(Runner *runner)
{
    double now = clock_seconds();
    if (!runner->terminal || now - runner->shown < SHOW)
        return;
    runner->shown = now;
    char *text;
    size_t len;
    FILE *out = heap_stream(&text, &len);
    fprintf(out, "%" PRIu32 " of %" PRIu32 " rows over", runner->over, runner->count);
    for (uint32_t i = 0; i < runner->count; i++) {
        const Job *job = &runner->jobs[i];
        if (job->stage != JOB_compiles && job->stage != JOB_trains)
            continue;
        fprintf(out, "; %s: ", job->row->name);
        long long step = job->stage == JOB_trains ? last_step(runner, job->row) : -1;
        if (step >= 0)
            fprintf(out, "step %lld", step);
        else
            fputs(job->stage == JOB_trains ? "begins" : "compiles", out);
    }
    fclose(out);
    terminal_show(runner->terminal, text);
    free(text);
}

static void say_result(const Runner *runner, const Job *job, bool is_kept)
{
    char *run = sweep_row_path(runner->work->directory, job->row, "run");
    const char *directories[] = {run};
    ReportRuns runs;
    FILE *out = runner->work->out;
    clear_line(runner);
    fprintf(out, "%" PRIu32 "/%" PRIu32 " %s", job->row->number, runner->sweep->count,
            job->row->name);
    if (report_read(&runs, directories, 1, runner->diags)) {
        RowResult result = sweep_row_result(runner->sweep, &runs.items[0]);
        fprintf(out, ": %.2f %% trained, mean %.1f", result.percent, result.mean);
    }
    report_free(&runs);
    if (is_kept)
        fputs(" (kept)\n", out);
    else
        fprintf(out, ", %.0f s\n", clock_seconds() - job->start);
    fflush(out);
    free(run);
}

/* -- the end of a row ---------------------------------------------------------------- */

static void finish(Runner *runner, Job *job, bool is_kept)
{
    job->stage = JOB_over;
    runner->over++;
    runner->counts.done++;
    runner->counts.kept += is_kept;
    say_result(runner, job, is_kept);
}

static void fail(Runner *runner, Job *job, int code)
{
    job->stage = JOB_over;
    runner->over++;
    runner->counts.failed++;
    runner->counts.has_other_faults |= code != EXIT_CODE_numbers;
}

/* `log` is the file of what the program said. */
static void fail_by_program(Runner *runner, Job *job, const char *log, int code)
{
    char *path = sweep_row_path(runner->work->directory, job->row, log),
         *said = read_tail(path);
    clear_line(runner);
    diag_error(runner->diags, (Loc){.file = path},
               "row %" PRIu32 ", %s, ended with exit code %d:\n%s", job->row->number,
               job->row->name, code, last_lines(said));
    free(said);
    free(path);
    fail(runner, job, code);
}

/* -- compiling ----------------------------------------------------------------------- */

typedef struct CommandWords {
    const char **items;
    size_t count;
} CommandWords;

/* Room for so many, and NULL behind them. */
static CommandWords words_new(size_t most)
{
    return (CommandWords){.items = HEAP_ARRAY(const char *, most + 1)};
}

static void words_add(CommandWords *words, const char *word)
{
    words->items[words->count++] = word;
}

static void words_add_list(CommandWords *words, const TextList *list)
{
    for (uint32_t i = 0; i < list->count; i++)
        words_add(words, list->items[i]);
}

static bool start(Runner *runner, Job *job, CommandWords *words, const char *log,
                  JobStage stage)
{
    char *path = sweep_row_path(runner->work->directory, job->row, log);
    job->child = child_start(words->items, path, runner->diags);
    free(path);
    free(words->items);
    if (job->child < 0) {
        fail(runner, job, EXIT_CODE_input);
        return false;
    }
    job->stage = stage;
    runner->running++;
    return true;
}

static bool start_compile(Runner *runner, Job *job)
{
    const SweepRow *row = job->row;
    char *folder = sweep_row_path(runner->work->directory, row, NULL),
         *plan = sweep_row_path(runner->work->directory, row, "plan.bin");
    bool ok = directory_make(folder, runner->diags);
    free(folder);
    if (!ok) {
        free(plan);
        fail(runner, job, EXIT_CODE_input);
        return false;
    }
    size_t constants = json_object_size(row->set), made = 0;
    char **sets = HEAP_ARRAY(char *, constants);
    CommandWords words = words_new(row->compile.count + 2 * constants + 5);
    words_add(&words, runner->vlc);
    words_add(&words, "compile");
    words_add(&words, row->model);
    words_add(&words, "-o");
    words_add(&words, plan);
    words_add_list(&words, &row->compile);
    const char *name;
    json_t *value;
    json_object_foreach(row->set, name, value)
    {
        sets[made] = heap_format("%s=%s", name, json_string_value(value));
        words_add(&words, "--set");
        words_add(&words, sets[made++]);
    }
    ok = start(runner, job, &words, "compile.log", JOB_compiles);
    while (made > 0)
        free(sets[--made]);
    free(sets);
    free(plan);
    return ok;
}

static void end_compile(Runner *runner, Job *job, int code)
{
    RowState state;
    if (code != 0) {
        fail_by_program(runner, job, "compile.log", code);
        return;
    }
    if (!sweep_row_state(runner->work->directory, job->row, &state, runner->diags)) {
        fail(runner, job, EXIT_CODE_input);
        return;
    }
    job->stage = JOB_to_train;
    job->goes_on = state == ROW_begun;
    if (state == ROW_finished)
        finish(runner, job, true);
}

/* -- training ------------------------------------------------------------------------ */

/* What a row was given stands in its run.json: to go on with it, its directory is
 * enough. */
static bool start_train(Runner *runner, Job *job)
{
    const SweepRow *row = job->row;
    char *plan = sweep_row_path(runner->work->directory, row, "plan.bin"),
         *run = sweep_row_path(runner->work->directory, row, "run"),
         *threads = heap_format("%" PRId64, runner->work->threads);
    CommandWords words = words_new(row->train.count + 8);
    words_add(&words, runner->vlrun);
    words_add(&words, "train");
    if (job->goes_on) {
        words_add(&words, "--resume");
        words_add(&words, run);
    } else {
        words_add(&words, plan);
        words_add(&words, "--out");
        words_add(&words, run);
        words_add(&words, "--overwrite");
        words_add_list(&words, &row->train);
    }
    if (!row->has_threads) {
        words_add(&words, "--threads");
        words_add(&words, threads);
    }
    job->start = clock_seconds();
    bool ok = start(runner, job, &words, "train.log", JOB_trains);
    free(plan);
    free(run);
    free(threads);
    return ok;
}

static void end_train(Runner *runner, Job *job, int code)
{
    if (code == 0)
        finish(runner, job, false);
    else
        fail_by_program(runner, job, "train.log", code);
}

/* -- all rows ------------------------------------------------------------------------ */

static Job *find_job(Runner *runner, JobStage stage)
{
    for (uint32_t i = 0; i < runner->count; i++)
        if (runner->jobs[i].stage == stage)
            return &runner->jobs[i];
    return NULL;
}

/* Rows are compiled on all places at once, whatever they train on. */
static void start_more(Runner *runner)
{
    while (!runner->is_stopping && runner->running < runner->work->jobs) {
        Job *job = find_job(runner, JOB_to_compile);
        if (job) {
            (void)start_compile(runner, job);
            continue;
        }
        job = find_job(runner, JOB_compiles) ? NULL : find_job(runner, JOB_to_train);
        if (!job)
            return;
        (void)start_train(runner, job);
    }
}

static void look_after(Runner *runner)
{
    for (uint32_t i = 0; i < runner->count; i++) {
        Job *job = &runner->jobs[i];
        int code;
        bool is_at_work = job->stage == JOB_compiles || job->stage == JOB_trains;
        if (!is_at_work || !child_has_ended(job->child, &code))
            continue;
        runner->running--;
        if (runner->is_stopping && code != 0)
            job->stage = JOB_over;
        else if (job->stage == JOB_compiles)
            end_compile(runner, job, code);
        else
            end_train(runner, job, code);
    }
}

/* Each row at work saves what it has and ends. */
static void stop(Runner *runner)
{
    runner->is_stopping = true;
    for (uint32_t i = 0; i < runner->count; i++)
        if (runner->jobs[i].stage == JOB_compiles || runner->jobs[i].stage == JOB_trains)
            kill(runner->jobs[i].child, SIGTERM);
}

static void work_off(Runner *runner)
{
    const struct timespec pause = {.tv_nsec = POLL_NANOSECONDS};
    for (;;) {
        if (!runner->is_stopping && interrupt_is_set(runner->work->interrupt))
            stop(runner);
        look_after(runner);
        start_more(runner);
        if (runner->running == 0)
            break;
        show(runner);
        nanosleep(&pause, NULL);
    }
    clear_line(runner);
}

bool sweep_run(const SweepFile *sweep, const SweepWork *work, SweepCounts *out_counts,
               Diags *diags)
{
    Runner runner = {.sweep = sweep,
                     .work = work,
                     .diags = diags,
                     .jobs = HEAP_ARRAY(Job, sweep->count),
                     .terminal = terminal(stderr)};
    for (uint32_t i = 0; i < sweep->count; i++)
        if (work->only == COUNT_NOT_GIVEN || work->only == sweep->rows[i].number)
            runner.jobs[runner.count++] = (Job){.row = &sweep->rows[i]};
    runner.vlrun = program_vlrun(diags);
    runner.vlc = runner.vlrun ? program_vlc(runner.vlrun, diags) : NULL;
    bool ok = runner.vlc;
    if (ok)
        work_off(&runner);
    *out_counts = runner.counts;
    free(runner.vlrun);
    free(runner.vlc);
    free(runner.jobs);
    return ok;
}
