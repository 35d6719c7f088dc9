/* Task by task: the training split first, for the others are compared with it. */
#include "runtime/survey/survey.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "ir/base/terminal.h"
#include "runtime/survey/survey_parts.h"

const char *const survey_readings[] = {"sample", "all", "none", NULL};

/* -- a split ------------------------------------------------------------------------- */

/* Whether one of the split's files is there. Nothing but `eval` wants a test split. */
static bool has_files(const TaskSurvey *of, Split split)
{
    const DatasetTask *task = of->task;
    Arena *arena = arena_new();
    bool is_found = false;
    for (const LayoutFile *file = of->texts->layout->files; file->path; file++) {
        struct stat status;
        const char *path = arena_format(arena, "%s/%s", task->maker.directory,
                                        task_texts_path(of->texts, file->path, arena));
        is_found = is_found ||
                   (file->split == split && !file->is_hidden && stat(path, &status) == 0);
    }
    arena_free(arena);
    return is_found;
}

/* Nothing is known yet. */
static SurveySplit new_split(Split split)
{
    SurveySplit out = {.split = split};
#define ROW(field, kind, label, meaning) out.field = NOT_KNOWN_##kind;
#define NOT_KNOWN_count -1
#define NOT_KNOWN_share NAN
#define NOT_KNOWN_number NAN
#include "runtime/survey/survey_rows.def"
#undef NOT_KNOWN_count
#undef NOT_KNOWN_share
#undef NOT_KNOWN_number
    return out;
}

static void take_split(TaskSurvey *of, Split split, SurveySplit *out)
{
    SplitSurvey work = {.of = of, .out = out};
    *out = new_split(split);
    findings_at(of->survey->findings, of->name, split);
    out->is_there = split != SPLIT_test || has_files(of, split);
    if (!out->is_there) {
        diag_warning(survey_diags(&work), (Loc){0}, "there is no file of the test split");
        return;
    }
    of->shown_at = 0;
    (void)survey_goes_on(&work, "examples", 0, 0);
    (void)dataset_split(of->survey->source, of->name, split, &work.examples,
                        survey_diags(&work));
    out->examples = work.examples.count;
    out->used = work.examples.used;
    survey_texts(&work);
    survey_answers(&work);
    survey_repeats(&work);
    survey_shown(&work);
    of->has_training = of->has_training || split == SPLIT_train;
}

/* -- a task -------------------------------------------------------------------------- */

static void take_task(Survey *survey, const SurveyOptions *options, const Task *task)
{
    SurveyTask *out = &survey->tasks[survey->task_count++];
    *out = (SurveyTask){.name = task->name};
    out->is_open = dataset_has_task(survey->source, task->name);
    if (!out->is_open)
        return;
    DatasetTask data = dataset_task(survey->source, task->name);
    TaskSurvey of = {.options = options,
                     .survey = survey,
                     .task = &data,
                     .texts = data.loader.texts,
                     .name = task->name,
                     .isolate = isolate_new(NULL)};
    out->records = of.texts->layout->name;
    out->metric = metric_names[of.texts->metric];
    for (int split = 0; split < SPLIT_COUNT && !survey->is_stopped; split++)
        if (options->splits[split])
            take_split(&of, (Split)split, &out->splits[out->split_count++]);
    isolate_free(of.isolate);
    map_free(&of.train_questions);
    strings_free(of.train_pictures);
    strings_free(of.train_answers);
}

void survey_take(Survey *out, const SurveyOptions *options, const Module *module,
                 DataSource *source, Findings *findings)
{
    *out = (Survey){
        .arena = arena_new(), .module = module, .source = source, .findings = findings};
    out->tasks = ARENA_ARRAY(out->arena, SurveyTask, module->task_count);
    for (uint32_t i = 0; i < module->task_count && !out->is_stopped; i++)
        if (!options->task || strcmp(options->task, module->tasks[i].name) == 0)
            take_task(out, options, &module->tasks[i]);
    findings_at(findings, NULL, SPLIT_COUNT);
    if (options->progress)
        terminal_show(options->progress, "");
}

void survey_free(Survey *survey)
{
    for (uint32_t i = 0; i < survey->task_count; i++)
        for (uint32_t k = 0; k < survey->tasks[i].split_count; k++) {
            free(survey->tasks[i].splits[k].texts.counts);
            free(survey->tasks[i].splits[k].targets.counts);
        }
    arena_free(survey->arena);
}
