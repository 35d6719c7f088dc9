/* What is stored of a sequence, the best first. */
#include "runtime/exec/search_parts.h"

/* The closing token is no part of a hypothesis where there was room for it. */
static SearchResult result_of(const Search *search, const Hypothesis *hypothesis)
{
    bool is_closed = hypothesis->length < search->options.max_length;
    if (is_closed)
        hypothesis->ids[hypothesis->length] = search->options.end;
    return (SearchResult){.ids = hypothesis->ids,
                          .length = hypothesis->length + is_closed,
                          .score = hypothesis->score,
                          .sum = hypothesis->sum};
}

/* Whether it was found, and does not merely stand where there was nothing else. */
static bool is_found(const Hypothesis *hypothesis)
{
    return hypothesis->sum > OTHER_BEAMS / 2;
}

/* Of equals the one that was stored later stands first. */
int64_t search_results(const Search *search, int64_t sequence, int64_t most,
                       SearchResult *out)
{
    const SequenceBeams *line = &search->lines[sequence];
    int64_t count = 0;
    if (line->stored_count == 0) {
        out[0] = result_of(search, &line->open[0]);
        out[0].sum = out[0].score;
        return 1;
    }
    for (int64_t i = 0; i < line->stored_count; i++) {
        int64_t place = count;
        while (place > 0 && line->stored[i].score >= out[place - 1].score)
            place--;
        if (place == most || !is_found(&line->stored[i]))
            continue;
        count += count < most;
        for (int64_t k = count - 1; k > place; k--)
            out[k] = out[k - 1];
        out[place] = result_of(search, &line->stored[i]);
    }
    return count;
}
