/* The search for the best sequence of tokens, greedy or by beams, given the logits of
 * each step.
 *
 * Every sequence of the batch that is not done has `beams` open hypotheses, all of one
 * length. They are the rows of a step: sequences in order, beams within. */
#ifndef VLG_RUNTIME_EXEC_SEARCH_H
#define VLG_RUNTIME_EXEC_SEARCH_H

#include "runtime/exec/generate.h"
#include "runtime/lanes/lanes.h"

typedef struct Search Search;

/* Options must be sound: search_check. */
Search *search_new(const GenerateOptions *options, int64_t sequences, int64_t vocabulary);
void search_free(Search *search);
/* False and an error if an option is out of range. */
NODISCARD bool search_check(const GenerateOptions *options, int64_t vocabulary,
                            Diags *diags);

int64_t search_rows(const Search *search);   /* 0: all are done */
int64_t search_length(const Search *search); /* tokens of every open hypothesis */
int32_t search_last(const Search *search, int64_t row);
int64_t search_parent(const Search *search, int64_t row); /* its row in the step before */
int64_t search_sequence(const Search *search, int64_t row);

/* One more token for every row, from logits [rows, vocabulary], which are changed; lanes
 * take sequences in turn. False and an error if they are not numbers. */
NODISCARD bool search_step(Search *search, float *logits, Lanes *lanes, Diags *diags);

/* What was found for a sequence. */
typedef struct SearchResult {
    const int32_t *ids;
    int64_t length; /* the first and the closing token included */
    double score;   /* sum / length^penalty, without the closing token in length */
    double sum;     /* of log-probabilities */
} SearchResult;

/* The `most` best of a sequence, once search_rows is 0, the best first; how many there
 * are, one at least. */
int64_t search_results(const Search *search, int64_t sequence, int64_t most,
                       SearchResult *out);

#endif
