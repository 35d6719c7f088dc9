/* Which validation was the best, and how many came since. */
#include "runtime/train/best.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "ir/base/arena.h"
#include "ir/base/files.h"

static const char MEAN[] = "mean";

/* -- naming a score ------------------------------------------------------------------ */

/* The metric in "TASK.METRIC": "" of "TASK", NULL of another task. */
static const char *metric_of(const char *by, const char *task)
{
    size_t len = strlen(task);
    if (strncmp(by, task, len) != 0 || (by[len] && by[len] != '.'))
        return NULL;
    return by[len] ? by + len + 1 : "";
}

bool best_check(const char *by, const Module *module, Diags *diags)
{
    Arena *arena = arena_new();
    const char **names = ARENA_ARRAY(arena, const char *, module->task_count + 1);
    bool is_known = strcmp(by, MEAN) == 0;
    for (uint32_t i = 0; i < module->task_count; i++) {
        names[i] = module->tasks[i].name;
        is_known |= metric_of(by, names[i]) != NULL;
    }
    names[module->task_count] = MEAN;
    const char *near =
        is_known ? NULL : nearest_name(by, names, (size_t)module->task_count + 1);
    if (!is_known)
        diag_error(diags, (Loc){0},
                   "--keep-best %s: expected a task of the plan, TASK.METRIC or %s%s%s%s",
                   by, MEAN, near ? "; did you mean '" : "", near ? near : "",
                   near ? "'?" : "");
    arena_free(arena);
    return is_known;
}

static bool find_score(const char *by, const Evaluation *evaluation, double *out_score)
{
    for (uint32_t i = 0; i < evaluation->count; i++) {
        const TaskScore *score = &evaluation->scores[i];
        const char *metric = metric_of(by, score->task);
        if (!metric ||
            (*metric ? strcmp(metric, score->metric.name) != 0 : !score->is_main))
            continue;
        *out_score = score->metric.value;
        return true;
    }
    return strcmp(by, MEAN) == 0 && evaluation_mean(evaluation, out_score);
}

bool best_is_scored(const char *by, const Evaluation *evaluation)
{
    bool is_scored = strcmp(by, MEAN) == 0 && evaluation->count;
    for (uint32_t i = 0; i < evaluation->count; i++)
        is_scored |= metric_of(by, evaluation->scores[i].task) != NULL;
    return is_scored;
}

bool best_find(const char *by, const Evaluation *evaluation, double *out_score,
               Diags *diags)
{
    if (find_score(by, evaluation, out_score))
        return true;
    Arena *arena = arena_new();
    const char **names = ARENA_ARRAY(arena, const char *, evaluation->count + 1);
    uint32_t count = 0;
    for (uint32_t i = 0; i < evaluation->count; i++)
        if (metric_of(by, evaluation->scores[i].task))
            names[count++] = arena_format(arena, "%s.%s", evaluation->scores[i].task,
                                          evaluation->scores[i].metric.name);
    const char *near = nearest_name(by, names, count);
    diag_error(diags, (Loc){0}, "--keep-best %s: the validation has no such score%s%s%s",
               by, near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
    for (uint32_t i = 0; !near && i < count; i++)
        diag_note(diags, (Loc){0}, "it has %s", names[i]);
    arena_free(arena);
    return false;
}

/* -- the best of all ----------------------------------------------------------------- */

bool best_take(BestScore *best, int64_t step, double score)
{
    if (best->is_known && !(score > best->score)) {
        best->misses++;
        return false;
    }
    best->is_known = true;
    best->score = score;
    best->step = step;
    best->misses = 0;
    return true;
}

bool best_is_over(const BestScore *best)
{
    return best->patience > 0 && best->misses >= best->patience;
}

/* -- from a file --------------------------------------------------------------------- */

/* The scores of one validation, as they are read. */
typedef struct Replay {
    BestScore *best;
    Evaluation evaluation;
    int64_t step;
} Replay;

static void take_validation(Replay *replay)
{
    double score;
    if (find_score(replay->best->by, &replay->evaluation, &score))
        best_take(replay->best, replay->step, score);
    evaluation_free(&replay->evaluation);
}

static void take_line(Replay *replay, json_t *line)
{
    const char *split, *task, *metric;
    json_int_t step;
    int is_main;
    double score;
    if (json_unpack(line, "{s:s, s:I, s:s, s:s, s:b, s:F}", "split", &split, "step",
                    &step, "task", &task, "metric", &metric, "main", &is_main, "score",
                    &score) != 0 ||
        strcmp(split, split_names[SPLIT_valid]) != 0)
        return;
    if (replay->evaluation.count && step != replay->step)
        take_validation(replay);
    replay->step = step;
    evaluation_add(&replay->evaluation,
                   &(TaskScore){.task = task,
                                .metric = {.name = metric, .value = score, .unit = ""},
                                .is_main = is_main});
}

bool best_replay(BestScore *best, const char *path, Diags *diags)
{
    FILE *from = file_open_stream(path, diags);
    if (!from)
        return false;
    Replay replay = {.best = best};
    char *text = NULL;
    size_t room = 0;
    ssize_t len;
    while ((len = getline(&text, &room, from)) > 0) {
        json_t *line = json_loadb(text, (size_t)len, 0, NULL);
        take_line(&replay, line);
        json_decref(line);
    }
    take_validation(&replay);
    free(text);
    fclose(from);
    return true;
}
