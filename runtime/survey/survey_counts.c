/* What is the most frequent, and the best. */
#include "runtime/data/dataset/dataset_scores.h"
#include "runtime/survey/survey_parts.h"

const char *survey_best_answer(const DatasetExample *example)
{
    const DatasetAnswer *best = dataset_best(example);
    return best ? best->text : NULL;
}

TextCounts survey_most(const Strings *texts, const int64_t *counts, uint32_t most,
                       Arena *arena)
{
    uint32_t all = strings_count(texts);
    TextCounts out = {.items = ARENA_ARRAY(arena, TextCount, most)};
    bool *is_taken = ARENA_ARRAY(arena, bool, all);
    for (; out.count < most && out.count < all; out.count++) {
        uint32_t best = UINT32_MAX;
        for (uint32_t i = 0; i < all; i++)
            if (!is_taken[i] && (best == UINT32_MAX || counts[i] > counts[best]))
                best = i;
        is_taken[best] = true;
        out.items[out.count] = (TextCount){
            arena_string(arena, strings_text(texts, best), strings_length(texts, best)),
            counts[best]};
    }
    return out;
}
