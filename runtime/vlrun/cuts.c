/* Rows of micro-batches. */
#include "runtime/vlrun/cuts.h"

#include <inttypes.h>

#include "ir/axis.h"

void print_cuts(const Module *module, const Graph *only, FILE *out)
{
    int64_t least = INT64_MAX, most = 0, lanes = module->settings.lanes;
    for (uint32_t i = 0; i < module->graph_count; i++) {
        const Graph *graph = module->graphs[i];
        if (graph->kind != GRAPH_train || (only && graph != only))
            continue;
        int64_t rows = axes_widest_capacity(graph);
        least = rows < least ? rows : least;
        most = rows > most ? rows : most;
    }
    if (most == 0)
        return;
    fprintf(out, "micro-batches of at most %" PRId64, least);
    if (most > least)
        fprintf(out, " to %" PRId64, most);
    fprintf(out, " rows, cut for %" PRId64 " lane%s\n", lanes, lanes == 1 ? "" : "s");
}
