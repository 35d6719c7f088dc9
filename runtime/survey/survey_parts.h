/* The parts of a survey, for one split of a task at a time. */
#ifndef VLG_RUNTIME_SURVEY_SURVEY_PARTS_H
#define VLG_RUNTIME_SURVEY_SURVEY_PARTS_H

#include "ir/base/map.h"
#include "ir/base/strings.h"
#include "runtime/survey/survey.h"

/* What is known of a task while its splits are looked at, training first. */
typedef struct TaskSurvey {
    const SurveyOptions *options;
    Survey *survey;
    const DatasetTask *task;
    const TaskTexts *texts;
    const char *name;
    Isolate *isolate; /* that reads pictures */
    double shown_at;  /* when progress was shown last */
    /* Of the training split, if that was looked at. */
    bool has_training;
    Map train_questions;     /* hashes of text and pictures */
    Strings *train_pictures; /* names */
    Strings *train_answers;  /* best answers */
    const char *train_most;  /* the most frequent of them, or NULL */
} TaskSurvey;

/* The split at hand. */
typedef struct SplitSurvey {
    TaskSurvey *of;
    DatasetSplit examples;
    SurveySplit *out;
} SplitSurvey;

/* A row of survey_rows.def. */
typedef struct SurveyRow {
    const char *field, *label, *meaning;
    size_t at;     /* in SurveySplit */
    bool is_count; /* int64_t; else a double */
} SurveyRow;

extern const SurveyRow survey_rows[];
extern const uint32_t survey_row_count;

/* What the row says of a split; NaN: nothing. */
double survey_value(const SurveyRow *row, const SurveySplit *split);
/* Whether it says something of one of the task's splits. */
bool survey_row_is_known(const SurveyRow *row, const SurveyTask *task);

/* Decimals that a row is shown with. */
int survey_decimals(const SurveyRow *row);
/* An example's answers as people read them. */
const char *survey_answers_text(const DatasetExample *example, Arena *arena);
/* What a finding is about, such as "mine, train". */
const char *survey_whose(const SurveyFinding *finding, Arena *arena);
/* "2 errors and 1 warning: ..." */
const char *survey_verdict(const Survey *survey, Arena *arena);

void survey_texts(SplitSurvey *work);
void survey_answers(SplitSurvey *work);
void survey_repeats(SplitSurvey *work);
void survey_shown(SplitSurvey *work);

/* Shows how far it is, and says whether the survey is to go on. */
bool survey_goes_on(SplitSurvey *work, const char *what, int64_t done, int64_t all);
/* Where mistakes go. */
Diags *survey_diags(const SplitSurvey *work);

/* The answer that is worth most, the first of equals; NULL if none is worth anything. */
const char *survey_best_answer(const DatasetExample *example);

/* The `most` texts that are counted most often, those of equal counts in the order of the
 * strings; counts[i] is of text i. */
TextCounts survey_most(const Strings *texts, const int64_t *counts, uint32_t most,
                       Arena *arena);

#endif
