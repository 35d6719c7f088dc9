/* What predictions are worth. Each kind of answer has its metrics; examples without
 * answers in the files are not counted. */
#include "runtime/data/dataset/dataset_scores.h"

#include <stdlib.h>
#include <string.h>

#include "ir/base/heap.h"
#include "runtime/data/metrics/metrics.h"

struct Scores {
    AnswerKind metric;
    const Tokenizer *tokenizer;
    Arena *arena; /* of the metrics */
    VqaEvaluation vqa;
    double label_sum;
    int64_t label_count;
    NlvrEvaluation *nlvr;
    ChoiceEvaluation *choice;
    CaptionEvaluation *caption;
    Metric *metrics;
    uint32_t metric_count;
};

Scores *dataset_scores_new(AnswerKind metric, const Tokenizer *tokenizer)
{
    Scores *scores = heap_alloc(sizeof *scores);
    *scores = (Scores){.metric = metric,
                       .tokenizer = tokenizer,
                       .arena = arena_new(),
                       .nlvr = nlvr_evaluation_new(),
                       .choice = choice_evaluation_new(),
                       .caption = caption_evaluation_new(CAPTION_ptb)};
    return scores;
}

void dataset_scores_free(Scores *scores)
{
    if (!scores)
        return;
    nlvr_evaluation_free(scores->nlvr);
    choice_evaluation_free(scores->choice);
    caption_evaluation_free(scores->caption);
    arena_free(scores->arena);
    free(scores);
}

/* -- what is right ------------------------------------------------------------------- */

const DatasetAnswer *dataset_best(const DatasetExample *example)
{
    const DatasetAnswer *best = NULL;
    for (uint32_t i = 0; i < example->answer_count; i++)
        if (example->answers[i].score > (best ? best->score : 0))
            best = &example->answers[i];
    return best;
}

/* Of several answers that are worth something each is right. */
static const char *right_choice(const DatasetExample *example, const char *said)
{
    for (uint32_t i = 0; i < example->answer_count; i++)
        if (example->answers[i].score > 0 && strcmp(example->answers[i].text, said) == 0)
            return said;
    const DatasetAnswer *best = dataset_best(example);
    return best ? best->text : example->answers[0].text;
}

/* -- adding -------------------------------------------------------------------------- */

static void add_label(Scores *scores, const DatasetExample *example, const char *said)
{
    double score = 0;
    if (!example->is_told)
        return;
    for (uint32_t i = 0; i < example->answer_count && score == 0; i++) {
        double worth = (double)example->answers[i].score;
        score = label_score(said, &example->answers[i].text, &worth, 1);
    }
    scores->label_sum += score;
    scores->label_count++;
}

static void add_annotated(Scores *scores, const DatasetExample *example, const char *said)
{
    add_label(scores, example, said);
    if (example->reference_count)
        vqa_evaluation_add(&scores->vqa, said, example->references,
                           example->reference_count,
                           example->is_topk_optimal ? VQA_TOPK_optimal : VQA_TOPK_other);
}

void dataset_scores_add_text(Scores *scores, const DatasetExample *example,
                             const char *said, bool is_right)
{
    switch (scores->metric) {
    case ANSWER_annotated:
        add_annotated(scores, example, said);
        break;
    case ANSWER_label:
        add_label(scores, example, said);
        break;
    case ANSWER_statement:
        if (example->answer_count)
            nlvr_evaluation_add(scores->nlvr, example->id, is_right);
        break;
    case ANSWER_choice:
        if (example->answer_count)
            choice_evaluation_add(scores->choice, said, right_choice(example, said),
                                  example->group);
        break;
    case ANSWER_caption:
        if (example->reference_count)
            caption_evaluation_add(scores->caption, said, example->references,
                                   example->reference_count);
        break;
    }
}

/* Of a statement the first token decides: it is what the choice was between. */
static bool is_right_statement(const Scores *scores, const DatasetExample *example,
                               const int32_t *ids, int64_t count)
{
    const DatasetAnswer *best = dataset_best(example);
    return scores->metric == ANSWER_statement && best && count > 0 &&
           ids[0] == tokenizer_first_id(scores->tokenizer, best->text);
}

void dataset_scores_add(Scores *scores, const Batch *batch, int64_t sequence,
                        const int32_t *ids, int64_t count)
{
    const DatasetExample *example = dataset_example(batch, sequence);
    Arena *arena = arena_new();
    dataset_scores_add_text(scores, example,
                            tokenizer_decode(scores->tokenizer, ids, count, arena),
                            is_right_statement(scores, example, ids, count));
    arena_free(arena);
}

/* -- metrics ------------------------------------------------------------------------- */

static void tell(Scores *scores, const char *name, double value, int64_t examples)
{
    scores->metrics[scores->metric_count++] = (Metric){name, value, "%", examples};
}

/* Of training, annotators' answers are not read. */
static void finish_annotated(Scores *scores)
{
    if (scores->vqa.all.count == 0)
        return;
    VqaScores vqa = vqa_evaluation_scores(&scores->vqa);
    tell(scores, "accuracy", vqa.overall, scores->vqa.all.count);
    tell(scores, "accuracy, optimal", vqa.optimal, scores->vqa.optimal.count);
    tell(scores, "accuracy, other", vqa.other, scores->vqa.other.count);
}

static void finish_label(Scores *scores, const char *name)
{
    int64_t count = scores->label_count;
    tell(scores, name, count ? 100 * scores->label_sum / (double)count : 0, count);
}

static void finish_statement(Scores *scores)
{
    NlvrScores nlvr = nlvr_evaluation_scores(scores->nlvr);
    tell(scores, "accuracy", 100 * nlvr.accuracy, nlvr.examples);
    tell(scores, "consistency", 100 * nlvr.consistency, nlvr.groups);
}

static void finish_choice(Scores *scores)
{
    ChoiceScore all = choice_evaluation_overall(scores->choice);
    tell(scores, "accuracy", 100 * all.accuracy, all.count);
    for (uint32_t i = 0; i < choice_evaluation_types(scores->choice); i++) {
        ChoiceScore of = choice_evaluation_type(scores->choice, i);
        if (of.type)
            tell(scores, arena_format(scores->arena, "accuracy, %s", of.type),
                 100 * of.accuracy, of.count);
    }
}

static void finish_caption(Scores *scores)
{
    static const char *const bleu[] = {"BLEU-1", "BLEU-2", "BLEU-3", "BLEU-4"};
    CaptionScores caption = caption_evaluation_scores(scores->caption, NULL, NULL);
    tell(scores, "CIDEr-D", 100 * caption.cider, caption.images);
    scores->metrics[0].unit = ""; /* it is no share of anything */
    for (int i = 0; i < 4; i++)
        tell(scores, bleu[i], 100 * caption.bleu[i], caption.images);
    tell(scores, "ROUGE-L", 100 * caption.rouge_l, caption.images);
}

const Metric *dataset_scores_finish(Scores *scores, uint32_t *out_count)
{
    enum { METRICS_MAX = 8 }; /* beside those of types */
    uint32_t room = METRICS_MAX + choice_evaluation_types(scores->choice);
    scores->metrics = ARENA_ARRAY(scores->arena, Metric, room);
    scores->metric_count = 0;
    switch (scores->metric) {
    case ANSWER_annotated:
        finish_annotated(scores);
        finish_label(scores, "top-k score");
        break;
    case ANSWER_label:
        finish_label(scores, "accuracy");
        break;
    case ANSWER_statement:
        finish_statement(scores);
        break;
    case ANSWER_choice:
        finish_choice(scores);
        break;
    case ANSWER_caption:
        finish_caption(scores);
        break;
    }
    *out_count = scores->metric_count;
    return scores->metrics;
}

bool dataset_worth(AnswerKind metric, const DatasetExample *example, const char *said,
                   double *out)
{
    const DatasetAnswer *best = dataset_best(example);
    bool is_true = best && strcmp(said, best->text) == 0;
    uint32_t count, at = 0;
    if (metric == ANSWER_caption)
        return false;
    Scores *scores = dataset_scores_new(metric, NULL);
    dataset_scores_add_text(scores, example, said, is_true);
    const Metric *metrics = dataset_scores_finish(scores, &count);
    while (at < count && metrics[at].examples == 0)
        at++;
    if (at < count)
        *out = metrics[at].value / 100;
    dataset_scores_free(scores);
    return at < count;
}
