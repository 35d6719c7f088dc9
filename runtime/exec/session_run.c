/* A run of one graph on the lanes. */
#include <string.h>

#include "ir/base/random.h"
#include "runtime/exec/session_parts.h"

GraphRun *session_find_run(const Session *session, GraphKind kind, const char *task)
{
    for (uint32_t g = 0; g < session->module->graph_count; g++) {
        const Graph *graph = session->module->graphs[g];
        if (graph->kind == kind && strcmp(graph->task, task) == 0)
            return &session->runs[g];
    }
    return NULL;
}

GraphRun *session_need_run(const Session *session, GraphKind kind, const char *task,
                           Diags *diags)
{
    GraphRun *run = session_find_run(session, kind, task);
    if (!run)
        diag_error(diags, (Loc){0}, "the plan has no %s graph for task '%s'",
                   graph_kind_names[kind], task);
    return run;
}

GraphRun *session_lay_out(Session *session, GraphKind kind, const Batch *batch,
                          Diags *diags)
{
    GraphRun *run = session_need_run(session, kind, batch->task, diags);
    return run && layout_set(run->layout, batch, &session->split, diags) ? run : NULL;
}

void session_set_key(Session *session, uint64_t step)
{
    uint32_t key = random_step_key((uint64_t)session->module->settings.seed, step);
    for (uint32_t lane = 0; lane < session->lane_count; lane++)
        session->contexts[lane].step_key = key;
}

void session_start(Session *session, GraphRun *run)
{
    session->current = run;
    atomic_store(&session->next, 0);
    atomic_store(&session->done, 0);
    atomic_store(&session->is_finite, true);
    run->loss = 0;
    for (uint32_t i = 0; run->accumulators && i < run->graph->output_count; i++)
        atomic_store(&run->accumulators[i].turn, 0);
}

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

/* Every lane takes part in every micro-batch. */
static void run_together(void *state, uint32_t lane)
{
    Session *session = state;
    GraphRun *run = session->current;
    LaneContext *context = &session->contexts[lane];
    for (int64_t index = 0; index < run->layout->range_count; index++) {
        exec_bind_lane(run->execs[lane], run->layout, index, lane, session->lane_count,
                       context);
        if (!exec_microbatch(run->execs[lane], context, NULL))
            atomic_store_explicit(&session->is_finite, false, memory_order_relaxed);
    }
}

void session_run_microbatches(Session *session, GraphRun *run)
{
    bool is_together = run->graph->kind == GRAPH_decode;
    session_compute_once(session);
    session_start(session, run);
    lanes_run(session->lanes, is_together ? run_together : run_microbatches, session);
}
