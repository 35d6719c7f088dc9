/* Counts unknown tokens in examples that lie evenly over a split. */
#include "runtime/data/dataset/dataset_unknown.h"

#include <inttypes.h>
#include <string.h>

#include "runtime/batch/batch.h"

typedef struct Words {
    int64_t all, unknown;
} Words;

static void count_words(const Tokenizer *tokenizer, const char *text, TokenList *room,
                        Words *words)
{
    TokenizerIds ids = tokenizer_ids(tokenizer);
    room->count = 0;
    tokenizer_encode(tokenizer, text, 0, room);
    for (size_t i = 0; i < room->count; i++) {
        words->all += room->ids[i] != ids.bos && room->ids[i] != ids.eos;
        words->unknown += room->ids[i] == ids.unk;
    }
}

static void warn(const Task *task, Split split, const char *what, const Words *words,
                 int64_t sampled, int64_t count, Diags *diags)
{
    if (words->unknown * 100 > words->all * UNKNOWN_PERCENT)
        diag_warning(diags, (Loc){0},
                     "task '%s': the tokenizer does not know %.1f %% of the %" PRId64
                     " tokens of the %s in %" PRId64 " of %" PRId64
                     " examples of the %s split",
                     task->name, 100 * (double)words->unknown / (double)words->all,
                     words->all, what, sampled, count, split_names[split]);
}

void dataset_warn_unknown(const TaskTexts *texts, Split split, const ExampleList *list,
                          int64_t count, const Tokenizer *tokenizer, Diags *diags)
{
    int64_t sampled = count < UNKNOWN_SAMPLE ? count : UNKNOWN_SAMPLE;
    Words read = {0}, answers = {0};
    TokenList room = {0};
    for (int64_t i = 0; i < sampled; i++) {
        const DatasetExample *example = &list->items[i * count / sampled];
        Arena *arena = arena_new();
        count_words(tokenizer, task_texts_read(texts, example, arena), &room, &read);
        for (uint32_t a = 0; a < example->answer_count; a++)
            count_words(tokenizer, example->answers[a].text, &room, &answers);
        arena_free(arena);
    }
    token_list_free(&room);
    warn(texts->task, split, "texts", &read, sampled, count, diags);
    warn(texts->task, split, "answers", &answers, sampled, count, diags);
}
