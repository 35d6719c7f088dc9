/* How answers are distributed. A model that is worth training says more than the most
 * frequent answer, so the score of that one is what others are compared with. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ir/base/list.h"
#include "runtime/data/dataset/dataset_scores.h"
#include "runtime/survey/survey_parts.h"

/* -- what is said -------------------------------------------------------------------- */

typedef struct Said {
    Strings *texts;  /* best answers */
    int64_t *counts; /* of each */
    size_t capacity;
    int64_t told;   /* examples that have one */
    int64_t unseen; /* of them, those whose answer is none of the training split's */
} Said;

static void count_answer(Said *said, const char *text)
{
    uint32_t known = strings_count(said->texts);
    uint32_t number = strings_add(said->texts, text, strlen(text));
    LIST_ROOM(said->counts, (size_t)number + 1, said->capacity);
    if (number == known)
        said->counts[number] = 0;
    said->counts[number]++;
    said->told++;
}

static void count_answers(SplitSurvey *work, Said *said)
{
    const TaskSurvey *of = work->of;
    SurveySplit *out = work->out;
    out->untold = out->answers = 0;
    for (int64_t i = 0; i < work->examples.count; i++) {
        const DatasetExample *example = &work->examples.items[i];
        const char *best = survey_best_answer(example);
        out->answers += example->answer_count;
        out->untold += !best;
        if (!best)
            continue;
        count_answer(said, best);
        said->unseen += of->has_training && strings_find(of->train_answers, best,
                                                         strlen(best)) == STRING_ABSENT;
    }
}

/* -- saying the same always -------------------------------------------------------- */

static double score_always(const SplitSurvey *work, const char *text)
{
    Scores *scores = dataset_scores_new(work->of->texts->metric, NULL);
    for (int64_t i = 0; i < work->examples.count; i++) {
        const DatasetExample *example = &work->examples.items[i];
        const char *best = survey_best_answer(example);
        dataset_scores_add_text(scores, example, text, best && strcmp(best, text) == 0);
    }
    uint32_t count, at = 0;
    const Metric *metrics = dataset_scores_finish(scores, &count);
    while (at < count && metrics[at].examples == 0)
        at++;
    double value = at < count ? metrics[at].value : NAN;
    dataset_scores_free(scores);
    return value;
}

static void warn_same(const SplitSurvey *work, const Said *said)
{
    enum { FEWEST = 10 };
    if (strings_count(said->texts) == 1 && said->told >= FEWEST)
        diag_warning(survey_diags(work), (Loc){0},
                     "every answer is '%.80s': there is nothing to learn",
                     strings_text(said->texts, 0));
}

/* -- the split ----------------------------------------------------------------------- */

/* Of captions every text is another: what is frequent among them says nothing. */
static void take_distribution(SplitSurvey *work, const Said *said)
{
    const TaskSurvey *of = work->of;
    SurveySplit *out = work->out;
    bool is_training = out->split == SPLIT_train;
    const char *most = of->has_training  ? of->train_most
                       : out->said.count ? out->said.items[0].text
                                         : NULL;
    if (of->texts->metric == ANSWER_caption || said->told == 0)
        return;
    out->most_share = 100 * (double)out->said.items[0].count / (double)said->told;
    if (most)
        out->trivial = score_always(work, most);
    if (of->has_training && !is_training)
        out->unseen_share = 100 * (double)said->unseen / (double)said->told;
    warn_same(work, said);
}

void survey_answers(SplitSurvey *work)
{
    TaskSurvey *of = work->of;
    Said said = {.texts = strings_new()};
    count_answers(work, &said);
    work->out->distinct_answers = strings_count(said.texts);
    work->out->said =
        survey_most(said.texts, said.counts, SURVEY_ANSWERS, of->survey->arena);
    take_distribution(work, &said);
    free(said.counts);
    if (work->out->split != SPLIT_train) {
        strings_free(said.texts);
        return;
    }
    of->train_answers = said.texts;
    of->train_most = work->out->said.count ? work->out->said.items[0].text : NULL;
}
