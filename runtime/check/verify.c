/* Walks a graph's calls. Before each, the interpreter computes the step's nodes from the
 * values that the kernel is about to read; after it, every value the kernel wrote is
 * compared. */
#include "runtime/check/verify.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ir/liveness.h"
#include "runtime/exec/exec.h"
#include "runtime/check/random_batch.h"
#include "runtime/check/reference.h"

typedef struct Checker {
    const Graph *graph;
    Walk walk;
    ReferenceContext context;
    Liveness liveness;
    Arena *arena;        /* of the graph */
    const void **values; /* by node id: the interpreter's, of the step at hand */
    Arena *step_arena;
    VerifyReport *report;
} Checker;

/* The bits of a value in memory, a byte each, as the interpreter has them: bit c of a row
 * is bit c mod 8 of the row's byte c / 8. */
static const uint8_t *unpacked(const Checker *checker, const uint8_t *bits, Type type)
{
    int64_t rows = reference_rows(&checker->context, type), width = type_width(type);
    uint8_t *out = arena_alloc(checker->step_arena, (size_t)(rows * width) + 1);
    for (int64_t row = 0; row < rows; row++)
        for (int64_t i = 0; i < width; i++)
            out[row * width + i] = bits[row * type_row_bytes(type) + i / 8] >> i % 8 & 1;
    return out;
}

static const void *argument(const Checker *checker, const Node *arg, int32_t step)
{
    const Node *storage = unpacked_node(arg);
    if (checker->liveness.step_of[storage->id] == step)
        return checker->values[storage->id];
    const void *value = exec_value(checker->walk.exec, storage);
    return storage->type.dtype == DTYPE_bit ? unpacked(checker, value, storage->type)
                                            : value;
}

static void interpret_step(Checker *checker, int32_t step)
{
    const Graph *graph = checker->graph;
    for (uint32_t i = 0; i < graph->node_count; i++) {
        const Node *node = graph->nodes[i];
        if (checker->liveness.step_of[i] != step)
            continue;
        const void *args[8];
        for (uint32_t a = 0; a < node->arg_count; a++)
            args[a] = argument(checker, node->args[a], step);
        void *out =
            arena_alloc(checker->step_arena,
                        (size_t)reference_bytes(&checker->context, node->type) + 1);
        reference_node(&checker->context, node, args, out);
        checker->values[i] = out;
    }
}

/* -- comparing ---------------------------------------------------------------------- */

static double largest_of(const float *values, int64_t count)
{
    double largest = 0;
    for (int64_t i = 0; i < count; i++)
        if (isfinite(values[i]) && fabs((double)values[i]) > largest)
            largest = fabs((double)values[i]);
    return largest;
}

static double largest_argument(const Checker *checker, const Node *node, uint32_t i,
                               int32_t step)
{
    return largest_of(argument(checker, node->args[i], step),
                      reference_elements(&checker->context, node->args[i]->type));
}

/* What an error is measured by, if the output itself is smaller. Sums may cancel to zero
 * but for the rounding of their terms; so may dq = dS k with dS = P (dP - rowsum(P dP)),
 * as where a query sees one key, but for the rounding of dP = dy v^T. */
static double smallest_scale(const Checker *checker, const Node *node, int32_t step)
{
    static const double cancelled = 1e-2, nothing = 1e-30;
    bool is_dq = node->op == OP_attention_dq, is_dk = node->op == OP_attention_dk;
    double scale = 0;
    if (node->op == OP_sum_rows || node->op == OP_sum_width)
        scale = cancelled * largest_argument(checker, node, 0, step);
    if (is_dq || is_dk || node->op == OP_attention_dtable)
        scale = cancelled * largest_argument(checker, node, 2, step) *
                largest_argument(checker, node, 3, step);
    if (is_dq || is_dk)
        scale *= largest_argument(checker, node, is_dq ? 1 : 0, step);
    return scale > nothing ? scale : nothing;
}

static double compare_f32(const float *got, const float *wanted, int64_t count,
                          double smallest)
{
    double largest = largest_of(wanted, count), difference = 0;
    for (int64_t i = 0; i < count; i++) {
        if (isnan(got[i]) != isnan(wanted[i]))
            return INFINITY;
        if (isnan(got[i]) || got[i] == wanted[i])
            continue;
        double gap = fabs((double)got[i] - (double)wanted[i]);
        difference = gap > difference ? gap : difference;
    }
    return difference / (largest > smallest ? largest : smallest);
}

/* A bit depends on a comparison, whose sides may differ by rounding: one in a thousand
 * may. */
static double compare_bits(const uint8_t *got, const uint8_t *wanted, int64_t count)
{
    int64_t different = 0;
    for (int64_t i = 0; i < count; i++)
        different += got[i] != wanted[i];
    return different * 1000 <= count ? 0 : INFINITY;
}

/* The logit of word `word` for row `row`, to tell a wrong index from a tie broken by
 * rounding. */
static double logit_of(const Checker *checker, const Node *node, int32_t step,
                       int64_t row, int32_t word)
{
    const float *x = argument(checker, node->args[0], step);
    const float *table = argument(checker, node->args[1], step);
    int64_t width = type_width(node->args[0]->type);
    double sum = 0;
    if (node->arg_count > 2)
        sum = (double)((const float *)argument(checker, node->args[2], step))[word];
    for (int64_t i = 0; i < width; i++)
        sum += (double)x[row * width + i] * (double)table[word * width + i];
    return sum;
}

static double compare_i32(const Checker *checker, const Node *node, int32_t step,
                          const int32_t *got, const int32_t *wanted, int64_t count)
{
    double worst = 0;
    for (int64_t i = 0; i < count; i++) {
        if (got[i] == wanted[i])
            continue;
        if (node->op != OP_vocab_argmax || got[i] < 0 ||
            got[i] >= type_static_rows(node->args[1]->type))
            return INFINITY;
        double best = logit_of(checker, node, step, i, wanted[i]);
        double gap = fabs(best - logit_of(checker, node, step, i, got[i])) /
                     (fabs(best) > 1e-3 ? fabs(best) : 1e-3);
        if (isnan(gap))
            return INFINITY;
        worst = gap > worst ? gap : worst;
    }
    return worst;
}

static double compare_output(const Checker *checker, const Node *node, int32_t step,
                             const void *got)
{
    const void *wanted = checker->values[node->id];
    int64_t count = reference_elements(&checker->context, node->type);
    switch (node->type.dtype) {
    case DTYPE_f32:
        return compare_f32(got, wanted, count, smallest_scale(checker, node, step));
    case DTYPE_i32:
        return compare_i32(checker, node, step, got, wanted, count);
    case DTYPE_packed: /* products compare what they read of it */
        return 0;
    case DTYPE_bit:
        return compare_bits(unpacked(checker, got, node->type), wanted, count);
    case DTYPE_COUNT:
        break;
    }
    return INFINITY;
}

static void note_output(VerifyReport *report, const Graph *graph, const Call *call,
                        const Node *node, double error)
{
    VerifyClass *of = &report->classes[node_kernel(call->node)];
    report->outputs++;
    if (error > of->worst || !of->node) {
        of->worst = error > of->worst ? error : of->worst;
        of->node = node;
        of->label = call->label;
    }
    if (error <= report->tolerance)
        return;
    report->failures++;
    if (report->out)
        fprintf(report->out,
                "%s:%u:%u: %s: %s differs by %.3g of its largest magnitude: %%%u%s%s of "
                "step %u of @%s\n",
                node->loc.file ? node->loc.file : "?", node->loc.line, node->loc.column,
                call->label, op_info(node->op)->name, error, node->id,
                node->name ? " " : "", node->name ? node->name : "", call->step,
                graph->name);
}

/* -- walking ------------------------------------------------------------------------ */

static void check_call(Checker *checker, uint32_t index)
{
    const Call *call = &checker->walk.program->calls[index];
    checker->step_arena = arena_new();
    interpret_step(checker, (int32_t)call->step);
    exec_call(checker->walk.exec, index, checker->walk.context);
    for (uint32_t i = 0; i < call->operand_count; i++) {
        const Node *node = call->operands[i].node;
        if (call->operands[i].written)
            note_output(checker->report, checker->walk.program->graph, call, node,
                        compare_output(checker, node, (int32_t)call->step,
                                       exec_operand(checker->walk.exec, index, i)));
    }
    checker->report->calls++;
    checker->report->classes[node_kernel(call->node)].calls++;
    arena_free(checker->step_arena);
}

bool verify_graph(Session *session, uint32_t index, const Batch *batch, uint64_t step,
                  VerifyReport *report, Diags *diags)
{
    const Graph *graph = session_module(session)->graphs[index];
    Arena *arena = arena_new();
    Checker checker = {.graph = graph, .arena = arena, .report = report};
    checker.liveness = liveness_of(graph, arena);
    checker.values = ARENA_ARRAY(arena, const void *, graph->node_count);
    bool fits = true;
    int64_t microbatches = 1;
    for (int64_t m = 0; fits && m < microbatches; m++) {
        fits = session_walk(session, index, batch, m, step, &checker.walk, diags);
        if (!fits)
            break;
        microbatches = checker.walk.microbatches;
        checker.context = (ReferenceContext){.graph = graph,
                                             .views = checker.walk.views,
                                             .sequences = checker.walk.context->sequences,
                                             .step_key = checker.walk.context->step_key};
        for (uint32_t c = 0; c < checker.walk.program->call_count; c++)
            check_call(&checker, c);
    }
    arena_free(arena);
    return fits;
}

/* An update graph sees real gradients, so that its numbers are what they are in
 * training. */
static bool verify_one(Session *session, uint32_t index, const RandomBatch *wanted,
                       VerifyReport *report, Diags *diags)
{
    const Module *module = session_module(session);
    const Graph *graph = module->graphs[index];
    const Graph *source = graph->kind == GRAPH_update
                              ? module_task_graph(module, GRAPH_train, graph->task)
                              : graph;
    Batch *batch = source ? random_batch(source, wanted) : NULL;
    double loss;
    bool fits = true;
    if (graph->kind == GRAPH_update && batch)
        fits = session_gradients(session, batch, 0, &loss, diags);
    fits =
        fits && verify_graph(session, index, graph->kind == GRAPH_update ? NULL : batch,
                             0, report, diags);
    if (batch)
        batch_free(batch);
    return fits;
}

bool verify_module(Session *session, const VerifyBatches *batches, VerifyReport *report,
                   Diags *diags)
{
    session_set_rate(session, 1e-3);
    const Module *module = session_module(session);
    for (uint32_t g = 0; g < module->graph_count; g++) {
        RandomBatch wanted = {.sequences = batches->sequences,
                              .longest = batches->longest,
                              .seed = batches->seed + g};
        if (batches->task && strcmp(module->graphs[g]->task, batches->task) != 0)
            continue;
        if (!verify_one(session, g, &wanted, report, diags))
            return false;
    }
    return true;
}

void verify_print(const VerifyReport *report, FILE *out)
{
    for (uint32_t i = 0; i < KERNEL_COUNT; i++) {
        const VerifyClass *of = &report->classes[i];
        if (of->calls == 0)
            continue;
        fprintf(out, "%-10s %6u calls, worst %.2e", kernel_kind_names[i], of->calls,
                of->worst);
        if (of->node)
            fprintf(out, " in %s at %s:%u", of->label,
                    of->node->loc.file ? of->node->loc.file : "?", of->node->loc.line);
        fputc('\n', out);
    }
    fprintf(out, "%u outputs of %u calls compared, %u beyond %.1e\n", report->outputs,
            report->calls, report->failures, report->tolerance);
}
