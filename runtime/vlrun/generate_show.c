/* Question, reference and answer of an example. */
#include "runtime/vlrun/generate_show.h"

#include <stdlib.h>
#include <string.h>

#include "ir/base/files.h"
#include "runtime/data/dataset/dataset_scores.h"

/* -- what is right ------------------------------------------------------------------- */

/* Up to three texts, each once, with how often it is there. */
static const char *list_texts(const char *const *texts, uint32_t count, Arena *arena)
{
    enum { SHOWN = 3 };
    const char *list = NULL;
    uint32_t shown = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t before = 0, times = 0;
        for (uint32_t k = 0; k < count; k++) {
            bool is_same = strcmp(texts[k], texts[i]) == 0;
            times += is_same;
            before += is_same && k < i;
        }
        if (before > 0)
            continue;
        if (shown++ == SHOWN)
            return arena_format(arena, "%s / ...", list);
        list =
            arena_format(arena, "%s%s%s", list ? list : "", list ? " / " : "", texts[i]);
        if (times > 1)
            list = arena_format(arena, "%s (%u times)", list, times);
    }
    return list;
}

/* What the example's file says, the best first; or what annotators said. */
static const char *reference_of(const DatasetExample *example, Arena *arena)
{
    if (example->reference_count > 0)
        return list_texts(example->references, example->reference_count, arena);
    const char **texts = ARENA_ARRAY(arena, const char *, example->answer_count);
    uint32_t count = 0;
    for (uint32_t i = 0; i < example->answer_count; i++)
        if (example->answers[i].score > 0)
            texts[count++] = example->answers[i].text;
    return list_texts(texts, count, arena);
}

ShownExample shown_example(const DataSource *source, const Batch *batch, int64_t sequence,
                           const ModelAnswer *answer, Arena *arena)
{
    const TaskTexts *texts = dataset_texts(source, batch->task);
    const DatasetExample *example = dataset_example(batch, sequence);
    ShownExample shown = {
        .task = batch->task,
        .id = example->id,
        .example = example,
        .prompt = task_texts_read(texts, example, arena),
        .reference = reference_of(example, arena),
        .said = arena_format(arena, "%s (%.4g)", answer->text, answer->confidence)};
    shown.is_judged = dataset_worth(texts->metric, example, answer->text, &shown.worth);
    return shown;
}

/* -- for people ---------------------------------------------------------------------- */

static const char *verdict(const ShownExample *shown, Arena *arena)
{
    if (!shown->is_judged)
        return "";
    if (shown->worth <= 0 || shown->worth >= 1)
        return shown->worth > 0 ? "right" : "wrong";
    return arena_format(arena, "%.0f %% right", 100 * shown->worth);
}

void shown_print(const ShownExample *shown, FILE *out)
{
    Arena *arena = arena_new();
    const char *judged = verdict(shown, arena);
    fprintf(out, "%s %s", shown->task, shown->id);
    for (int i = 0; i < EXAMPLE_IMAGES_MAX && shown->example->images[i]; i++)
        fprintf(out, "  %s", shown->example->images[i]);
    fprintf(out, "\n  question   %s\n", shown->prompt);
    if (shown->reference)
        fprintf(out, "  reference  %s\n", shown->reference);
    fprintf(out, "  answer     %s%s%s\n\n", shown->said, *judged ? "  " : "", judged);
    arena_free(arena);
}

static void add_picture(Page *page, const DataSource *source, const ShownExample *shown,
                        uint32_t image, const char *directory, Arena *arena)
{
    const char *path =
        dataset_picture_path(source, shown->example, image, directory, arena);
    Diags *diags = diags_new(stderr);
    size_t len;
    char *bytes = path ? file_read(path, PAGE_PICTURE_BYTES, &len, diags) : NULL;
    if (bytes)
        page_picture(page, bytes, len, shown->example->images[image]);
    else
        page_fact(page, "picture", shown->example->images[image]);
    free(bytes);
    diags_free(diags);
}

void shown_card(Page *page, const DataSource *source, const ShownExample *shown,
                const char *directory, Arena *arena)
{
    page_card_begin(page);
    for (uint32_t i = 0; i < EXAMPLE_IMAGES_MAX && shown->example->images[i]; i++)
        add_picture(page, source, shown, i, directory, arena);
    page_fact(page, "example", shown->id);
    page_fact(page, "question", shown->prompt);
    if (shown->reference)
        page_fact(page, "reference", shown->reference);
    if (shown->is_judged)
        page_fact_judged(page, "answer", shown->said, shown->worth >= 0.5);
    else
        page_fact(page, "answer", shown->said);
    page_card_end(page);
}
