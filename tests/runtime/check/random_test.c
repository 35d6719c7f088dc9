/* Random graphs, two ways: generated code against the interpreter call by call; and
 * training steps with dropout on 1, 2, 3 and 8 lanes, whose parameters and states must be
 * equal to the last bit.
 *
 *     usage: random_test [first seed [count]] */
#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ir/base/hash.h"
#include "tests/runtime/check/random_graph.h"
#include "runtime/check/verify.h"
#include "tests/check.h"

enum { OPS = 18, SEQUENCES = 7 };

/* Kernels are compiled once and cached for the sessions that follow. */
typedef struct Test {
    Check check;
    Diags *diags;
    char cache[64];
} Test;

static Module *compiled(uint64_t seed, Diags *diags)
{
    Module *module = harness_module();
    harness_momentum(module, random_graph(module, "random", seed, OPS));
    if (harness_compile(module, diags))
        return module;
    module_free(module);
    return NULL;
}

static void check_code(Test *test, const Module *module, uint64_t seed)
{
    Store *store = store_new(module);
    harness_fill(store, seed);
    SessionOptions options = {
        .lanes = 1, .cache_dir = test->cache, .split = {.max_sequences = 3}};
    Session *session = session_new(module, store, &options, test->diags);
    VerifyBatches batches = {.sequences = SEQUENCES, .longest = 9, .seed = seed};
    VerifyReport report = {.tolerance = 1e-4, .out = stderr};
    bool is_run = session && verify_module(session, &batches, &report, test->diags);
    CHECK(&test->check, is_run && report.failures == 0 && report.outputs > 0,
          "seed %llu: generated code differs", (unsigned long long)seed);
    session_free(session);
    store_free(store);
}

static uint64_t store_hash(Store *store)
{
    uint64_t hash = HASH_START;
    for (uint32_t i = 0; i < store_count(store); i++) {
        const StoreEntry *entry = store_at(store, i);
        hash = hash_bytes(hash, entry->data, (size_t)entry->elements * sizeof(float));
    }
    return hash;
}

/* A hash of all parameters and states after some steps; 0 after an error. */
static uint64_t trained(const Test *test, const Module *module, uint64_t seed,
                        uint32_t lanes)
{
    enum { STEPS = 3 };
    Store *store = store_new(module);
    harness_fill(store, seed);
    uint64_t before = store_hash(store), hash = 0;
    SessionOptions options = {
        .lanes = lanes, .cache_dir = test->cache, .split = {.max_sequences = 2}};
    Session *session = session_new(module, store, &options, test->diags);
    bool is_run = session != NULL;
    const Graph *graph = module->graphs[0];
    for (uint64_t step = 0; is_run && step < STEPS; step++) {
        StepResult result;
        RandomBatch wanted = {.sequences = SEQUENCES, .longest = 9, .seed = seed + step};
        Batch *batch = random_batch(graph, &wanted);
        is_run = session_train_step(session, batch, step, 1e-3, &result, test->diags) &&
                 result.microbatches > 2 && result.gradient_norm > 0;
        batch_free(batch);
    }
    if (is_run)
        hash = store_hash(store) == before ? 0 : store_hash(store);
    session_free(session);
    store_free(store);
    return hash;
}

static void check_seed(Test *test, uint64_t seed)
{
    Module *module = compiled(seed, test->diags);
    CHECK(&test->check, module, "seed %llu: passes", (unsigned long long)seed);
    if (!module)
        return;
    check_code(test, module, seed);
    uint64_t one = trained(test, module, seed, 1);
    CHECK(&test->check, one != 0, "seed %llu: training", (unsigned long long)seed);
    static const uint32_t lanes[] = {2, 3, 8};
    for (size_t i = 0; i < sizeof lanes / sizeof *lanes; i++)
        CHECK(&test->check, trained(test, module, seed, lanes[i]) == one,
              "seed %llu: %u lanes give other numbers", (unsigned long long)seed,
              lanes[i]);
    module_free(module);
}

static int remove_one(const char *path, const struct stat *status, int kind,
                      struct FTW *walk)
{
    (void)status;
    (void)kind;
    (void)walk;
    return remove(path);
}

int main(int argc, char **argv)
{
    uint64_t first = argc > 1 ? strtoull(argv[1], NULL, 10) : 1;
    uint64_t count = argc > 2 ? strtoull(argv[2], NULL, 10) : 12;
    Test test = {.diags = diags_new(stderr), .cache = "/tmp/vlgraph-random-XXXXXX"};
    if (!mkdtemp(test.cache)) {
        perror(test.cache);
        return 1;
    }
    for (uint64_t seed = first; seed < first + count; seed++)
        check_seed(&test, seed);
    nftw(test.cache, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    diags_free(test.diags);
    return check_finish(&test.check);
}
