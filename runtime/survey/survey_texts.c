/* Every text and answer is cut into tokens, as a training does. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ir/base/heap.h"
#include "ir/base/list.h"
#include "runtime/survey/survey_parts.h"

enum { LONGEST = 1 << 16, MOST_WORDS = 10000 };

/* -- lengths ------------------------------------------------------------------------- */

static void count_length(LengthCounts *lengths, size_t tokens)
{
    size_t at = tokens < LONGEST ? tokens : LONGEST, room = lengths->capacity;
    LIST_ROOM(lengths->counts, at + 1, lengths->capacity);
    if (lengths->capacity > room)
        memset(lengths->counts + room, 0,
               (lengths->capacity - room) * sizeof *lengths->counts);
    lengths->counts[at]++;
    lengths->total++;
    if ((int64_t)at > lengths->longest)
        lengths->longest = (int64_t)at;
}

int64_t lengths_quantile(const LengthCounts *lengths, double share)
{
    int64_t wanted = (int64_t)ceil(share * (double)lengths->total), length = 0;
    for (int64_t seen = 0; length < lengths->longest; length++) {
        seen += lengths->counts[length];
        if (seen >= wanted)
            break;
    }
    return length;
}

/* -- words --------------------------------------------------------------------------- */

/* Words with unknown tokens, and how often each is there. */
typedef struct UnknownWords {
    Strings *texts;
    int64_t *counts;
    size_t capacity;
} UnknownWords;

/* Tokens of all that is read, or of all that is said. */
typedef struct CountedWords {
    const Tokenizer *tokenizer;
    TokenList room;
    int64_t all, unknown;
    UnknownWords *list; /* of both */
} CountedWords;

static int64_t count_unknown(const CountedWords *words, const TokenList *list)
{
    TokenizerIds ids = tokenizer_ids(words->tokenizer);
    int64_t unknown = 0;
    for (size_t i = 0; i < list->count; i++)
        unknown += list->ids[i] == ids.unk;
    return unknown;
}

static void add_word(UnknownWords *words, const char *word, size_t len)
{
    uint32_t number = strings_find(words->texts, word, len);
    if (number == STRING_ABSENT) {
        if (strings_count(words->texts) == MOST_WORDS)
            return;
        number = strings_add(words->texts, word, len);
        LIST_ROOM(words->counts, (size_t)number + 1, words->capacity);
        words->counts[number] = 0;
    }
    words->counts[number]++;
}

/* Which words of a text it is that have unknown tokens. */
static void find_words(CountedWords *words, const char *text)
{
    TokenList room = {0};
    Arena *arena = arena_new();
    for (const char *at = text; *at;) {
        size_t blanks = strspn(at, " \t\r\n"), len = strcspn(at + blanks, " \t\r\n");
        at += blanks;
        const char *word = arena_string(arena, at, len);
        room.count = 0;
        tokenizer_encode(words->tokenizer, word, 0, &room);
        if (len > 0 && count_unknown(words, &room) > 0)
            add_word(words->list, at, len);
        at += len;
    }
    arena_free(arena);
    token_list_free(&room);
}

/* Counts one text; how many tokens it has, with those that frame it. */
static size_t count_text(CountedWords *words, const char *text)
{
    TokenizerIds ids = tokenizer_ids(words->tokenizer);
    words->room.count = 0;
    tokenizer_encode(words->tokenizer, text, 0, &words->room);
    int64_t unknown = count_unknown(words, &words->room);
    for (size_t i = 0; i < words->room.count; i++)
        words->all += words->room.ids[i] != ids.bos && words->room.ids[i] != ids.eos;
    words->unknown += unknown;
    if (unknown > 0)
        find_words(words, text);
    return words->room.count;
}

static double unknown_share(const CountedWords *words)
{
    return words->all ? 100 * (double)words->unknown / (double)words->all : NAN;
}

/* -- the split ----------------------------------------------------------------------- */

static int64_t longer_than(const LengthCounts *lengths, int64_t limit)
{
    int64_t longer = 0;
    for (int64_t i = limit + 1; limit > 0 && i <= lengths->longest; i++)
        longer += lengths->counts[i];
    return longer;
}

/* A few that are cut are no mistake. */
static void warn_cut(const SplitSurvey *work, const char *what, int64_t cut,
                     int64_t limit, int64_t all)
{
    enum { USUAL_PERCENT = 1 };
    if (cut * 100 > all * USUAL_PERCENT)
        diag_warning(survey_diags(work), (Loc){0},
                     "%" PRId64 " of %" PRId64 " %s are longer than %" PRId64
                     " tokens and are cut (%.1f %%)",
                     cut, all, what, limit, 100 * (double)cut / (double)all);
}

static void take_lengths(SplitSurvey *work)
{
    const TaskShape *shape = work->of->task->maker.shape;
    SurveySplit *out = work->out;
    out->text_median = lengths_quantile(&out->texts, 0.5);
    out->text_95 = lengths_quantile(&out->texts, 0.95);
    out->text_most = out->texts.longest;
    out->text_cut = longer_than(&out->texts, shape->input_limit);
    out->target_median = lengths_quantile(&out->targets, 0.5);
    out->target_95 = lengths_quantile(&out->targets, 0.95);
    out->target_most = out->targets.longest;
    out->target_cut = longer_than(&out->targets, shape->target_limit);
    if (shape->input_limit > 0)
        out->text_limit = shape->input_limit;
    if (shape->target_limit > 0)
        out->target_limit = shape->target_limit;
    warn_cut(work, "texts", out->text_cut, shape->input_limit, out->texts.total);
    warn_cut(work, "answers", out->target_cut, shape->target_limit, out->targets.total);
}

/* Examples that lie evenly over the split. */
static void keep_sample(SplitSurvey *work, int64_t index, const char *text, size_t tokens)
{
    SurveySplit *out = work->out;
    int64_t wanted = out->sample_count * work->examples.count / SURVEY_SAMPLES;
    if (out->sample_count == SURVEY_SAMPLES || index != wanted)
        return;
    out->samples[out->sample_count++] = (SurveySample){
        &work->examples.items[index],
        arena_string(work->of->survey->arena, text, strlen(text)), (int64_t)tokens};
}

static void take_example(SplitSurvey *work, int64_t index, CountedWords *texts,
                         CountedWords *targets)
{
    const DatasetExample *example = &work->examples.items[index];
    Arena *arena = arena_new();
    char *text = task_texts_read(work->of->texts, example, arena);
    size_t tokens = count_text(texts, text);
    count_length(&work->out->texts, tokens);
    keep_sample(work, index, text, tokens);
    for (uint32_t i = 0; i < example->answer_count; i++)
        count_length(&work->out->targets, count_text(targets, example->answers[i].text));
    arena_free(arena);
}

void survey_texts(SplitSurvey *work)
{
    UnknownWords unknown = {.texts = strings_new()};
    CountedWords texts = {.tokenizer = work->of->task->maker.tokenizer, .list = &unknown};
    CountedWords targets = texts;
    for (int64_t i = 0; i < work->examples.count; i++) {
        if (!survey_goes_on(work, "texts", i, work->examples.count))
            break;
        take_example(work, i, &texts, &targets);
    }
    take_lengths(work);
    work->out->text_unknown = unknown_share(&texts);
    work->out->target_unknown = unknown_share(&targets);
    work->out->unknown =
        survey_most(unknown.texts, unknown.counts, SURVEY_WORDS, work->of->survey->arena);
    strings_free(unknown.texts);
    free(unknown.counts);
    token_list_free(&texts.room);
    token_list_free(&targets.room);
}
