/* Sessions: results do not depend on micro-batches, numbers that are not finite are found
 * where they arise and harm nothing, updates keep their order, and what does not fit is
 * refused. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tests/runtime/harness.h"
#include "ir/axis.h"
#include "ir/base/heap.h"
#include "tests/check.h"

typedef struct Test {
    Check check;
    Diags *diags;
} Test;

static const BuildSite HERE = {.loc = {.file = "test", .line = 1}};

static Loc line(uint32_t number)
{
    return (Loc){.file = "test", .line = number};
}

static Session *open_session(Test *test, const Module *module, Store *store,
                             uint32_t lanes, int64_t max_sequences)
{
    SessionOptions options = {.lanes = lanes, .split = {.max_sequences = max_sequences}};
    Session *session = session_new(module, store, &options, test->diags);
    CHECK(&test->check, session, "session");
    return session;
}

static Batch *batch_of(const Graph *graph, int64_t sequences)
{
    RandomBatch wanted = {.sequences = sequences, .longest = 9, .seed = 8};
    return random_batch(graph, &wanted);
}

/* -- results ---------------------------------------------------------------------------
 */

/* @t.evaluate: y = x w on text, the index of the largest logit, and a sum as a static
 * result. */
static Module *evaluated(Test *test)
{
    Module *module = harness_module();
    Graph *graph = harness_graph(module, "t", GRAPH_evaluate);
    const Node *x = harness_input(graph, "x", type_rows(DTYPE_f32, AXIS_text, 6));
    const Node *w =
        harness_param(module, graph, "w", type_matrix(DTYPE_f32, 6, 5), false);
    const Node *y = graph_binary(graph, HERE, OP_matmul, x, w);
    const Node *words =
        harness_param(module, graph, "words", type_matrix(DTYPE_f32, 9, 5), false);
    const Node *args[] = {y, words};
    const Node *best = graph_node(graph, HERE,
                                  (NodeSpec){.op = OP_vocab_argmax,
                                             .attr = &(OpAttr){.chunked = {.chunk = 4}},
                                             .args = args,
                                             .arg_count = 2});
    const Node *sum =
        graph_unary(graph, HERE, OP_sum_rows, graph_unary(graph, HERE, OP_sum_width, y));
    graph_output(graph, OUTPUT_result, intern(module->interns, "y"), y, HERE.loc);
    graph_output(graph, OUTPUT_result, intern(module->interns, "prediction"), best,
                 HERE.loc);
    graph_output(graph, OUTPUT_result, intern(module->interns, "sum"), sum, HERE.loc);
    graph_output(graph, OUTPUT_loss, intern(module->interns, ""), sum, HERE.loc);
    CHECK(&test->check, harness_compile(module, test->diags), "passes");
    return module;
}

static void check_results(Test *test)
{
    enum { SEQUENCES = 7 };
    Module *module = evaluated(test);
    Store *store = store_new(module);
    harness_fill(store, 1);
    Session *whole = open_session(test, module, store, 1, 0);
    Session *cut = open_session(test, module, store, 3, 1);
    Batch *batch = batch_of(module->graphs[0], SEQUENCES);
    EvalResult a, b;
    bool is_run = session_evaluate(whole, batch, &a, test->diags) &&
                  session_evaluate(cut, batch, &b, test->diags);
    CHECK(&test->check, is_run, "evaluate");
    const NamedResult *y = is_run ? eval_find(&a, "y") : NULL;
    const NamedResult *y_cut = is_run ? eval_find(&b, "y") : NULL;
    if (y && y_cut) {
        const float *p = y->data, *q = y_cut->data;
        double gap = 0;
        for (int64_t i = 0; i < y->rows * 5; i++)
            gap = fmax(gap, fabs((double)p[i] - (double)q[i]));
        CHECK(&test->check,
              y->rows == y_cut->rows && y->rows == y->starts[SEQUENCES] && gap < 1e-5,
              "rows are in batch order, gap %g", gap);
        CHECK(&test->check,
              a.prediction_rows == y->rows &&
                  memcmp(a.prediction, b.prediction, (size_t)y->rows * 4) == 0,
              "predictions");
        double sum = (double)*(const float *)eval_find(&b, "sum")->data;
        CHECK(&test->check, fabs(sum - b.loss) < 1e-4 && fabs(a.loss - b.loss) < 1e-4,
              "sums %g, %g, %g", sum, a.loss, b.loss);
    }
    batch_free(batch);
    session_free(whole);
    session_free(cut);
    store_free(store);
    module_free(module);
}

/* An index does not show that its logit is no number: one word of the table is NaN, which
 * is every row's largest. */
static void check_choice(Test *test)
{
    Module *module = evaluated(test);
    Store *store = store_new(module);
    harness_fill(store, 1);
    Session *session = open_session(test, module, store, 2, 2);
    Batch *batch = batch_of(module->graphs[0], 5);
    EvalResult result;
    bool is_run = session_evaluate(session, batch, &result, test->diags);
    CHECK(&test->check, is_run && result.is_finite, "finite choices");
    store_find(store, "words")->data[3 * 5 + 1] = NAN;
    session_weights_changed(session);
    is_run = session_evaluate(session, batch, &result, test->diags);
    CHECK(&test->check, is_run && isfinite(result.loss) && !result.is_finite,
          "the choice of a NaN is noticed");
    for (int64_t i = 0; is_run && i < result.prediction_rows; i++)
        CHECK(&test->check, result.prediction[i] == 3, "row %d chooses %d", (int)i,
              result.prediction[i]);
    Fault fault;
    is_run = session_find_fault(session, GRAPH_evaluate, batch, 0, &fault, test->diags);
    CHECK(&test->check, is_run && fault.node && fault.node->op == OP_vocab_argmax,
          "the fault is found");
    CHECK(&test->check, is_run && fault.parameter && !strcmp(fault.parameter, "words"),
          "the parameter is named");
    batch_free(batch);
    session_free(session);
    store_free(store);
    module_free(module);
}

/* -- faults ----------------------------------------------------------------------------
 */

/* loss = sum of log(p x) w: not finite where p x is negative, on line 7. */
static Module *faulty(Test *test)
{
    Module *module = harness_module();
    Graph *graph = harness_graph(module, "t", GRAPH_train);
    const Node *x = harness_input(graph, "x", type_rows(DTYPE_f32, AXIS_text, 4));
    const Node *p = harness_param(module, graph, "p", type_vector(DTYPE_f32, 4), true);
    x = graph_binary(graph, HERE, OP_mul, x, x);
    x = graph_unary(graph, (BuildSite){.loc = line(7)}, OP_log,
                    graph_binary(graph, HERE, OP_mul, x, p));
    const Node *w = harness_param(module, graph, "w", type_matrix(DTYPE_f32, 4, 3), true);
    harness_loss(module, graph,
                 graph_binary(graph, (BuildSite){.loc = line(9)}, OP_matmul, x, w),
                 "fixed");
    harness_momentum(module, graph);
    CHECK(&test->check, harness_compile(module, test->diags), "passes");
    return module;
}

static void check_fault(Test *test)
{
    Module *module = faulty(test);
    Store *store = store_new(module);
    harness_fill(store, 1);
    float *p = store_find(store, "p")->data;
    for (int i = 0; i < 4; i++)
        p[i] = 1;
    Session *session = open_session(test, module, store, 2, 2);
    Batch *batch = batch_of(module->graphs[0], 5);
    StepResult result;
    bool is_run = session_train_step(session, batch, 0, 1e-3, &result, test->diags);
    CHECK(&test->check, is_run && isfinite(result.loss) && isfinite(result.gradient_norm),
          "a sound step");
    p[2] = -1;
    StoreEntry *w = store_find(store, "w");
    float before[12];
    memcpy(before, w->data, sizeof before);
    is_run = session_train_step(session, batch, 1, 1e-3, &result, test->diags);
    CHECK(&test->check, is_run && !isfinite(result.loss), "the loss tells");
    CHECK(&test->check, memcmp(before, w->data, sizeof before) == 0,
          "parameters are unharmed");
    Fault fault;
    is_run = session_find_fault(session, GRAPH_train, batch, 1, &fault, test->diags);
    CHECK(&test->check, is_run && fault.node && fault.microbatch == 0,
          "the fault is found");
    CHECK(&test->check, is_run && fault.node && fault.node->loc.line <= 9,
          "where it arises");
    batch_free(batch);
    session_free(session);
    store_free(store);
    module_free(module);
}

/* -- updates ---------------------------------------------------------------------------
 */

/* Many parameters, each read by the norm before it is written in place, on many lanes:
 * the same as v = 0.9 v + g, p = p - lr v by hand. */
static void check_updates(Test *test)
{
    enum { PARAMS = 40, WIDTH = 37 };
    const float lr = 0.25F;
    Module *module = harness_module();
    Graph *graph = harness_graph(module, "t", GRAPH_train);
    const Node *sum = harness_input(graph, "x", type_rows(DTYPE_f32, AXIS_text, WIDTH));
    for (int i = 0; i < PARAMS; i++) {
        char name[32];
        snprintf(name, sizeof name, "p%d", i);
        sum = graph_binary(
            graph, HERE, OP_add, sum,
            harness_param(module, graph, name, type_vector(DTYPE_f32, WIDTH), true));
    }
    harness_loss(module, graph, sum, "fixed");
    harness_momentum(module, graph);
    CHECK(&test->check, harness_compile(module, test->diags), "passes");
    Store *store = store_new(module);
    Session *session = open_session(test, module, store, 8, 0);
    double squares = 0, norm = 0, worst = 0;
    harness_fill(store, 5);
    float *before = heap_array(store_count(store) * WIDTH, sizeof *before);
    for (uint32_t i = 0; i < module->param_count; i++) {
        StoreEntry *entry = store_at(store, i);
        memcpy(before + i * WIDTH, entry->data, WIDTH * sizeof *before);
        for (int64_t e = 0; entry->gradient && e < WIDTH; e++) {
            entry->gradient[e] = (float)random_unit(99 + i, (uint64_t)e);
            squares += (double)entry->gradient[e] * (double)entry->gradient[e];
        }
    }
    bool is_run = session && session_update(session, "t", (double)lr, &norm, test->diags);
    for (uint32_t i = 0; is_run && i < module->param_count; i++) {
        const StoreEntry *entry = store_at(store, i);
        for (int64_t e = 0; e < WIDTH; e++) {
            float change = entry->gradient ? lr * entry->gradient[e] : 0;
            worst = fmax(worst, fabs((double)(before[i * WIDTH + e] - change) -
                                     (double)entry->data[e]));
        }
    }
    CHECK(&test->check, is_run && worst < 1e-6, "parameters differ by %g", worst);
    CHECK(&test->check, fabs(norm - sqrt(squares)) < 1e-4, "norm %g, by hand %g", norm,
          sqrt(squares));
    free(before);
    session_free(session);
    store_free(store);
    module_free(module);
}

/* -- refusals --------------------------------------------------------------------------
 */

static void check_unplanned(Test *test)
{
    Module *module = harness_module();
    Graph *graph = harness_graph(module, "t", GRAPH_train);
    harness_loss(module, graph,
                 harness_param(module, graph, "p", type_vector(DTYPE_f32, 4), true),
                 "fixed");
    FILE *nowhere = fopen("/dev/null", "w");
    Diags *diags = diags_new(nowhere);
    Store *store = store_new(module);
    CHECK(&test->check,
          !session_new(module, store, &(SessionOptions){.lanes = 1}, diags) &&
              diags_error_count(diags) == 1,
          "a module without a plan is refused");
    store_free(store);
    diags_free(diags);
    fclose(nowhere);
    module_free(module);
}

/* A frozen parameter may lie elsewhere, a trained one may not. */
static void check_mapping(Test *test)
{
    Module *module = harness_module();
    Graph *graph = harness_graph(module, "t", GRAPH_train);
    harness_param(module, graph, "p", type_vector(DTYPE_f32, 4), true);
    harness_param(module, graph, "w", type_vector(DTYPE_f32, 4), false);
    Store *store = store_new(module);
    float *pages = pages_new(4096);
    StoreEntry *w = store_find(store, "w"), *p = store_find(store, "p");
    CHECK(&test->check, p->gradient && !w->gradient,
          "accumulators of trained parameters only");
    const void *between = (const char *)pages + 2;
    CHECK(&test->check, !store_map(p, pages) && !store_map(w, between), "unfit mappings");
    CHECK(&test->check, store_map(w, pages + 1) && w->data == pages + 1 && w->mapped,
          "a mapping, aligned as floats are");
    CHECK(&test->check, !store_find(store, "x"), "an unknown name");
    pages_free(pages, 4096);
    store_free(store);
    module_free(module);
}

int main(void)
{
    Test test = {.diags = diags_new(stderr)};
    check_results(&test);
    check_choice(&test);
    check_fault(&test);
    check_updates(&test);
    check_unplanned(&test);
    check_mapping(&test);
    diags_free(test.diags);
    return check_finish(&test.check);
}
