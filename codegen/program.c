/* Steps of a fused graph become calls of kernels, found by what they compute. */
#include <string.h>

#include "codegen/kernel.h"
#include "ir/lowering.h"
#include "ir/step_rules.h"
#include "ir/text.h"

const KernelClass *kernel_class_of(KernelKind kind)
{
    switch (kind) {
    case KERNEL_rows:
        return &kernel_rows;
    case KERNEL_matmul:
        return &kernel_matmul;
    case KERNEL_pack:
        return &kernel_pack;
    case KERNEL_move:
        return &kernel_move;
    case KERNEL_attention:
        return &kernel_attention;
    case KERNEL_vocab:
        return &kernel_vocab;
    case KERNEL_none:
    case KERNEL_COUNT:
        break;
    }
    return NULL;
}

typedef struct Builder {
    const Graph *graph;
    KernelTable *table;
    Arena *arena; /* the table's: lives as long as the program */
    Liveness live;
    bool *escapes;        /* by node id */
    const bool *in_place; /* by node id */
    Program *program;
    Kernel **kernels;
    Diags *diags;
} Builder;

/* A value leaves its step if another step reads it, directly or through views, or if it
 * is an output. */
static void find_escapes(Builder *b)
{
    const Graph *graph = b->graph;
    b->escapes = ARENA_ARRAY(b->arena, bool, graph->node_count + 1);
    for (uint32_t i = 0; i < graph->node_count; i++) {
        const Node *user = graph->nodes[i];
        for (uint32_t j = 0; j < user->arg_count; j++) {
            const Node *value = storage_node(user->args[j]);
            if (b->live.step_of[user->id] >= 0 &&
                b->live.step_of[value->id] != b->live.step_of[user->id])
                b->escapes[value->id] = true;
        }
    }
    for (uint32_t i = 0; i < graph->output_count; i++)
        b->escapes[storage_node(graph->outputs[i].value)->id] = true;
}

static const char *call_label(Builder *b, const char *what, const Node *const *nodes,
                              uint32_t count)
{
    char type[96];
    type_print(b->graph, nodes[count - 1]->type, type, sizeof type);
    return arena_format(b->arena, "%s %u %s %s", what, count, count == 1 ? "op" : "ops",
                        type);
}

static void build_kernel(Builder *b, Call *call, Kernel **out_kernel,
                         const Node *const *nodes, uint32_t count)
{
    const KernelClass *kernel_class = kernel_class_of(node_kernel(nodes[0]));
    KernelStep step = {.graph = b->graph,
                       .processor = b->table->processor,
                       .nodes = nodes,
                       .node_count = count,
                       .escapes = b->escapes,
                       .in_place = b->in_place};
    kernel_class->operands(&step, b->arena);
    *out_kernel = kernel_table_add(b->table, kernel_class, &step);
    call->operands = step.operands;
    call->operand_count = step.operand_count;
    call->axes = step.axes;
    call->axis_count = step.axis_count;
    call->numbers = step.numbers;
    call->label = call_label(b, kernel_class->name, nodes, count);
    if (b->program->scratch_bytes < step.scratch_bytes)
        b->program->scratch_bytes = step.scratch_bytes;
}

static bool build_call(Builder *b, Call *call, Kernel **out_kernel,
                       const Node *const *nodes, uint32_t count)
{
    const Node *node;
    const char *reason = step_refuse(nodes, count, b->in_place, &node);
    if (reason)
        diag_error(b->diags, node->loc, "no kernel runs this group of operations: %s",
                   reason);
    else
        build_kernel(b, call, out_kernel, nodes, count);
    return !reason;
}

/* The nodes of step `index`, without the sources and views that stand among them. */
static const Node **step_nodes(Builder *b, uint32_t index, const uint32_t *counts,
                               uint32_t *cursor)
{
    const Node **nodes = ARENA_ARRAY(b->arena, const Node *, counts[index] + 1);
    uint32_t count = 0;
    while (count < counts[index]) {
        const Node *node = b->graph->nodes[(*cursor)++];
        if (b->live.step_of[node->id] == (int32_t)index)
            nodes[count++] = node;
    }
    return nodes;
}

bool program_build(const Graph *graph, KernelTable *table, Program *out_program,
                   Kernel ***out_kernels, Diags *diags)
{
    Builder b = {.graph = graph,
                 .table = table,
                 .arena = table->arena,
                 .program = out_program,
                 .diags = diags};
    b.live = liveness_of(graph, b.arena);
    find_escapes(&b);
    b.in_place = values_in_place(graph, b.arena);
    uint32_t step_count = b.live.step_count;
    uint32_t *counts = ARENA_ARRAY(b.arena, uint32_t, step_count + 1);
    for (uint32_t i = 0; i < graph->node_count; i++)
        if (b.live.step_of[graph->nodes[i]->id] >= 0)
            counts[b.live.step_of[graph->nodes[i]->id]]++;
    out_program->graph = graph;
    out_program->calls = ARENA_ARRAY(b.arena, Call, step_count + 1);
    out_program->call_count = step_count;
    b.kernels = ARENA_ARRAY(b.arena, Kernel *, step_count + 1);
    bool ok = true;
    uint32_t cursor = 0;
    for (uint32_t i = 0; i < step_count; i++) {
        const Node **nodes = step_nodes(&b, i, counts, &cursor);
        Call *call = &out_program->calls[i];
        call->node = nodes[counts[i] - 1];
        call->step = i;
        call->is_once = b.live.is_once[i];
        ok = build_call(&b, call, &b.kernels[i], nodes, counts[i]) && ok;
    }
    *out_kernels = b.kernels;
    return ok;
}
