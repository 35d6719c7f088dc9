/* What the parts of the search share: search.c takes steps, search_answers.c says which
 * tokens may come next where the answers are given, search_results.c reads what is
 * stored. */
#ifndef VLG_RUNTIME_EXEC_SEARCH_PARTS_H
#define VLG_RUNTIME_EXEC_SEARCH_PARTS_H

#include "ir/base/arena.h"
#include "runtime/exec/search.h"

/* Sums that beams but the first begin with. */
#define OTHER_BEAMS (-1e9)

typedef struct Hypothesis {
    int32_t *ids; /* [max_length] */
    int64_t length;
    double score; /* stored ones: sum / length^penalty; open ones: sum */
    double sum;   /* stored ones: of log-probabilities, the closing token's included */
    int64_t row;  /* open ones: in the step before */
} Hypothesis;

/* Of the beams of one sequence and all tokens, or those that answers go on with. */
typedef struct Candidate {
    double score;
    int64_t beam;
    int32_t token;
} Candidate;

typedef struct SequenceBeams {
    Hypothesis *open, *next; /* [beams] */
    Hypothesis *stored;      /* [beams + 1] in the order they came */
    int64_t stored_count;
    bool done;
} SequenceBeams;

struct Search {
    GenerateOptions options;
    int64_t sequences, vocabulary, length;
    SequenceBeams *lines;
    int64_t *rows; /* sequence of each block of `beams` rows */
    int64_t blocks;
    Candidate *best; /* [sequences][2 beams] */
    Arena *arena;
};

/* Whether answers that are given can be searched for; else an error. */
NODISCARD bool answers_check(const GenerateOptions *options, int64_t vocabulary,
                             Diags *diags);
/* Tokens by which the hypothesis becomes the beginning of an answer, each once, in the
 * order of the answers. `out` has room for as many as there are answers. */
int64_t answers_next(const GenerateOptions *options, const Hypothesis *hypothesis,
                     int64_t length, int32_t *out);

#endif
