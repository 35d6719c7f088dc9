/* Whatever passes are skipped, of those that may be, the plan runs and trains to the same
 * numbers but for rounding, and kernels agree with the interpreter. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ir/base/heap.h"
#include "passes/pass.h"
#include "tests/runtime/check/random_graph.h"
#include "runtime/check/verify.h"
#include "tests/check.h"

enum { OPS = 14, SEQUENCES = 5, SKIPPED = 6, SEED = 4 };

static const char *const skippable[SKIPPED] = {"freeze", "simplify", "save",
                                               "fuse",   "schedule", "memplan"};

typedef struct Test {
    Check check;
    Diags *diags;
    /* compiled by all passes: batches are drawn in the order of its nodes */
    Module *whole;
    float *wanted; /* all parameters and states that it trains to */
    int64_t count;
} Test;

static void skip_text(unsigned skipped, char *out)
{
    *out = 0;
    for (unsigned i = 0; i < SKIPPED; i++)
        if (skipped >> i & 1) {
            strcat(out, *out ? "," : "");
            strcat(out, skippable[i]);
        }
}

/* With one parameter frozen. */
static Module *compiled(Test *test, const char *skip)
{
    Module *module = harness_module();
    Graph *graph = random_graph(module, "random", SEED, OPS);
    module->params[0].trained = false;
    harness_momentum(module, graph);
    bool ok =
        passes_run(module, &(PassOptions){.skip = *skip ? skip : NULL}, test->diags);
    CHECK(&test->check, ok, "compiles without '%s'", skip);
    return module;
}

static int64_t gather(Store *store, float *out)
{
    int64_t count = 0;
    for (uint32_t i = 0; i < store_count(store); i++) {
        const StoreEntry *entry = store_at(store, i);
        if (out)
            memcpy(out + count, entry->data, (size_t)entry->elements * sizeof *out);
        count += entry->elements;
    }
    return count;
}

static bool train(Test *test, Session *session)
{
    bool is_run = true;
    for (uint64_t step = 0; is_run && step < 2; step++) {
        StepResult result;
        RandomBatch wanted = {.sequences = SEQUENCES, .longest = 9, .seed = SEED + step};
        Batch *batch = random_batch(test->whole->graphs[0], &wanted);
        is_run = session_train_step(session, batch, step, 1e-2, &result, test->diags) &&
                 isfinite(result.loss) && result.gradient_norm > 0;
        batch_free(batch);
    }
    return is_run;
}

static void compare(Test *test, Store *store, const char *skip)
{
    float *got = heap_array((size_t)test->count, sizeof *got);
    CHECK(&test->check, gather(store, NULL) == test->count, "the same variables");
    gather(store, got);
    double worst = 0;
    for (int64_t i = 0; i < test->count; i++) {
        double error = fabs((double)got[i] - (double)test->wanted[i]) /
                       (1 + fabs((double)test->wanted[i]));
        worst = error > worst || isnan(error) ? error : worst;
    }
    CHECK(&test->check, worst < 1e-4, "without '%s': %g from the whole pipeline", skip,
          worst);
    free(got);
}

static void check_skip(Test *test, unsigned skipped)
{
    char skip[80];
    skip_text(skipped, skip);
    Module *module = compiled(test, skip);
    Store *store = store_new(module);
    harness_fill(store, SEED);
    SessionOptions options = {.lanes = 2, .split = {.max_sequences = 2}};
    Session *session = session_new(module, store, &options, test->diags);
    bool is_run = session && train(test, session);
    CHECK(&test->check, is_run, "trains without '%s'", skip);
    if (!test->wanted) {
        test->count = gather(store, NULL);
        test->wanted = heap_array((size_t)test->count, sizeof(float));
        gather(store, test->wanted);
    } else if (is_run) {
        compare(test, store, skip);
    }
    VerifyBatches batches = {.sequences = SEQUENCES, .longest = 9, .seed = SEED};
    VerifyReport report = {.tolerance = 1e-4, .out = stderr};
    is_run = is_run && verify_module(session, &batches, &report, test->diags);
    CHECK(&test->check, is_run && report.failures == 0 && report.outputs > 0,
          "without '%s': generated code differs", skip);
    session_free(session);
    store_free(store);
    module_free(module);
}

int main(void)
{
    Test test = {.diags = diags_new(stderr)};
    test.whole = compiled(&test, "");
    check_skip(&test, 0);
    check_skip(&test, (1u << SKIPPED) - 1);
    for (unsigned a = 0; a < SKIPPED; a++)
        for (unsigned b = a; b < SKIPPED; b++)
            check_skip(&test, 1u << a | 1u << b);
    free(test.wanted);
    module_free(test.whole);
    diags_free(test.diags);
    return check_finish(&test.check);
}
