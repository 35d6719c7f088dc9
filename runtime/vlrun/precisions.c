/* Shares of FLOPs by precision. */
#include "runtime/vlrun/precisions.h"

#include "ir/cost.h"

void print_precisions(const Module *module, const Graph *only, FILE *out)
{
    ProductCount counts[PRECISION_COUNT] = {0};
    Arena *arena = arena_new();
    double all = 0;
    for (uint32_t i = 0; i < module->graph_count; i++) {
        const Graph *graph = module->graphs[i];
        if (graph->kind == GRAPH_train && (!only || graph == only))
            graph_count_products(graph, axis_rows_of_longest_sequence(graph, arena),
                                 counts);
    }
    arena_free(arena);
    for (Precision i = 0; i < PRECISION_COUNT; i++)
        all += counts[i].flops;
    if (all == counts[PRECISION_highest].flops)
        return;
    const char *before = "products:";
    for (Precision i = 0; i < PRECISION_COUNT; i++) {
        if (!counts[i].products)
            continue;
        fprintf(out, "%s %s %.1f %%", before, precision_names[i],
                100 * counts[i].flops / all);
        before = ",";
    }
    fputs(" of FLOPs\n", out);
}
