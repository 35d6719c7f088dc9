/* Examples that are there twice, by hashes of 64 bits: of a million examples two that
 * differ have the same with a probability of 3e-8. */
#include <inttypes.h>
#include <string.h>

#include "runtime/survey/survey_parts.h"

/* The first few of a kind, for a message. */
typedef struct Named {
    const char *list;
    int64_t count;
} Named;

static void name(Named *named, const char *id, Arena *arena)
{
    enum { MOST = 3 };
    if (named->count < MOST)
        named->list = arena_format(arena, "%s%s%.60s", named->list ? named->list : "",
                                   named->count ? ", " : "", id);
    else if (named->count == MOST)
        named->list = arena_format(arena, "%s, ...", named->list);
    named->count++;
}

/* Texts with their ends, one after the other. */
static uint64_t hash_text(uint64_t hash, const char *text)
{
    return hash_word(hash, hash_secret(text, strlen(text)));
}

static uint64_t hash_question(const TaskSurvey *of, const DatasetExample *example)
{
    Arena *arena = arena_new();
    uint64_t hash = hash_text(HASH_START, task_texts_read(of->texts, example, arena));
    for (int i = 0; i < EXAMPLE_IMAGES_MAX && example->images[i]; i++)
        hash = hash_text(hash, example->images[i]);
    arena_free(arena);
    return hash;
}

/* -- twice in one split ------------------------------------------------------------ */

typedef struct Repeats {
    Map questions, answered; /* the latter with their answers */
    Named repeated, contradicted, leaked;
} Repeats;

static bool add(Map *map, uint64_t key)
{
    bool is_known = map_find_word(map, key) != MAP_ABSENT;
    if (!is_known)
        map_add_word(map, key, (uint32_t)map->used);
    return !is_known;
}

/* Two captions of one picture are no contradiction. */
static void take_example(SplitSurvey *work, const DatasetExample *example,
                         Repeats *repeats)
{
    TaskSurvey *of = work->of;
    Arena *arena = of->survey->arena;
    const char *best = survey_best_answer(example);
    uint64_t question = hash_question(of, example);
    bool is_new = add(&repeats->questions, question);
    bool is_new_answer =
        add(&repeats->answered, best ? hash_text(question, best) : question);
    if (!is_new_answer)
        name(&repeats->repeated, example->id, arena);
    else if (!is_new && best && of->texts->metric != ANSWER_caption)
        name(&repeats->contradicted, example->id, arena);
    if (of->has_training && work->out->split != SPLIT_train &&
        map_find_word(&of->train_questions, question) != MAP_ABSENT)
        name(&repeats->leaked, example->id, arena);
}

static void warn(const SplitSurvey *work, const Named *named, const char *what)
{
    if (named->count > 0)
        diag_warning(survey_diags(work), (Loc){0}, "%" PRId64 " of %" PRId64 " %s: '%s'",
                     named->count, work->examples.count, what, named->list);
}

/* -- pictures ------------------------------------------------------------------------ */

static int64_t count_known(const SplitSurvey *work)
{
    Strings *seen = strings_new();
    int64_t known = 0;
    for (int64_t i = 0; i < work->examples.count * EXAMPLE_IMAGES_MAX; i++) {
        const char *image =
            work->examples.items[i / EXAMPLE_IMAGES_MAX].images[i % EXAMPLE_IMAGES_MAX];
        uint32_t before = strings_count(seen);
        if (image && strings_add(seen, image, strlen(image)) == before)
            known += strings_find(work->of->train_pictures, image, strlen(image)) !=
                     STRING_ABSENT;
    }
    strings_free(seen);
    return known;
}

static Strings *list_pictures(const SplitSurvey *work)
{
    Strings *names = strings_new();
    for (int64_t i = 0; i < work->examples.count; i++)
        for (int k = 0; k < EXAMPLE_IMAGES_MAX; k++) {
            const char *image = work->examples.items[i].images[k];
            if (image)
                strings_add(names, image, strlen(image));
        }
    return names;
}

/* -- the split ----------------------------------------------------------------------- */

static void take_counts(SplitSurvey *work, const Repeats *repeats)
{
    SurveySplit *out = work->out;
    out->repeated = repeats->repeated.count;
    out->contradicted = repeats->contradicted.count;
    warn(work, &repeats->repeated,
         "examples have texts, pictures and answers of an earlier one");
    if (!work->of->has_training || out->split == SPLIT_train)
        return;
    out->leaked = repeats->leaked.count;
    warn(work, &repeats->leaked,
         "examples are in the training split, too: scores will flatter the model");
    if (work->of->texts->image_count > 0)
        out->pictures_leaked = count_known(work);
}

void survey_repeats(SplitSurvey *work)
{
    TaskSurvey *of = work->of;
    Repeats repeats = {0};
    for (int64_t i = 0; i < work->examples.count; i++) {
        if (!survey_goes_on(work, "repeated examples", i, work->examples.count))
            break;
        take_example(work, &work->examples.items[i], &repeats);
    }
    take_counts(work, &repeats);
    map_free(&repeats.answered);
    if (work->out->split != SPLIT_train) {
        map_free(&repeats.questions);
        return;
    }
    of->train_questions = repeats.questions;
    of->train_pictures = list_pictures(work);
}
