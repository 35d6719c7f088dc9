/* Per graph of the module: its program, its batch layout, where its outputs go, and one
 * binding per lane. A step hands micro-batches to lanes by a counter, in order; each lane
 * that holds one runs the whole program on it. */
#include "runtime/exec/session.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "ir/base/heap.h"
#include "ir/base/random.h"
#include "runtime/exec/blas.h"
#include "runtime/exec/exec.h"
#include "runtime/lanes/lanes.h"
#include "runtime/lanes/spin.h"
#include "runtime/exec/update_order.h"

typedef struct GraphRun {
    const Graph *graph;
    BatchLayout *layout;
    Accumulator *accumulators; /* by output */
    double loss;
    Exec **execs;         /* by lane; update graphs have one */
    AxisTables **tables;  /* by lane */
    UpdateOrder *order;   /* update graphs */
    NamedResult *results; /* of all but train and update graphs */
    uint32_t result_count;
    int64_t *result_room; /* bytes behind results[i].data */
} GraphRun;

struct Session {
    const Module *module;
    Store *store;
    Jit *jit;
    ProcessorInfo processor;
    Program **programs; /* by graph of the module */
    GraphRun *runs;     /* by graph of the module */
    Lanes *lanes;
    uint32_t lane_count;
    LaneContext *contexts; /* by lane */
    char **slabs;          /* by lane */
    int64_t *slab_bytes;
    int64_t scratch_bytes;
    SplitOptions split;
    float lr;
    /* The run the lanes are in. */
    GraphRun *current;
    _Alignas(64) _Atomic int64_t next; /* micro-batch or item to claim */
    _Alignas(64) _Atomic int64_t done; /* items finished */
    _Atomic bool is_finite;            /* nothing looked at was infinite or no number */
};

/* -- setting up --------------------------------------------------------------------- */

static int64_t largest_slab(const Session *session, bool with_updates)
{
    int64_t bytes = 0;
    for (uint32_t g = 0; g < session->module->graph_count; g++) {
        const Graph *graph = session->module->graphs[g];
        if ((with_updates || graph->kind != GRAPH_update) && graph->slab_bytes > bytes)
            bytes = graph->slab_bytes;
    }
    return bytes;
}

/* Lane 0 also holds what update programs compute, for all lanes to read. */
static void make_lanes_memory(Session *session)
{
    uint32_t lanes = session->lane_count;
    session->contexts = heap_alloc(lanes * sizeof *session->contexts);
    session->slabs = heap_alloc(lanes * sizeof *session->slabs);
    session->slab_bytes = heap_alloc(lanes * sizeof *session->slab_bytes);
    for (uint32_t g = 0; g < session->module->graph_count; g++)
        if (session->programs[g]->scratch_bytes > session->scratch_bytes)
            session->scratch_bytes = session->programs[g]->scratch_bytes;
    for (uint32_t lane = 0; lane < lanes; lane++) {
        session->slab_bytes[lane] = largest_slab(session, lane == 0);
        session->slabs[lane] = pages_new(session->slab_bytes[lane]);
        session->contexts[lane] = (LaneContext){
            .scratch = pages_new(session->scratch_bytes), .gemm = blas_gemm};
    }
}

static Accumulator *make_accumulators(GraphRun *run, Store *store, Diags *diags)
{
    const Graph *graph = run->graph;
    size_t bytes = (graph->output_count + 1) * sizeof(Accumulator);
    Accumulator *accumulators = aligned_alloc(64, bytes);
    if (!accumulators) {
        diag_error(diags, (Loc){0}, "out of memory");
        return NULL;
    }
    memset(accumulators, 0, bytes);
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
    run->results = heap_alloc((graph->output_count + 1) * sizeof *run->results);
    run->result_room = heap_alloc((graph->output_count + 1) * sizeof *run->result_room);
    for (uint32_t i = 0; i < graph->output_count; i++) {
        const Output *output = &graph->outputs[i];
        if (output->role != OUTPUT_result)
            continue;
        run->result_room[run->result_count] = 0;
        run->results[run->result_count++] =
            (NamedResult){.name = output->name, .type = output->value->type};
    }
}

static bool bind_graph(Session *session, uint32_t g, Diags *diags)
{
    GraphRun *run = &session->runs[g];
    const Graph *graph = run->graph = session->module->graphs[g];
    bool is_update = graph->kind == GRAPH_update;
    uint32_t lanes = is_update ? 1 : session->lane_count;
    run->execs = heap_alloc(lanes * sizeof *run->execs);
    run->tables = heap_alloc(lanes * sizeof *run->tables);
    memset(run->execs, 0, lanes * sizeof *run->execs);
    memset(run->tables, 0, lanes * sizeof *run->tables);
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
        run->execs[lane] = exec_new(&(ExecOptions){.program = session->programs[g],
                                                   .store = session->store,
                                                   .slab = session->slabs[lane],
                                                   .tables = run->tables[lane],
                                                   .accumulators = run->accumulators,
                                                   .lr = &session->lr},
                                    diags);
        if (!run->execs[lane])
            return false;
    }
    if (is_update)
        run->order = update_order_new(run->execs[0], session->store, diags);
    return !is_update || run->order;
}

static const GraphRun *find_run(const Session *session, GraphKind kind, const char *task)
{
    for (uint32_t g = 0; g < session->module->graph_count; g++) {
        const Graph *graph = session->module->graphs[g];
        if (graph->kind == kind && strcmp(graph->task, task) == 0)
            return &session->runs[g];
    }
    return NULL;
}

/* An update graph may only read gradients that the task's train graph computes. */
static bool check_gradients(const Session *session, Diags *diags)
{
    bool is_right = true;
    for (uint32_t g = 0; g < session->module->graph_count; g++) {
        const Graph *graph = session->module->graphs[g];
        if (graph->kind != GRAPH_update)
            continue;
        const GraphRun *train = find_run(session, GRAPH_train, graph->task);
        for (uint32_t i = 0; i < graph->node_count; i++) {
            const Node *node = graph->nodes[i];
            if (node->op != OP_gradient ||
                (train &&
                 graph_find_output(train->graph, OUTPUT_gradient, node->attr.named.name)))
                continue;
            diag_error(diags, node->loc,
                       "@%s reads the gradient of '%s', which @%s.train "
                       "does not compute",
                       graph->name, node->attr.named.name, graph->task);
            is_right = false;
        }
    }
    return is_right;
}

static bool check_planned(const Module *module, Diags *diags)
{
    for (uint32_t g = 0; g < module->graph_count; g++)
        if (!module->graphs[g]->planned) {
            diag_error(diags, (Loc){0}, "@%s is not planned: run all passes first",
                       module->graphs[g]->name);
            return false;
        }
    return true;
}

static bool open_processor(Session *session, const SessionOptions *options, Diags *diags)
{
    ProcessorInfo *info = &session->processor;
    bool is_native = processor_is_native(options->processor);
    const JitOptions jit = {.cache_dir = options->cache_dir,
                            .dump_ir = options->dump_kernels,
                            .processor = is_native ? NULL : options->processor};
    if (!processor_check(options->processor, diags) ||
        !blas_open(options->processor, info, diags) ||
        !(session->jit = jit_new(&jit, diags)))
        return false;
    processor_own_name(info->name, sizeof info->name);
    snprintf(info->target, sizeof info->target, "%s",
             jit_processor(session->jit, &info->vector_width));
    snprintf(info->text, sizeof info->text, "%s, %u floats in a vector; %s, kernel %s",
             info->target, info->vector_width, info->blas, info->blas_kernel);
    return true;
}

Session *session_new(const Module *module, Store *store, const SessionOptions *options,
                     Diags *diags)
{
    if (!check_planned(module, diags))
        return NULL;
    Session *session = aligned_alloc(64, sizeof *session);
    if (!session) {
        diag_error(diags, (Loc){0}, "out of memory");
        return NULL;
    }
    memset(session, 0, sizeof *session);
    session->module = module;
    session->store = store;
    session->split = options->split;
    session->programs = heap_alloc((module->graph_count + 1) * sizeof *session->programs);
    session->runs = heap_alloc((module->graph_count + 1) * sizeof *session->runs);
    memset(session->programs, 0, (module->graph_count + 1) * sizeof *session->programs);
    memset(session->runs, 0, (module->graph_count + 1) * sizeof *session->runs);
    bool is_ready = open_processor(session, options, diags) &&
                    jit_compile(session->jit, module, session->programs, diags) &&
                    (session->lanes = lanes_new(options->lanes, diags)) &&
                    blas_reserve(session->lanes, diags);
    if (is_ready) {
        session->lane_count = lanes_count(session->lanes);
        make_lanes_memory(session);
    }
    for (uint32_t g = 0; is_ready && g < module->graph_count; g++)
        is_ready = bind_graph(session, g, diags);
    if (is_ready && check_gradients(session, diags))
        return session;
    session_free(session);
    return NULL;
}

static void free_run(GraphRun *run, uint32_t lanes)
{
    if (!run->graph)
        return;
    for (uint32_t lane = 0; lane < (run->graph->kind == GRAPH_update ? 1 : lanes);
         lane++) {
        exec_free(run->execs[lane]);
        axis_tables_free(run->tables[lane]);
    }
    for (uint32_t i = 0; i < run->result_count; i++)
        free(run->results[i].data);
    layout_free(run->layout);
    update_order_free(run->order);
    free(run->accumulators);
    free(run->execs);
    free(run->tables);
    free(run->results);
    free(run->result_room);
}

void session_free(Session *session)
{
    if (!session)
        return;
    lanes_free(session->lanes);
    for (uint32_t g = 0; g < session->module->graph_count; g++)
        free_run(&session->runs[g], session->lane_count);
    for (uint32_t lane = 0; lane < session->lane_count; lane++) {
        pages_free(session->slabs[lane], session->slab_bytes[lane]);
        pages_free(session->contexts[lane].scratch, session->scratch_bytes);
    }
    free(session->contexts);
    free(session->slabs);
    free(session->slab_bytes);
    free(session->runs);
    free(session->programs);
    if (session->jit)
        jit_free(session->jit);
    free(session);
}

const Module *session_module(const Session *session)
{
    return session->module;
}

Store *session_store(const Session *session)
{
    return session->store;
}

uint32_t session_lanes(const Session *session)
{
    return session->lane_count;
}

const ProcessorInfo *session_processor(const Session *session)
{
    return &session->processor;
}

JitStats session_jit_stats(const Session *session)
{
    return jit_stats(session->jit);
}

int64_t session_slab_bytes(const Session *session)
{
    int64_t bytes = 0;
    for (uint32_t lane = 0; lane < session->lane_count; lane++)
        bytes += session->slab_bytes[lane];
    return bytes;
}

/* -- running ------------------------------------------------------------------------ */

static void run_microbatches(void *state, uint32_t lane)
{
    Session *session = state;
    GraphRun *run = session->current;
    LaneContext *context = &session->contexts[lane];
    for (;;) {
        int64_t index =
            atomic_fetch_add_explicit(&session->next, 1, memory_order_relaxed);
        if (index >= run->layout->range_count)
            return;
        exec_bind(run->execs[lane], run->layout, index, context);
        if (!exec_microbatch(run->execs[lane], context, NULL))
            atomic_store_explicit(&session->is_finite, false, memory_order_relaxed);
    }
}

static void run_update_items(void *state, uint32_t lane)
{
    Session *session = state;
    const UpdateOrder *order = session->current->order;
    for (;;) {
        int64_t item = atomic_fetch_add_explicit(&session->next, 1, memory_order_relaxed);
        if (item >= order->item_count)
            return;
        spin_until(&session->done, order->wait[item]);
        update_order_run_item(order, (uint32_t)item, &session->contexts[lane]);
        atomic_fetch_add_explicit(&session->done, 1, memory_order_acq_rel);
    }
}

static void start_run(Session *session, GraphRun *run)
{
    session->current = run;
    atomic_store(&session->next, 0);
    atomic_store(&session->done, 0);
    atomic_store(&session->is_finite, true);
    run->loss = 0;
    for (uint32_t i = 0; run->accumulators && i < run->graph->output_count; i++)
        atomic_store(&run->accumulators[i].turn, 0);
}

static void set_step_key(Session *session, uint64_t step)
{
    uint32_t key = random_step_key((uint64_t)session->module->settings.seed, step);
    for (uint32_t lane = 0; lane < session->lane_count; lane++)
        session->contexts[lane].step_key = key;
}

static GraphRun *need_run(Session *session, GraphKind kind, const char *task,
                          Diags *diags)
{
    const GraphRun *run = find_run(session, kind, task);
    if (!run)
        diag_error(diags, (Loc){0}, "the plan has no %s graph for task '%s'",
                   graph_kind_names[kind], task);
    return run ? &session->runs[run - session->runs] : NULL;
}

/* The run of the batch's task with the batch laid out, or NULL. */
static GraphRun *lay_out(Session *session, GraphKind kind, const Batch *batch,
                         Diags *diags)
{
    GraphRun *run = need_run(session, kind, batch->task, diags);
    return run && layout_set(run->layout, batch, &session->split, diags) ? run : NULL;
}

bool session_gradients(Session *session, const Batch *batch, uint64_t step,
                       double *out_loss, Diags *diags)
{
    GraphRun *run = lay_out(session, GRAPH_train, batch, diags);
    if (!run)
        return false;
    set_step_key(session, step);
    start_run(session, run);
    lanes_run(session->lanes, run_microbatches, session);
    *out_loss = run->loss;
    return true;
}

bool session_update(Session *session, const char *task, double lr,
                    double *out_gradient_norm, Diags *diags)
{
    GraphRun *run = need_run(session, GRAPH_update, task, diags);
    if (!run)
        return false;
    session_set_rate(session, lr);
    start_run(session, run);
    lanes_run(session->lanes, run_update_items, session);
    const Output *norm = graph_find_output(run->graph, OUTPUT_result, "gradient_norm");
    const float *value = norm ? exec_value(run->execs[0], norm->value) : NULL;
    *out_gradient_norm = value ? (double)*value : 0;
    return true;
}

/* The bits of an infinity or NaN have every bit of the exponent set. */
static bool are_finite(const float *values, int64_t count)
{
    const uint32_t exponent = 0x7f800000U;
    uint32_t found = 0;
    for (int64_t i = 0; i < count; i++) {
        uint32_t bits;
        memcpy(&bits, &values[i], sizeof bits);
        found |= (bits & exponent) == exponent;
    }
    return !found;
}

static void check_gradients_of_run(void *state, uint32_t lane)
{
    Session *session = state;
    const GraphRun *run = session->current;
    (void)lane;
    for (;;) {
        int64_t i = atomic_fetch_add_explicit(&session->next, 1, memory_order_relaxed);
        if (i >= run->graph->output_count)
            return;
        if (run->graph->outputs[i].role == OUTPUT_gradient &&
            !are_finite(run->accumulators[i].sum, run->accumulators[i].elements))
            atomic_store_explicit(&session->is_finite, false, memory_order_relaxed);
    }
}

/* Of the run that just ended. */
static bool gradients_are_finite(Session *session)
{
    atomic_store(&session->next, 0);
    atomic_store(&session->is_finite, true);
    lanes_run(session->lanes, check_gradients_of_run, session);
    return atomic_load(&session->is_finite);
}

bool session_train_step(Session *session, const Batch *batch, uint64_t step, double lr,
                        StepResult *out_result, Diags *diags)
{
    *out_result = (StepResult){0};
    if (!session_gradients(session, batch, step, &out_result->loss, diags))
        return false;
    out_result->microbatches = session->current->layout->range_count;
    bool is_sound = gradients_are_finite(session);
    if (!is_sound)
        out_result->gradient_norm = NAN;
    if (!is_sound || !isfinite(out_result->loss))
        return true;
    return session_update(session, batch->task, lr, &out_result->gradient_norm, diags);
}

/* -- evaluation --------------------------------------------------------------------- */

static void place_results(GraphRun *run)
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
        if ((result->rows + 1) * row_bytes > run->result_room[index]) {
            run->result_room[index] = (result->rows + 1) * row_bytes;
            result->data = heap_grow(result->data, (size_t)run->result_room[index]);
        }
        if (is_ragged)
            run->accumulators[i].rows = result->data;
        else
            run->accumulators[i].sum = result->data;
        run->accumulators[i].elements = result->rows * type_width(result->type);
        run->accumulators[i].row_bytes = row_bytes;
        run->accumulators[i].axis = result->type.axis;
        index++;
    }
}

static bool run_for_results(Session *session, GraphRun *run, const Batch *batch,
                            EvalResult *out_result, Diags *diags)
{
    if (!run || !layout_set(run->layout, batch, &session->split, diags))
        return false;
    place_results(run);
    set_step_key(session, 0);
    start_run(session, run);
    lanes_run(session->lanes, run_microbatches, session);
    *out_result =
        (EvalResult){.loss = run->loss,
                     .is_finite = isfinite(run->loss) && atomic_load(&session->is_finite),
                     .results = run->results,
                     .result_count = run->result_count};
    const NamedResult *prediction = eval_find(out_result, "prediction");
    if (prediction && prediction->type.dtype == DTYPE_i32) {
        out_result->prediction = prediction->data;
        out_result->prediction_rows = prediction->rows;
    }
    return true;
}

bool session_evaluate(Session *session, const Batch *batch, EvalResult *out_result,
                      Diags *diags)
{
    GraphRun *run = need_run(session, GRAPH_evaluate, batch->task, diags);
    return run_for_results(session, run, batch, out_result, diags);
}

bool session_run(Session *session, const char *graph, const Batch *batch,
                 EvalResult *out_result, Diags *diags)
{
    GraphRun *run = NULL;
    for (uint32_t g = 0; g < session->module->graph_count; g++)
        if (session->runs[g].layout && session->runs[g].results &&
            strcmp(session->module->graphs[g]->name, graph) == 0)
            run = &session->runs[g];
    if (!run)
        diag_error(diags, (Loc){0}, "the plan has no graph @%s that gives results",
                   graph);
    return run_for_results(session, run, batch, out_result, diags);
}

const NamedResult *eval_find(const EvalResult *result, const char *name)
{
    for (uint32_t i = 0; i < result->result_count; i++)
        if (strcmp(result->results[i].name, name) == 0)
            return &result->results[i];
    return NULL;
}

/* A parameter that the call reads and that holds a number that is not finite. */
static const char *bad_parameter(const Session *session, const Call *call)
{
    for (uint32_t i = 0; i < call->operand_count; i++) {
        const Node *node = call->operands[i].node;
        const StoreEntry *entry = node->op == OP_param || node->op == OP_weight
                                      ? store_find(session->store, node->attr.named.name)
                                      : NULL;
        if (entry && !are_finite(entry->data, entry->elements))
            return entry->name;
    }
    return NULL;
}

bool session_find_fault(Session *session, GraphKind kind, const Batch *batch,
                        uint64_t step, Fault *out_fault, Diags *diags)
{
    *out_fault = (Fault){0};
    GraphRun *run = lay_out(session, kind, batch, diags);
    if (!run)
        return false;
    if (run->results)
        place_results(run);
    set_step_key(session, step);
    start_run(session, run);
    for (int64_t index = 0; index < run->layout->range_count && !out_fault->node;
         index++) {
        int64_t call;
        exec_bind(run->execs[0], run->layout, index, &session->contexts[0]);
        (void)exec_microbatch(run->execs[0], &session->contexts[0], &call);
        if (call >= 0) {
            const Call *at = &exec_program(run->execs[0])->calls[call];
            *out_fault = (Fault){at->node, at->label, bad_parameter(session, at), index};
        }
    }
    return true;
}

void session_set_rate(Session *session, double lr)
{
    session->lr = (float)lr;
}

bool session_walk(Session *session, uint32_t graph, const Batch *batch, int64_t index,
                  uint64_t step, Walk *out_walk, Diags *diags)
{
    GraphRun *run = &session->runs[graph];
    LaneContext *context = &session->contexts[0];
    set_step_key(session, step);
    int64_t microbatches = 1;
    if (run->layout) {
        if (!layout_set(run->layout, batch, &session->split, diags))
            return false;
        microbatches = run->layout->range_count;
        exec_bind(run->execs[0], run->layout, index, context);
    }
    *out_walk = (Walk){.exec = run->execs[0],
                       .program = session->programs[graph],
                       .context = context,
                       .views = run->tables[0]->views,
                       .microbatches = microbatches};
    return true;
}
