/* BLEU-1..4 (Papineni et al. 2002), ROUGE-L (Lin 2004) and CIDEr-D (Vedantam et al. 2015)
 * as COCO's caption evaluation computes them.
 *
 * Words are numbered over all captions; an n-gram is n numbers. Each sentence's n-grams
 * are counted by sorting, so that sentences and document frequencies meet by binary
 * search. */
#include "runtime/data/metrics/metrics.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ir/base/heap.h"
#include "ir/base/list.h"
#include "ir/base/strings.h"
#include "runtime/data/text/lists.h"
#include "runtime/data/text/ptb.h"

enum { LONGEST = 4 };

typedef struct NgramSpan {
    size_t begin, len;
} NgramSpan;

/* N-grams are of words. A token that holds no-break spaces, such as a mixed number, is
 * several words, but ROUGE-L compares tokens: so the published scorers split. */
typedef struct Sentence {
    NgramSpan words, tokens;
} Sentence;

/* An image's prediction is sentences[first], its references follow. */
typedef struct Image {
    size_t first;
    uint32_t references;
} Image;

struct CaptionEvaluation {
    CaptionTokens source;
    Strings *vocabulary;
    TokenList words, tokens;
    Sentence *sentences;
    Image *images;
    size_t sentence_count, sentence_capacity, image_count, image_capacity;
};

CaptionEvaluation *caption_evaluation_new(CaptionTokens source)
{
    CaptionEvaluation *evaluation = heap_alloc(sizeof *evaluation);
    *evaluation = (CaptionEvaluation){.source = source, .vocabulary = strings_new()};
    return evaluation;
}

void caption_evaluation_free(CaptionEvaluation *evaluation)
{
    if (!evaluation)
        return;
    strings_free(evaluation->vocabulary);
    token_list_free(&evaluation->words);
    token_list_free(&evaluation->tokens);
    free(evaluation->sentences);
    free(evaluation->images);
    free(evaluation);
}

static int32_t number(CaptionEvaluation *evaluation, const char *word, size_t len)
{
    return (int32_t)strings_add(evaluation->vocabulary, word, len);
}

static void add_token(void *context, const char *token, size_t len)
{
    CaptionEvaluation *evaluation = context;
    CaptionWords words = {token, len};
    const char *word;
    token_list_add(&evaluation->tokens, number(evaluation, token, len));
    for (size_t word_len; (word = caption_words_next(&words, &word_len));)
        token_list_add(&evaluation->words, number(evaluation, word, word_len));
}

static void split_at_blanks(const char *text, CaptionEvaluation *evaluation)
{
    for (size_t len; *text; text += len) {
        text += strspn(text, " ");
        len = strcspn(text, " ");
        if (len)
            add_token(evaluation, text, len);
    }
}

static void add_sentence(CaptionEvaluation *evaluation, const char *text)
{
    LIST_ROOM(evaluation->sentences, evaluation->sentence_count + 1,
              evaluation->sentence_capacity);
    size_t words = evaluation->words.count, tokens = evaluation->tokens.count;
    if (evaluation->source == CAPTION_ptb)
        ptb_tokenize(text, add_token, evaluation);
    else
        split_at_blanks(text, evaluation);
    evaluation->sentences[evaluation->sentence_count++] =
        (Sentence){{words, evaluation->words.count - words},
                   {tokens, evaluation->tokens.count - tokens}};
}

void caption_evaluation_add(CaptionEvaluation *evaluation, const char *prediction,
                            const char *const *references, uint32_t count)
{
    LIST_ROOM(evaluation->images, evaluation->image_count + 1,
              evaluation->image_capacity);
    evaluation->images[evaluation->image_count++] =
        (Image){evaluation->sentence_count, count};
    add_sentence(evaluation, prediction);
    for (uint32_t i = 0; i < count; i++)
        add_sentence(evaluation, references[i]);
}

/* An n-gram, and how often it occurs or what it weighs. Unused words are 0. */
typedef struct Gram {
    int32_t words[LONGEST];
    double count;
} Gram;

/* Increasing, each n-gram once. */
typedef struct Grams {
    Gram *grams;
    size_t count, capacity;
} Grams;

static int compare_grams(const void *left, const void *right)
{
    const Gram *a = left, *b = right;
    for (int i = 0; i < LONGEST; i++)
        if (a->words[i] != b->words[i])
            return a->words[i] < b->words[i] ? -1 : 1;
    return 0;
}

static void grams_add(Grams *list, const Gram *gram)
{
    LIST_ROOM(list->grams, list->count + 1, list->capacity);
    list->grams[list->count++] = *gram;
}

/* Sorts and adds up the counts of equal n-grams. */
static void grams_merge(Grams *list)
{
    size_t kept = 0;
    if (!list->count)
        return;
    qsort(list->grams, list->count, sizeof *list->grams, compare_grams);
    for (size_t i = 1; i < list->count; i++) {
        if (compare_grams(&list->grams[kept], &list->grams[i]) == 0)
            list->grams[kept].count += list->grams[i].count;
        else
            list->grams[++kept] = list->grams[i];
    }
    list->count = kept + 1;
}

static double grams_find(const Grams *list, const Gram *gram)
{
    const Gram *found = NULL;
    if (list->count)
        found = bsearch(gram, list->grams, list->count, sizeof *gram, compare_grams);
    return found ? found->count : 0;
}

/* The n-grams of a sentence into the emptied `out`. */
static void count_grams(const CaptionEvaluation *evaluation, const Sentence *sentence,
                        size_t n, Grams *out)
{
    const int32_t *words = evaluation->words.ids + sentence->words.begin;
    out->count = 0;
    for (size_t i = 0; i + n <= sentence->words.len; i++) {
        Gram gram = {.count = 1};
        memcpy(gram.words, words + i, n * sizeof *words);
        grams_add(out, &gram);
    }
    grams_merge(out);
}

/* In how many images' references each n-gram occurs. */
static Grams document_frequencies(const CaptionEvaluation *evaluation, size_t n)
{
    Grams all = {0}, image = {0}, one = {0};
    for (size_t i = 0; i < evaluation->image_count; i++) {
        const Image *of = &evaluation->images[i];
        image.count = 0;
        for (uint32_t r = 1; r <= of->references; r++) {
            count_grams(evaluation, &evaluation->sentences[of->first + r], n, &one);
            for (size_t k = 0; k < one.count; k++)
                grams_add(&image, &one.grams[k]);
        }
        grams_merge(&image);
        for (size_t k = 0; k < image.count; k++) {
            image.grams[k].count = 1;
            grams_add(&all, &image.grams[k]);
        }
    }
    grams_merge(&all);
    free(image.grams);
    free(one.grams);
    return all;
}

/* count (ln N - ln max(1, df)); returns the norm of the vector. */
static double weigh(Grams *grams, const Grams *frequencies, size_t images)
{
    double squares = 0;
    for (size_t i = 0; i < grams->count; i++) {
        Gram *gram = &grams->grams[i];
        double frequency = grams_find(frequencies, gram);
        gram->count *= log((double)images) - log(frequency > 1 ? frequency : 1);
        squares += gram->count * gram->count;
    }
    return sqrt(squares);
}

/* The "length" CIDEr-D compares is the number of bigrams. */
static double bigrams(const Sentence *sentence)
{
    return sentence->words.len > 1 ? (double)(sentence->words.len - 1) : 0;
}

/* sum over w of min(p_w, r_w) r_w / (|p| |r|), less for a difference in length */
static double similarity(const Grams *prediction, double prediction_norm,
                         const Grams *reference, double reference_norm,
                         double length_difference)
{
    const double sigma = 6;
    double sum = 0;
    for (size_t i = 0; i < prediction->count; i++) {
        double weight = prediction->grams[i].count;
        double other = grams_find(reference, &prediction->grams[i]);
        sum += (weight < other ? weight : other) * other;
    }
    if (prediction_norm != 0 && reference_norm != 0)
        sum /= prediction_norm * reference_norm;
    return sum * exp(-length_difference * length_difference / (2 * sigma * sigma));
}

/* Adds the share of the n-grams of length n to each image's score. */
static void add_cider(const CaptionEvaluation *evaluation, size_t n, double *each)
{
    Grams frequencies = document_frequencies(evaluation, n);
    Grams prediction = {0}, reference = {0};
    for (size_t i = 0; i < evaluation->image_count; i++) {
        const Image *image = &evaluation->images[i];
        const Sentence *predicted = &evaluation->sentences[image->first];
        double sum = 0;
        count_grams(evaluation, predicted, n, &prediction);
        double norm = weigh(&prediction, &frequencies, evaluation->image_count);
        for (uint32_t r = 1; r <= image->references; r++) {
            const Sentence *to = predicted + r;
            count_grams(evaluation, to, n, &reference);
            double to_norm = weigh(&reference, &frequencies, evaluation->image_count);
            sum += similarity(&prediction, norm, &reference, to_norm,
                              bigrams(predicted) - bigrams(to));
        }
        if (image->references)
            each[i] += 10.0 / (double)LONGEST * sum / image->references;
    }
    free(frequencies.grams);
    free(prediction.grams);
    free(reference.grams);
}

/* The length of the reference nearest to the prediction's, the shorter of two. */
static size_t nearest_length(const CaptionEvaluation *evaluation, const Image *image)
{
    const Sentence *predicted = &evaluation->sentences[image->first];
    size_t own = predicted->words.len, best = 0, best_gap = SIZE_MAX;
    for (uint32_t r = 1; r <= image->references; r++) {
        size_t len = predicted[r].words.len;
        size_t gap = len > own ? len - own : own - len;
        if (gap < best_gap || (gap == best_gap && len < best)) {
            best = len;
            best_gap = gap;
        }
    }
    return best;
}

/* How many of the prediction's n-grams are found, each as often as a reference has it. */
static double clipped_matches(const CaptionEvaluation *evaluation, const Image *image,
                              size_t n, Grams *prediction, Grams *reference, Grams *most)
{
    const Sentence *predicted = &evaluation->sentences[image->first];
    double correct = 0;
    count_grams(evaluation, predicted, n, prediction);
    most->count = 0;
    for (size_t k = 0; k < prediction->count; k++) {
        Gram none = prediction->grams[k];
        none.count = 0;
        grams_add(most, &none);
    }
    for (uint32_t r = 1; r <= image->references; r++) {
        count_grams(evaluation, predicted + r, n, reference);
        for (size_t k = 0; k < most->count; k++)
            most->grams[k].count =
                fmax(most->grams[k].count, grams_find(reference, &most->grams[k]));
    }
    for (size_t k = 0; k < most->count; k++)
        correct += fmin(most->grams[k].count, prediction->grams[k].count);
    return correct;
}

static void score_bleu(const CaptionEvaluation *evaluation, double bleu[LONGEST])
{
    const double tiny = 1e-15, small = 1e-9;
    Grams prediction = {0}, reference = {0}, most = {0};
    double product = 1, test_length = 0, reference_length = 0;
    for (size_t i = 0; i < evaluation->image_count; i++) {
        const Image *image = &evaluation->images[i];
        test_length += (double)evaluation->sentences[image->first].words.len;
        reference_length += (double)nearest_length(evaluation, image);
    }
    double ratio = (test_length + tiny) / (reference_length + small);
    double brevity = ratio < 1 ? exp(1 - 1 / ratio) : 1;
    for (size_t n = 1; n <= LONGEST; n++) {
        double correct = 0, guessed = 0;
        for (size_t i = 0; i < evaluation->image_count; i++) {
            const Image *image = &evaluation->images[i];
            size_t len = evaluation->sentences[image->first].words.len;
            guessed += len >= n ? (double)(len - n + 1) : 0;
            correct +=
                clipped_matches(evaluation, image, n, &prediction, &reference, &most);
        }
        product *= (correct + tiny) / (guessed + small);
        bleu[n - 1] = pow(product, 1 / (double)n) * brevity;
    }
    free(prediction.grams);
    free(reference.grams);
    free(most.grams);
}

/* Length of the longest common subsequence; `row` is scratch that grows. */
static size_t common_length(const int32_t *a, size_t a_len, const int32_t *b,
                            size_t b_len, TokenList *row)
{
    row->count = 0;
    for (size_t j = 0; j <= b_len; j++)
        token_list_add(row, 0);
    for (size_t i = 0; i < a_len; i++) {
        int32_t diagonal = 0; /* of the previous row, one to the left */
        for (size_t j = 1; j <= b_len; j++) {
            int32_t above = row->ids[j], left = row->ids[j - 1];
            if (a[i] == b[j - 1])
                row->ids[j] = diagonal + 1;
            else
                row->ids[j] = above > left ? above : left;
            diagonal = above;
        }
    }
    return (size_t)row->ids[b_len];
}

/* (1 + b^2) P R / (R + b^2 P), b = 1.2, P and R the largest over the references */
static double score_rouge(const CaptionEvaluation *evaluation, const Image *image,
                          TokenList *row)
{
    const Sentence *sentences = &evaluation->sentences[image->first];
    const int32_t *tokens = evaluation->tokens.ids;
    const NgramSpan own = sentences->tokens;
    double precision = 0, recall = 0, beta = 1.2;
    for (uint32_t r = 1; r <= image->references && own.len; r++) {
        const NgramSpan to = sentences[r].tokens;
        if (!to.len)
            continue;
        double common = (double)common_length(tokens + own.begin, own.len,
                                              tokens + to.begin, to.len, row);
        precision = fmax(precision, common / (double)own.len);
        recall = fmax(recall, common / (double)to.len);
    }
    if (precision == 0 || recall == 0)
        return 0;
    return (1 + beta * beta) * precision * recall / (recall + beta * beta * precision);
}

CaptionScores caption_evaluation_scores(const CaptionEvaluation *evaluation,
                                        double *cider_each, double *rouge_each)
{
    size_t count = evaluation->image_count;
    CaptionScores scores = {.images = (int64_t)count};
    if (!count)
        return scores;
    TokenList row = {0};
    double *cider = heap_array(count, sizeof *cider);
    for (size_t n = 1; n <= LONGEST; n++)
        add_cider(evaluation, n, cider);
    for (size_t i = 0; i < count; i++) {
        double rouge = score_rouge(evaluation, &evaluation->images[i], &row);
        scores.cider += cider[i] / (double)count;
        scores.rouge_l += rouge / (double)count;
        if (cider_each)
            cider_each[i] = cider[i];
        if (rouge_each)
            rouge_each[i] = rouge;
    }
    score_bleu(evaluation, scores.bleu);
    free(cider);
    token_list_free(&row);
    return scores;
}
