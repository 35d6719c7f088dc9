/* A session, made and freed. Per graph of the module it holds a program, a batch layout,
 * where outputs go, and one binding per lane. A step hands micro-batches to lanes by a
 * counter, in order; each lane that holds one runs the whole program on it. */
#include <stdlib.h>
#include <string.h>

#include "ir/base/heap.h"
#include "runtime/exec/blas.h"
#include "runtime/exec/session_parts.h"

/* An update graph may only read gradients that the task's train graph computes. */
static bool check_gradients(const Session *session, Diags *diags)
{
    bool is_right = true;
    for (uint32_t g = 0; g < session->module->graph_count; g++) {
        const Graph *graph = session->module->graphs[g];
        if (graph->kind != GRAPH_update)
            continue;
        const GraphRun *train = session_find_run(session, GRAPH_train, graph->task);
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

Session *session_new(const Module *module, Store *store, const SessionOptions *options,
                     Diags *diags)
{
    Session *session = heap_lines(sizeof *session);
    session->module = module;
    session->store = store;
    session->split = options->split;
    session->progress = options->progress;
    if (!session->split.lanes)
        session->split.lanes = module->settings.lanes;
    session->programs = heap_array(module->graph_count + 1, sizeof *session->programs);
    session->runs = heap_array(module->graph_count + 1, sizeof *session->runs);
    bool is_ready = session_compile(session, options, diags) &&
                    (session->lanes = lanes_new(options->lanes, diags)) &&
                    (!session->calls_blas || blas_reserve(session->lanes, diags));
    if (is_ready) {
        session->lane_count = lanes_count(session->lanes);
        session_memory_new(session);
        session->once = once_new(module, session->programs);
    }
    for (uint32_t g = 0; is_ready && g < module->graph_count; g++)
        is_ready = session_bind(session, g, diags);
    if (is_ready && check_gradients(session, diags))
        return session;
    session_free(session);
    return NULL;
}

void session_free(Session *session)
{
    if (!session)
        return;
    lanes_free(session->lanes);
    for (uint32_t g = 0; g < session->module->graph_count; g++)
        session_unbind(session, g);
    session_memory_free(session);
    once_free(session->once);
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

Lanes *session_lane_threads(const Session *session)
{
    return session->lanes;
}

int64_t session_slab_bytes(const Session *session)
{
    int64_t bytes = 0;
    for (uint32_t lane = 0; lane < session->lane_count; lane++)
        bytes += session->slab_bytes[lane];
    return bytes;
}
