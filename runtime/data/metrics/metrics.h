/* The scores that predictions get. Every evaluation is a running one: add each
 * prediction, then ask. Scores are fractions of 1 unless said otherwise; over no examples
 * they are 0. */
#ifndef VLG_RUNTIME_DATA_METRICS_METRICS_H
#define VLG_RUNTIME_DATA_METRICS_METRICS_H

#include <stdbool.h>
#include <stdint.h>

#include "ir/base/arena.h"

/* ---- answers that carry scores: GQA's accuracy, and VQA's top-k score ---- */

/* The score of the answer that equals the prediction byte for byte, or 0. */
double label_score(const char *prediction, const char *const *answers,
                   const double *scores, uint32_t count);

/* ---- VQA accuracy against ten annotators ---- */

/* Punctuation is removed or becomes a blank; letters keep their case. */
char *vqa_punctuation(const char *text, Arena *arena);
/* Lower case; number words become digits, articles go, contractions get apostrophes. */
char *vqa_digits_articles(const char *text, Arena *arena);
/* What a prediction is compared as: stripped, then both of the above. */
char *vqa_normalize(const char *prediction, Arena *arena);

/* Whether the question's best answer is among those a classifier would know. */
typedef enum VqaTopk { VQA_TOPK_unknown, VQA_TOPK_optimal, VQA_TOPK_other } VqaTopk;

typedef struct VqaEvaluation {
    struct {
        double sum;
        int64_t count;
    } all, optimal, other;
} VqaEvaluation;

typedef struct VqaScores {
    double overall, optimal, other; /* percent, rounded to two decimals */
} VqaScores;

/* The accuracy of one question: the mean over annotators i of min(1, #{j != i that gave
 * the prediction} / 3). Answers are normalised only if the annotators disagree. */
double vqa_accuracy(const char *prediction, const char *const *answers, uint32_t count);
/* Adds one question to a zeroed or running evaluation and returns its accuracy. */
double vqa_evaluation_add(VqaEvaluation *evaluation, const char *prediction,
                          const char *const *answers, uint32_t count, VqaTopk topk);
VqaScores vqa_evaluation_scores(const VqaEvaluation *evaluation);

/* ---- NLVR2: accuracy, and how many sentences are right for all of their images ---- */

typedef struct NlvrEvaluation NlvrEvaluation;

typedef struct NlvrScores {
    double accuracy, consistency;
    int64_t examples, groups;
} NlvrScores;

NlvrEvaluation *nlvr_evaluation_new(void);
void nlvr_evaluation_free(NlvrEvaluation *evaluation);
/* Examples whose identifiers differ only in the third "-"-separated field are a group. */
void nlvr_evaluation_add(NlvrEvaluation *evaluation, const char *identifier,
                         bool is_correct);
NlvrScores nlvr_evaluation_scores(const NlvrEvaluation *evaluation);

/* ---- video questions: exact match, overall and for each type ---- */

typedef struct ChoiceEvaluation ChoiceEvaluation;

typedef struct ChoiceScore {
    const char *type; /* NULL for the overall score */
    double accuracy;  /* correct / (count + 1e-10) */
    int64_t count;
} ChoiceScore;

ChoiceEvaluation *choice_evaluation_new(void);
void choice_evaluation_free(ChoiceEvaluation *evaluation);
/* `type` may be NULL. */
void choice_evaluation_add(ChoiceEvaluation *evaluation, const char *prediction,
                           const char *answer, const char *type);
ChoiceScore choice_evaluation_overall(const ChoiceEvaluation *evaluation);
uint32_t choice_evaluation_types(const ChoiceEvaluation *evaluation);
ChoiceScore choice_evaluation_type(const ChoiceEvaluation *evaluation, uint32_t index);

/* ---- captions: BLEU-1..4, ROUGE-L and CIDEr-D ---- */

typedef struct CaptionEvaluation CaptionEvaluation;

typedef enum CaptionTokens {
    CAPTION_ptb,   /* raw captions, as runtime/data/text/ptb.h tokenizes them */
    CAPTION_blanks /* tokenized captions: split at blanks */
} CaptionTokens;

typedef struct CaptionScores {
    double bleu[4];
    double rouge_l, cider; /* CIDEr-D has a factor 10: it may exceed 1 */
    int64_t images;
} CaptionScores;

CaptionEvaluation *caption_evaluation_new(CaptionTokens source);
void caption_evaluation_free(CaptionEvaluation *evaluation);
/* One image: its prediction and all its references. */
void caption_evaluation_add(CaptionEvaluation *evaluation, const char *prediction,
                            const char *const *references, uint32_t count);
/* cider_each and rouge_each, [images] in order of adding, may be NULL. */
CaptionScores caption_evaluation_scores(const CaptionEvaluation *evaluation,
                                        double *cider_each, double *rouge_each);

#endif
