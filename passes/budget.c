/* Chooses how many rows a micro-batch has room for where the recipe does not say: setting
 * `tokens` is 0. Every micro-batch reads the parameters once, so few rows waste time;
 * many take memory, in every lane. The least that keeps reading to a small share of the
 * time is chosen, by the rates of ir/roofline.h, within limits, and no more than is
 * left of a batch when it is cut for the plan's lanes. A decode graph, of whatever plan,
 * gets more room than it has.
 *
 * Needs all ops that the graph will have but those recomputed; precisions count. Changes
 * nothing but capacities of axes. */
#include <inttypes.h>
#include <math.h>

#include "ir/axis.h"
#include "ir/cost.h"
#include "ir/roofline.h"
#include "passes/pass.h"
#include "passes/rewrite.h"

/* Products of fewer rows than LEAST are slower for other reasons than reading; above MOST
 * little is left to gain. */
static const double READING_SHARE = 0.05;
enum { LEAST_TOKENS = 512, MOST_TOKENS = 2048 };

typedef struct Budget {
    int64_t tokens;
    const char *why;
    double once_bytes, once;
    double sequence; /* seconds, the longest there is */
} Budget;

static int64_t batch_tokens(const Graph *graph, const Module *module, int64_t widest)
{
    const Task *task = module_find_task(module, graph->task);
    int64_t lanes = module->settings.lanes;
    int64_t sequences = task ? task->sequences : module->settings.sequences;
    return (sequences + lanes - 1) / lanes * widest;
}

static void choose_tokens(Budget *budget, int64_t widest, int64_t of_batch)
{
    double rows = budget->once * (1 / READING_SHARE - 1) / budget->sequence;
    rows = ceil(rows) * (double)widest;
    *budget = (Budget){LEAST_TOKENS, "the least that is chosen", budget->once_bytes,
                       budget->once, budget->sequence};
    if (rows > (double)MOST_TOKENS) {
        budget->tokens = MOST_TOKENS;
        budget->why = "the most that is chosen";
    } else if (rows > (double)LEAST_TOKENS) {
        budget->tokens = (int64_t)rows;
        budget->why = "reading is a twentieth of the time";
    }
    if (of_batch < budget->tokens) {
        budget->tokens = of_batch;
        budget->why = "a batch, cut for the plan's lanes";
    }
}

static Budget find_budget(const Graph *graph, const Module *module, Arena *arena)
{
    Roofline roofline = graph_roofline(graph, arena);
    const int64_t *longest = axis_rows_of_longest_sequence(graph, arena);
    Budget budget = {.tokens = module->settings.tokens,
                     .why = "the recipe says `tokens`",
                     .once_bytes = roofline.once_bytes,
                     .once = roofline.once};
    for (uint32_t i = 0; i < graph->axis_count; i++)
        budget.sequence += roofline.row[i] * (double)longest[i];
    int64_t widest = axes_widest(graph);
    if (!budget.tokens)
        choose_tokens(&budget, widest, batch_tokens(graph, module, widest));
    return budget;
}

static void report(FILE *out, const Graph *graph, const Budget *budget)
{
    double sequences = (double)budget->tokens / (double)axes_widest(graph);
    double reading = budget->once, all = reading + sequences * budget->sequence;
    fprintf(out,
            "micro-batches of @%s: %" PRId64 " rows of the widest axis, %.1f of the "
            "longest sequences: %s\n"
            "  reading %.3e bytes of parameters and gradients is %.1f %% of %.3g s\n\n",
            graph->name, budget->tokens, sequences, budget->why, budget->once_bytes,
            all > 0 ? 100 * reading / all : 0, all);
}

/* A step of generation reads all weights for one row of each sequence, or beam, and takes
 * little memory of the lane for it. */
static Graph *make_decode_room(const Graph *in, PassContext *ctx)
{
    enum { SEQUENCES = 128 };
    Graph *out = rewrite_graph(in, rewrite_copy, NULL, NULL);
    if (out)
        axes_make_room(out, SEQUENCES);
    if (out && ctx->report)
        fprintf(ctx->report, "micro-batches of @%s: %d sequences or beams\n\n", in->name,
                SEQUENCES);
    return out;
}

Graph *pass_budget(const Graph *in, PassContext *ctx)
{
    if (in->kind == GRAPH_decode)
        return make_decode_room(in, ctx);
    Arena *arena = arena_new();
    Budget budget = find_budget(in, ctx->module, arena);
    Graph *out = rewrite_graph(in, rewrite_copy, NULL, NULL);
    if (out && !ctx->module->settings.tokens)
        axes_derive_limits(out, budget.tokens, ctx->module->settings.sequences);
    if (out && ctx->report)
        report(ctx->report, out, &budget);
    arena_free(arena);
    return out;
}
