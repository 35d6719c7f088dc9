/* Graphs that give results, and looks at a run: where it goes wrong, call by call. */
#include <math.h>
#include <string.h>

#include "ir/liveness.h"
#include "ir/lowering.h"

#include "runtime/exec/floats.h"
#include "runtime/exec/session_parts.h"

/* -- results ------------------------------------------------------------------------- */

static bool run_for_results(Session *session, GraphRun *run, const Batch *batch,
                            EvalResult *out_result, Diags *diags)
{
    if (!run || !layout_set(run->layout, batch, &session->split, diags))
        return false;
    session_place_results(run);
    session_set_key(session, 0);
    session_run_microbatches(session, run);
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
    GraphRun *run = session_need_run(session, GRAPH_evaluate, batch->task, diags);
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

/* -- call by call -------------------------------------------------------------------- */

/* A parameter that the call reads and that holds a number that is not finite. */
static const char *bad_parameter(const Session *session, const Call *call)
{
    for (uint32_t i = 0; i < call->operand_count; i++) {
        const Node *node = unpacked_node(call->operands[i].node);
        const StoreEntry *entry = node_is_param(node)
                                      ? store_find(session->store, node->attr.named.name)
                                      : NULL;
        if (entry && !floats_are_finite(entry->data, entry->elements))
            return entry->name;
    }
    return NULL;
}

bool session_find_fault(Session *session, GraphKind kind, const Batch *batch,
                        uint64_t step, Fault *out_fault, Diags *diags)
{
    *out_fault = (Fault){0};
    GraphRun *run = session_lay_out(session, kind, batch, diags);
    if (!run)
        return false;
    if (run->results)
        session_place_results(run);
    session_set_key(session, step);
    session_compute_once(session);
    session_start(session, run);
    for (int64_t index = 0; index < run->layout->range_count && !out_fault->node;
         index++) {
        ExecFault fault;
        exec_bind(run->execs[0], run->layout, index, &session->contexts[0]);
        (void)exec_microbatch(run->execs[0], &session->contexts[0], &fault);
        if (fault.value) {
            const Call *at = &exec_program(run->execs[0])->calls[fault.call];
            *out_fault =
                (Fault){fault.value, at->label, bad_parameter(session, at), index};
        }
    }
    return true;
}

bool session_walk(Session *session, uint32_t graph, const Batch *batch, int64_t index,
                  uint64_t step, Walk *out_walk, Diags *diags)
{
    GraphRun *run = &session->runs[graph];
    LaneContext *context = &session->contexts[0];
    session_set_key(session, step);
    session_compute_once(session);
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
