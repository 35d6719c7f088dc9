/* Searching among answers that are given: a hypothesis may only become the beginning of
 * one of them. With as many beams as answers none is lost, so that each gets its
 * probability. */
#include <inttypes.h>
#include <string.h>

#include "runtime/exec/search_parts.h"

static bool check_answer(const GenerateOptions *options, const TokenAnswer *answer,
                         int64_t vocabulary, Diags *diags)
{
    if (answer->count < 1 || answer->count >= options->max_length) {
        diag_error(diags, (Loc){0},
                   "generation: an answer that is given has %" PRId64
                   " tokens, expected 1 to %" PRId64,
                   answer->count, options->max_length - 1);
        return false;
    }
    for (int64_t i = 0; i < answer->count; i++)
        if (answer->ids[i] < 0 || answer->ids[i] >= vocabulary) {
            diag_error(diags, (Loc){0},
                       "generation: token %d of an answer is not in the model's "
                       "vocabulary of %" PRId64,
                       answer->ids[i], vocabulary);
            return false;
        }
    return true;
}

bool answers_check(const GenerateOptions *options, int64_t vocabulary, Diags *diags)
{
    if (!options->answers)
        return true;
    if (options->choice || options->beams < 2 ||
        options->beams < (int64_t)options->answer_count) {
        diag_error(diags, (Loc){0},
                   "generation: %u answers are given, which takes as many beams, two at "
                   "least",
                   options->answer_count);
        return false;
    }
    for (uint32_t i = 0; i < options->answer_count; i++)
        if (!check_answer(options, &options->answers[i], vocabulary, diags))
            return false;
    return true;
}

static bool has(const int32_t *tokens, int64_t count, int32_t token)
{
    int64_t i = 0;
    while (i < count && tokens[i] != token)
        i++;
    return i < count;
}

int64_t answers_next(const GenerateOptions *options, const Hypothesis *hypothesis,
                     int64_t length, int32_t *out)
{
    int64_t said = length - 1, count = 0; /* the first token begins every sequence */
    for (uint32_t i = 0; i < options->answer_count; i++) {
        const TokenAnswer *answer = &options->answers[i];
        if (answer->count > said &&
            memcmp(answer->ids, hypothesis->ids + 1, (size_t)said * sizeof *out) == 0 &&
            !has(out, count, answer->ids[said]))
            out[count++] = answer->ids[said];
    }
    return count;
}
