/* Counts what freezing removed. Sizes are for one micro-batch at axis capacities, FLOPs
 * for one sequence of the longest length on every axis. */
#include "passes/ledger.h"

#include <inttypes.h>

#include "ir/cost.h"
#include "ir/liveness.h"
#include "ir/lowering.h"
#include "ir/text.h"
#include "passes/rewrite.h"

static void print_param(const Param *param, FILE *out)
{
    char type[96];
    type_print(NULL, param->type, type, sizeof type);
    fprintf(out, "  %-8s%s %s", param->trained ? "trained" : "frozen", param->name, type);
    if (param->reason && *param->reason)
        fprintf(out, ": %s", param->reason);
    if (param->reason_loc.file)
        fprintf(out, " (%s:%" PRIu32 ")", param->reason_loc.file, param->reason_loc.line);
    fputc('\n', out);
}

void ledger_print_params(const Module *module, FILE *out)
{
    int64_t all = 0, trained = 0;
    for (uint32_t i = 0; i < module->param_count; i++) {
        const Param *param = &module->params[i];
        int64_t count = type_static_elements(param->type);
        print_param(param, out);
        if (param->buffer)
            continue;
        all += count;
        trained += param->trained ? count : 0;
    }
    fprintf(out, "  %" PRId64 " of %" PRId64 " numbers are trained: %.2f %%\n", trained,
            all, all > 0 ? 100.0 * (double)trained / (double)all : 0.0);
}

typedef struct Sums {
    uint32_t nodes;
    double flops;
    int64_t saved_bytes; /* forward values that backward nodes read */
    /* of outputs that are gradients of frozen parameters */
    int64_t frozen_gradient_bytes;
    /* Forward nodes before which nothing trained comes. */
    uint32_t forward, untouched;
    double untouched_flops;
    int64_t untouched_saved_bytes;
    uint32_t frozen_read; /* frozen parameters that backward nodes read */
} Sums;

/* Storage that must outlive the forward pass: made by a forward step, read by a backward
 * one. */
static void mark_saved(const Node *node, bool *saved)
{
    for (uint32_t i = 0; i < node->arg_count; i++) {
        const Node *value = storage_node(node->args[i]);
        if (value->stage == STAGE_forward && !node_is_source(value))
            saved[value->id] = true;
    }
}

static bool is_frozen_source(const Module *module, const Node *node)
{
    if (node->op == OP_weight)
        return true;
    const Param *param =
        node->op == OP_param ? module_find_param(module, node->attr.named.name) : NULL;
    return param && !param->trained;
}

static bool is_trained_source(const Module *module, const Node *node)
{
    return node->op == OP_param && !is_frozen_source(module, node);
}

/* By id, whether a node depends on something trained. */
static bool *mark_touched(const Module *module, const Graph *graph, Arena *arena)
{
    bool *touched = ARENA_ARRAY(arena, bool, graph->node_count + 1);
    for (uint32_t i = 0; i < graph->node_count; i++) {
        const Node *node = graph->nodes[i];
        touched[i] = is_trained_source(module, node);
        for (uint32_t j = 0; j < node->arg_count && !touched[i]; j++)
            touched[i] = touched[node->args[j]->id];
    }
    return touched;
}

/* Forward steps that depend on nothing trained, and what the backward pass reads of them
 * and of frozen sources. */
static void sum_untouched(Sums *sums, const Module *module, const Graph *graph,
                          const bool *live, const bool *saved, Arena *arena)
{
    const bool *touched = mark_touched(module, graph, arena);
    const int64_t *rows = axis_rows_of_longest_sequence(graph, arena);
    bool *read = ARENA_ARRAY(arena, bool, graph->node_count + 1);
    for (uint32_t i = 0; i < graph->node_count; i++) {
        const Node *node = graph->nodes[i];
        bool is_step = live[i] && !node_is_source(node);
        for (uint32_t j = 0;
             is_step && node->stage == STAGE_backward && j < node->arg_count; j++)
            read[storage_node(node->args[j])->id] = true;
        if (!is_step || node->stage != STAGE_forward)
            continue;
        sums->forward++;
        if (touched[i])
            continue;
        sums->untouched++;
        sums->untouched_flops += node_flops(graph, node, rows);
        sums->untouched_saved_bytes += saved[i] ? node_bytes(graph, node) : 0;
    }
    for (uint32_t i = 0; i < graph->node_count; i++)
        sums->frozen_read += read[i] && is_frozen_source(module, graph->nodes[i]);
}

static Sums sums_of(const Module *module, const Graph *graph)
{
    Sums sums = {0};
    Arena *arena = arena_new();
    Rewrite everything = {.in = graph};
    const bool *live = rewrite_live(&everything, arena);
    const int64_t *rows = axis_rows_of_longest_sequence(graph, arena);
    bool *saved = ARENA_ARRAY(arena, bool, graph->node_count + 1);
    for (uint32_t i = 0; i < graph->node_count; i++) {
        const Node *node = graph->nodes[i];
        if (!live[i])
            continue;
        sums.nodes++;
        sums.flops += node_flops(graph, node, rows);
        if (node->stage == STAGE_backward)
            mark_saved(node, saved);
    }
    for (uint32_t i = 0; i < graph->node_count; i++)
        if (saved[i])
            sums.saved_bytes += node_bytes(graph, graph->nodes[i]);
    for (uint32_t i = 0; i < graph->output_count; i++) {
        const Output *output = &graph->outputs[i];
        const Param *param = output->role == OUTPUT_gradient
                                 ? module_find_param(module, output->name)
                                 : NULL;
        if (param && !param->trained)
            sums.frozen_gradient_bytes += node_bytes(graph, output->value);
    }
    sum_untouched(&sums, module, graph, live, saved, arena);
    arena_free(arena);
    return sums;
}

void ledger_print_graph(const Module *module, const Graph *before, const Graph *after,
                        FILE *out)
{
    Sums old = sums_of(module, before), now = sums_of(module, after);
    fprintf(out, "  @%s\n", after->name);
    fprintf(out,
            "    nodes:            %" PRIu32 " -> %" PRIu32 ", %" PRIu32 " removed\n",
            old.nodes, now.nodes, old.nodes - now.nodes);
    fprintf(out,
            "    FLOPs:            %.6g -> %.6g, %.6g removed (one longest sequence)\n",
            old.flops, now.flops, old.flops - now.flops);
    fprintf(out,
            "    saved:            %" PRId64 " -> %" PRId64 " bytes, %" PRId64
            " removed (one micro-batch)\n",
            old.saved_bytes, now.saved_bytes, old.saved_bytes - now.saved_bytes);
    fprintf(out, "    frozen gradients: %" PRId64 " -> %" PRId64 " bytes\n",
            old.frozen_gradient_bytes, now.frozen_gradient_bytes);
    fprintf(out,
            "    untouched:        %" PRIu32 " of %" PRIu32
            " forward nodes, %.6g FLOPs: nothing trained comes before them\n",
            now.untouched, now.forward, now.untouched_flops);
    fprintf(out,
            "    backward reads:   %" PRIu32 " -> %" PRIu32 " frozen parameters, %" PRId64
            " -> %" PRId64 " bytes of what is untouched\n",
            old.frozen_read, now.frozen_read, old.untouched_saved_bytes,
            now.untouched_saved_bytes);
}
