/* Scores against recorded ones of the reference implementation, and by hand. */
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/data/metrics/metrics.h"
#include "tests/check.h"

enum { MOST = 16 };

static void check_near(Check *check, double found, double wanted, const char *what)
{
    CHECK(check, fabs(found - wanted) <= 1e-12, "%s: %.17g, not %.17g", what, found,
          wanted);
}

static uint32_t read_strings(json_t *array, const char **out)
{
    uint32_t count = (uint32_t)json_array_size(array);
    for (uint32_t i = 0; i < count && i < MOST; i++)
        out[i] = json_string_value(json_array_get(array, i));
    return count;
}

static double real_at(json_t *array, size_t i)
{
    return json_number_value(json_array_get(array, i));
}

static void test_captions(Check *check, json_t *golden)
{
    json_t *inputs = json_object_get(golden, "caption_inputs"), *references;
    json_t *predictions = json_object_get(inputs, "predictions");
    const char *id, *texts[MOST];
    CaptionEvaluation *evaluation = caption_evaluation_new(CAPTION_blanks);
    json_object_foreach(json_object_get(inputs, "references"), id, references)
    {
        uint32_t count = read_strings(references, texts);
        json_t *prediction = json_array_get(json_object_get(predictions, id), 0);
        caption_evaluation_add(evaluation, json_string_value(prediction), texts, count);
    }
    double cider[MOST], rouge[MOST];
    CaptionScores scores = caption_evaluation_scores(evaluation, cider, rouge);
    CHECK(check, scores.images == 4, "%lld images", (long long)scores.images);
    check_near(check, scores.cider, json_number_value(json_object_get(golden, "CIDEr")),
               "CIDEr");
    check_near(check, scores.rouge_l,
               json_number_value(json_object_get(golden, "ROUGE_L")), "ROUGE_L");
    for (size_t i = 0; i < 4; i++) {
        check_near(check, scores.bleu[i], real_at(json_object_get(golden, "Bleu"), i),
                   "BLEU");
        check_near(check, cider[i], real_at(json_object_get(golden, "CIDEr_each"), i),
                   "CIDEr of an image");
        check_near(check, rouge[i], real_at(json_object_get(golden, "ROUGE_L_each"), i),
                   "ROUGE_L of an image");
    }
    caption_evaluation_free(evaluation);
}

static void test_caption_edges(Check *check)
{
    const char *one[] = {"a cat"}, *empty[] = {""};
    CaptionEvaluation *evaluation = caption_evaluation_new(CAPTION_ptb);
    CaptionScores none = caption_evaluation_scores(evaluation, NULL, NULL);
    CHECK(check, none.images == 0 && none.cider == 0 && none.bleu[0] == 0, "no images");
    caption_evaluation_add(evaluation, "", one, 1);
    caption_evaluation_add(evaluation, "A cat.", one, 1);
    caption_evaluation_add(evaluation, "a cat", empty, 1);
    caption_evaluation_add(evaluation, "a cat", NULL, 0);
    double cider[4], rouge[4];
    CaptionScores scores = caption_evaluation_scores(evaluation, cider, rouge);
    CHECK(check, cider[0] == 0 && rouge[0] == 0, "an empty prediction scores nothing");
    /* One of the four n-gram lengths, bigrams, and words have a full match; both are
     * rarer than the number of images. */
    check_near(check, cider[1], 5, "CIDEr of the only exact match");
    check_near(check, rouge[1], 1, "ROUGE-L of an exact match");
    CHECK(check, cider[2] == 0 && rouge[2] == 0, "an empty reference gives nothing");
    CHECK(check, cider[3] == 0 && isfinite(scores.cider), "no reference gives nothing");
    caption_evaluation_free(evaluation);
}

/* "1 1/2" is two words of n-grams and one token of ROUGE-L. */
static void test_mixed_numbers(Check *check)
{
    const char *reference[] = {"1 cup"};
    CaptionEvaluation *evaluation = caption_evaluation_new(CAPTION_ptb);
    caption_evaluation_add(evaluation, "1 1/2 cup", reference, 1);
    CaptionScores scores = caption_evaluation_scores(evaluation, NULL, NULL);
    check_near(check, scores.bleu[0], (2 + 1e-15) / (3 + 1e-9),
               "BLEU-1 of a mixed number");
    check_near(check, scores.rouge_l, 0.5, "ROUGE-L of a mixed number");
    caption_evaluation_free(evaluation);
}

/* The recorded `normalize_answer` is the same without commas. */
static void test_vqa_normalization(Check *check, json_t *golden)
{
    size_t i;
    json_t *row;
    Arena *arena = arena_new();
    json_array_foreach(json_object_get(golden, "vqa_normalize"), i, row)
    {
        const char *text = json_string_value(json_object_get(row, "inp"));
        const char *wanted = json_string_value(json_object_get(row, "punct_digit"));
        const char *found = vqa_normalize(text, arena);
        CHECK(check, strcmp(found, wanted) == 0, "'%s': '%s', not '%s'", text, found,
              wanted);
    }
    CHECK(check, i == 24, "%zu examples", i);
    static const char *const more[][2] = {
        {"", ""},
        {" \t\n ", ""},
        {"...", ""},
        {"2.5.", "2.5"},
        {"5.", "5"},
        {"a/b - c/d", "b c d"},   /* '/' becomes a blank, so "a" is an article */
        {"1,000 a-b", "1000 ab"}, /* a comma in a number deletes every mark */
        {"\xc3\x89"
         "COLE",
         "\xc3\xa9"
         "cole"},
        {"\xd9\xa1,\xd9\xa2", "\xd9\xa1\xd9\xa2"}, /* any decimal digits */
        {"IM Ive", "im ive"},                      /* capitals in the table never match */
        {"twas somebody'd", "'twas somebodyd"},
        {"yes\xc2\xa0no", "yes no"},
        {"\xff\xfe", "\xef\xbf\xbd\xef\xbf\xbd"},
    };
    for (i = 0; i < sizeof more / sizeof *more; i++) {
        const char *found = vqa_normalize(more[i][0], arena);
        CHECK(check, strcmp(found, more[i][1]) == 0, "'%s': '%s', not '%s'", more[i][0],
              found, more[i][1]);
    }
    /* 33 periods: one more than is deleted. */
    const char *left = vqa_punctuation(".................................x", arena);
    CHECK(check, strcmp(left, ".x") == 0, "'%s'", left);
    arena_free(arena);
}

static void test_vqa_table(Check *check)
{
    static const char *const words[] = {
#define CONTRACTION(word, to) word,
#include "runtime/data/metrics/vqa_contractions.def"
    };
    size_t count = sizeof words / sizeof *words;
    CHECK(check, count == 120, "%zu contractions", count);
    for (size_t i = 1; i < count; i++)
        CHECK(check, strcmp(words[i - 1], words[i]) < 0, "'%s' is out of order",
              words[i]);
}

static void test_vqa_accuracy(Check *check, json_t *golden)
{
    json_t *raw = json_object_get(golden, "vqa_evaluate_raw"), *answers;
    VqaEvaluation evaluation = {0};
    const char *id, *texts[MOST];
    json_object_foreach(json_object_get(raw, "gt"), id, answers)
    {
        uint32_t count = read_strings(answers, texts);
        json_t *prediction = json_object_get(json_object_get(raw, "pred"), id);
        json_t *wanted = json_object_get(json_object_get(raw, "per_question"), id);
        VqaTopk topk = strcmp(id, "3") == 0 ? VQA_TOPK_other : VQA_TOPK_optimal;
        double accuracy = vqa_evaluation_add(&evaluation, json_string_value(prediction),
                                             texts, count, topk);
        check_near(check, 100 * accuracy, json_number_value(wanted), id);
    }
    VqaScores scores = vqa_evaluation_scores(&evaluation);
    check_near(check, scores.overall, json_number_value(json_object_get(raw, "overall")),
               "overall");
    check_near(check, scores.optimal, 100,
               "questions that have their answer in the top k");
    check_near(check, scores.other, 60, "questions that do not");
}

static void test_vqa_hand(Check *check)
{
    /* Unanimous answers stay as they are: "t-shirt" never equals a prediction. */
    const char *same[] = {"t-shirt", "t-shirt", "t-shirt"};
    check_near(check, vqa_accuracy("t-shirt", same, 3), 0, "unanimous and with a mark");
    const char *mixed[] = {"t-shirt", "t-shirt", "t-shirt", "t-shirt", "shirt"};
    check_near(check, vqa_accuracy("t-shirt", mixed, 5), 1, "not unanimous");
    /* "no" by one of three: the two others see one match, 1/3 each. */
    const char *three[] = {"no", "yes", "maybe"};
    check_near(check, vqa_accuracy("No!", three, 3), 2.0 / 9, "one of three");
    CHECK(check, vqa_accuracy("no", NULL, 0) == 0, "no annotators");
    VqaScores none = vqa_evaluation_scores(&(VqaEvaluation){0});
    CHECK(check, none.overall == 0 && none.optimal == 0, "no questions");
}

static void test_answers(Check *check)
{
    const char *answers[] = {"net", "mesh"};
    const double scores[] = {1, 0.3};
    check_near(check, label_score("mesh", answers, scores, 2), 0.3, "a known answer");
    check_near(check, label_score("Mesh", answers, scores, 2), 0, "no normalisation");
    check_near(check, label_score("net", NULL, NULL, 0), 0, "no answers");

    NlvrEvaluation *nlvr = nlvr_evaluation_new();
    CHECK(check, nlvr_evaluation_scores(nlvr).accuracy == 0, "no examples");
    nlvr_evaluation_add(nlvr, "train-10171-0-0", true);
    nlvr_evaluation_add(nlvr, "train-10171-1-0", true);
    nlvr_evaluation_add(nlvr, "train-10171-2-1", true);
    nlvr_evaluation_add(nlvr, "train-10171-3-1", false);
    nlvr_evaluation_add(nlvr, "odd", true);
    NlvrScores found = nlvr_evaluation_scores(nlvr);
    check_near(check, found.accuracy, 0.8, "NLVR2 accuracy");
    CHECK(check, found.groups == 3, "%lld groups", (long long)found.groups);
    check_near(check, found.consistency, 2.0 / 3, "NLVR2 consistency");
    nlvr_evaluation_free(nlvr);

    ChoiceEvaluation *choices = choice_evaluation_new();
    choice_evaluation_add(choices, "a1", "a1", "House");
    choice_evaluation_add(choices, "a2", "a1", "Castle");
    choice_evaluation_add(choices, "a1 ", "a1", "House");
    choice_evaluation_add(choices, "a0", "a0", NULL);
    check_near(check, choice_evaluation_overall(choices).accuracy, 2 / (4 + 1e-10),
               "overall");
    CHECK(check, choice_evaluation_types(choices) == 2, "two types");
    ChoiceScore house = choice_evaluation_type(choices, 0);
    CHECK(check, strcmp(house.type, "House") == 0 && house.count == 2, "%s", house.type);
    check_near(check, house.accuracy, 1 / (2 + 1e-10), "a type");
    choice_evaluation_free(choices);
}

int main(int argc, char **argv)
{
    Check check = {0};
    json_error_t error;
    json_t *golden = argc == 2 ? json_load_file(argv[1], 0, &error) : NULL;
    if (!golden) {
        fprintf(stderr, "usage: metrics_test metrics.json\n");
        return 2;
    }
    test_captions(&check, golden);
    test_caption_edges(&check);
    test_mixed_numbers(&check);
    test_vqa_normalization(&check, golden);
    test_vqa_table(&check);
    test_vqa_accuracy(&check, golden);
    test_vqa_hand(&check);
    test_answers(&check);
    json_decref(golden);
    return check_finish(&check);
}
