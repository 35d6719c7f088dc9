/* Runs the two graphs of generation, and carries kept values and caches from step to
 * step.
 *
 * Inputs of the decode graph are told apart by name: one that is a result of the encode
 * graph is kept; one that is a result of the decode graph is a cache, and that result is
 * its next value; the one that is left is the last token of each hypothesis. Axes follow
 * from that. */
#include "runtime/exec/generate.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "ir/base/heap.h"
#include "runtime/exec/fault.h"
#include "runtime/exec/search.h"

static const int64_t DEFAULT_MEMORY = INT64_C(512) << 20;

typedef enum CarryKind { CARRY_kept, CARRY_cache, CARRY_token } CarryKind;

/* An input of the decode graph. */
typedef struct Carry {
    const Node *input;
    CarryKind kind;
    const char *name;
    int64_t row_bytes;
    /* kept: [sequences + 1] rows of the encode graph's result, or NULL */
    const int64_t *starts;
    int64_t room; /* bytes of the field's rows */
} Carry;

typedef struct Generation {
    Session *session;
    const Batch *batch;
    const GenerateOptions *options;
    const Graph *encode, *decode; /* encode may be NULL: nothing is kept */
    int64_t vocabulary;
    Carry *carries;
    uint32_t carry_count;
    Batch step;      /* what the decode graph reads; fields are in the order of carries */
    CarryKind *axes; /* by axis of `step`: whose length it is */
    uint32_t *axis_of;    /* by axis of `step`: a kept carry on it */
    BatchLayout *layout;  /* of the batch in the encode graph */
    int64_t first, count; /* sequences at hand */
    Search *search;
    Generated *out;
    Arena *arena;
    Diags *diags;
} Generation;

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
    g->step.task = g->batch->task;
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
    int64_t bytes = 0;
    for (uint32_t i = 0; i < g->carry_count; i++) {
        const Carry *carry = &g->carries[i];
        int64_t rows = 2 * g->options->max_length;
        if (carry->kind == CARRY_kept) {
            const Output *kept = graph_find_output(g->encode, OUTPUT_result, carry->name);
            const int64_t *starts = g->layout->starts[kept->value->type.axis];
            rows = starts[sequence + 1] - starts[sequence];
        }
        bytes += rows * carry->row_bytes;
    }
    return g->options->beams * (bytes + g->vocabulary * (int64_t)sizeof(float));
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

/* -- fields ------------------------------------------------------------------------ */

static char *make_room(Generation *g, uint32_t index, int64_t rows)
{
    Carry *carry = &g->carries[index];
    BatchField *field = &g->step.fields[index];
    int64_t bytes = (rows + 1) * carry->row_bytes;
    if (bytes > carry->room) {
        field->rows = heap_grow(field->rows, (size_t)bytes, 1);
        carry->room = bytes;
    }
    return field->rows;
}

static int64_t kept_rows(const Carry *carry, int64_t sequence)
{
    return carry->starts[sequence + 1] - carry->starts[sequence];
}

/* Every beam of a sequence reads the same kept rows. */
static void keep(Generation *g, const EvalResult *encoded)
{
    for (uint32_t i = 0; i < g->carry_count; i++) {
        Carry *carry = &g->carries[i];
        if (carry->kind != CARRY_kept)
            continue;
        const NamedResult *result = eval_find(encoded, carry->name);
        int64_t count = g->count + 1;
        int64_t *starts = ARENA_ARRAY(g->arena, int64_t, count);
        memcpy(starts, result->starts, (size_t)count * sizeof *starts);
        carry->starts = starts;
        char *to = make_room(g, i, result->rows * g->options->beams);
        for (int64_t s = 0; s < g->count; s++)
            for (int64_t b = 0; b < g->options->beams; b++) {
                int64_t bytes = kept_rows(carry, s) * carry->row_bytes;
                memcpy(to, (char *)result->data + starts[s] * carry->row_bytes,
                       (size_t)bytes);
                to += bytes;
            }
    }
}

/* Closes the gaps of sequences that are done: `before` are those that had rows. */
static void compact_kept(Generation *g, uint32_t index, const int64_t *before,
                         int64_t count)
{
    const Carry *carry = &g->carries[index];
    char *to = g->step.fields[index].rows, *from = to;
    int64_t row = 0, rows = search_rows(g->search), beams = g->options->beams;
    for (int64_t i = 0; i < count; i++) {
        int64_t bytes = kept_rows(carry, before[i]) * carry->row_bytes * beams;
        if (row < rows && search_sequence(g->search, row) == before[i]) {
            memmove(to, from, (size_t)bytes);
            to += bytes;
            row += beams;
        }
        from += bytes;
    }
}

/* A hypothesis takes over the rows of the one that it goes on from. */
static void take_cache(Generation *g, uint32_t index, const NamedResult *grown)
{
    int64_t rows = search_rows(g->search);
    int64_t bytes = (search_length(g->search) - 1) * g->carries[index].row_bytes;
    char *to = make_room(g, index, rows * (search_length(g->search) - 1));
    for (int64_t row = 0; row < rows; row++)
        memcpy(to + row * bytes,
               (char *)grown->data + search_parent(g->search, row) * bytes,
               (size_t)bytes);
}

static void take_tokens(Generation *g, uint32_t index)
{
    int64_t rows = search_rows(g->search);
    int32_t *to = (void *)make_room(g, index, rows);
    for (int64_t row = 0; row < rows; row++)
        to[row] = search_last(g->search, row);
}

/* The batch of the next step; `decoded` is NULL before the first. */
static void next_fields(Generation *g, const EvalResult *decoded, const int64_t *before,
                        int64_t count)
{
    for (uint32_t i = 0; i < g->carry_count; i++) {
        if (g->carries[i].kind == CARRY_token)
            take_tokens(g, i);
        else if (!decoded && g->carries[i].kind == CARRY_cache)
            make_room(g, i, 0);
        else if (decoded && g->carries[i].kind == CARRY_cache)
            take_cache(g, i, eval_find(decoded, g->carries[i].name));
        else if (decoded)
            compact_kept(g, i, before, count);
    }
    g->step.sequences = search_rows(g->search);
    for (uint32_t a = 0; a < g->step.axis_count; a++)
        for (int64_t row = 0; row < g->step.sequences; row++)
            g->step.axes[a].lengths[row] =
                g->axes[a] == CARRY_token ? 1
                : g->axes[a] == CARRY_cache
                    ? (int32_t)(search_length(g->search) - 1)
                    : (int32_t)kept_rows(&g->carries[g->axis_of[a]],
                                         search_sequence(g->search, row));
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
        keep(g, &encoded);
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
    next_fields(g, NULL, before, 0);
    while (ok && search_rows(g->search) > 0) {
        EvalResult decoded;
        int64_t count = 0;
        for (int64_t row = 0; row < search_rows(g->search); row += g->options->beams)
            before[count++] = search_sequence(g->search, row);
        if (!session_run(g->session, g->decode->name, &g->step, &decoded, g->diags))
            return false;
        ok = search_step(g->search, eval_find(&decoded, "logits")->data, g->diags);
        if (!ok)
            note_fault(g);
        else
            next_fields(g, &decoded, before, count);
    }
    return ok;
}

static void take_results(Generation *g)
{
    Generated *out = g->out;
    for (int64_t s = 0; s < g->count; s++) {
        const int32_t *ids;
        int64_t at = g->first + s;
        out->lengths[at] = search_result(g->search, s, &ids, &out->scores[at]);
        memcpy(out->ids + at * g->options->max_length, ids,
               (size_t)out->lengths[at] * sizeof *ids);
        if (out->lengths[at] > out->width)
            out->width = out->lengths[at];
    }
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
    for (int64_t s = 0; s < out->sequences; s++) {
        int32_t *to = out->ids + s * out->width;
        memmove(to, out->ids + s * options->max_length,
                (size_t)out->lengths[s] * sizeof *to);
        for (int64_t i = out->lengths[s]; i < out->width; i++)
            to[i] = options->pad;
    }
}

bool generate(Session *session, const Batch *batch, const GenerateOptions *options,
              Generated *out, Diags *diags)
{
    *out = (Generated){.sequences = batch->sequences};
    Generation g = {.session = session,
                    .batch = batch,
                    .options = options,
                    .out = out,
                    .arena = arena_new(),
                    .diags = diags};
    bool ok = prepare(&g);
    if (ok) {
        size_t count = (size_t)batch->sequences;
        out->ids = heap_array(count * (size_t)options->max_length, sizeof *out->ids);
        out->lengths = heap_array(count, sizeof *out->lengths);
        out->scores = heap_array(count, sizeof *out->scores);
    }
    while (ok && g.first < batch->sequences)
        ok = generate_sequences(&g);
    if (ok)
        finish(out, options);
    else
        generated_free(out);
    for (uint32_t i = 0; i < g.step.field_count; i++)
        free(g.step.fields[i].rows);
    layout_free(g.layout);
    arena_free(g.arena);
    return ok;
}

void generated_free(Generated *generated)
{
    free(generated->ids);
    free(generated->lengths);
    free(generated->scores);
    *generated = (Generated){0};
}
