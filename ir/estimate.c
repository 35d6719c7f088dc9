/* A step moves every value that it reads from outside, once, and every value that it
 * stores; of a table whose rows are picked, no more than what is picked. Caches are not
 * modelled: what is small enough to stay in one moves faster than estimated. */
#include "ir/estimate.h"

#include "ir/cost.h"
#include "ir/liveness.h"

typedef struct Estimator {
    const Graph *graph;
    const int64_t *axis_rows;
    double microbatches;
    Liveness live;
    StepCost *costs;  /* by step */
    bool *is_saved;   /* by node id */
    int32_t *read_in; /* by node id: 1 + the last step that read it */
} Estimator;

/* How often a node is computed: what depends on no axis, once in each micro-batch. */
static double repeats(const Estimator *e, const Node *node)
{
    bool is_ragged = type_is_ragged(node->type);
    for (uint32_t i = 0; i < node->arg_count; i++)
        is_ragged |= type_is_ragged(node->args[i]->type);
    return is_ragged ? 1 : e->microbatches;
}

/* Packed integers are a byte each, with a scale for each row. */
static double row_bytes(const Node *value)
{
    bool is_int8 = value->op == OP_pack && value->attr.pack.precision == PRECISION_int8;
    return is_int8 ? (double)type_width(value->type) + sizeof(float)
                   : (double)type_row_bytes(value->type);
}

static double value_bytes(const Estimator *e, const Node *value)
{
    double bytes = (double)node_rows(value, e->axis_rows) * row_bytes(value);
    return type_is_ragged(value->type) ? bytes : bytes * e->microbatches;
}

static bool is_stored(const Estimator *e, const Node *value)
{
    return e->live.step_of[value->id] >= 0 && e->live.last_use[value->id] >= 0;
}

static void count_reads(Estimator *e, const Node *node)
{
    int32_t step = e->live.step_of[node->id];
    for (uint32_t i = 0; i < node->arg_count; i++) {
        const Node *value = storage_node(node->args[i]);
        if (e->live.step_of[value->id] == step)
            continue;
        if (node->stage == STAGE_backward && value->stage == STAGE_forward &&
            is_stored(e, value))
            e->is_saved[value->id] = true;
        if (e->read_in[value->id] == step + 1)
            continue;
        e->read_in[value->id] = step + 1;
        double bytes = value_bytes(e, value);
        if (op_info(node->op)->traits & TRAIT_PICKS && bytes > value_bytes(e, node))
            bytes = value_bytes(e, node);
        e->costs[step].bytes += bytes;
    }
}

/* A new value of a variable is written straight to it if it has no place in the slab; its
 * own step does that, but liveness does not call it stored. */
static bool is_in_place(const Estimator *e, const Output *output)
{
    const Node *value = storage_node(output->value);
    return output->role == OUTPUT_assign && e->live.step_of[value->id] >= 0 &&
           !is_stored(e, value);
}

static void count_steps(Estimator *e, Estimate *out)
{
    for (uint32_t i = 0; i < e->graph->node_count; i++) {
        const Node *node = e->graph->nodes[i];
        int32_t step = e->live.step_of[i];
        if (step < 0 || e->live.is_once[step])
            continue;
        double flops = repeats(e, node) * node_flops(e->graph, node, e->axis_rows);
        out->flops[node->stage] += flops;
        e->costs[step].flops += flops;
        e->costs[step].bytes += is_stored(e, node) ? value_bytes(e, node) : 0;
        count_reads(e, node);
    }
    for (uint32_t i = 0; i < e->graph->output_count; i++) {
        const Node *value = storage_node(e->graph->outputs[i].value);
        if (is_in_place(e, &e->graph->outputs[i]))
            e->costs[e->live.step_of[value->id]].bytes += value_bytes(e, value);
    }
}

/* Bytes outside the steps: a gradient and its sum are read, the sum is written; and new
 * values of variables that were not made in place are copied. */
static double output_bytes(const Estimator *e)
{
    double bytes = 0;
    for (uint32_t i = 0; i < e->graph->output_count; i++) {
        const Output *output = &e->graph->outputs[i];
        const Node *value = storage_node(output->value);
        if (output->role == OUTPUT_gradient)
            bytes += 3 * value_bytes(e, value);
        else if (output->role == OUTPUT_assign && !is_in_place(e, output))
            bytes += 2 * value_bytes(e, value);
    }
    return bytes;
}

static Estimator estimator_new(const Graph *graph, const int64_t *axis_rows,
                               int64_t microbatches, Arena *arena)
{
    Estimator e = {.graph = graph,
                   .axis_rows = axis_rows,
                   .microbatches = (double)microbatches,
                   .live = liveness_of(graph, arena),
                   .is_saved = ARENA_ARRAY(arena, bool, graph->node_count + 1),
                   .read_in = ARENA_ARRAY(arena, int32_t, graph->node_count + 1)};
    e.costs = ARENA_ARRAY(arena, StepCost, e.live.step_count + 1);
    return e;
}

Estimate graph_estimate(const Graph *graph, const int64_t *axis_rows,
                        int64_t microbatches, Rates rates)
{
    Arena *arena = arena_new();
    Estimate out = {0};
    Estimator e = estimator_new(graph, axis_rows, microbatches, arena);
    count_steps(&e, &out);
    for (uint32_t i = 0; i < e.live.step_count; i++)
        out.steps += !e.live.is_once[i];
    for (uint32_t i = 0; i < graph->node_count; i++)
        out.saved_bytes += e.is_saved[i] ? value_bytes(&e, graph->nodes[i]) : 0;
    out.seconds = output_bytes(&e) / rates.bytes;
    for (uint32_t i = 0; i < e.live.step_count; i++) {
        double by_flops = e.costs[i].flops / rates.flops;
        double by_bytes = e.costs[i].bytes / rates.bytes;
        out.seconds += by_flops > by_bytes ? by_flops : by_bytes;
    }
    arena_free(arena);
    return out;
}

StepCost *graph_step_costs(const Graph *graph, const int64_t *axis_rows, Arena *arena)
{
    Estimate sums = {0};
    Estimator e = estimator_new(graph, axis_rows, 1, arena);
    count_steps(&e, &sums);
    return e.costs;
}

int64_t sequences_that_fit(const Graph *graph, const int64_t *sequence_rows)
{
    int64_t most = graph->axes[AXIS_BATCH].capacity;
    for (uint32_t i = 0; i < graph->axis_count; i++)
        if (sequence_rows[i] > 0 && graph->axes[i].capacity / sequence_rows[i] < most)
            most = graph->axes[i].capacity / sequence_rows[i];
    return most > 1 ? most : 1;
}
