/* Gradients of compiled graphs beside finite differences of the interpreter's loss. */
#include <math.h>

#include "ir/base/random.h"
#include "runtime/check/reference.h"
#include "tests/runtime/check/op_checks.h"

/* The interpreter's loss of one batch, whole. */
typedef struct Oracle {
    const Graph *graph;
    Store *store;
    BatchLayout *layout;
    AxisTables *tables;
    uint32_t step_key;
} Oracle;

static const void *source_value(void *state, const Node *node)
{
    const Oracle *oracle = state;
    for (uint32_t i = 0; i < oracle->layout->input_count; i++)
        if (oracle->layout->inputs[i].node == node)
            return oracle->layout->inputs[i].field->rows;
    return store_find(oracle->store, node->attr.named.name)->data;
}

static double loss_of(Oracle *oracle)
{
    Arena *arena = arena_new();
    ReferenceContext context = {.graph = oracle->graph,
                                .views = oracle->tables->views,
                                .sequences = oracle->layout->sequences,
                                .step_key = oracle->step_key};
    const void **values = reference_run(&context, source_value, oracle, arena);
    const Output *loss =
        graph_find_output(oracle->graph, OUTPUT_loss, intern(oracle->graph->interns, ""));
    double value = (double)*(const float *)values[loss->value->id];
    arena_free(arena);
    return value;
}

static double slope(Oracle *oracle, float *number, float step)
{
    const float middle = *number;
    *number = middle + step;
    double above = loss_of(oracle), above_at = (double)*number;
    *number = middle - step;
    double below = loss_of(oracle), below_at = (double)*number;
    *number = middle;
    return (above - below) / (above_at - below_at);
}

/* Of some elements of one parameter, whose gradient is zero if the graph has none. */
static void check_parameter(Check *check, Oracle *oracle, StoreEntry *entry)
{
    enum { LOOKED_AT = 24 };
    double largest = 0;
    const float *gradient = graph_find_output(oracle->graph, OUTPUT_gradient, entry->name)
                                ? entry->gradient
                                : NULL;
    int64_t stride = 1 + (entry->elements - 1) / LOOKED_AT;
    for (int64_t i = 0; gradient && i < entry->elements; i++)
        largest = fmax(largest, fabs((double)gradient[i]));
    for (int64_t i = 0; i < entry->elements; i += stride) {
        double wanted = slope(oracle, &entry->data[i], 4e-3F),
               got = gradient ? (double)gradient[i] : 0;
        double limit = 1e-2 * largest + 2e-3;
        if (fabs(got - wanted) > limit) /* perhaps a kink lies within the step */
            wanted = slope(oracle, &entry->data[i], 5e-4F);
        CHECK(check, fabs(got - wanted) <= limit,
              "@%s: gradient of %s[%lld]: %g, by differences %g", oracle->graph->name,
              entry->name, (long long)i, got, wanted);
    }
}

void op_check_gradients(Check *check, Session *session, const Graph *graph,
                        const Batch *batch, Diags *diags)
{
    double loss;
    Oracle oracle = {.graph = graph, .store = session_store(session)};
    oracle.layout = layout_new(graph);
    oracle.tables = axis_tables_new(graph);
    oracle.step_key =
        random_step_key((uint64_t)session_module(session)->settings.seed, 0);
    bool is_run = session_gradients(session, batch, 0, &loss, diags) &&
                  layout_set(oracle.layout, batch, &(SplitOptions){0}, diags);
    CHECK(check, is_run && oracle.layout->range_count == 1, "@%s runs", graph->name);
    if (is_run) {
        axis_tables_set(oracle.tables, oracle.layout, oracle.layout->ranges[0]);
        double wanted = loss_of(&oracle);
        CHECK(check, fabs(loss - wanted) <= 1e-4 * (1 + fabs(wanted)),
              "@%s: loss %g, interpreted %g", graph->name, loss, wanted);
    }
    for (uint32_t i = 0; is_run && i < graph->node_count; i++)
        if (graph->nodes[i]->op == OP_param)
            check_parameter(check, &oracle,
                            store_find(oracle.store, graph->nodes[i]->attr.named.name));
    axis_tables_free(oracle.tables);
    layout_free(oracle.layout);
}
