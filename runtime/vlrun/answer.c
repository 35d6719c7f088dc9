/* Three ways to an answer: between two tokens, among given texts, by a search. */
#include "runtime/vlrun/answer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ir/base/heap.h"

typedef struct Answering {
    Session *session;
    DataSource *source;
    const Asking *asking;
    Arena *arena;
    ModelAnswers *out; /* [sequences] */
    Diags *diags;
} Answering;

static char *text_of(const Answering *work, const int32_t *ids, int64_t count)
{
    return tokenizer_decode(dataset_tokenizer(work->source), ids, count, work->arena);
}

static bool is_said(const ModelAnswers *answers, const char *text)
{
    for (uint32_t i = 0; i < answers->count; i++)
        if (strcmp(answers->items[i].text, text) == 0)
            return true;
    return false;
}

/* Of one sequence the hypotheses behind the first `skipped` tokens; `whole` is what their
 * probabilities are parts of. */
static void take_answers(const Answering *work, const Generated *said, int64_t sequence,
                         int64_t skipped, double whole)
{
    ModelAnswers *out = &work->out[sequence];
    int64_t first = sequence * said->best;
    *out = (ModelAnswers){.items = ARENA_ARRAY(work->arena, ModelAnswer, said->best)};
    for (int64_t h = first; h < first + said->best && out->count < work->asking->best;
         h++) {
        if (said->lengths[h] == 0)
            continue;
        const char *text = text_of(work, said->ids + h * said->width + skipped,
                                   said->lengths[h] - skipped);
        if (!is_said(out, text))
            out->items[out->count++] = (ModelAnswer){text, exp(said->sums[h]) / whole};
    }
}

/* The sum of a sequence's probabilities, where the greatest counts 1: all may be so far
 * below that exp of their logarithms would be 0. */
static double whole_of(Generated *said, int64_t sequence)
{
    double *sums = said->sums + sequence * said->best, most = -INFINITY, whole = 0;
    const int64_t *lengths = said->lengths + sequence * said->best;
    for (int64_t i = 0; i < said->best; i++)
        if (lengths[i] > 0)
            most = fmax(most, sums[i]);
    for (int64_t i = 0; i < said->best; i++) {
        sums[i] -= most;
        whole += lengths[i] > 0 ? exp(sums[i]) : 0;
    }
    return whole;
}

/* All of the answers that are given, with the parts that they have of all of them. */
static bool answer_among(const Answering *work, const TokenAnswer *answers,
                         uint32_t count, int64_t max_length, int64_t skipped)
{
    GenerateOptions options = work->asking->options;
    Generated said;
    options.max_length = max_length;
    options.beams = options.best = count > 1 ? count : 2;
    options.early_stopping = false;
    options.length_penalty = 0;
    options.answers = answers;
    options.answer_count = count;
    if (!generate(work->session, work->asking->batch, &options, &said, work->diags))
        return false;
    for (int64_t s = 0; s < said.sequences; s++)
        take_answers(work, &said, s, skipped, whole_of(&said, s));
    generated_free(&said);
    return true;
}

/* Of equal ones the second is taken, as evaluation does. */
static bool answer_statement(const Answering *work, const TokenChoice *choice)
{
    enum { MOST = 2 };
    const int32_t tokens[] = {choice->first, choice->other};
    int32_t ids[2][MOST];
    TokenAnswer answers[2];
    int64_t count = choice->given_count + 1;
    for (int i = 0; i < 2; i++) {
        ids[i][0] = choice->given[0];
        ids[i][choice->given_count] = tokens[i];
        answers[i] = (TokenAnswer){ids[i], count};
    }
    return answer_among(work, answers, 2, count + 1, count);
}

static bool answer_choice(const Answering *work)
{
    const Asking *asking = work->asking;
    uint32_t count = asking->choice_count;
    TokenList *lists = heap_array(count, sizeof *lists);
    TokenAnswer *answers = heap_array(count, sizeof *answers);
    int64_t longest = 0;
    for (uint32_t i = 0; i < count; i++) {
        tokenizer_encode(dataset_tokenizer(work->source), asking->choices[i], 0,
                         &lists[i]);
        answers[i] = (TokenAnswer){lists[i].ids, (int64_t)lists[i].count};
        if (answers[i].count > longest)
            longest = answers[i].count;
    }
    bool ok = answer_among(work, answers, count, longest + 1, 1);
    for (uint32_t i = 0; i < count; i++)
        token_list_free(&lists[i]);
    free(lists);
    free(answers);
    return ok;
}

static bool has_enough(const Answering *work)
{
    for (int64_t s = 0; s < work->asking->batch->sequences; s++)
        if (work->out[s].count < work->asking->best)
            return false;
    return true;
}

/* Several hypotheses may be one text: there are more beams than answers, and twice as
 * many again while there are too few texts. */
static bool answer_freely(const Answering *work)
{
    enum { MOST_BEAMS_OF_AN_ANSWER = 16 };
    GenerateOptions options = work->asking->options;
    int64_t best = work->asking->best;
    Generated said;
    if (best > 1 && options.beams < 2 * best)
        options.beams = 2 * best;
    for (;; options.beams *= 2) {
        options.best = options.beams;
        if (!generate(work->session, work->asking->batch, &options, &said, work->diags))
            return false;
        for (int64_t s = 0; s < said.sequences; s++)
            take_answers(work, &said, s, 1, 1);
        generated_free(&said);
        if (best == 1 || has_enough(work) ||
            2 * options.beams > MOST_BEAMS_OF_AN_ANSWER * best ||
            4 * options.beams > tokenizer_size(dataset_tokenizer(work->source)))
            return true;
    }
}

bool answer(Session *session, DataSource *source, const Asking *asking, Arena *arena,
            ModelAnswers *out, Diags *diags)
{
    const Answering work = {session, source, asking, arena, out, diags};
    TokenChoice choice;
    if (source->choice(source->state, asking->batch->task, &choice))
        return answer_statement(&work, &choice);
    return asking->choice_count > 0 ? answer_choice(&work) : answer_freely(&work);
}
