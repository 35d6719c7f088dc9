/* Generation: sequences of tokens from the encode and decode graphs of a task.
 *
 * The encode graph runs once over the batch; its results that the decode graph asks for
 * are kept per sequence, for all its beams. Then the decode graph runs once per token:
 * it reads the last token of every hypothesis that is still open and the rows that its
 * caches have collected, and gives logits. Nothing here depends on a model: names come
 * from the graphs, ids and rules from the caller. */
#ifndef VLG_RUNTIME_EXEC_GENERATE_H
#define VLG_RUNTIME_EXEC_GENERATE_H

#include "runtime/exec/session.h"

/* What may be said: tokens behind the first of every sequence, the closing one included
 * unless it is as long as a sequence may be. */
typedef struct TokenAnswer {
    const int32_t *ids;
    int64_t count;
} TokenAnswer;

typedef struct GenerateOptions {
    int32_t start, pad, end; /* ids: what begins, fills up and closes a sequence */
    int64_t max_length;    /* most tokens of a sequence, first and closing one included */
    int64_t beams;         /* 1: greedy */
    int64_t no_repeat;     /* no run of so many tokens comes twice; 0: anything goes */
    bool early_stopping;   /* done once as many hypotheses are closed as beams */
    bool forced_end;       /* beams: the last token there is room for closes it */
    double length_penalty; /* sums of log-probabilities are divided by length^this */
    const TokenChoice
        *choice; /* greedy: choose between two tokens, and end; NULL: search */
    /* One of these is to be said, with as many beams as there are, so that each is found;
     * NULL: anything. Neither `no_repeat` nor `forced_end` counts. */
    const TokenAnswer *answers;
    uint32_t answer_count;
    int64_t best;   /* of so many hypotheses, at most as many as beams; 0: 1 */
    int64_t memory; /* most bytes carried at a time, or one sequence's; 0: 512 MB */
} GenerateOptions;

/* Hypotheses begin with `start`; after the closing token, if there is one, they are
 * filled up to the longest with `pad`. Those of sequence s are s * best and the next, the
 * best first. */
typedef struct Generated {
    int64_t sequences, best, width;
    int32_t *ids; /* [sequences, best, width] */
    int64_t
        *lengths;   /* of each hypothesis, without what fills it up; 0: none was found */
    double *scores; /* sum of log-probabilities / length^length_penalty */
    double *sums;   /* of log-probabilities; a closing token that is forced counts 0 */
} Generated;

/* For every sequence of the batch the best hypotheses. */
NODISCARD bool generate(Session *session, const Batch *batch,
                        const GenerateOptions *options, Generated *out, Diags *diags);
void generated_free(Generated *generated);
/* Whether the module has what generation for the task needs: a decode graph. */
bool generate_can(const Module *module, const char *task);

/* What the task's facts say: `start_id`, `pad_id`, `end_id`, `max_length`, `beams`,
 * `no_repeat`, `early_stopping`, `forced_end`, `length_penalty`. Without a fact: 0, 0, 1,
 * 20 tokens, greedy, no other rule, 1. */
NODISCARD bool generate_settings(const Module *module, const char *task,
                                 GenerateOptions *out, Diags *diags);

#endif
