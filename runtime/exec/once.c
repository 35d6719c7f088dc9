/* Values are numbered by what they are: equal text, equal number. Then calls are, by the
 * numbers of what they write. */
#include "runtime/exec/once.h"

#include <inttypes.h>
#include <stdlib.h>

#include "ir/base/heap.h"
#include "ir/base/list.h"
#include "ir/base/strings.h"
#include "ir/frozen.h"
#include "ir/liveness.h"
#include "ir/text.h"
#include "runtime/weights/store.h"

struct OnceMemory {
    void *pages;
    int64_t bytes;
};

/* A call that is the first of its kind. */
typedef struct Maker {
    OnceCall call;
    uint32_t level; /* one more than of what it reads; of those that read none, 0 */
    uint32_t first_memory; /* of what it writes, in the order of its operands */
} Maker;

typedef struct OnceBuilder {
    Once *once;
    const Graph *graph; /* at hand */
    uint32_t graph_index;
    const Program *program;
    Strings *values, *written; /* what has numbers: values, and what makers write */
    uint32_t *number;          /* by node id of the graph at hand */
    uint32_t *maker_of;        /* by node id of the graph at hand: 1 + its maker, or 0 */
    Maker *makers;             /* by number in `written` */
    size_t maker_capacity;
    uint32_t levels;
    size_t memory_capacity;
} OnceBuilder;

/* -- numbers ------------------------------------------------------------------------- */

static uint32_t add_text(Strings *strings, FILE *out, char **text, const size_t *len)
{
    fclose(out);
    uint32_t number = strings_add(strings, *text, *len);
    free(*text);
    return number;
}

/* Views and step nodes alike; `number` of the operands is known. */
static uint32_t number_value(OnceBuilder *b, const Node *node)
{
    char *text, type[96];
    size_t len;
    FILE *out = heap_stream(&text, &len);
    fputs(op_info(node->op)->name, out);
    attributes_print(b->graph, node, out);
    type_print(b->graph, node->type, type, sizeof type);
    fprintf(out, " : %s of", type);
    for (uint32_t i = 0; i < node->arg_count; i++)
        fprintf(out, " %" PRIu32, b->number[node->args[i]->id]);
    return add_text(b->values, out, &text, &len);
}

static void number_values(OnceBuilder *b, Arena *arena)
{
    const bool *frozen = frozen_nodes(b->graph, arena);
    for (uint32_t i = 0; i < b->graph->node_count; i++) {
        const Node *node = b->graph->nodes[i];
        if (frozen[i] || node->op == OP_weight || node->op == OP_constant)
            b->number[i] = number_value(b, node);
    }
}

static uint32_t number_written(OnceBuilder *b, const Call *call)
{
    char *text;
    size_t len;
    FILE *out = heap_stream(&text, &len);
    for (uint32_t i = 0; i < call->operand_count; i++)
        if (call->operands[i].written)
            fprintf(out, " %" PRIu32, b->number[call->operands[i].node->id]);
    return add_text(b->written, out, &text, &len);
}

/* -- memory -------------------------------------------------------------------------- */

static void add_memory(OnceBuilder *b, const Operand *operand)
{
    Once *once = b->once;
    bool is_packed = operand->node->type.dtype == DTYPE_packed;
    int64_t bytes = is_packed ? operand->bytes : node_bytes(b->graph, operand->node);
    ARENA_LIST_ROOM(once->arena, once->memory, (size_t)once->memory_count + 1,
                    b->memory_capacity);
    once->memory[once->memory_count++] = (struct OnceMemory){pages_new(bytes), bytes};
    once->bytes += bytes;
}

static void add_maker(OnceBuilder *b, uint32_t call_index)
{
    const Call *call = &b->program->calls[call_index];
    Maker maker = {.call = {.graph = b->graph_index, .call = call_index},
                   .first_memory = b->once->memory_count};
    for (uint32_t i = 0; i < call->operand_count; i++) {
        uint32_t read = b->maker_of[call->operands[i].node->id];
        if (call->operands[i].written)
            add_memory(b, &call->operands[i]);
        else if (read && maker.level <= b->makers[read - 1].level)
            maker.level = b->makers[read - 1].level + 1;
    }
    if (b->levels <= maker.level)
        b->levels = maker.level + 1;
    LIST_ROOM(b->makers, (size_t)b->once->call_count + 1, b->maker_capacity);
    b->makers[b->once->call_count++] = maker;
}

/* Finds what makes the call's values, and where. */
static void add_call(OnceBuilder *b, uint32_t call_index)
{
    const Call *call = &b->program->calls[call_index];
    uint32_t maker = number_written(b, call);
    if (maker == b->once->call_count)
        add_maker(b, call_index);
    uint32_t memory = b->makers[maker].first_memory;
    for (uint32_t i = 0; i < call->operand_count; i++) {
        uint32_t id = call->operands[i].node->id;
        if (!call->operands[i].written)
            continue;
        b->maker_of[id] = maker + 1;
        b->once->values[b->graph_index][id] = b->once->memory[memory++].pages;
    }
}

static void add_graph(OnceBuilder *b, uint32_t g, const Graph *graph,
                      const Program *program)
{
    Arena *arena = arena_new();
    b->graph = graph;
    b->graph_index = g;
    b->program = program;
    b->number = ARENA_ARRAY(arena, uint32_t, graph->node_count + 1);
    b->maker_of = ARENA_ARRAY(arena, uint32_t, graph->node_count + 1);
    b->once->values[g] = ARENA_ARRAY(b->once->arena, void *, graph->node_count + 1);
    number_values(b, arena);
    for (uint32_t c = 0; c < program->call_count; c++)
        if (program->calls[c].is_once)
            add_call(b, c);
    arena_free(arena);
}

/* -- the order ----------------------------------------------------------------------- */

/* By level: calls of one level do not read what others of it write. */
static void order_calls(const OnceBuilder *b)
{
    Once *once = b->once;
    once->calls = ARENA_ARRAY(once->arena, OnceCall, once->call_count + 1);
    uint32_t count = 0;
    for (uint32_t level = 0; level < b->levels; level++) {
        uint32_t before = count;
        for (uint32_t i = 0; i < once->call_count; i++) {
            if (b->makers[i].level != level)
                continue;
            once->calls[count] = b->makers[i].call;
            once->calls[count++].wait = before;
        }
    }
}

Once *once_new(const Module *module, Program *const *programs)
{
    Arena *arena = arena_new();
    Once *once = arena_alloc(arena, sizeof *once);
    once->arena = arena;
    once->values = ARENA_ARRAY(arena, void **, module->graph_count + 1);
    OnceBuilder b = {.once = once, .values = strings_new(), .written = strings_new()};
    for (uint32_t g = 0; g < module->graph_count; g++)
        add_graph(&b, g, module->graphs[g], programs[g]);
    order_calls(&b);
    strings_free(b.values);
    strings_free(b.written);
    free(b.makers);
    return once;
}

void once_free(Once *once)
{
    if (!once)
        return;
    for (uint32_t i = 0; i < once->memory_count; i++)
        pages_free(once->memory[i].pages, once->memory[i].bytes);
    arena_free(once->arena);
}
