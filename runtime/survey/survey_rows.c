/* The table of what is measured, and how its values read. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "runtime/survey/survey_parts.h"

const SurveyRow survey_rows[] = {
#define ROW(field, kind, label, meaning)                                                 \
    {#field, label, meaning, offsetof(SurveySplit, field), IS_COUNT_##kind},
#define IS_COUNT_count true
#define IS_COUNT_share false
#define IS_COUNT_number false
#include "runtime/survey/survey_rows.def"
#undef IS_COUNT_count
#undef IS_COUNT_share
#undef IS_COUNT_number
};
const uint32_t survey_row_count = sizeof survey_rows / sizeof *survey_rows;

double survey_value(const SurveyRow *row, const SurveySplit *split)
{
    const void *at = (const char *)split + row->at;
    int64_t count;
    double number;
    if (!row->is_count) {
        memcpy(&number, at, sizeof number);
        return number;
    }
    memcpy(&count, at, sizeof count);
    return count < 0 ? NAN : (double)count;
}

bool survey_row_is_known(const SurveyRow *row, const SurveyTask *task)
{
    for (uint32_t i = 0; i < task->split_count; i++)
        if (!isnan(survey_value(row, &task->splits[i])))
            return true;
    return false;
}

int survey_decimals(const SurveyRow *row)
{
    return row->is_count ? 0 : 1;
}

const char *survey_answers_text(const DatasetExample *example, Arena *arena)
{
    enum { MOST = 5 };
    const char *list = example->answer_count ? "" : "none";
    for (uint32_t i = 0; i < example->answer_count && i < MOST; i++) {
        const DatasetAnswer *answer = &example->answers[i];
        list = arena_format(arena, "%s%s%s", list, i ? " / " : "", answer->text);
        if (answer->score < 1)
            list = arena_format(arena, "%s (%.3g)", list, (double)answer->score);
    }
    return example->answer_count > MOST ? arena_format(arena, "%s / ...", list) : list;
}

const char *survey_whose(const SurveyFinding *finding, Arena *arena)
{
    if (!finding->task)
        return "all";
    if (finding->split == SPLIT_COUNT)
        return finding->task;
    return arena_format(arena, "%s, %s", finding->task, split_names[finding->split]);
}

const char *survey_verdict(const Survey *survey, Arena *arena)
{
    int64_t errors = findings_count(survey->findings, DIAG_error);
    int64_t warnings = findings_count(survey->findings, DIAG_warning);
    return arena_format(arena, "%" PRId64 " error%s, %" PRId64 " warning%s%s%s", errors,
                        errors == 1 ? "" : "s", warnings, warnings == 1 ? "" : "s",
                        errors ? ": these data would be refused" : "",
                        survey->is_stopped ? "; stopped early: not all was looked at"
                                           : "");
}
