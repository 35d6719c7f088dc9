/* Binds a program to one lane and runs it, call by call. */
#include "runtime/exec/exec.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ir/liveness.h"
#include "ir/lowering.h"
#include "runtime/exec/floats.h"
#include "runtime/exec/parts.h"
#include "runtime/lanes/spin.h"

/* An operand whose pointer changes with every micro-batch. */
typedef struct Patch {
    uint32_t pointer; /* index in Exec.pointers */
    uint32_t node;    /* id of the input */
} Patch;

struct Exec {
    const Program *program;
    const Graph *graph;
    Arena *arena;
    AxisTables *tables;
    Accumulator *accumulators;
    void **values;         /* by node id: storage, NULL if inside a kernel */
    void **pointers;       /* of all calls, end to end */
    uint32_t *first;       /* by call: its first operand in `pointers` */
    const AxisView **axes; /* of all calls, end to end */
    uint32_t *first_axis;
    Patch *patches;
    uint32_t patch_count;
    /* outputs to accumulate, in the order of the calls that make them */
    uint32_t *accumulated;
    /* [calls + 2] by call; entry `calls`: outputs no call makes */
    uint32_t *accumulated_first;
    const BatchLayout *layout;
    int64_t microbatch;
    Parts *parts;         /* decode graphs; else NULL */
    LaneTrace *trace;     /* or NULL */
    uint32_t trace_graph; /* what it calls this graph */
};

/* By node id: the assignment of the value that is stored there, or NULL. */
static const Output **find_assignments(const Graph *graph, Arena *arena)
{
    const Output **found = ARENA_ARRAY(arena, const Output *, graph->node_count + 1);
    for (uint32_t i = graph->output_count; i-- > 0;)
        if (graph->outputs[i].role == OUTPUT_assign)
            found[storage_node(graph->outputs[i].value)->id] = &graph->outputs[i];
    return found;
}

/* -- pointers ----------------------------------------------------------------------- */

static StoreEntry *entry_for(Store *store, const Node *node, const char *name,
                             Diags *diags)
{
    StoreEntry *entry = store_find(store, name);
    if (!entry)
        diag_error(diags, node->loc, "'%s' is not in the store", name);
    return entry;
}

typedef void *SourceValue(const Exec *exec, const ExecOptions *options, const Node *node,
                          Diags *diags);

static void *value_of_input(const Exec *exec, const ExecOptions *options,
                            const Node *node, Diags *diags)
{
    (void)exec;
    if (type_is_ragged(node->type))
        return NULL; /* bound per micro-batch */
    if (strcmp(node->attr.named.name, "lr") == 0)
        return (void *)(uintptr_t)options->lr;
    diag_error(diags, node->loc, "input '%s' is not a number of the step",
               node->attr.named.name);
    return NULL;
}

static void *value_of_constant(const Exec *exec, const ExecOptions *options,
                               const Node *node, Diags *diags)
{
    (void)options, (void)diags;
    float *number = arena_alloc(exec->arena, 64);
    *number = (float)node->attr.constant.value;
    return number;
}

static void *value_of_gradient(const Exec *exec, const ExecOptions *options,
                               const Node *node, Diags *diags)
{
    (void)exec;
    StoreEntry *entry = entry_for(options->store, node, node->attr.named.name, diags);
    if (entry && !entry->gradient)
        diag_error(diags, node->loc, "'%s' has no gradient: it is not trained",
                   node->attr.named.name);
    return entry ? entry->gradient : NULL;
}

static void *value_in_store(const Exec *exec, const ExecOptions *options,
                            const Node *node, Diags *diags)
{
    (void)exec;
    StoreEntry *entry = entry_for(options->store, node, node->attr.named.name, diags);
    return entry ? entry->data : NULL;
}

#define value_of_param value_in_store
#define value_of_weight value_in_store
#define value_of_state value_in_store
static SourceValue *const source_values[OP_COUNT] = {
#define CLASS_source(name) [OP_##name] = value_of_##name,
#include "ir/class_ops.def"
};

/* A computed value: in the slab, in memory that outlasts micro-batches, or written
 * straight to the variable it is assigned to. */
static void *computed_value(const ExecOptions *options, const Node *node,
                            const Output *assign, Diags *diags)
{
    if (node->offset != NO_OFFSET)
        return options->slab + node->offset;
    if (options->once[node->id])
        return options->once[node->id];
    if (!assign)
        return NULL;
    StoreEntry *entry = entry_for(options->store, node, assign->name, diags);
    if (entry && entry->mapped) {
        diag_error(diags, assign->loc, "'%s' is assigned but frozen", assign->name);
        return NULL;
    }
    return entry ? entry->data : NULL;
}

static void resolve_values(Exec *exec, const ExecOptions *options, Diags *diags)
{
    const Graph *graph = exec->graph;
    Arena *arena = arena_new();
    const Output **assignments = find_assignments(graph, arena);
    for (uint32_t i = 0; i < graph->node_count; i++) {
        const Node *node = graph->nodes[i];
        if (node_is_source(node))
            exec->values[i] = source_values[node->op](exec, options, node, diags);
        else if (node_is_view(node))
            exec->values[i] = exec->values[storage_node(node)->id];
        else
            exec->values[i] = computed_value(options, node, assignments[i], diags);
    }
    arena_free(arena);
}

static void resolve_calls(Exec *exec, Diags *diags)
{
    const Program *program = exec->program;
    uint32_t operands = 0, axes = 0;
    for (uint32_t c = 0; c < program->call_count; c++) {
        operands += program->calls[c].operand_count;
        axes += program->calls[c].axis_count;
    }
    exec->pointers = ARENA_ARRAY(exec->arena, void *, operands);
    exec->patches = ARENA_ARRAY(exec->arena, Patch, operands);
    exec->axes = ARENA_ARRAY(exec->arena, const AxisView *, axes);
    operands = axes = 0;
    for (uint32_t c = 0; c < program->call_count; c++) {
        const Call *call = &program->calls[c];
        exec->first[c] = operands;
        exec->first_axis[c] = axes;
        for (uint32_t i = 0; i < call->operand_count; i++, operands++) {
            const Node *node = storage_node(call->operands[i].node);
            exec->pointers[operands] = exec->values[node->id];
            if (node_is_field(node))
                exec->patches[exec->patch_count++] = (Patch){operands, node->id};
            else if (!exec->values[node->id])
                diag_error(diags, node->loc, "%s: operand %u (%s) has no storage",
                           call->label, i, op_info(node->op)->name);
        }
        for (uint32_t i = 0; i < call->axis_count; i++)
            exec->axes[axes++] =
                exec->parts ? parts_view(exec->parts, c, call->axes[i], exec->tables)
                            : &exec->tables->views[call->axes[i]];
    }
}

/* -- outputs ------------------------------------------------------------------------ */

/* The last call of the step that makes an output, or call_count for one no call makes. */
static uint32_t *making_calls(Exec *exec)
{
    const Program *program = exec->program;
    Liveness liveness = liveness_of(exec->graph, exec->arena);
    uint32_t *last_of_step = ARENA_ARRAY(exec->arena, uint32_t, liveness.step_count + 1);
    for (uint32_t c = 0; c < program->call_count; c++)
        last_of_step[program->calls[c].step] = c;
    uint32_t *making = ARENA_ARRAY(exec->arena, uint32_t, exec->graph->output_count);
    for (uint32_t i = 0; i < exec->graph->output_count; i++) {
        int32_t step = liveness.step_of[storage_node(exec->graph->outputs[i].value)->id];
        making[i] = step < 0 ? program->call_count : last_of_step[step];
    }
    return making;
}

static bool is_folded_at_once(const Output *output)
{
    return output->role == OUTPUT_gradient || output->role == OUTPUT_loss;
}

static void order_folds(Exec *exec)
{
    const Graph *graph = exec->graph;
    uint32_t calls = exec->program->call_count, count = 0;
    const uint32_t *making = making_calls(exec);
    exec->accumulated = ARENA_ARRAY(exec->arena, uint32_t, graph->output_count);
    exec->accumulated_first = ARENA_ARRAY(exec->arena, uint32_t, calls + 2);
    uint32_t *end = ARENA_ARRAY(exec->arena, uint32_t, calls + 2);
    for (uint32_t i = 0; i < graph->output_count; i++)
        if (is_folded_at_once(&graph->outputs[i]))
            end[making[i] + 1]++;
    for (uint32_t c = 0; c <= calls; c++) {
        exec->accumulated_first[c] = count;
        count += end[c + 1];
        end[c + 1] = exec->accumulated_first[c];
    }
    exec->accumulated_first[calls + 1] = count;
    for (uint32_t i = 0; i < graph->output_count; i++)
        if (is_folded_at_once(&graph->outputs[i]))
            exec->accumulated[end[making[i] + 1]++] = i;
}

Exec *exec_new(const ExecOptions *options, Diags *diags)
{
    uint32_t errors = diags_error_count(diags);
    const Program *program = options->program;
    Arena *arena = arena_new();
    Exec *exec = arena_alloc(arena, sizeof *exec);
    exec->program = program;
    exec->graph = program->graph;
    exec->arena = arena;
    exec->tables = options->tables;
    exec->accumulators = options->accumulators;
    exec->values = ARENA_ARRAY(arena, void *, program->graph->node_count);
    exec->first = ARENA_ARRAY(arena, uint32_t, program->call_count);
    exec->first_axis = ARENA_ARRAY(arena, uint32_t, program->call_count);
    if (exec->graph->kind == GRAPH_decode)
        exec->parts = parts_new(program, options->meetings, arena);
    resolve_values(exec, options, diags);
    resolve_calls(exec, diags);
    order_folds(exec);
    if (diags_error_count(diags) == errors)
        return exec;
    exec_free(exec);
    return NULL;
}

void exec_free(Exec *exec)
{
    if (!exec)
        return;
    parts_free(exec->parts);
    arena_free(exec->arena);
}

/* -- running ------------------------------------------------------------------------ */

static void bind(Exec *exec, const BatchLayout *layout, int64_t index,
                 LaneContext *context)
{
    SequenceRange range = layout->ranges[index];
    exec->layout = layout;
    exec->microbatch = index;
    context->sequences = range.count;
    axis_tables_set(exec->tables, layout, range);
    for (uint32_t i = 0; i < layout->input_count; i++) {
        const LayoutInput *input = &layout->inputs[i];
        int64_t row = layout->starts[input->node->type.axis][range.first];
        exec->values[input->node->id] =
            (char *)input->field->rows + row * type_row_bytes(input->node->type);
    }
    for (uint32_t i = 0; i < exec->patch_count; i++)
        exec->pointers[exec->patches[i].pointer] = exec->values[exec->patches[i].node];
}

void exec_bind_lane(Exec *exec, const BatchLayout *layout, int64_t index, uint32_t lane,
                    uint32_t lanes, LaneContext *context)
{
    bind(exec, layout, index, context);
    parts_bind(exec->parts, layout, index, lane, lanes, context);
    parts_place(exec->parts, exec->values, exec->first, exec->pointers);
}

void exec_bind(Exec *exec, const BatchLayout *layout, int64_t index, LaneContext *context)
{
    if (exec->parts)
        exec_bind_lane(exec, layout, index, 0, 1, context);
    else
        bind(exec, layout, index, context);
}

void exec_call(Exec *exec, uint32_t index, const LaneContext *context)
{
    const Call *call = &exec->program->calls[index];
    void *const *operands = exec->pointers + exec->first[index];
    if (exec->parts && !call->is_once)
        context = &exec->parts->contexts[exec->parts->reach[index]];
    call->kernel(operands, exec->axes + exec->first_axis[index], context, call->numbers);
}

void exec_set_trace(Exec *exec, LaneTrace *trace, uint32_t graph)
{
    exec->trace = trace;
    exec->trace_graph = graph;
}

static void note(const Exec *exec, TraceKind kind, uint32_t index, int64_t bytes,
                 double begun)
{
    lane_trace_end(exec->trace, (TraceEvent){.kind = kind,
                                             .graph = exec->trace_graph,
                                             .index = index,
                                             .microbatch = exec->microbatch,
                                             .bytes = bytes,
                                             .begun = begun});
}

/* In its turn. */
static void add_to_sum(Accumulator *into, const float *value, int64_t microbatch)
{
    if (into->total)
        *into->total = microbatch == 0 ? (double)*value : *into->total + (double)*value;
    else if (microbatch == 0)
        memcpy(into->sum, value, (size_t)into->elements * sizeof *value);
    else
        floats_add(into->sum, value, into->elements);
    atomic_store_explicit(&into->turn, microbatch + 1, memory_order_release);
}

/* The first value is copied to its sum; of later ones both are read. */
static int64_t accumulated_bytes(const Accumulator *into, int64_t microbatch)
{
    int64_t elements = into->total ? 1 : into->elements;
    return elements * (int64_t)sizeof(float) * (microbatch == 0 ? 2 : 3);
}

static void accumulate(const Exec *exec, uint32_t output)
{
    Accumulator *into = &exec->accumulators[output];
    const float *value = exec_value(exec, exec->graph->outputs[output].value);
    double begun = lane_trace_begin(exec->trace);
    spin_until(&into->turn, exec->microbatch);
    note(exec, TRACE_wait, output, 0, begun);
    begun = lane_trace_begin(exec->trace);
    add_to_sum(into, value, exec->microbatch);
    note(exec, TRACE_accumulate, output, accumulated_bytes(into, exec->microbatch),
         begun);
}

static void accumulate_call(const Exec *exec, uint32_t call)
{
    if (!parts_is_first(exec->parts))
        return;
    for (uint32_t i = exec->accumulated_first[call];
         i < exec->accumulated_first[call + 1]; i++)
        accumulate(exec, exec->accumulated[i]);
}

static void copy_rows(const Exec *exec, const Accumulator *into, const char *value)
{
    SequenceRange range = exec->layout->ranges[exec->microbatch];
    const int64_t *starts = exec->layout->starts[into->axis];
    int64_t first = starts[range.first];
    if (exec->parts)
        range = exec->parts->range;
    int64_t row = starts[range.first], end = starts[range.first + range.count];
    memcpy(into->rows + row * into->row_bytes, value + (row - first) * into->row_bytes,
           (size_t)((end - row) * into->row_bytes));
}

static void copy_results(Exec *exec)
{
    const Graph *graph = exec->graph;
    for (uint32_t i = 0; i < graph->output_count; i++) {
        Accumulator *into = &exec->accumulators[i];
        const void *value = exec_value(exec, graph->outputs[i].value);
        if (graph->outputs[i].role != OUTPUT_result || (!into->rows && !into->sum))
            continue;
        if (into->rows)
            copy_rows(exec, into, value);
        else if (parts_is_first(exec->parts))
            accumulate(exec, i);
    }
}

/* The first value that the call has written and that is not finite, or NULL. */
static const Node *bad_value(const Exec *exec, uint32_t index)
{
    const Call *call = &exec->program->calls[index];
    for (uint32_t i = 0; i < call->operand_count; i++) {
        Type type = call->operands[i].node->type;
        int64_t count = value_rows(type, exec->tables->views) * type_width(type);
        if (call->operands[i].written && type.dtype == DTYPE_f32 &&
            !floats_are_finite(exec->pointers[exec->first[index] + i], count))
            return call->operands[i].node;
    }
    return NULL;
}

/* Computes the logits again that a vocab_argmax has chosen. */
static bool logits_are_finite(const Exec *exec, const Node *argmax)
{
    const float *x = exec_value(exec, argmax->args[0]);
    const float *table = exec_value(exec, unpacked_node(argmax->args[1]));
    const float *bias = argmax->arg_count > 2 ? exec_value(exec, argmax->args[2]) : NULL;
    const int32_t *chosen = exec_value(exec, argmax);
    int64_t width = type_width(argmax->args[0]->type);
    bool ok = true;
    for (int64_t row = 0; row < value_rows(argmax->type, exec->tables->views); row++) {
        const float *words = table + chosen[row] * width;
        float logit = bias ? bias[chosen[row]] : 0;
        for (int64_t i = 0; i < width; i++)
            logit += x[row * width + i] * words[i];
        ok &= isfinite(logit) != 0;
    }
    return ok;
}

/* The first choice of the call whose logit is not finite, or NULL. */
static const Node *bad_choice(const Exec *exec, uint32_t index)
{
    const Call *call = &exec->program->calls[index];
    for (uint32_t i = 0; i < call->operand_count; i++)
        if (call->operands[i].written && call->operands[i].node->op == OP_vocab_argmax &&
            !logits_are_finite(exec, call->operands[i].node))
            return call->operands[i].node;
    return NULL;
}

static void run_call(Exec *exec, uint32_t index, const LaneContext *context)
{
    double begun = lane_trace_begin(exec->trace);
    exec_call(exec, index, context);
    note(exec, TRACE_call, index, 0, begun);
}

bool exec_microbatch(Exec *exec, const LaneContext *context, ExecFault *out_fault)
{
    uint32_t calls = exec->program->call_count;
    bool ok = true;
    if (out_fault)
        *out_fault = (ExecFault){0};
    for (uint32_t c = 0; c < calls; c++) {
        parts_meet(exec->parts);
        if (!parts_does(exec->parts, c))
            continue;
        if (!exec->program->calls[c].is_once)
            run_call(exec, c, context);
        const Node *bad = bad_choice(exec, c);
        ok &= !bad;
        if (out_fault && !out_fault->value)
            *out_fault = (ExecFault){c, bad ? bad : bad_value(exec, c)};
        accumulate_call(exec, c);
    }
    parts_meet(exec->parts);
    accumulate_call(exec, calls);
    copy_results(exec);
    return ok;
}

void *exec_value(const Exec *exec, const Node *node)
{
    return exec->values[storage_node(node)->id];
}

const Program *exec_program(const Exec *exec)
{
    return exec->program;
}

void *exec_operand(const Exec *exec, uint32_t call, uint32_t index)
{
    return exec->pointers[exec->first[call] + index];
}
