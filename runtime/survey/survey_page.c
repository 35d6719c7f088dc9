/* A survey as sections of a page: what is wrong first, then each task. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "ir/base/files.h"
#include "runtime/data/dataset/dataset_question.h"
#include "runtime/survey/survey_parts.h"

/* -- what is wrong ------------------------------------------------------------------- */

static void add_finding(Page *page, const SurveyFinding *finding, Arena *arena)
{
    const char *lines = "";
    for (uint32_t i = 0; i < finding->shown_count; i++) {
        lines = arena_format(arena, "%s%s%s", lines, i ? "\n" : "", finding->shown[i]);
        if (finding->notes[i])
            lines = arena_format(arena, "%s (%s)", lines, finding->notes[i]);
    }
    if (finding->count > finding->shown_count)
        lines = arena_format(arena, "%s\n...", lines);
    page_cell(page, finding->kind == DIAG_error ? "error" : "warning");
    page_cell(page, survey_whose(finding, arena));
    page_cell_number(page, (double)finding->count, 0);
    page_cell(page, lines);
}

static void add_findings(const Survey *survey, Page *page)
{
    static const PageColumn columns[] = {
        {.name = "kind"},
        {.name = "of"},
        {.name = "times", .is_number = true},
        {.name = "what", .meaning = "the first few"},
    };
    Arena *arena = arena_new();
    uint32_t count;
    const SurveyFinding *findings = findings_items(survey->findings, &count);
    page_heading(page, "Findings");
    if (findings_count(survey->findings, DIAG_error) || survey->is_stopped)
        page_warning(page, "%s.", survey_verdict(survey, arena));
    else
        page_text(page, "%s.", survey_verdict(survey, arena));
    if (count > 0)
        page_table_begin(page, NULL, columns, sizeof columns / sizeof *columns);
    for (DiagKind kind = DIAG_error; kind <= DIAG_warning; kind++)
        for (uint32_t i = 0; i < count; i++)
            if (findings[i].kind == kind)
                add_finding(page, &findings[i], arena);
    if (count > 0)
        page_table_end(page);
    arena_free(arena);
}

/* -- numbers ------------------------------------------------------------------------- */

static void add_rows(const SurveyTask *task, Page *page)
{
    PageColumn columns[1 + SPLIT_COUNT] = {{.name = ""}};
    for (uint32_t i = 0; i < task->split_count; i++)
        columns[1 + i] =
            (PageColumn){.name = split_names[task->splits[i].split], .is_number = true};
    page_table_begin(page, NULL, columns, 1 + task->split_count);
    for (uint32_t r = 0; r < survey_row_count; r++) {
        const SurveyRow *row = &survey_rows[r];
        if (!survey_row_is_known(row, task))
            continue;
        page_cell(page, row->label);
        for (uint32_t i = 0; i < task->split_count; i++)
            page_cell_number(page, survey_value(row, &task->splits[i]),
                             survey_decimals(row));
    }
    page_table_end(page);
}

/* A line over the shares of texts by their lengths. */
static PageSeries series_of(const SurveySplit *split, const LengthCounts *lengths,
                            Arena *arena)
{
    size_t count = (size_t)lengths->longest + 1;
    double *x = ARENA_ARRAY(arena, double, count), *y = ARENA_ARRAY(arena, double, count);
    for (size_t i = 0; i < count; i++) {
        x[i] = (double)i;
        y[i] = 100 * (double)lengths->counts[i] / (double)lengths->total;
    }
    return (PageSeries){
        .name = split_names[split->split], .x = x, .y = y, .count = count};
}

static void add_lengths(const SurveyTask *task, bool is_target, Page *page)
{
    PageSeries series[SPLIT_COUNT];
    uint32_t count = 0;
    Arena *arena = arena_new();
    for (uint32_t i = 0; i < task->split_count; i++) {
        const SurveySplit *split = &task->splits[i];
        const LengthCounts *lengths = is_target ? &split->targets : &split->texts;
        if (lengths->total > 0)
            series[count++] = series_of(split, lengths, arena);
    }
    if (count > 0)
        page_chart(page, &(PageChart){.title = is_target ? "Lengths of answers"
                                                         : "Lengths of texts",
                                      .x_name = "tokens",
                                      .y_name = "%",
                                      .series = series,
                                      .count = count});
    arena_free(arena);
}

static void add_tallies(const SurveyTask *task, bool is_unknown, Page *page)
{
    const PageColumn columns[] = {
        {.name = "split"},
        {.name = is_unknown ? "word" : "answer"},
        {.name = "times", .is_number = true},
    };
    bool is_begun = false;
    for (uint32_t i = 0; i < task->split_count; i++) {
        const SurveySplit *split = &task->splits[i];
        const TextCounts *list = is_unknown ? &split->unknown : &split->said;
        for (uint32_t k = 0; k < list->count; k++) {
            if (!is_begun)
                page_table_begin(page,
                                 is_unknown ? "Words with unknown tokens"
                                            : "The most frequent answers",
                                 columns, sizeof columns / sizeof *columns);
            is_begun = true;
            page_cell(page, split_names[split->split]);
            page_cell(page, list->items[k].text);
            page_cell_number(page, (double)list->items[k].count, 0);
        }
    }
    if (is_begun)
        page_table_end(page);
}

/* -- samples ------------------------------------------------------------------------- */

static void add_picture(const Survey *survey, const DatasetExample *example,
                        uint32_t image, const char *directory, Page *page, Arena *arena)
{
    const char *path =
        dataset_picture_path(survey->source, example, image, directory, arena);
    Diags *quiet = diags_new(NULL);
    size_t len;
    char *bytes = path ? file_read(path, PAGE_PICTURE_BYTES, &len, quiet) : NULL;
    if (bytes)
        page_picture(page, bytes, len, example->images[image]);
    else
        page_fact(page, "picture", example->images[image]);
    free(bytes);
    diags_free(quiet);
}

static void add_sample(const Survey *survey, const SurveySplit *split,
                       const SurveySample *sample, const char *directory, Page *page)
{
    const DatasetExample *example = sample->example;
    Arena *arena = arena_new();
    page_card_begin(page);
    for (uint32_t i = 0; i < EXAMPLE_IMAGES_MAX && example->images[i]; i++)
        add_picture(survey, example, i, directory, page, arena);
    page_fact(page, "example",
              arena_format(arena, "%s, %s", example->id, split_names[split->split]));
    page_fact(page, "read", sample->text);
    page_fact(page, "tokens",
              split->text_limit > 0 && sample->tokens > split->text_limit
                  ? arena_format(arena, "%" PRId64 ", cut to %" PRId64, sample->tokens,
                                 split->text_limit)
                  : arena_format(arena, "%" PRId64, sample->tokens));
    page_fact(page, "answer", survey_answers_text(example, arena));
    page_card_end(page);
    arena_free(arena);
}

static void add_samples(const Survey *survey, const SurveyTask *task,
                        const char *directory, Page *page)
{
    page_cards_begin(page);
    for (uint32_t i = 0; i < task->split_count; i++)
        for (uint32_t k = 0; k < task->splits[i].sample_count; k++)
            add_sample(survey, &task->splits[i], &task->splits[i].samples[k], directory,
                       page);
    page_cards_end(page);
}

static void add_task(const Survey *survey, const SurveyTask *task, const char *directory,
                     Page *page)
{
    page_heading(page, task->name);
    if (!task->is_open) {
        page_warning(page, "The plan and the data do not fit together.");
        return;
    }
    page_text(page, "Records %s, scored by %s.", task->records, task->metric);
    add_rows(task, page);
    page_charts_begin(page);
    add_lengths(task, false, page);
    add_lengths(task, true, page);
    page_charts_end(page);
    add_tallies(task, false, page);
    add_tallies(task, true, page);
    add_samples(survey, task, directory, page);
}

void survey_add_to_page(const Survey *survey, const char *pictures, Page *page)
{
    add_findings(survey, page);
    for (uint32_t i = 0; i < survey->task_count; i++)
        add_task(survey, &survey->tasks[i], pictures, page);
}
