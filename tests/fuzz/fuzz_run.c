/* Modules that are accepted are run: every call of the generated code against the
 * interpreter. What is not planned yet goes through all passes first. */
#include <math.h>
#include <stdlib.h>

#include "fuzz.h"
#include "ir/axis.h"
#include "ir/cost.h"
#include "ir/text.h"
#include "ir/verify.h"
#include "passes/pass.h"
#include "runtime/check/random_batch.h"
#include "runtime/exec/session.h"
#include "runtime/check/verify.h"

static const double MOST_WORK = 1e7;
static const double MOST_BYTES = 1 << 24;
enum { MOST_NODES = 200 };

/* Small enough to run in no time: an input that only takes long teaches nothing. */
static bool is_small(FuzzCase *fuzz, const Module *module)
{
    double bytes = 0;
    for (uint32_t i = 0; i < module->param_count; i++)
        bytes += 4.0 * (double)type_static_elements(module->params[i].type);
    for (uint32_t g = 0; g < module->graph_count; g++) {
        const Graph *graph = module->graphs[g];
        const int64_t *rows = axis_rows_of_longest_sequence(graph, fuzz->arena);
        double work = 0;
        for (uint32_t i = 0; i < graph->node_count; i++) {
            const Type type = graph->nodes[i]->type;
            work += node_flops(graph, graph->nodes[i], rows);
            bytes +=
                4.0 * (double)type_width(type) *
                (double)(type_is_ragged(type) ? axis_sequence_rows(graph, type.axis, rows)
                                              : type_static_rows(type));
        }
        if (work > MOST_WORK || graph->node_count > MOST_NODES)
            return false;
        bytes += (double)graph->slab_bytes;
    }
    return bytes < MOST_BYTES;
}

/* An update without the graph that makes its gradients is a fragment, as tests of passes
 * have them. */
static bool is_whole(const Module *module)
{
    for (uint32_t g = 0; g < module->graph_count; g++)
        if (module->graphs[g]->kind == GRAPH_update &&
            !module_task_graph(module, GRAPH_train, module->graphs[g]->task))
            return false;
    return true;
}

static void fill(Store *store)
{
    for (uint32_t i = 0; i < store_count(store); i++) {
        StoreEntry *entry = store_at(store, i);
        for (int64_t e = 0; e < entry->elements; e++)
            entry->data[e] = (float)(0.6 + 0.4 * random_unit(i, (uint64_t)e));
    }
}

static void run(FuzzCase *fuzz, const Module *module)
{
    Store *store = store_new(module);
    fill(store);
    const SessionOptions options = {.lanes = 1};
    Session *session = session_new(module, store, &options, fuzz->diags);
    fuzz_expect(fuzz, session, "what verifies compiles");
    VerifyBatches batches = {.sequences = 2, .longest = 5, .seed = 1};
    VerifyReport report = {.tolerance = 1e-3, .out = stderr};
    bool is_run = verify_module(session, &batches, &report, fuzz->diags);
    fuzz_expect(fuzz, !is_run || report.failures == 0, "code and interpreter agree");
    session_free(session);
    store_free(store);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    FuzzCase fuzz;
    fuzz_begin(&fuzz);
    Module *module = module_parse("fuzz.vir", (const char *)data, size, fuzz.diags);
    bool ok = module && module_verify(module, fuzz.diags);
    if (ok && is_whole(module) && is_small(&fuzz, module)) {
        bool is_planned = module->graph_count > 0;
        for (uint32_t g = 0; g < module->graph_count; g++)
            is_planned = is_planned && module->graphs[g]->planned;
        const PassOptions passes = {0};
        ok = is_planned || passes_run(module, &passes, fuzz.diags);
        ok = ok && plan_verify(module, fuzz.diags);
        if (ok && is_small(&fuzz, module))
            run(&fuzz, module);
    }
    if (module)
        module_free(module);
    fuzz_end(&fuzz, ok);
    return 0;
}
