/* Training: gradients of a batch, then the update of what is trained. */
#include <math.h>

#include "runtime/exec/floats.h"
#include "runtime/exec/session_parts.h"
#include "runtime/lanes/spin.h"

bool session_gradients(Session *session, const Batch *batch, uint64_t step,
                       double *out_loss, Diags *diags)
{
    GraphRun *run = session_lay_out(session, GRAPH_train, batch, diags);
    if (!run)
        return false;
    session_set_key(session, step);
    session_run_microbatches(session, run);
    *out_loss = run->loss;
    return true;
}

/* The lane's trace, or NULL. */
static LaneTrace *trace_of(const Session *session, uint32_t lane)
{
    return session->traces ? &session->traces[lane] : NULL;
}

static uint32_t current_graph(const Session *session)
{
    return (uint32_t)(session->current - session->runs);
}

/* Item `item` of the update, noted under what it is. */
static void run_item(const Session *session, uint32_t lane, uint32_t item)
{
    const UpdateOrder *order = session->current->order;
    TraceEvent event = update_order_event(order, item);
    event.graph = current_graph(session);
    event.begun = lane_trace_begin(trace_of(session, lane));
    update_order_run_item(order, item, &session->contexts[lane]);
    lane_trace_end(trace_of(session, lane), event);
}

static void run_update_items(void *state, uint32_t lane)
{
    Session *session = state;
    const UpdateOrder *order = session->current->order;
    for (;;) {
        int64_t item = atomic_fetch_add_explicit(&session->next, 1, memory_order_relaxed);
        if (item >= order->item_count)
            return;
        double begun = lane_trace_begin(trace_of(session, lane));
        spin_until(&session->done, order->wait[item]);
        lane_trace_end(trace_of(session, lane),
                       (TraceEvent){.kind = TRACE_wait,
                                    .graph = current_graph(session),
                                    .begun = begun});
        run_item(session, lane, (uint32_t)item);
        atomic_fetch_add_explicit(&session->done, 1, memory_order_acq_rel);
    }
}

void session_set_rate(Session *session, double lr)
{
    session->lr = (float)lr;
}

bool session_update(Session *session, const char *task, double lr,
                    double *out_gradient_norm, Diags *diags)
{
    GraphRun *run = session_need_run(session, GRAPH_update, task, diags);
    if (!run)
        return false;
    session_set_rate(session, lr);
    session_start(session, run);
    lanes_run(session->lanes, run_update_items, session);
    const Output *norm = graph_find_output(run->graph, OUTPUT_result, "gradient_norm");
    const float *value = norm ? exec_value(run->execs[0], norm->value) : NULL;
    *out_gradient_norm = value ? (double)*value : 0;
    return true;
}

static bool gradient_is_finite(const Session *session, uint32_t lane, uint32_t output)
{
    const Accumulator *gradient = &session->current->accumulators[output];
    TraceEvent event = {.kind = TRACE_check,
                        .graph = current_graph(session),
                        .index = output,
                        .bytes = gradient->elements * (int64_t)sizeof(float),
                        .begun = lane_trace_begin(trace_of(session, lane))};
    bool is_finite = floats_are_finite(gradient->sum, gradient->elements);
    lane_trace_end(trace_of(session, lane), event);
    return is_finite;
}

static void check_gradients_of_run(void *state, uint32_t lane)
{
    Session *session = state;
    const GraphRun *run = session->current;
    for (;;) {
        int64_t i = atomic_fetch_add_explicit(&session->next, 1, memory_order_relaxed);
        if (i >= run->graph->output_count)
            return;
        if (run->graph->outputs[i].role == OUTPUT_gradient &&
            !gradient_is_finite(session, lane, (uint32_t)i))
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
