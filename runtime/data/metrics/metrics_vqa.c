/* VQA accuracy as the published evaluation computes it, oddities included:
 *
 * Whether a punctuation mark is deleted or becomes a blank depends on the original text
 * as a whole: it is deleted if it stands next to a blank anywhere, or if the text holds
 * something like 1,2 anywhere.
 *
 * At most 32 periods are deleted (a flag is passed where a count belongs), those before a
 * digit never, those after a digit too.
 *
 * Annotators' answers get the punctuation rule only, so that a prediction "two" becomes
 * "2" and no longer equals an annotator's "two".
 *
 * LIMIT: lower case maps one code point to one; U+0130 and a final sigma need more. */
#include "runtime/data/metrics/metrics.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/data/text/lists.h"
#include "runtime/data/text/unicode.h"

enum { PERIOD_DELETIONS = 32 };

/* Whether the code point that starts at, or ends before, `at` is a digit. */
static bool digit_follows(const char *at, const char *end)
{
    size_t bytes;
    return at < end && unicode_is_digit(utf8_decode(at, (size_t)(end - at), &bytes));
}

static bool digit_precedes(const char *start, const char *at)
{
    const char *first = at;
    while (first > start && at - first < UTF8_MAX) {
        first--;
        if (((unsigned char)*first & 0xc0) != 0x80)
            break;
    }
    return first < at && digit_follows(first, at);
}

static bool has_comma_in_number(const char *text)
{
    const char *end = text + strlen(text);
    for (const char *comma = strchr(text, ','); comma; comma = strchr(comma + 1, ','))
        if (digit_precedes(text, comma) && digit_follows(comma + 1, end))
            return true;
    return false;
}

static bool stands_by_blank(const char *text, char mark)
{
    for (const char *at = strchr(text, mark); at; at = strchr(at + 1, mark))
        if (at[1] == ' ' || (at > text && at[-1] == ' '))
            return true;
    return false;
}

static void delete_char(char *text, char mark)
{
    char *kept = text;
    for (const char *at = text; *at; at++)
        if (*at != mark)
            *kept++ = *at;
    *kept = 0;
}

static void delete_periods(char *text)
{
    const char *end = text + strlen(text);
    uint32_t deleted = 0;
    char *kept = text;
    for (const char *at = text; at < end; at++) {
        bool deletes =
            *at == '.' && deleted < PERIOD_DELETIONS && !digit_follows(at + 1, end);
        deleted += deletes;
        if (!deletes)
            *kept++ = *at;
    }
    *kept = 0;
}

char *vqa_punctuation(const char *text, Arena *arena)
{
    static const char marks[] = ";/[]\"{}()=+\\_-><@`,?!";
    char *out = arena_string(arena, text, strlen(text));
    bool deletes_all = has_comma_in_number(text);
    for (const char *mark = marks; *mark; mark++) {
        if (deletes_all || stands_by_blank(text, *mark)) {
            delete_char(out, *mark);
            continue;
        }
        for (char *at = strchr(out, *mark); at; at = strchr(at, *mark))
            *at = ' ';
    }
    delete_periods(out);
    return out;
}

typedef struct Replacement {
    const char *word, *to;
} Replacement;

static int compare_word(const void *word, const void *row)
{
    return strcmp(word, ((const Replacement *)row)->word);
}

/* What is written for a word: itself, something else, or "" for an article. */
static const char *replace_word(const char *word)
{
    static const Replacement contractions[] = {
#define CONTRACTION(from, to) {from, to},
#include "runtime/data/metrics/vqa_contractions.def"
    };
    static const Replacement small[] = {
        {"none", "0"}, {"zero", "0"}, {"one", "1"}, {"two", "2"},   {"three", "3"},
        {"four", "4"}, {"five", "5"}, {"six", "6"}, {"seven", "7"}, {"eight", "8"},
        {"nine", "9"}, {"ten", "10"}, {"a", ""},    {"an", ""},     {"the", ""},
    };
    for (size_t i = 0; i < sizeof small / sizeof *small; i++)
        if (strcmp(word, small[i].word) == 0)
            return small[i].to;
    const Replacement *found =
        bsearch(word, contractions, sizeof contractions / sizeof *contractions,
                sizeof *contractions, compare_word);
    return found ? found->to : word;
}

static void add_word(TextBuffer *word, TextBuffer *out)
{
    if (!word->count)
        return;
    text_buffer_add(word, "", 1);
    const char *text = replace_word(word->bytes);
    if (*text && out->count)
        text_buffer_add(out, " ", 1);
    text_buffer_add(out, text, strlen(text));
    word->count = 0;
}

char *vqa_digits_articles(const char *text, Arena *arena)
{
    TextBuffer word = {0}, out = {0};
    size_t len = strlen(text);
    for (size_t i = 0, bytes; i < len; i += bytes) {
        uint32_t code = utf8_decode(text + i, len - i, &bytes);
        if (unicode_is_strip(code))
            add_word(&word, &out);
        else
            text_buffer_add_code(&word, unicode_lower(code));
    }
    add_word(&word, &out);
    char *result = arena_string(arena, out.bytes ? out.bytes : "", out.count);
    text_buffer_free(&word);
    text_buffer_free(&out);
    return result;
}

char *vqa_normalize(const char *prediction, Arena *arena)
{
    size_t len = strlen(prediction);
    const char *start = prediction;
    utf8_strip_left(&start, &len);
    utf8_strip_right(start, &len);
    char *text = arena_string(arena, start, len);
    for (char *at = text; *at; at++)
        if (*at == '\n' || *at == '\t')
            *at = ' ';
    return vqa_digits_articles(vqa_punctuation(text, arena), arena);
}

static bool is_unanimous(const char *const *answers, uint32_t count)
{
    for (uint32_t i = 1; i < count; i++)
        if (strcmp(answers[i], answers[0]) != 0)
            return false;
    return true;
}

double vqa_accuracy(const char *prediction, const char *const *answers, uint32_t count)
{
    Arena *arena = arena_new();
    const char *wanted = vqa_normalize(prediction, arena);
    bool as_they_are = is_unanimous(answers, count);
    uint32_t matches = 0;
    for (uint32_t i = 0; i < count; i++) {
        const char *answer =
            as_they_are ? answers[i] : vqa_punctuation(answers[i], arena);
        matches += strcmp(answer, wanted) == 0;
    }
    arena_free(arena);
    /* Each annotator who gave the prediction sees one match fewer than the others do. */
    double with = matches ? (matches - 1) / 3.0 : 0, without = matches / 3.0;
    double sum =
        matches * (with < 1 ? with : 1) + (count - matches) * (without < 1 ? without : 1);
    return count ? sum / count : 0;
}

double vqa_evaluation_add(VqaEvaluation *evaluation, const char *prediction,
                          const char *const *answers, uint32_t count, VqaTopk topk)
{
    double accuracy = vqa_accuracy(prediction, answers, count);
    evaluation->all.sum += accuracy;
    evaluation->all.count++;
    if (topk == VQA_TOPK_optimal) {
        evaluation->optimal.sum += accuracy;
        evaluation->optimal.count++;
    } else if (topk == VQA_TOPK_other) {
        evaluation->other.sum += accuracy;
        evaluation->other.count++;
    }
    return accuracy;
}

/* 100 sum / count to two decimals: printing rounds the binary value, as Python's round
 * does. */
static double percent(double sum, int64_t count)
{
    char text[64];
    if (!count)
        return 0;
    (void)snprintf(text, sizeof text, "%.2f", 100 * sum / (double)count);
    return strtod(text, NULL);
}

VqaScores vqa_evaluation_scores(const VqaEvaluation *evaluation)
{
    return (VqaScores){percent(evaluation->all.sum, evaluation->all.count),
                       percent(evaluation->optimal.sum, evaluation->optimal.count),
                       percent(evaluation->other.sum, evaluation->other.count)};
}
