/* What a profile asks of a session. */
#include "runtime/exec/session_parts.h"

/* Update graphs have one binding for all lanes: session_step.c notes what each did. */
void session_set_traces(Session *session, LaneTrace *traces)
{
    session->traces = traces;
    for (uint32_t g = 0; g < session->module->graph_count; g++) {
        const GraphRun *run = &session->runs[g];
        for (uint32_t lane = 0; run->layout && lane < session->lane_count; lane++)
            exec_set_trace(run->execs[lane], traces ? &traces[lane] : NULL, g);
    }
}

const Program *session_program(const Session *session, uint32_t graph)
{
    return session->programs[graph];
}

void session_axis_rows(const Session *session, uint32_t graph, int64_t microbatch,
                       int64_t *out_rows)
{
    const BatchLayout *layout = session->runs[graph].layout;
    for (uint32_t a = 0; a < session->module->graphs[graph]->axis_count; a++) {
        if (!layout) {
            out_rows[a] = 0;
            continue;
        }
        SequenceRange range = layout->ranges[microbatch];
        out_rows[a] =
            layout->starts[a][range.first + range.count] - layout->starts[a][range.first];
    }
}
