/* What lanes note of a step: every call of every micro-batch once, every sum, every look
 * at a gradient, every item of the update; in order on each lane. A step that is noted
 * gives the same bits as one that is not. */
#include <stdlib.h>
#include <string.h>

#include "ir/base/heap.h"
#include "tests/check.h"
#include "tests/runtime/harness.h"

enum { LANES = 3, SEQUENCES = 7, MOST_EVENTS = 200 };

static const BuildSite HERE = {.loc = {.file = "test", .line = 1}};

/* loss of x w, over two parameters. */
static Module *trained(Check *check, Diags *diags)
{
    Module *module = harness_module();
    Graph *graph = harness_graph(module, "t", GRAPH_train);
    const Node *x = harness_input(graph, "x", type_rows(DTYPE_f32, AXIS_text, 6));
    const Node *w = harness_param(module, graph, "w", type_matrix(DTYPE_f32, 6, 5), true);
    harness_loss(module, graph, graph_binary(graph, HERE, OP_matmul, x, w), "fixed");
    harness_momentum(module, graph);
    CHECK(check, harness_compile(module, diags), "passes");
    return module;
}

/* A session over a store of its own; one micro-batch for each sequence. */
typedef struct Training {
    Store *store;
    Session *session;
} Training;

static Training start(Check *check, const Module *module, Diags *diags)
{
    Training training = {.store = store_new(module)};
    harness_fill(training.store, 3);
    SessionOptions options = {.lanes = LANES, .split = {.max_sequences = 1}};
    training.session = session_new(module, training.store, &options, diags);
    CHECK(check, training.session, "session");
    return training;
}

static void end(Training *training)
{
    session_free(training->session);
    store_free(training->store);
}

/* How often each event is there, all lanes together. */
typedef struct Tally {
    int calls[2][MOST_EVENTS]; /* by graph */
    int sums[MOST_EVENTS], checks[MOST_EVENTS];
    int waits, copies;
} Tally;

static void tally_event(Check *check, const Module *module, Tally *tally,
                        const TraceEvent *event)
{
    bool is_update = module->graphs[event->graph]->kind == GRAPH_update;
    CHECK(check, event->begun <= event->ended, "time goes forward");
    CHECK(check, event->index < MOST_EVENTS, "index %u", event->index);
    CHECK(check, event->microbatch >= 0 && event->microbatch < SEQUENCES, "%lld",
          (long long)event->microbatch);
    switch (event->kind) {
    case TRACE_call:
        tally->calls[is_update][event->index]++;
        break;
    case TRACE_accumulate:
        tally->sums[event->index]++;
        CHECK(check, !is_update && event->bytes > 0, "bytes of a sum");
        break;
    case TRACE_check:
        tally->checks[event->index]++;
        break;
    case TRACE_copy:
        tally->copies++;
        CHECK(check, is_update && event->bytes > 0, "bytes of a copy");
        break;
    case TRACE_wait:
        tally->waits++;
        break;
    case TRACE_KIND_COUNT:
        CHECK(check, false, "kind");
    }
}

static void tally_lanes(Check *check, const Module *module, Tally *tally,
                        const LaneTrace *traces)
{
    for (int lane = 0; lane < LANES; lane++)
        for (uint32_t i = 0; i < traces[lane].count; i++) {
            const TraceEvent *event = &traces[lane].events[i];
            tally_event(check, module, tally, event);
            CHECK(check, i == 0 || event[-1].ended <= event->begun, "one at a time");
        }
}

static void check_tally(Check *check, const Module *module, const Session *session,
                        const Tally *tally)
{
    int items = 0, sums = 0;
    for (uint32_t g = 0; g < module->graph_count; g++) {
        const Graph *graph = module->graphs[g];
        bool is_update = graph->kind == GRAPH_update;
        const Program *program = session_program(session, g);
        CHECK(check, program->call_count > 0, "calls");
        for (uint32_t c = 0; c < program->call_count; c++)
            CHECK(check, tally->calls[is_update][c] == (is_update ? 1 : SEQUENCES),
                  "@%s call %u: %d", graph->name, c, tally->calls[is_update][c]);
        items += is_update ? (int)program->call_count : 0;
        for (uint32_t i = 0; !is_update && i < graph->output_count; i++) {
            OutputRole role = graph->outputs[i].role;
            CHECK(check, tally->sums[i] == SEQUENCES, "sum %u: %d", i, tally->sums[i]);
            CHECK(check, tally->checks[i] == (role == OUTPUT_gradient), "check %u", i);
            sums += tally->sums[i];
        }
    }
    CHECK(check, tally->waits == sums + items + tally->copies, "%d waits", tally->waits);
}

/* Rows of the micro-batches are those of the batch. */
static void check_rows(Check *check, const Module *module, const Session *session,
                       const Batch *batch)
{
    for (uint32_t g = 0; g < module->graph_count; g++) {
        const Graph *graph = module->graphs[g];
        int64_t *rows = heap_array(graph->axis_count, sizeof *rows);
        int64_t *sums = heap_array(graph->axis_count, sizeof *sums);
        for (int m = 0; m < SEQUENCES; m++) {
            session_axis_rows(session, g, m, rows);
            for (uint32_t a = 0; a < graph->axis_count; a++)
                sums[a] += rows[a];
        }
        for (uint32_t a = 0; a < graph->axis_count; a++) {
            int64_t all = graph->kind == GRAPH_update
                              ? 0
                              : random_batch_rows(graph, batch, (int32_t)a);
            CHECK(check, sums[a] == all, "@%s axis %u: %lld rows", graph->name, a,
                  (long long)sums[a]);
        }
        free(rows);
        free(sums);
    }
}

static void test_step(Check *check, Diags *diags)
{
    Module *module = trained(check, diags);
    RandomBatch wanted = {.sequences = SEQUENCES, .longest = 9, .seed = 8};
    Batch *batch = random_batch(module->graphs[0], &wanted);
    Training plain = start(check, module, diags), noted = start(check, module, diags);
    LaneTrace traces[LANES] = {0};
    StepResult a, b;
    session_set_traces(noted.session, traces);
    bool ok = session_train_step(plain.session, batch, 0, 0.1, &a, diags) &&
              session_train_step(noted.session, batch, 0, 0.1, &b, diags);
    CHECK(check, ok && memcmp(&a, &b, sizeof a) == 0, "the same loss");
    for (uint32_t i = 0; i < store_count(plain.store); i++) {
        const StoreEntry *p = store_at(plain.store, i), *q = store_at(noted.store, i);
        CHECK(check, memcmp(p->data, q->data, (size_t)p->elements * 4) == 0, "%s",
              p->name);
    }
    Tally tally = {0};
    tally_lanes(check, module, &tally, traces);
    check_tally(check, module, noted.session, &tally);
    check_rows(check, module, noted.session, batch);

    uint32_t count = traces[0].count;
    session_set_traces(noted.session, NULL);
    ok = session_train_step(noted.session, batch, 1, 0.1, &b, diags);
    CHECK(check, ok && traces[0].count == count, "nothing more is noted");
    for (int lane = 0; lane < LANES; lane++)
        free(traces[lane].events);
    batch_free(batch);
    end(&plain);
    end(&noted);
    module_free(module);
}

int main(void)
{
    Check check = {0};
    Diags *diags = diags_new(stderr);
    test_step(&check, diags);
    diags_free(diags);
    return check_finish(&check);
}
