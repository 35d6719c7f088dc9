/* A survey as text: a table of each task, with a column for each split, and what is
 * wrong. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "runtime/survey/survey_parts.h"

enum { LABEL_COLUMNS = 38, VALUE_COLUMNS = 10 };

static void print_rows(const SurveyTask *task, FILE *out)
{
    fprintf(out, "  %-*s", LABEL_COLUMNS, "");
    for (uint32_t i = 0; i < task->split_count; i++)
        fprintf(out, "%*s", VALUE_COLUMNS, split_names[task->splits[i].split]);
    fputc('\n', out);
    for (uint32_t r = 0; r < survey_row_count; r++) {
        const SurveyRow *row = &survey_rows[r];
        if (!survey_row_is_known(row, task))
            continue;
        fprintf(out, "  %-*s", LABEL_COLUMNS, row->label);
        for (uint32_t i = 0; i < task->split_count; i++) {
            double value = survey_value(row, &task->splits[i]);
            if (isnan(value))
                fprintf(out, "%*s", VALUE_COLUMNS, "-");
            else
                fprintf(out, "%*.*f", VALUE_COLUMNS, survey_decimals(row), value);
        }
        fputc('\n', out);
    }
}

static void print_tallies(const SurveyTask *task, bool is_unknown, FILE *out)
{
    bool is_begun = false;
    for (uint32_t i = 0; i < task->split_count; i++) {
        const SurveySplit *split = &task->splits[i];
        const TextCounts *list = is_unknown ? &split->unknown : &split->said;
        if (list->count == 0)
            continue;
        if (!is_begun)
            fprintf(out, "  %s\n",
                    is_unknown ? "words with unknown tokens" : "answers, how often");
        is_begun = true;
        fprintf(out, "    %-6s", split_names[split->split]);
        for (uint32_t k = 0; k < list->count; k++)
            fprintf(out, "%s '%.40s' %" PRId64, k ? "," : "", list->items[k].text,
                    list->items[k].count);
        fputc('\n', out);
    }
}

static void print_sample(const SurveySplit *split, const SurveySample *sample,
                         Arena *arena, FILE *out)
{
    const DatasetExample *example = sample->example;
    bool is_cut = split->text_limit > 0 && sample->tokens > split->text_limit;
    fprintf(out, "  example '%s' of %s:", example->id, split_names[split->split]);
    for (int i = 0; i < EXAMPLE_IMAGES_MAX && example->images[i]; i++)
        fprintf(out, " %s", example->images[i]);
    fprintf(out, "\n    read    %s\n", sample->text);
    if (is_cut)
        fprintf(out, "            cut from %" PRId64 " to %" PRId64 " tokens\n",
                sample->tokens, split->text_limit);
    fprintf(out, "    answer  %s\n", survey_answers_text(example, arena));
}

/* The first of each split: a page has all. */
static void print_samples(const SurveyTask *task, FILE *out)
{
    Arena *arena = arena_new();
    for (uint32_t i = 0; i < task->split_count; i++)
        if (task->splits[i].sample_count > 0)
            print_sample(&task->splits[i], &task->splits[i].samples[0], arena, out);
    arena_free(arena);
}

static void print_task(const SurveyTask *task, FILE *out)
{
    if (!task->is_open) {
        fprintf(out, "%s: the plan and the data do not fit together\n\n", task->name);
        return;
    }
    fprintf(out, "%s (records %s, metric %s)\n", task->name, task->records, task->metric);
    print_rows(task, out);
    print_tallies(task, false, out);
    print_tallies(task, true, out);
    print_samples(task, out);
    fputc('\n', out);
}

static void print_finding(const SurveyFinding *finding, Arena *arena, FILE *out)
{
    fprintf(out, "%s: %s", finding->kind == DIAG_error ? "error" : "warning",
            survey_whose(finding, arena));
    if (finding->count > 1)
        fprintf(out, ", %" PRId64 " times", finding->count);
    fputc('\n', out);
    for (uint32_t i = 0; i < finding->shown_count; i++) {
        fprintf(out, "  %s\n", finding->shown[i]);
        if (finding->notes[i])
            fprintf(out, "    note: %s\n", finding->notes[i]);
    }
    if (finding->count > finding->shown_count)
        fputs("  ...\n", out);
}

void survey_print(const Survey *survey, FILE *out)
{
    Arena *arena = arena_new();
    uint32_t count;
    const SurveyFinding *findings = findings_items(survey->findings, &count);
    for (uint32_t i = 0; i < survey->task_count; i++)
        print_task(&survey->tasks[i], out);
    for (DiagKind kind = DIAG_error; kind <= DIAG_warning; kind++)
        for (uint32_t i = 0; i < count; i++)
            if (findings[i].kind == kind)
                print_finding(&findings[i], arena, out);
    fprintf(out, "%s\n", survey_verdict(survey, arena));
    arena_free(arena);
}
