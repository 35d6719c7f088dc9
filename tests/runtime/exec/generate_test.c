/* Generation with caches against running the whole prefix again for every token, through
 * the evaluate graph of the same plan: the same tokens, greedy and by beams, with few and
 * many sequences at a time. And options that make no sense.
 *
 *     usage: generate_test PLAN.bin [--varied]
 *
 * The plan is compiled with --set trace=1, so that it gives logits; --varied: its answers
 * are expected to vary from token to token. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ir/plan.h"
#include "runtime/exec/generate.h"
#include "runtime/check/random_batch.h"
#include "runtime/exec/search.h"
#include "tests/check.h"

enum { SEQUENCES = 7, LONGEST = 9, MOST_BEST = 5 };

typedef struct Test {
    Check check;
    Module *module;
    Store *store;
    Session *session;
    Diags *diags;
} Test;

static bool is_gain(const StoreEntry *entry)
{
    static const char ending[] = ".weight";
    size_t length = strlen(entry->name), count = sizeof ending - 1;
    return entry->type.rank == 1 && length >= count &&
           strcmp(entry->name + length - count, ending) == 0;
}

/* Such that answers vary. Larger weights, or biases that are all near 1, and deep models
 * forget all but the last token: hypotheses with the same tokens in another order then
 * tie but for rounding, which is not the same with and without caches. */
static void fill_store(Store *store)
{
    for (uint32_t i = 0; i < store_count(store); i++) {
        StoreEntry *entry = store_at(store, i);
        double scale =
            entry->type.rank == 1 ? 0.3 : 2 / sqrt((double)type_width(entry->type));
        double centre = is_gain(entry) ? 1 : 0;
        for (int64_t e = 0; e < entry->elements; e++)
            entry->data[e] = (float)(centre + scale * random_unit(i + 17, (uint64_t)e));
    }
}

static const Graph *evaluate_graph(const Test *test, const char *task)
{
    for (uint32_t g = 0; g < test->module->graph_count; g++)
        if (test->module->graphs[g]->kind == GRAPH_evaluate &&
            strcmp(test->module->graphs[g]->task, task) == 0)
            return test->module->graphs[g];
    return NULL;
}

/* -- without caches ---------------------------------------------------------------- */

typedef struct Whole {
    Test *test;
    const Batch *batch;
    BatchLayout *layout;
    Search *search;
    int64_t beams, most;
    int32_t *prefixes; /* [rows, most] */
    Arena *arena;
} Whole;

static bool is_on(const BatchField *field, const char *axis)
{
    return strcmp(field->axis, axis) == 0;
}

/* The rows of the sequences that the search's rows belong to, one after the other. */
static void copy_rows(const Whole *whole, const BatchField *from, BatchField *to)
{
    int32_t axis = graph_find_axis(whole->layout->graph, from->axis);
    const int64_t *starts = whole->layout->starts[axis];
    int64_t most = 0, width = from->width * 4, length = search_length(whole->search);
    int64_t rows = search_rows(whole->search);
    for (int64_t s = 0; s < whole->batch->sequences; s++)
        most = starts[s + 1] - starts[s] > most ? starts[s + 1] - starts[s] : most;
    most = most > length ? most : length;
    to->rows = arena_array(whole->arena, (size_t)(rows * most + 1), (size_t)width);
    char *at = to->rows;
    for (int64_t row = 0; row < rows; row++) {
        int64_t s = search_sequence(whole->search, row), bytes = length * width;
        if (!is_on(from, "dec")) {
            bytes = (starts[s + 1] - starts[s]) * width;
            memcpy(at, (char *)from->rows + starts[s] * width, (size_t)bytes);
        } else if (strcmp(from->name, "decoder_input_ids") == 0) {
            memcpy(at, whole->prefixes + row * whole->most, (size_t)bytes);
        }
        at += bytes;
    }
}

static Batch prefix_batch(const Whole *whole)
{
    Batch batch = *whole->batch;
    batch.sequences = search_rows(whole->search);
    batch.axes = ARENA_ARRAY(whole->arena, BatchAxis, batch.axis_count);
    batch.fields = ARENA_ARRAY(whole->arena, BatchField, batch.field_count);
    for (uint32_t a = 0; a < batch.axis_count; a++) {
        bool is_step = strcmp(whole->batch->axes[a].name, "dec") == 0;
        batch.axes[a].name = whole->batch->axes[a].name;
        batch.axes[a].lengths = ARENA_ARRAY(whole->arena, int32_t, batch.sequences);
        for (int64_t row = 0; row < batch.sequences; row++)
            batch.axes[a].lengths[row] =
                is_step
                    ? (int32_t)search_length(whole->search)
                    : whole->batch->axes[a].lengths[search_sequence(whole->search, row)];
    }
    for (uint32_t i = 0; i < batch.field_count; i++) {
        batch.fields[i] = whole->batch->fields[i];
        copy_rows(whole, &whole->batch->fields[i], &batch.fields[i]);
    }
    return batch;
}

/* Logits of the last row of every prefix. */
static float *last_logits(const Whole *whole)
{
    Batch batch = prefix_batch(whole);
    EvalResult result;
    if (!session_evaluate(whole->test->session, &batch, &result, whole->test->diags))
        return NULL;
    const NamedResult *logits = eval_find(&result, "logits");
    int64_t width = type_width(logits->type);
    float *last = ARENA_ARRAY(whole->arena, float, batch.sequences *width);
    for (int64_t row = 0; row < batch.sequences; row++)
        memcpy(last + row * width,
               (float *)logits->data + (logits->starts[row + 1] - 1) * width,
               (size_t)width * sizeof *last);
    return last;
}

static void grow_prefixes(Whole *whole)
{
    int64_t rows = search_rows(whole->search), length = search_length(whole->search);
    int32_t *grown = ARENA_ARRAY(whole->arena, int32_t, rows * whole->most + 1);
    for (int64_t row = 0; row < rows; row++) {
        memcpy(grown + row * whole->most,
               whole->prefixes + search_parent(whole->search, row) * whole->most,
               (size_t)(length - 1) * sizeof *grown);
        grown[row * whole->most + length - 1] = search_last(whole->search, row);
    }
    whole->prefixes = grown;
}

/* Every hypothesis that is asked for. */
static void compare(Whole *whole, const Generated *got, const char *task)
{
    Check *check = &whole->test->check;
    SearchResult wanted[MOST_BEST];
    for (int64_t h = 0; h < got->sequences * got->best; h++) {
        int64_t s = h / got->best, rank = h % got->best;
        int64_t count = search_results(whole->search, s, got->best, wanted);
        const SearchResult *want = &wanted[rank];
        CHECK(check, rank < count || got->lengths[h] == 0, "%s: answers too many", task);
        if (rank >= count)
            continue;
        bool is_equal = want->length == got->lengths[h] &&
                        memcmp(want->ids, got->ids + h * got->width,
                               (size_t)want->length * sizeof *want->ids) == 0;
        CHECK(check, is_equal, "%s, %d beams: answer %d of sequence %d differs", task,
              (int)whole->beams, (int)rank, (int)s);
        CHECK(check, fabs(want->score - got->scores[h]) < 1e-4 * fabs(want->score) + 1e-4,
              "%s: score %g, expected %g", task, got->scores[h], want->score);
        CHECK(check, fabs(want->sum - got->sums[h]) < 1e-4 * fabs(want->sum) + 1e-4,
              "%s: sum %g, expected %g", task, got->sums[h], want->sum);
    }
}

static void test_task(Test *test, const char *task, const GenerateOptions *options)
{
    const Graph *graph = evaluate_graph(test, task);
    Batch *batch =
        random_batch(graph, &(RandomBatch){.sequences = SEQUENCES, .longest = 9});
    Whole whole = {.test = test,
                   .batch = batch,
                   .layout = layout_new(graph),
                   .beams = options->beams,
                   .most = options->max_length,
                   .arena = arena_new()};
    bool is_run = layout_set(whole.layout, batch, &(SplitOptions){0}, test->diags);
    int64_t width =
        type_width(graph_find_output(graph, OUTPUT_result, "logits")->value->type);
    whole.search = search_new(options, SEQUENCES, width);
    int64_t rows = search_rows(whole.search);
    whole.prefixes = ARENA_ARRAY(whole.arena, int32_t, rows *whole.most);
    for (int64_t row = 0; row < rows; row++)
        whole.prefixes[row * whole.most] = options->start;
    while (is_run && search_rows(whole.search) > 0) {
        float *logits = last_logits(&whole);
        is_run = logits && search_step(whole.search, logits,
                                       session_lane_threads(test->session), test->diags);
        grow_prefixes(&whole);
    }
    Generated generated = {0};
    is_run = is_run && generate(test->session, batch, options, &generated, test->diags);
    CHECK(&test->check, is_run, "%s does not run", task);
    if (is_run)
        compare(&whole, &generated, task);
    generated_free(&generated);
    search_free(whole.search);
    layout_free(whole.layout);
    arena_free(whole.arena);
    batch_free(batch);
}

/* -- answers that differ ----------------------------------------------------------- */

/* Equal answers to everything would prove little. */
static void test_variety(Test *test, const char *task, const GenerateOptions *options)
{
    Batch *batch = random_batch(evaluate_graph(test, task),
                                &(RandomBatch){.sequences = SEQUENCES, .longest = 9});
    Generated generated;
    bool is_run = generate(test->session, batch, options, &generated, test->diags);
    int64_t changes = 0;
    for (int64_t i = 1; is_run && i < SEQUENCES * generated.width; i++)
        changes += generated.ids[i] != generated.ids[i - 1];
    CHECK(&test->check, changes > 2 * SEQUENCES, "%s: answers hardly vary", task);
    if (is_run)
        generated_free(&generated);
    batch_free(batch);
}

static void test_refusals(Test *test, const char *task, const GenerateOptions *ok)
{
    GenerateOptions bad[10];
    for (int i = 0; i < 10; i++)
        bad[i] = *ok;
    bad[0].beams = 0;
    bad[1].beams = INT64_MAX;
    bad[2].max_length = 0;
    bad[3].max_length = 60000;
    bad[4].end = -1;
    bad[5].start = INT32_MAX;
    bad[6].pad = -7;
    bad[7].no_repeat = -1;
    bad[8].length_penalty = (double)NAN;
    bad[9].memory = -1;
    Batch *batch = random_batch(evaluate_graph(test, task),
                                &(RandomBatch){.sequences = 2, .longest = 9});
    for (int i = 0; i < 10; i++) {
        Generated generated;
        Diags *quiet = diags_new(fopen("/dev/null", "w"));
        CHECK(&test->check, !generate(test->session, batch, &bad[i], &generated, quiet),
              "bad options %d are taken", i);
        CHECK(&test->check, diags_error_count(quiet) == 1, "bad options %d: %u errors", i,
              diags_error_count(quiet));
        diags_free(quiet);
    }
    batch_free(batch);
}

int main(int argc, char **argv)
{
    Test test = {.diags = diags_new(stderr)};
    if (argc < 2 || argc > 3 || !(test.module = module_read(argv[1], test.diags)))
        return 2;
    test.store = store_new(test.module);
    fill_store(test.store);
    test.session =
        session_new(test.module, test.store, &(SessionOptions){.lanes = 2}, test.diags);
    if (!test.session)
        return 2;
    const GenerateOptions greedy = {
        .end = 1, .max_length = LONGEST, .beams = 1, .length_penalty = 1};
    GenerateOptions beams = greedy, rules = greedy, few = greedy;
    beams.beams = 5;
    rules = (GenerateOptions){.start = 2,
                              .pad = 1,
                              .end = 2,
                              .max_length = LONGEST,
                              .beams = 3,
                              .no_repeat = 2,
                              .early_stopping = true,
                              .forced_end = true,
                              .length_penalty = 0.5};
    few.beams = few.best = MOST_BEST;
    few.memory = 1;
    for (uint32_t i = 0; i < test.module->task_count; i++) {
        const char *task = test.module->tasks[i].name;
        test_task(&test, task, &greedy);
        test_task(&test, task, &beams);
        test_task(&test, task, &rules);
        test_task(&test, task, &few);
    }
    if (argc == 3 && strcmp(argv[2], "--varied") == 0)
        test_variety(&test, test.module->tasks[0].name, &greedy);
    test_refusals(&test, test.module->tasks[0].name, &greedy);
    session_free(test.session);
    store_free(test.store);
    module_free(test.module);
    diags_free(test.diags);
    return check_finish(&test.check);
}
