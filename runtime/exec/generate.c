/* Runs the two graphs of generation, and carries kept values and caches from step to
 * step.
 *
 * Inputs of the decode graph are told apart by name: one that is a result of the encode
 * graph is kept; one that is a result of the decode graph is a cache, and that result is
 * its next value; the one that is left is the last token of each hypothesis. Axes follow
 * from that. */
#include "runtime/exec/generate_parts.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "ir/base/heap.h"
#include "runtime/exec/fault.h"
#include "runtime/exec/parts.h"
#include "runtime/exec/search.h"

static const int64_t DEFAULT_MEMORY = INT64_C(512) << 20;

static const Graph *find_graph(const Module *module, GraphKind kind, const char *task)
{
    for (uint32_t g = 0; g < module->graph_count; g++)
        if (module->graphs[g]->kind == kind && strcmp(module->graphs[g]->task, task) == 0)
            return module->graphs[g];
    return NULL;
}

bool generate_can(const Module *module, const char *task)
{
    return find_graph(module, GRAPH_decode, task) != NULL;
}

/* -- what the decode graph reads: verified by ir/verify_decode.c --------------------- */

static CarryKind kind_of(const Generation *g, const char *name)
{
    if (g->encode && graph_find_output(g->encode, OUTPUT_result, name))
        return CARRY_kept;
    return graph_find_output(g->decode, OUTPUT_result, name) ? CARRY_cache : CARRY_token;
}

static void find_carries(Generation *g)
{
    const Graph *graph = g->decode;
    g->carries = ARENA_ARRAY(g->arena, Carry, graph->node_count);
    for (uint32_t i = 0; i < graph->node_count; i++) {
        const Node *node = graph->nodes[i];
        if (node->op != OP_input)
            continue;
        g->carries[g->carry_count++] = (Carry){.input = node,
                                               .name = node->attr.named.name,
                                               .kind = kind_of(g, node->attr.named.name),
                                               .row_bytes = type_row_bytes(node->type)};
    }
}

static bool find_axes(Generation *g)
{
    const Graph *graph = g->decode;
    g->step.axes = ARENA_ARRAY(g->arena, BatchAxis, graph->axis_count);
    g->axes = ARENA_ARRAY(g->arena, CarryKind, graph->axis_count);
    g->axis_of = ARENA_ARRAY(g->arena, uint32_t, graph->axis_count);
    for (uint32_t a = 0; a < graph->axis_count; a++) {
        if (graph->axes[a].kind != AXIS_KIND_primary)
            continue;
        uint32_t found = 0;
        while (g->carries[found].input->type.axis != (int32_t)a)
            found++;
        g->axes[g->step.axis_count] = g->carries[found].kind;
        g->axis_of[g->step.axis_count] = found;
        g->step.axes[g->step.axis_count++].name = graph->axes[a].name;
        if (g->carries[found].kind != CARRY_cache ||
            graph->axes[a].longest >= g->options->max_length - 2)
            continue;
        diag_error(g->diags, (Loc){0},
                   "generation: %" PRId64
                   " tokens are asked for, but the plan has room for %" PRId64,
                   g->options->max_length, graph->axes[a].longest + 2);
        return false;
    }
    return true;
}

static bool can_share(const Generation *g)
{
    for (uint32_t i = 0; i < g->carry_count; i++)
        if (g->carries[i].kind == CARRY_kept &&
            !parts_can_share(g->decode, g->carries[i].input->type.axis))
            return false;
    return g->options->beams <= g->decode->axes[AXIS_BATCH].capacity;
}

static bool prepare(Generation *g)
{
    const Module *module = session_module(g->session);
    g->encode = find_graph(module, GRAPH_encode, g->batch->task);
    g->decode = find_graph(module, GRAPH_decode, g->batch->task);
    if (!g->decode) {
        diag_error(g->diags, (Loc){0},
                   "the plan cannot generate for task '%s': its backbone caches nothing",
                   g->batch->task);
        return false;
    }
    const Output *logits = graph_find_output(g->decode, OUTPUT_result, "logits");
    g->vocabulary = type_width(logits->value->type);
    find_carries(g);
    if (!search_check(g->options, g->vocabulary, g->diags) || !find_axes(g))
        return false;
    g->is_shared = can_share(g);
    g->step.task = g->batch->task;
    g->step.group = g->is_shared ? g->options->beams : 1;
    g->step.fields = ARENA_ARRAY(g->arena, BatchField, g->carry_count);
    g->step.field_count = g->carry_count;
    for (uint32_t i = 0; i < g->carry_count; i++) {
        const Carry *carry = &g->carries[i];
        g->step.fields[i] =
            (BatchField){.name = carry->name,
                         .axis = g->decode->axes[carry->input->type.axis].name,
                         .dtype = carry->input->type.dtype,
                         .width = type_width(carry->input->type)};
    }
    if (!g->encode)
        return true;
    g->layout = layout_new(g->encode);
    return layout_set(g->layout, g->batch, &(SplitOptions){0}, g->diags);
}

/* -- which sequences at a time ----------------------------------------------------- */

/* Bytes of the fields of one sequence: what is kept, caches at their longest twice
 * over. */
static int64_t sequence_bytes(const Generation *g, int64_t sequence)
{
    int64_t bytes = g->options->beams * g->vocabulary * (int64_t)sizeof(float);
    for (uint32_t i = 0; i < g->carry_count; i++) {
        const Carry *carry = &g->carries[i];
        int64_t rows = 2 * g->options->max_length, copies = g->options->beams;
        if (carry->kind == CARRY_kept) {
            copies = generation_copies(g);
            const Output *kept = graph_find_output(g->encode, OUTPUT_result, carry->name);
            const int64_t *starts = g->layout->starts[kept->value->type.axis];
            rows = starts[sequence + 1] - starts[sequence];
        }
        bytes += copies * rows * carry->row_bytes;
    }
    return bytes;
}

static void choose_sequences(Generation *g)
{
    int64_t left = g->options->memory ? g->options->memory : DEFAULT_MEMORY;
    g->count = 0;
    do
        left -= sequence_bytes(g, g->first + g->count++);
    while (g->first + g->count < g->batch->sequences &&
           left >= sequence_bytes(g, g->first + g->count));
}

/* The sequences at hand as a batch of their own; it borrows the rows. */
static Batch slice(const Generation *g, Arena *arena)
{
    Batch part = *g->batch;
    part.sequences = g->count;
    part.axes = ARENA_ARRAY(arena, BatchAxis, part.axis_count);
    part.fields = ARENA_ARRAY(arena, BatchField, part.field_count);
    for (uint32_t i = 0; i < part.axis_count; i++) {
        part.axes[i] = g->batch->axes[i];
        part.axes[i].lengths += g->first;
    }
    part.field_count = 0;
    for (uint32_t i = 0; i < g->batch->field_count; i++) {
        BatchField field = g->batch->fields[i];
        int32_t axis = graph_find_axis(g->encode, field.axis);
        if (axis == AXIS_STATIC)
            continue;
        int64_t row = g->layout->starts[axis][g->first];
        field.rows = (char *)field.rows + row * field.width * 4; /* f32 or i32 */
        part.fields[part.field_count++] = field;
    }
    return part;
}

/* -- running ----------------------------------------------------------------------- */

static bool encode(Generation *g)
{
    if (!g->encode)
        return true;
    Arena *arena = arena_new();
    Batch part = slice(g, arena);
    EvalResult encoded;
    bool is_run = session_run(g->session, g->encode->name, &part, &encoded, g->diags);
    if (is_run)
        generation_keep(g, &encoded);
    arena_free(arena);
    return is_run;
}

/* Kept values come from the encode graph, so it is asked first. */
static void note_fault(const Generation *g)
{
    Arena *arena = arena_new();
    bool is_found = false;
    if (g->encode) {
        Batch part = slice(g, arena);
        is_found = fault_note(g->session, GRAPH_encode, &part, 0, g->diags);
    }
    if (!is_found)
        fault_note(g->session, GRAPH_decode, &g->step, 0, g->diags);
    arena_free(arena);
}

static bool decode(Generation *g)
{
    int64_t *before = ARENA_ARRAY(g->arena, int64_t, g->count);
    bool ok = true;
    generation_first_fields(g);
    while (ok && search_rows(g->search) > 0) {
        EvalResult decoded;
        int64_t count = 0;
        for (int64_t row = 0; row < search_rows(g->search); row += g->options->beams)
            before[count++] = search_sequence(g->search, row);
        if (!session_run(g->session, g->decode->name, &g->step, &decoded, g->diags))
            return false;
        ok = search_step(g->search, eval_find(&decoded, "logits")->data,
                         session_lane_threads(g->session), g->diags);
        if (ok)
            generation_next_fields(&(GenerationStep){
                .g = g, .decoded = &decoded, .before = before, .count = count});
        else
            note_fault(g);
    }
    return ok;
}

static void take_result(const Generation *g, int64_t at, const SearchResult *result)
{
    Generated *out = g->out;
    out->lengths[at] = result->length;
    out->scores[at] = result->score;
    out->sums[at] = result->sum;
    memcpy(out->ids + at * g->options->max_length, result->ids,
           (size_t)result->length * sizeof *result->ids);
    if (result->length > out->width)
        out->width = result->length;
}

static void take_results(const Generation *g)
{
    int64_t best = g->out->best;
    SearchResult *results = heap_array((size_t)best, sizeof *results);
    for (int64_t s = 0; s < g->count; s++) {
        int64_t count = search_results(g->search, s, best, results);
        for (int64_t i = 0; i < count; i++)
            take_result(g, (g->first + s) * best + i, &results[i]);
    }
    free(results);
}

static bool generate_sequences(Generation *g)
{
    choose_sequences(g);
    for (uint32_t a = 0; a < g->step.axis_count; a++)
        g->step.axes[a].lengths =
            ARENA_ARRAY(g->arena, int32_t, g->count * g->options->beams);
    g->search = search_new(g->options, g->count, g->vocabulary);
    bool ok = encode(g) && decode(g);
    if (ok)
        take_results(g);
    search_free(g->search);
    g->first += g->count;
    return ok;
}

/* Rows of max_length become rows of the longest sequence, filled up. */
static void finish(Generated *out, const GenerateOptions *options)
{
    for (int64_t h = 0; h < out->sequences * out->best; h++) {
        int32_t *to = out->ids + h * out->width;
        memmove(to, out->ids + h * options->max_length,
                (size_t)out->lengths[h] * sizeof *to);
        for (int64_t i = out->lengths[h]; i < out->width; i++)
            to[i] = options->pad;
    }
}

bool generate(Session *session, const Batch *batch, const GenerateOptions *options,
              Generated *out, Diags *diags)
{
    *out = (Generated){.sequences = batch->sequences,
                       .best = options->best ? options->best : 1};
    Generation g = {.session = session,
                    .batch = batch,
                    .options = options,
                    .out = out,
                    .arena = arena_new(),
                    .diags = diags};
    bool ok = prepare(&g);
    if (ok) {
        size_t count = (size_t)(batch->sequences * out->best);
        out->ids = heap_array(count * (size_t)options->max_length, sizeof *out->ids);
        out->lengths = heap_array(count, sizeof *out->lengths);
        out->scores = heap_array(count, sizeof *out->scores);
        out->sums = heap_array(count, sizeof *out->sums);
    }
    while (ok && g.first < batch->sequences)
        ok = generate_sequences(&g);
    if (ok)
        finish(out, options);
    else
        generated_free(out);
    for (uint32_t i = 0; i < g.carry_count; i++)
        free(g.carries[i].memory);
    layout_free(g.layout);
    arena_free(g.arena);
    return ok;
}

void generated_free(Generated *generated)
{
    free(generated->ids);
    free(generated->lengths);
    free(generated->scores);
    free(generated->sums);
    *generated = (Generated){0};
}
