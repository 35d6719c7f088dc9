/* The memory that programs work in: per lane a slab and scratch, per graph what its
 * outputs are added into. */
#include <stdlib.h>
#include <string.h>

#include "ir/base/heap.h"
#include "ir/liveness.h"
#include "runtime/exec/blas.h"
#include "runtime/exec/session_parts.h"

/* -- of lanes ------------------------------------------------------------------------ */

static bool is_in_first_lane(const Graph *graph)
{
    return graph->kind == GRAPH_update || graph->kind == GRAPH_decode;
}

static int64_t largest_slab(const Session *session, bool is_first)
{
    int64_t bytes = 0;
    for (uint32_t g = 0; g < session->module->graph_count; g++) {
        const Graph *graph = session->module->graphs[g];
        if ((is_first || !is_in_first_lane(graph)) && graph->slab_bytes > bytes)
            bytes = graph->slab_bytes;
    }
    return bytes;
}

/* Lane 0 also holds what lanes compute together: updates, and steps of generation. */
void session_memory_new(Session *session)
{
    uint32_t lanes = session->lane_count;
    session->contexts = heap_array(lanes, sizeof *session->contexts);
    session->slabs = heap_array(lanes, sizeof *session->slabs);
    session->slab_bytes = heap_array(lanes, sizeof *session->slab_bytes);
    for (uint32_t g = 0; g < session->module->graph_count; g++)
        if (session->programs[g]->scratch_bytes > session->scratch_bytes)
            session->scratch_bytes = session->programs[g]->scratch_bytes;
    for (uint32_t lane = 0; lane < lanes; lane++) {
        session->slab_bytes[lane] = largest_slab(session, lane == 0);
        session->slabs[lane] = pages_new(session->slab_bytes[lane]);
        session->contexts[lane] =
            (LaneContext){.scratch = pages_new(session->scratch_bytes),
                          .gemm = session->calls_blas ? blas_gemm : NULL};
    }
}

void session_memory_free(Session *session)
{
    for (uint32_t lane = 0; lane < session->lane_count; lane++) {
        pages_free(session->slabs[lane], session->slab_bytes[lane]);
        pages_free(session->contexts[lane].scratch, session->scratch_bytes);
    }
    free(session->contexts);
    free(session->slabs);
    free(session->slab_bytes);
}

/* -- of graphs ----------------------------------------------------------------------- */

static Accumulator *make_accumulators(GraphRun *run, Store *store, Diags *diags)
{
    const Graph *graph = run->graph;
    Accumulator *accumulators =
        heap_lines(size_product(graph->output_count + 1, sizeof *accumulators));
    for (uint32_t i = 0; i < graph->output_count; i++) {
        const Output *output = &graph->outputs[i];
        if (output->role == OUTPUT_loss)
            accumulators[i].total = &run->loss;
        if (output->role != OUTPUT_gradient)
            continue;
        const StoreEntry *entry = store_find(store, output->name);
        if (!entry || !entry->gradient) {
            diag_error(diags, output->loc, "'%s' has a gradient but no accumulator",
                       output->name);
            free(accumulators);
            return NULL;
        }
        accumulators[i].sum = entry->gradient;
        accumulators[i].elements = entry->elements;
    }
    return accumulators;
}

/* Results' rows get memory when the size of a batch is known. */
static void list_results(GraphRun *run)
{
    const Graph *graph = run->graph;
    run->results = heap_array(graph->output_count + 1, sizeof *run->results);
    run->result_room = heap_array(graph->output_count + 1, sizeof *run->result_room);
    run->result_memory = heap_array(graph->output_count + 1, sizeof *run->result_memory);
    for (uint32_t i = 0; i < graph->output_count; i++) {
        const Output *output = &graph->outputs[i];
        if (output->role != OUTPUT_result)
            continue;
        run->result_room[run->result_count] = 0;
        run->results[run->result_count++] =
            (NamedResult){.name = output->name, .type = output->value->type};
    }
}

bool session_bind(Session *session, uint32_t g, Diags *diags)
{
    GraphRun *run = &session->runs[g];
    const Graph *graph = run->graph = session->module->graphs[g];
    bool is_update = graph->kind == GRAPH_update;
    uint32_t lanes = is_update ? 1 : session->lane_count;
    run->execs = heap_array(lanes, sizeof *run->execs);
    run->tables = heap_array(lanes, sizeof *run->tables);
    if (!is_update) {
        run->layout = layout_new(graph);
        run->accumulators = make_accumulators(run, session->store, diags);
        if (!run->accumulators)
            return false;
        if (graph->kind != GRAPH_train)
            list_results(run);
    }
    for (uint32_t lane = 0; lane < lanes; lane++) {
        run->tables[lane] = axis_tables_new(graph);
        run->execs[lane] = exec_new(
            &(ExecOptions){.program = session->programs[g],
                           .store = session->store,
                           .slab = session->slabs[is_in_first_lane(graph) ? 0 : lane],
                           .tables = run->tables[lane],
                           .accumulators = run->accumulators,
                           .once = session->once->values[g],
                           .meetings = &session->done,
                           .lr = &session->lr},
            diags);
        if (!run->execs[lane])
            return false;
    }
    if (is_update)
        run->order = update_order_new(run->execs[0], session->store, diags);
    return !is_update || run->order;
}

void session_unbind(Session *session, uint32_t g)
{
    GraphRun *run = &session->runs[g];
    if (!run->graph)
        return;
    for (uint32_t lane = 0;
         lane < (run->graph->kind == GRAPH_update ? 1 : session->lane_count); lane++) {
        exec_free(run->execs[lane]);
        axis_tables_free(run->tables[lane]);
    }
    for (uint32_t i = 0; i < run->result_count; i++)
        free(run->result_memory[i]);
    layout_free(run->layout);
    update_order_free(run->order);
    free(run->accumulators);
    free(run->execs);
    free(run->tables);
    free(run->results);
    free(run->result_room);
    free(run->result_memory);
}

/* What lanes compute together stays where it is until the next step, if that is one
 * micro-batch. */
static void *result_in_slab(const GraphRun *run, const Node *value)
{
    bool is_there = run->graph->kind == GRAPH_decode && run->layout->range_count == 1 &&
                    storage_node(value)->offset != NO_OFFSET;
    return is_there ? exec_value(run->execs[0], value) : NULL;
}

static void make_result_room(GraphRun *run, uint32_t index, int64_t bytes)
{
    if (bytes > run->result_room[index]) {
        free(run->result_memory[index]);
        run->result_memory[index] = heap_alloc((size_t)bytes);
        run->result_room[index] = bytes;
    }
    run->results[index].data = run->result_memory[index];
}

void session_place_results(GraphRun *run)
{
    const Graph *graph = run->graph;
    const BatchLayout *layout = run->layout;
    uint32_t index = 0;
    for (uint32_t i = 0; i < graph->output_count; i++) {
        if (graph->outputs[i].role != OUTPUT_result)
            continue;
        NamedResult *result = &run->results[index];
        bool is_ragged = type_is_ragged(result->type);
        int64_t row_bytes = type_row_bytes(result->type);
        result->starts = is_ragged ? layout->starts[result->type.axis] : NULL;
        result->rows = is_ragged ? result->starts[layout->sequences]
                                 : type_static_rows(result->type);
        void *in_slab = is_ragged ? result_in_slab(run, graph->outputs[i].value) : NULL;
        if (in_slab)
            result->data = in_slab;
        else
            make_result_room(run, index, (result->rows + 1) * row_bytes);
        if (is_ragged)
            run->accumulators[i].rows = in_slab ? NULL : result->data;
        else
            run->accumulators[i].sum = result->data;
        run->accumulators[i].elements = result->rows * type_width(result->type);
        run->accumulators[i].row_bytes = row_bytes;
        run->accumulators[i].axis = result->type.axis;
        index++;
    }
}
