/* What a model answers to the questions of a batch, and how sure it is. */
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

typedef struct Asking {
    const Batch *batch;
    GenerateOptions options;    /* of the search */
    const char *const *choices; /* what may be answered; NULL: anything */
    uint32_t choice_count;
    uint32_t best; /* so many answers of each sequence, as far as they are found; 1 at
                      least */
} Asking;

/* Answers to each sequence of the batch, into out[sequences], from the arena. A task's
 * statements are judged by the one token that evaluation compares, and questions with
 * choices by all of them; else answers are those that the search finds, in its order, and
 * where several are wanted there are more beams than answers. False and an error if the
 * model cannot generate. */
NODISCARD bool answer(Session *session, DataSource *source, const Asking *asking,
                      Arena *arena, ModelAnswers *out, Diags *diags);

#endif
