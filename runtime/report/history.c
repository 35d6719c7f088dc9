/* Lines of metrics.jsonl as curves and scores. */
#include "runtime/report/history.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ir/base/heap.h"
#include "ir/base/list.h"
#include "runtime/data/text/json_stream.h"

uint32_t history_task_count(const History *history)
{
    return strings_count(history->tasks);
}

const char *history_task(const History *history, uint32_t task)
{
    return strings_text(history->tasks, task);
}

/* -- lines --------------------------------------------------------------------------- */

static double number_of(const json_t *line, const char *member)
{
    const json_t *value = json_object_get(line, member);
    return json_is_number(value) ? json_number_value(value) : NAN;
}

static const char *text_of(History *history, const json_t *line, const char *member)
{
    const char *text = json_string_value(json_object_get(line, member));
    return text ? arena_string(history->arena, text, strlen(text)) : NULL;
}

static void curve_add(Curve *curve, double x, double y)
{
    LIST_ROOM(curve->x, curve->count + 1, curve->capacity_x);
    LIST_ROOM(curve->y, curve->count + 1, curve->capacity_y);
    curve->x[curve->count] = x;
    curve->y[curve->count++] = y;
}

static uint32_t find_task(History *history, const char *name)
{
    uint32_t known = strings_count(history->tasks),
             task = strings_add(history->tasks, name, strlen(name));
    if (task == known) {
        LIST_ROOM(history->losses, known + 1, history->loss_capacity);
        history->losses[task] = (Curve){0};
    }
    return task;
}

static bool take_step(History *history, const json_t *line)
{
    const char *task = json_string_value(json_object_get(line, "task"));
    double step = number_of(line, "step") + 1, loss = number_of(line, "loss");
    if (!task || !isfinite(step) || isnan(loss))
        return false;
    uint32_t number = find_task(history, task);
    curve_add(&history->losses[number], step, loss);
    curve_add(&history->loss, step, loss);
    curve_add(&history->rate, step, number_of(line, "lr"));
    curve_add(&history->norm, step, number_of(line, "gradient_norm"));
    history->seconds += number_of(line, "seconds");
    history->sequences += number_of(line, "sequences");
    history->tokens += number_of(line, "tokens");
    history->last_step = step;
    return true;
}

/* Earlier versions do not say which metric stands for a task: it is the first. */
static bool is_main(const History *history, const json_t *line, const HistoryScore *score)
{
    const json_t *said = json_object_get(line, "main");
    if (json_is_boolean(said))
        return json_is_true(said);
    const HistoryScore *before =
        history->score_count ? &history->scores[history->score_count - 1] : NULL;
    return !before || before->task != score->task || before->step != score->step ||
           strcmp(before->split, score->split) != 0;
}

static bool take_scores(History *history, const json_t *line)
{
    const char *task = json_string_value(json_object_get(line, "task"));
    HistoryScore score = {.split = text_of(history, line, "split"),
                          .metric = text_of(history, line, "metric"),
                          .unit = text_of(history, line, "unit"),
                          .step = number_of(line, "step"),
                          .score = number_of(line, "score"),
                          .examples = number_of(line, "examples"),
                          .seconds = number_of(line, "seconds")};
    if (!task || !score.split || !score.metric || isnan(score.step) || isnan(score.score))
        return false;
    score.task = find_task(history, task);
    score.is_main = is_main(history, line, &score);
    LIST_ROOM(history->scores, history->score_count + 1, history->score_capacity);
    history->scores[history->score_count++] = score;
    return true;
}

static bool take_event(History *history, const json_t *line, const char *event)
{
    history->is_ended = strcmp(event, "end") == 0;
    history->peak_bytes =
        fmax(history->peak_bytes, number_of(line, "peak_resident_bytes"));
    return strcmp(event, "scores") != 0 || take_scores(history, line);
}

static bool take_line(History *history, const json_t *line)
{
    const char *event = json_string_value(json_object_get(line, "event"));
    if (event)
        return take_event(history, line, event);
    history->is_ended = false;
    return take_step(history, line);
}

/* -- the file ------------------------------------------------------------------------ */

/* What was wrong with the line before, if anything, is an error where another follows. */
typedef struct LineFault {
    char *text;
    size_t len;
    FILE *stream;
    Diags *diags;
    Loc loc;
} LineFault;

static void tell_fault(LineFault *fault, Diags *diags)
{
    if (fault->loc.line)
        diag_error(diags, fault->loc, "is no line of a run's metrics");
    fault->loc = (Loc){0};
}

static bool read_lines(History *history, JsonStream *stream, LineFault *fault,
                       Diags *diags)
{
    for (;;) {
        json_t *line;
        JsonStep step = json_stream_next(stream, &line, fault->diags);
        if (step == JSON_STEP_end) {
            history->is_cut = fault->loc.line != 0;
            return true;
        }
        if (step == JSON_STEP_broken)
            return false;
        tell_fault(fault, diags);
        if (step == JSON_STEP_bad || !take_line(history, line))
            fault->loc = json_stream_loc(stream);
        json_decref(line);
    }
}

bool history_read(History *out, const char *path, Diags *diags)
{
    *out = (History){.arena = arena_new(), .tasks = strings_new(), .peak_bytes = NAN};
    JsonStream *stream = json_stream_open(path, NULL, diags);
    if (!stream)
        return false;
    LineFault fault = {0};
    fault.stream = heap_stream(&fault.text, &fault.len);
    fault.diags = diags_new(fault.stream);
    bool ok = read_lines(out, stream, &fault, diags);
    diags_free(fault.diags);
    fclose(fault.stream);
    free(fault.text);
    json_stream_close(stream);
    return ok;
}

static void curve_free(Curve *curve)
{
    free(curve->x);
    free(curve->y);
}

void history_free(History *history)
{
    for (uint32_t i = 0; history->tasks && i < strings_count(history->tasks); i++)
        curve_free(&history->losses[i]);
    free(history->losses);
    curve_free(&history->loss);
    curve_free(&history->rate);
    curve_free(&history->norm);
    free(history->scores);
    strings_free(history->tasks);
    arena_free(history->arena);
    *history = (History){0};
}

/* -- scores -------------------------------------------------------------------------- */

static bool stands_for(const History *history, const HistoryScore *score,
                       const char *task, const char *split)
{
    return score->is_main && strcmp(history_task(history, score->task), task) == 0 &&
           strcmp(score->split, split) == 0;
}

const HistoryScore *history_last(const History *history, const char *task,
                                 const char *split, double least_step)
{
    const HistoryScore *last = NULL;
    for (size_t i = 0; i < history->score_count; i++) {
        const HistoryScore *score = &history->scores[i];
        if (score->step >= least_step && stands_for(history, score, task, split))
            last = score;
    }
    return last;
}

const HistoryScore *history_best(const History *history, const char *task,
                                 const char *split)
{
    const HistoryScore *best = NULL;
    for (size_t i = 0; i < history->score_count; i++) {
        const HistoryScore *score = &history->scores[i];
        if (stands_for(history, score, task, split) &&
            (!best || score->score > best->score))
            best = score;
    }
    return best;
}
