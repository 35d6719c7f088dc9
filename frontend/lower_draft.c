/* Graphs, begun and done. */
#include "frontend/lower.h"
#include "ir/axis.h"

Draft draft_new(const Lower *lower, uint32_t task, Globals *globals, GraphKind kind,
                const char *name)
{
    const char *of = lower->spec->tasks[task]->name;
    const char *full = arena_format(lower->arena, "%s.%s", of, name);
    return (Draft){.graph =
                       graph_new(lower->module->interns, lower->diags, kind, full, of),
                   .globals = globals,
                   .task = task,
                   .next_salt = 1,
                   .step_axis = AXIS_STATIC,
                   .past_axis = AXIS_STATIC};
}

void draft_finish(Lower *lower)
{
    const Draft *draft = lower->draft;
    lower_name_values(lower);
    axes_derive_limits(draft->graph, lower->module->settings.tokens,
                       lower->module->settings.sequences);
    module_add_graph(lower->module, draft->graph);
}
