/* What a model answers to one question, and how sure it is. */
#ifndef VLG_RUNTIME_VLRUN_ANSWER_H
#define VLG_RUNTIME_VLRUN_ANSWER_H

#include "runtime/data/dataset/dataset_question.h"
#include "runtime/exec/generate.h"

/* The confidence is the probability that the model gives the answer's tokens one after
 * the other, the closing one included: exp of the sum of their log-probabilities. Where
 * the task says what may be answered it is that, divided by the sum over all that may
 * be. */
typedef struct ModelAnswer {
    const char *text;
    double confidence; /* 0..1 */
} ModelAnswer;

typedef struct ModelAnswers {
    ModelAnswer *items; /* the best first, no two with one text */
    uint32_t count;
} ModelAnswers;

/* At most the `best` best answers, from the arena. A task's statements are judged by the
 * one token that evaluation compares, and questions with choices by all of them; else
 * they are those that the search of `options` finds, in its order; with more beams than
 * answers where several are wanted. False and an error if the model cannot generate. */
NODISCARD bool answer(Session *session, DataSource *source, const AskedQuestion *question,
                      const GenerateOptions *options, int64_t best, Arena *arena,
                      ModelAnswers *out, Diags *diags);

#endif
