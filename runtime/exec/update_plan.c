/* Levels of independent calls, found from the memory ranges that calls read and write. */
#include "runtime/exec/update_plan.h"

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

static Segments cut_memory(const UpdatePlan *plan)
{
    const Program *program = exec_program(plan->exec);
    uint32_t operands = 0, count = 0;
    for (uint32_t c = 0; c < program->call_count; c++)
        operands += program->calls[c].operand_count;
    Segments segments = {.bounds = ARENA_ARRAY(plan->arena, uintptr_t, 2 * operands + 1)};
    for (uint32_t c = 0; c < program->call_count; c++)
        for (uint32_t i = 0; i < program->calls[c].operand_count; i++) {
            uintptr_t at = (uintptr_t)exec_operand(plan->exec, c, i);
            segments.bounds[count++] = at;
            segments.bounds[count++] =
                at + (uintptr_t)operand_bytes(&program->calls[c].operands[i]);
        }
    qsort(segments.bounds, count, sizeof *segments.bounds, compare_bounds);
    for (uint32_t i = 0; i < count; i++)
        if (segments.count == 0 ||
            segments.bounds[segments.count - 1] != segments.bounds[i])
            segments.bounds[segments.count++] = segments.bounds[i];
    segments.written = ARENA_ARRAY(plan->arena, uint32_t, segments.count + 1);
    segments.read = ARENA_ARRAY(plan->arena, uint32_t, segments.count + 1);
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

static SegmentRange operand_span(const UpdatePlan *plan, const Segments *segments,
                                 uint32_t call, uint32_t index)
{
    uintptr_t at = (uintptr_t)exec_operand(plan->exec, call, index);
    const Operand *operand = &exec_program(plan->exec)->calls[call].operands[index];
    return (SegmentRange){find_bound(segments, at),
                          find_bound(segments, at + (uintptr_t)operand_bytes(operand))};
}

static uint32_t level_of(const UpdatePlan *plan, const Segments *segments, uint32_t c)
{
    const Call *call = &exec_program(plan->exec)->calls[c];
    uint32_t before = 0;
    for (uint32_t i = 0; i < call->operand_count; i++) {
        SegmentRange span = operand_span(plan, segments, c, i);
        for (uint32_t s = span.first; s < span.end; s++) {
            if (segments->written[s] > before)
                before = segments->written[s];
            if (call->operands[i].written && segments->read[s] > before)
                before = segments->read[s];
        }
    }
    return before + 1;
}

static void mark_level(const UpdatePlan *plan, Segments *segments, uint32_t c,
                       uint32_t level)
{
    const Call *call = &exec_program(plan->exec)->calls[c];
    for (uint32_t i = 0; i < call->operand_count; i++) {
        SegmentRange span = operand_span(plan, segments, c, i);
        uint32_t *touched =
            call->operands[i].written ? segments->written : segments->read;
        for (uint32_t s = span.first; s < span.end; s++)
            if (touched[s] < level)
                touched[s] = level;
    }
}

/* A counting sort of calls by level, then the copies. */
static void order_items(UpdatePlan *plan, const UpdateCopies *copies)
{
    uint32_t calls = plan->call_count, *level = ARENA_ARRAY(plan->arena, uint32_t, calls);
    uint32_t *begin = ARENA_ARRAY(plan->arena, uint32_t, calls + 3);
    uint32_t *next = ARENA_ARRAY(plan->arena, uint32_t, calls + 3);
    Segments segments = cut_memory(plan);
    for (uint32_t c = 0; c < calls; c++) {
        level[c] = level_of(plan, &segments, c);
        mark_level(plan, &segments, c, level[c]);
        begin[level[c] + 1]++;
    }
    for (uint32_t i = 1; i <= calls + 1; i++)
        begin[i] += begin[i - 1];
    memcpy(next, begin, (calls + 3) * sizeof *next);
    plan->item_count = calls + copies->count;
    plan->items = ARENA_ARRAY(plan->arena, uint32_t, plan->item_count);
    plan->wait = ARENA_ARRAY(plan->arena, uint32_t, plan->item_count);
    for (uint32_t c = 0; c < calls; c++) {
        uint32_t at = next[level[c]]++;
        plan->items[at] = c;
        plan->wait[at] = begin[level[c]];
    }
    for (uint32_t i = 0; i < copies->count; i++) {
        plan->items[calls + i] = calls + i;
        plan->wait[calls + i] = calls + copies->wait[i];
    }
}

/* Lists the copies as the outputs have them; their number, or -1 after an error. */
static int64_t list_copies(const UpdatePlan *plan, Store *store, UpdateCopy *out,
                           Diags *diags)
{
    const Graph *graph = exec_program(plan->exec)->graph;
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
        void *from = exec_value(plan->exec, output->value);
        if (from != entry->data)
            out[count++] =
                (UpdateCopy){entry->data, from, entry->elements * (int64_t)sizeof(float)};
    }
    return count;
}

UpdatePlan *update_plan_new(Exec *exec, Store *store, Diags *diags)
{
    Arena *arena = arena_new();
    UpdatePlan *plan = arena_alloc(arena, sizeof *plan);
    *plan = (UpdatePlan){
        .exec = exec, .arena = arena, .call_count = exec_program(exec)->call_count};
    UpdateCopy *copies =
        ARENA_ARRAY(arena, UpdateCopy, exec_program(exec)->graph->output_count + 1);
    int64_t count = list_copies(plan, store, copies, diags);
    if (count < 0) {
        arena_free(arena);
        return NULL;
    }
    plan->copies = update_copies_order(copies, (uint32_t)count, arena);
    order_items(plan, &plan->copies);
    return plan;
}

void update_plan_free(UpdatePlan *plan)
{
    if (plan)
        arena_free(plan->arena);
}

void update_plan_run_item(const UpdatePlan *plan, uint32_t item,
                          const LaneContext *context)
{
    uint32_t index = plan->items[item];
    if (index < plan->call_count) {
        exec_call(plan->exec, index, context);
        return;
    }
    const UpdateCopy *copy = &plan->copies.items[index - plan->call_count];
    memcpy(copy->to, copy->from, (size_t)copy->bytes);
}
