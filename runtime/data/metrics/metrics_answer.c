/* Scores of short answers that are compared as they are. */
#include "runtime/data/metrics/metrics.h"

#include <stdlib.h>
#include <string.h>

#include "ir/base/heap.h"
#include "ir/base/list.h"
#include "ir/base/strings.h"
#include "runtime/data/text/lists.h"

double label_score(const char *prediction, const char *const *answers,
                   const double *scores, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (strcmp(prediction, answers[i]) == 0)
            return scores[i];
    return 0;
}

/* How often a named group of examples was right. */
typedef struct Tally {
    int64_t correct, count;
} Tally;

typedef struct Tallies {
    Strings *names;
    Tally *tallies; /* [names] */
    size_t capacity;
    Tally all;
} Tallies;

static void tally(Tallies *tallies, const char *name, size_t len, bool is_correct)
{
    tallies->all.correct += is_correct;
    tallies->all.count++;
    if (!name)
        return;
    uint32_t known = strings_count(tallies->names);
    uint32_t index = strings_add(tallies->names, name, len);
    if (index == known) {
        LIST_ROOM(tallies->tallies, (size_t)index + 1, tallies->capacity);
        tallies->tallies[index] = (Tally){0};
    }
    tallies->tallies[index].correct += is_correct;
    tallies->tallies[index].count++;
}

static void tallies_clear(Tallies *tallies)
{
    strings_free(tallies->names);
    free(tallies->tallies);
}

struct NlvrEvaluation {
    Tallies groups;
};

NlvrEvaluation *nlvr_evaluation_new(void)
{
    NlvrEvaluation *evaluation = heap_alloc(sizeof *evaluation);
    *evaluation = (NlvrEvaluation){.groups.names = strings_new()};
    return evaluation;
}

void nlvr_evaluation_free(NlvrEvaluation *evaluation)
{
    if (!evaluation)
        return;
    tallies_clear(&evaluation->groups);
    free(evaluation);
}

void nlvr_evaluation_add(NlvrEvaluation *evaluation, const char *identifier,
                         bool is_correct)
{
    TextBuffer group = {0};
    uint32_t field = 0;
    for (const char *at = identifier; *at; at++) {
        field += *at == '-';
        if (field != 2 || *at == '-')
            text_buffer_add(&group, at, 1);
    }
    tally(&evaluation->groups, group.bytes ? group.bytes : "", group.count, is_correct);
    text_buffer_free(&group);
}

NlvrScores nlvr_evaluation_scores(const NlvrEvaluation *evaluation)
{
    const Tallies *groups = &evaluation->groups;
    NlvrScores scores = {.examples = groups->all.count,
                         .groups = strings_count(groups->names)};
    int64_t consistent = 0;
    for (int64_t i = 0; i < scores.groups; i++)
        consistent += groups->tallies[i].correct == groups->tallies[i].count;
    if (scores.examples) {
        scores.accuracy = (double)groups->all.correct / (double)scores.examples;
        scores.consistency = (double)consistent / (double)scores.groups;
    }
    return scores;
}

struct ChoiceEvaluation {
    Tallies types;
};

ChoiceEvaluation *choice_evaluation_new(void)
{
    ChoiceEvaluation *evaluation = heap_alloc(sizeof *evaluation);
    *evaluation = (ChoiceEvaluation){.types.names = strings_new()};
    return evaluation;
}

void choice_evaluation_free(ChoiceEvaluation *evaluation)
{
    if (!evaluation)
        return;
    tallies_clear(&evaluation->types);
    free(evaluation);
}

void choice_evaluation_add(ChoiceEvaluation *evaluation, const char *prediction,
                           const char *answer, const char *type)
{
    tally(&evaluation->types, type, type ? strlen(type) : 0,
          strcmp(prediction, answer) == 0);
}

static ChoiceScore choice_score(const char *type, Tally of)
{
    return (ChoiceScore){type, (double)of.correct / ((double)of.count + 1e-10), of.count};
}

ChoiceScore choice_evaluation_overall(const ChoiceEvaluation *evaluation)
{
    return choice_score(NULL, evaluation->types.all);
}

uint32_t choice_evaluation_types(const ChoiceEvaluation *evaluation)
{
    return strings_count(evaluation->types.names);
}

ChoiceScore choice_evaluation_type(const ChoiceEvaluation *evaluation, uint32_t index)
{
    return choice_score(strings_text(evaluation->types.names, index),
                        evaluation->types.tallies[index]);
}
