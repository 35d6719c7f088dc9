/* Levels of independent calls, found from the memory ranges that calls read and write. */
#include "runtime/exec/update_order.h"

#include <stdlib.h>
#include <string.h>

#include "ir/liveness.h"

/* All ranges' ends cut memory into segments; per segment, the last level that touched
 * it. */
typedef struct Segments {
    uintptr_t *bounds;
    uint32_t count;
    uint32_t *written, *read; /* by segment: level, 0 for none */
} Segments;

typedef struct SegmentRange {
    uint32_t first, end; /* segments */
} SegmentRange;

static int compare_bounds(const void *a, const void *b)
{
    uintptr_t x = *(const uintptr_t *)a, y = *(const uintptr_t *)b;
    return (x > y) - (x < y);
}

static int64_t operand_bytes(const Operand *operand)
{
    return type_static_rows(operand->node->type) * type_row_bytes(operand->node->type);
}

static Segments cut_memory(const UpdateOrder *order)
{
    const Program *program = exec_program(order->exec);
    uint32_t operands = 0, count = 0;
    for (uint32_t c = 0; c < program->call_count; c++)
        operands += program->calls[c].operand_count;
    Segments segments = {.bounds =
                             ARENA_ARRAY(order->arena, uintptr_t, 2 * operands + 1)};
    for (uint32_t c = 0; c < program->call_count; c++)
        for (uint32_t i = 0; i < program->calls[c].operand_count; i++) {
            uintptr_t at = (uintptr_t)exec_operand(order->exec, c, i);
            segments.bounds[count++] = at;
            segments.bounds[count++] =
                at + (uintptr_t)operand_bytes(&program->calls[c].operands[i]);
        }
    qsort(segments.bounds, count, sizeof *segments.bounds, compare_bounds);
    for (uint32_t i = 0; i < count; i++)
        if (segments.count == 0 ||
            segments.bounds[segments.count - 1] != segments.bounds[i])
            segments.bounds[segments.count++] = segments.bounds[i];
    segments.written = ARENA_ARRAY(order->arena, uint32_t, segments.count + 1);
    segments.read = ARENA_ARRAY(order->arena, uint32_t, segments.count + 1);
    return segments;
}

static uint32_t find_bound(const Segments *segments, uintptr_t at)
{
    uint32_t low = 0, high = segments->count;
    while (low + 1 < high) {
        uint32_t middle = low + (high - low) / 2;
        if (segments->bounds[middle] <= at)
            low = middle;
        else
            high = middle;
    }
    return low;
}

static SegmentRange operand_span(const UpdateOrder *order, const Segments *segments,
                                 uint32_t call, uint32_t index)
{
    uintptr_t at = (uintptr_t)exec_operand(order->exec, call, index);
    const Operand *operand = &exec_program(order->exec)->calls[call].operands[index];
    return (SegmentRange){find_bound(segments, at),
                          find_bound(segments, at + (uintptr_t)operand_bytes(operand))};
}

static uint32_t level_of(const UpdateOrder *order, const Segments *segments, uint32_t c)
{
    const Call *call = &exec_program(order->exec)->calls[c];
    uint32_t before = 0;
    for (uint32_t i = 0; i < call->operand_count; i++) {
        SegmentRange span = operand_span(order, segments, c, i);
        for (uint32_t s = span.first; s < span.end; s++) {
            if (segments->written[s] > before)
                before = segments->written[s];
            if (call->operands[i].written && segments->read[s] > before)
                before = segments->read[s];
        }
    }
    return before + 1;
}

static void mark_level(const UpdateOrder *order, Segments *segments, uint32_t c,
                       uint32_t level)
{
    const Call *call = &exec_program(order->exec)->calls[c];
    for (uint32_t i = 0; i < call->operand_count; i++) {
        SegmentRange span = operand_span(order, segments, c, i);
        uint32_t *touched =
            call->operands[i].written ? segments->written : segments->read;
        for (uint32_t s = span.first; s < span.end; s++)
            if (touched[s] < level)
                touched[s] = level;
    }
}

/* A counting sort of calls by level, then the copies. */
static void order_items(UpdateOrder *order, const UpdateCopies *copies)
{
    uint32_t calls = order->call_count,
             *level = ARENA_ARRAY(order->arena, uint32_t, calls);
    uint32_t *begin = ARENA_ARRAY(order->arena, uint32_t, calls + 3);
    uint32_t *next = ARENA_ARRAY(order->arena, uint32_t, calls + 3);
    Segments segments = cut_memory(order);
    for (uint32_t c = 0; c < calls; c++) {
        level[c] = level_of(order, &segments, c);
        mark_level(order, &segments, c, level[c]);
        begin[level[c] + 1]++;
    }
    for (uint32_t i = 1; i <= calls + 1; i++)
        begin[i] += begin[i - 1];
    memcpy(next, begin, (calls + 3) * sizeof *next);
    order->item_count = calls + copies->count;
    order->items = ARENA_ARRAY(order->arena, uint32_t, order->item_count);
    order->wait = ARENA_ARRAY(order->arena, uint32_t, order->item_count);
    for (uint32_t c = 0; c < calls; c++) {
        uint32_t at = next[level[c]]++;
        order->items[at] = c;
        order->wait[at] = begin[level[c]];
    }
    for (uint32_t i = 0; i < copies->count; i++) {
        order->items[calls + i] = calls + i;
        order->wait[calls + i] = calls + copies->wait[i];
    }
}

/* Lists the copies as the outputs have them; their number, or -1 after an error. */
static int64_t list_copies(const UpdateOrder *order, Store *store, UpdateCopy *out,
                           Diags *diags)
{
    const Graph *graph = exec_program(order->exec)->graph;
    int64_t count = 0;
    for (uint32_t i = 0; i < graph->output_count; i++) {
        const Output *output = &graph->outputs[i];
        if (output->role != OUTPUT_assign)
            continue;
        StoreEntry *entry = store_find(store, output->name);
        if (!entry || entry->mapped) {
            diag_error(diags, output->loc, "'%s' cannot be assigned", output->name);
            return -1;
        }
        void *from = exec_value(order->exec, output->value);
        if (from != entry->data)
            out[count++] =
                (UpdateCopy){entry->data, from, entry->elements * (int64_t)sizeof(float)};
    }
    return count;
}

UpdateOrder *update_order_new(Exec *exec, Store *store, Diags *diags)
{
    Arena *arena = arena_new();
    UpdateOrder *order = arena_alloc(arena, sizeof *order);
    *order = (UpdateOrder){
        .exec = exec, .arena = arena, .call_count = exec_program(exec)->call_count};
    UpdateCopy *copies =
        ARENA_ARRAY(arena, UpdateCopy, exec_program(exec)->graph->output_count + 1);
    int64_t count = list_copies(order, store, copies, diags);
    if (count < 0) {
        arena_free(arena);
        return NULL;
    }
    order->copies = update_copies_order(copies, (uint32_t)count, arena);
    order_items(order, &order->copies);
    return order;
}

void update_order_free(UpdateOrder *order)
{
    if (order)
        arena_free(order->arena);
}

TraceEvent update_order_event(const UpdateOrder *order, uint32_t item)
{
    uint32_t index = order->items[item], calls = order->call_count;
    if (index < calls)
        return (TraceEvent){.kind = TRACE_call, .index = index};
    return (TraceEvent){.kind = TRACE_copy,
                        .index = index - calls,
                        .bytes = 2 * order->copies.items[index - calls].bytes};
}

void update_order_run_item(const UpdateOrder *order, uint32_t item,
                           const LaneContext *context)
{
    uint32_t index = order->items[item];
    if (index < order->call_count) {
        exec_call(order->exec, index, context);
        return;
    }
    const UpdateCopy *copy = &order->copies.items[index - order->call_count];
    memcpy(copy->to, copy->from, (size_t)copy->bytes);
}
