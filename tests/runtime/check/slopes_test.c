/* Gradients of a whole model against finite differences of its loss: for every trained
 * parameter of a task, the slope of the loss in a direction that mixes the gradient's own
 * with a random one.
 *
 *     usage: slopes_test PLAN.bin TASK
 *
 * The plan is compiled with --set dropout=0: a model where dropout is on has no slope. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ir/plan.h"
#include "runtime/check/random_batch.h"
#include "runtime/exec/session.h"
#include "tests/check.h"

enum { SEQUENCES = 3, LONGEST = 9 };

typedef struct Test {
    Check check;
    Session *session;
    const Batch *batch;
    Diags *diags;
} Test;

/* Small enough that nothing saturates, large enough that everything has a say. */
static void fill_store(Store *store)
{
    for (uint32_t i = 0; i < store_count(store); i++) {
        StoreEntry *entry = store_at(store, i);
        double scale = 2 / sqrt((double)type_width(entry->type));
        bool is_vector = entry->type.rank == 1 && entry->elements > 1;
        for (int64_t e = 0; entry->param && e < entry->elements; e++) {
            double unit = random_unit(i + 29, (uint64_t)e);
            entry->data[e] = (float)(is_vector               ? 1 + 0.3 * unit
                                     : entry->type.rank == 1 ? 0.1 * unit
                                                             : scale * unit);
        }
    }
}

static const Graph *train_graph(const Module *module, const char *task)
{
    for (uint32_t g = 0; g < module->graph_count; g++)
        if (module->graphs[g]->kind == GRAPH_train &&
            strcmp(module->graphs[g]->task, task) == 0)
            return module->graphs[g];
    return NULL;
}

static double norm_of(const float *numbers, int64_t count)
{
    double sum = 0;
    for (int64_t i = 0; i < count; i++)
        sum += (double)numbers[i] * (double)numbers[i];
    return sqrt(sum);
}

/* The loss where the parameter has moved by `step` times `direction`. */
static double loss_at(Test *test, StoreEntry *entry, const float *middle,
                      const double *direction, double step)
{
    double loss = NAN;
    for (int64_t i = 0; i < entry->elements; i++)
        entry->data[i] = (float)((double)middle[i] + step * direction[i]);
    if (!session_gradients(test->session, test->batch, 0, &loss, test->diags))
        CHECK(&test->check, false, "%s: no loss", entry->name);
    return loss;
}

/* By differences over `step` to both sides. */
static double slope(Test *test, StoreEntry *entry, const float *middle,
                    const double *direction, double step)
{
    double above = loss_at(test, entry, middle, direction, step);
    double below = loss_at(test, entry, middle, direction, -step);
    memcpy(entry->data, middle, (size_t)entry->elements * sizeof *middle);
    return (above - below) / (2 * step);
}

/* The loss is known to about 1e-6. A long step tells more than its noise, a short one
 * passes fewer kinks: one of them must agree. Whether it would notice an error of a
 * tenth. */
static bool check_slope(Test *test, StoreEntry *entry)
{
    int64_t count = entry->elements;
    float *middle = malloc((size_t)count * sizeof *middle);
    double *direction = malloc((size_t)count * sizeof *direction), wanted = 0, got = 0;
    double size = norm_of(entry->gradient, count), limit = 0;
    for (int64_t i = 0; i < count; i++) {
        middle[i] = entry->data[i];
        direction[i] = size > 0 ? (double)entry->gradient[i] / size : 0;
        direction[i] += random_unit(7, (uint64_t)i) / sqrt((double)count);
        wanted += direction[i] * (double)entry->gradient[i];
    }
    bool agrees = false;
    for (double part = 0.016; part > 5e-4 && !agrees; part /= 4) {
        double step = part * (norm_of(middle, count) + 0.1);
        got = slope(test, entry, middle, direction, step);
        limit = 0.03 * size + 2e-6 / step;
        agrees = fabs(got - wanted) <= limit;
    }
    CHECK(&test->check, agrees, "%s: slope %g, by differences %g, gradient's length %g",
          entry->name, wanted, got, size);
    free(direction);
    free(middle);
    return limit < 0.1 * size;
}

/* Every gradient must be there, and most must be more than noise. */
static void test_graph(Test *test, const Graph *graph)
{
    double loss;
    uint32_t gradients = 0, sharp = 0;
    for (uint32_t i = 0; i < graph->output_count; i++) {
        if (graph->outputs[i].role != OUTPUT_gradient)
            continue;
        StoreEntry *entry =
            store_find(session_store(test->session), graph->outputs[i].name);
        bool is_run =
            session_gradients(test->session, test->batch, 0, &loss, test->diags);
        CHECK(&test->check, is_run, "%s: no gradient", entry->name);
        gradients++;
        sharp += check_slope(test, entry);
    }
    CHECK(&test->check, gradients > 0 && sharp * 2 > gradients,
          "only %u of %u gradients are more than noise", sharp, gradients);
}

int main(int argc, char **argv)
{
    Test test = {.diags = diags_new(stderr)};
    Module *module = argc == 3 ? module_read(argv[1], test.diags) : NULL;
    const Graph *graph = module ? train_graph(module, argv[2]) : NULL;
    if (!graph)
        return 2;
    Store *store = store_new(module);
    fill_store(store);
    test.session = session_new(module, store, &(SessionOptions){.lanes = 1}, test.diags);
    if (!test.session)
        return 2;
    Batch *batch = random_batch(
        graph, &(RandomBatch){.sequences = SEQUENCES, .longest = LONGEST, .seed = 3});
    test.batch = batch;
    test_graph(&test, graph);
    batch_free(batch);
    session_free(test.session);
    store_free(store);
    module_free(module);
    diags_free(test.diags);
    return check_finish(&test.check);
}
