/* What follows from frozen weights alone is computed once: by one call for all graphs
 * that compute the same, for any number of lanes, and anew where weights change. */
#include <string.h>

#include "runtime/exec/session_parts.h"
#include "tests/check.h"
#include "tests/runtime/harness.h"

enum { WIDTH = 6, SEQUENCES = 5, MOST_RESULTS = 1024 };

static const BuildSite HERE = {.loc = {.file = "test", .line = 1}};

typedef struct Test {
    Check check;
    Diags *diags;
} Test;

/* y = x (exp(w v) + scale): two frozen steps before a product of every micro-batch. */
static void add_graph(Module *module, const char *task, double scale)
{
    Graph *graph = harness_graph(module, task, GRAPH_evaluate);
    Type square = type_matrix(DTYPE_f32, WIDTH, WIDTH);
    const Node *w = harness_param(module, graph, "w", square, false);
    const Node *v = harness_param(module, graph, "v", square, false);
    const Node *m = graph_binary(graph, HERE, OP_matmul, w, v);
    m = graph_unary(graph, HERE, OP_exp, m);
    m = graph_binary(graph, HERE, OP_add, m, graph_constant(graph, HERE, scale));
    const Node *x = harness_input(graph, "x", type_rows(DTYPE_f32, AXIS_text, WIDTH));
    graph_output(graph, OUTPUT_result, "y", graph_binary(graph, HERE, OP_matmul, x, m),
                 HERE.loc);
    graph_output(graph, OUTPUT_result, "m", m, HERE.loc);
}

/* Two tasks that compute the same, and one that does not. */
static Module *module_of_three(Test *test)
{
    Module *module = harness_module();
    add_graph(module, "a", 0.5);
    add_graph(module, "b", 0.5);
    add_graph(module, "c", 0.25);
    CHECK(&test->check, harness_compile(module, test->diags), "compiles");
    return module;
}

/* Its results end to end; how many bytes. */
static size_t results_of(Test *test, Session *session, uint32_t graph, float *out)
{
    RandomBatch wanted = {.sequences = SEQUENCES, .longest = 9, .seed = 8};
    Batch *batch = random_batch(session->module->graphs[graph], &wanted);
    EvalResult result;
    CHECK(&test->check, session_evaluate(session, batch, &result, test->diags), "runs");
    size_t count = 0;
    for (uint32_t i = 0; i < result.result_count; i++) {
        size_t elements = (size_t)(result.results[i].rows * WIDTH);
        CHECK(&test->check, count + elements <= MOST_RESULTS, "room");
        memcpy(out + count, result.results[i].data, elements * sizeof *out);
        count += elements;
    }
    batch_free(batch);
    return count * sizeof *out;
}

static Session *open_session(Test *test, const Module *module, Store *store,
                             uint32_t lanes)
{
    Session *session =
        session_new(module, store, &(SessionOptions){.lanes = lanes}, test->diags);
    CHECK(&test->check, session, "session");
    return session;
}

static void check_shared(Test *test, const Module *module, Store *store)
{
    Session *session = open_session(test, module, store, 1);
    const Once *once = session->once;
    /* w v of all three; exp and add of a and b, and those of c; and these packed */
    CHECK(&test->check, once->call_count == 5, "%u calls", once->call_count);
    CHECK(&test->check,
          once->calls[0].wait == 0 && once->calls[2].wait == 1 &&
              once->calls[4].wait == 3,
          "each after what it reads");
    float a[MOST_RESULTS], b[MOST_RESULTS], c[MOST_RESULTS];
    size_t bytes = results_of(test, session, 0, a);
    CHECK(&test->check,
          results_of(test, session, 1, b) == bytes && memcmp(a, b, bytes) == 0,
          "equal graphs");
    CHECK(&test->check,
          results_of(test, session, 2, c) == bytes && memcmp(a, c, bytes) != 0,
          "another constant");
    session_free(session);
}

static void check_lanes(Test *test, const Module *module, Store *store)
{
    Session *one = open_session(test, module, store, 1);
    Session *three = open_session(test, module, store, 3);
    float a[MOST_RESULTS], b[MOST_RESULTS];
    size_t bytes = results_of(test, one, 2, a);
    CHECK(&test->check,
          results_of(test, three, 2, b) == bytes && memcmp(a, b, bytes) == 0,
          "the same bits by one lane and by three");
    session_free(one);
    session_free(three);
}

static void check_changed(Test *test, const Module *module, Store *store)
{
    Session *session = open_session(test, module, store, 2);
    float before[MOST_RESULTS], after[MOST_RESULTS], anew[MOST_RESULTS];
    size_t bytes = results_of(test, session, 0, before);
    store_find(store, "w")->data[3] += 1;
    session_weights_changed(session);
    (void)results_of(test, session, 0, after);
    CHECK(&test->check, memcmp(before, after, bytes) != 0, "other weights");
    session_free(session);
    session = open_session(test, module, store, 2);
    (void)results_of(test, session, 0, anew);
    CHECK(&test->check, memcmp(after, anew, bytes) == 0, "as a new session has it");
    session_free(session);
}

int main(void)
{
    Test test = {.diags = diags_new(stderr)};
    Module *module = module_of_three(&test);
    Store *store = store_new(module);
    harness_fill(store, 3);
    check_shared(&test, module, store);
    check_lanes(&test, module, store);
    check_changed(&test, module, store);
    store_free(store);
    module_free(module);
    diags_free(test.diags);
    return check_finish(&test.check);
}
