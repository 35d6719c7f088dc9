/* Memory plans: what the executor relies on memplan for. */
#include "ir/verify_plan.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "ir/liveness.h"
#include "ir/lowering.h"
#include "ir/verify_fault.h"

/* -- the slab ---------------------------------------------------------------------- */

static const int64_t MOST_SLAB = INT64_C(1) << 56; /* beyond any address space */

typedef struct Slab {
    const Graph *graph;
    const Liveness *live;
    Diags *diags;
    const Node **active; /* slots in use, by offset; they do not overlap */
    uint32_t active_count;
    int64_t active_bytes, most_bytes; /* of slots in use: now, and at most so far */
} Slab;

/* First active slot that ends after `offset`. */
static uint32_t slot_after(const Slab *slab, int64_t offset)
{
    uint32_t low = 0, high = slab->active_count;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        const Node *node = slab->active[middle];
        if (node->offset + slab->live->bytes[node->id] <= offset)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool open_slot(Slab *slab, const Node *node)
{
    int64_t end = node->offset + slab->live->bytes[node->id];
    uint32_t at = slot_after(slab, node->offset);
    if (at < slab->active_count && slab->active[at]->offset < end)
        return verify_fault(slab->graph, node, slab->diags,
                            "shares bytes of the slab with %%%u, and both are needed",
                            slab->active[at]->id);
    memmove(slab->active + at + 1, slab->active + at,
            (slab->active_count - at) * sizeof *slab->active);
    slab->active[at] = node;
    slab->active_count++;
    slab->active_bytes += slab->live->bytes[node->id];
    if (slab->most_bytes < slab->active_bytes)
        slab->most_bytes = slab->active_bytes;
    return true;
}

static void close_slot(Slab *slab, const Node *node)
{
    uint32_t at = slot_after(slab, node->offset);
    slab->active_count--;
    slab->active_bytes -= slab->live->bytes[node->id];
    memmove(slab->active + at, slab->active + at + 1,
            (slab->active_count - at) * sizeof *slab->active);
}

static bool verify_slot(const Slab *slab, const Node *node)
{
    int64_t bytes = slab->live->bytes[node->id];
    if (bytes == 0)
        return node->offset == NO_OFFSET ||
               verify_fault(slab->graph, node, slab->diags,
                            "has an offset, but needs no memory");
    if (node->offset < 0 || node->offset % 64 != 0)
        return verify_fault(slab->graph, node, slab->diags,
                            "needs an offset that is a multiple of 64");
    if (bytes > slab->graph->slab_bytes || node->offset > slab->graph->slab_bytes - bytes)
        return verify_fault(slab->graph, node, slab->diags,
                            "ends at byte %" PRId64 "+%" PRId64
                            " of the slab, which has %" PRId64,
                            node->offset, bytes, slab->graph->slab_bytes);
    return true;
}

/* Nodes whose slot is last needed in each step, as lists: head by step, next by node
 * id. */
typedef struct Deaths {
    uint32_t *head, *next; /* node id + 1, or 0 */
} Deaths;

static Deaths deaths_of(const Graph *graph, const Liveness *live, Arena *arena)
{
    Deaths deaths = {ARENA_ARRAY(arena, uint32_t, live->step_count + 1),
                     ARENA_ARRAY(arena, uint32_t, graph->node_count + 1)};
    for (uint32_t i = 0; i < graph->node_count; i++)
        if (live->bytes[i] > 0) {
            deaths.next[i] = deaths.head[live->last_use[i]];
            deaths.head[live->last_use[i]] = i + 1;
        }
    return deaths;
}

/* Walks the steps with the slots in use: those of a step open before any of its readers'
 * close. */
static bool verify_overlaps(Slab *slab, Arena *arena)
{
    const Graph *graph = slab->graph;
    Deaths deaths = deaths_of(graph, slab->live, arena);
    slab->active = ARENA_ARRAY(arena, const Node *, graph->node_count + 1);
    int32_t step = 0;
    for (uint32_t i = 0; i < graph->node_count; i++) {
        for (; slab->live->step_of[i] > step; step++)
            for (uint32_t id = deaths.head[step]; id; id = deaths.next[id - 1])
                close_slot(slab, graph->nodes[id - 1]);
        if (slab->live->bytes[i] > 0 && !open_slot(slab, graph->nodes[i]))
            return false;
    }
    return true;
}

/* -- values written in place -------------------------------------------------------- */

static int by_name(const void *a, const void *b)
{
    uintptr_t x = (uintptr_t)(*(const Output *const *)a)->name;
    uintptr_t y = (uintptr_t)(*(const Output *const *)b)->name;
    return x < y ? -1 : x > y;
}

/* A value that its step writes straight to the variable's storage. */
static bool is_written_in_place(const Slab *slab, const Output *output)
{
    const Node *value = storage_node(output->value);
    return output->role == OUTPUT_assign && value->offset == NO_OFFSET &&
           slab->live->step_of[value->id] >= 0;
}

/* By node: of a variable's old value, the output that takes its place. */
static const Output **replacements_of(const Slab *slab, Arena *arena)
{
    const Graph *graph = slab->graph;
    const Output **sorted = ARENA_ARRAY(arena, const Output *, graph->output_count + 1);
    const Output **replacements =
        ARENA_ARRAY(arena, const Output *, graph->node_count + 1);
    uint32_t count = 0;
    for (uint32_t i = 0; i < graph->output_count; i++)
        if (is_written_in_place(slab, &graph->outputs[i]))
            sorted[count++] = &graph->outputs[i];
    qsort(sorted, count, sizeof *sorted, by_name);
    for (uint32_t i = 0; i < graph->node_count; i++) {
        const Node *node = graph->nodes[i];
        if (!(op_info(node->op)->traits & TRAIT_STORED))
            continue;
        const Output key = {.name = node->attr.named.name}, *at = &key; /* interned */
        const Output **found = bsearch(&at, sorted, count, sizeof *sorted, by_name);
        replacements[i] = found ? *found : NULL;
    }
    return replacements;
}

/* By step, whether all its nodes are element-wise. */
static bool *map_steps(const Slab *slab, Arena *arena)
{
    bool *is_map = ARENA_ARRAY(arena, bool, slab->live->step_count + 1);
    for (uint32_t i = 0; i < slab->live->step_count; i++)
        is_map[i] = true;
    for (uint32_t i = 0; i < slab->graph->node_count; i++)
        if (slab->live->step_of[i] >= 0 && !node_is_map(slab->graph->nodes[i]))
            is_map[slab->live->step_of[i]] = false;
    return is_map;
}

/* Element-wise, as the step is, a reader at the same place as the writer reads in
 * time. */
static bool verify_reader(const Slab *slab, const Node *reader, const Node *arg,
                          const Output *output)
{
    int32_t read = slab->live->step_of[reader->id];
    int32_t written = slab->live->step_of[storage_node(output->value)->id];
    if (read > written)
        return verify_fault(slab->graph, reader, slab->diags,
                            "reads '%s' after it was written in place", output->name);
    bool same_place =
        type_equal(arg->type, output->value->type) &&
        type_static_elements(reader->type) == type_static_elements(arg->type);
    if (read == written && !same_place)
        return verify_fault(slab->graph, reader, slab->diags,
                            "reads '%s' in another order than it is written in place",
                            output->name);
    return true;
}

/* The old value is gone once its step has run: no later step may read it, and an
 * element-wise step reads each element before it writes it. */
static bool verify_readers(const Slab *slab, const Output *const *replacements)
{
    const Graph *graph = slab->graph;
    for (uint32_t i = 0; i < graph->node_count; i++) {
        const Node *reader = graph->nodes[i];
        for (uint32_t j = 0; j < reader->arg_count && slab->live->step_of[i] >= 0; j++) {
            const Output *output = replacements[storage_node(reader->args[j])->id];
            if (output && !verify_reader(slab, reader, reader->args[j], output))
                return false;
        }
    }
    for (uint32_t i = 0; i < graph->output_count; i++) {
        const Output *reader = &graph->outputs[i];
        const Output *output = replacements[storage_node(reader->value)->id];
        if (output)
            return verify_fault(graph, reader->value, slab->diags,
                                "%s '%s' reads '%s' after it was written in place",
                                output_role_names[reader->role], reader->name,
                                output->name);
    }
    return true;
}

/* Values written in place are made element by element, and have one place: one assign
 * each, and no other output. */
static bool verify_assigns(const Slab *slab, Arena *arena)
{
    const Graph *graph = slab->graph;
    const bool *is_map = map_steps(slab, arena);
    uint32_t *uses = ARENA_ARRAY(arena, uint32_t, graph->node_count + 1);
    for (uint32_t i = 0; i < graph->output_count; i++)
        uses[storage_node(graph->outputs[i].value)->id]++;
    for (uint32_t i = 0; i < graph->output_count; i++) {
        const Output *output = &graph->outputs[i];
        const Node *value = storage_node(output->value);
        if (!is_written_in_place(slab, output))
            continue;
        if (uses[value->id] > 1)
            return verify_fault(graph, value, slab->diags,
                                "is written in place and is another output as well");
        if (value != output->value || !is_map[slab->live->step_of[value->id]])
            return verify_fault(
                graph, value, slab->diags,
                "'%s' is written in place by a step that is not element-wise",
                output->name);
    }
    return verify_readers(slab, replacements_of(slab, arena));
}

/* A step writes what others read, and computes what it reads itself; what is never read
 * has no place. Views read nothing. */
static bool verify_wanted(const Slab *slab, Arena *arena)
{
    const Graph *graph = slab->graph;
    bool *wanted = ARENA_ARRAY(arena, bool, graph->node_count + 1);
    for (uint32_t i = 0; i < graph->node_count; i++)
        for (uint32_t j = 0;
             slab->live->step_of[i] >= 0 && j < graph->nodes[i]->arg_count; j++)
            wanted[storage_node(graph->nodes[i]->args[j])->id] = true;
    for (uint32_t i = 0; i < graph->output_count; i++)
        wanted[storage_node(graph->outputs[i].value)->id] = true;
    for (uint32_t i = 0; i < graph->node_count; i++)
        if (slab->live->step_of[i] >= 0 && !wanted[i])
            return verify_fault(graph, graph->nodes[i], slab->diags,
                                "is dead: nobody reads it");
    return true;
}

/* What is computed before all micro-batches reads nothing that they compute. */
static bool verify_once(const Slab *slab)
{
    const Graph *graph = slab->graph;
    const Liveness *live = slab->live;
    for (uint32_t i = 0; i < graph->node_count; i++) {
        const Node *node = graph->nodes[i];
        if (live->step_of[i] < 0 || !live->is_once[live->step_of[i]])
            continue;
        for (uint32_t j = 0; j < node->arg_count; j++) {
            const Node *arg = storage_node(node->args[j]);
            int32_t maker = live->step_of[arg->id];
            if (maker >= 0 && !live->is_once[maker])
                return verify_fault(graph, node, slab->diags,
                                    "has no offset, so that it is computed once, but "
                                    "reads %%%u, which is computed in each micro-batch",
                                    arg->id);
        }
    }
    return true;
}

/* The slab is as large as the plan says, but how small it could be follows from it. */
static bool verify_bound(const Slab *slab)
{
    return slab->graph->slab_bound == slab->most_bytes ||
           verify_fault(slab->graph, NULL, slab->diags,
                        "bound is %" PRId64 ", but %" PRId64
                        " bytes are live at once at most",
                        slab->graph->slab_bound, slab->most_bytes);
}

bool verify_slab(const Graph *graph, Diags *diags)
{
    Arena *arena = arena_new();
    Liveness live = liveness_of(graph, arena);
    Slab slab = {.graph = graph, .live = &live, .diags = diags};
    bool ok = true;
    if (graph->slab_bytes < 0 || graph->slab_bytes > MOST_SLAB || graph->slab_bound < 0 ||
        graph->slab_bound > graph->slab_bytes)
        ok = verify_fault(graph, NULL, diags,
                          "a slab of %" PRId64 " bytes, with a lower bound of %" PRId64,
                          graph->slab_bytes, graph->slab_bound);
    for (uint32_t i = 0; i < graph->node_count && ok; i++)
        ok = verify_slot(&slab, graph->nodes[i]);
    ok = ok && verify_once(&slab) && verify_wanted(&slab, arena) &&
         verify_overlaps(&slab, arena) && verify_bound(&slab) &&
         verify_assigns(&slab, arena);
    arena_free(arena);
    return ok;
}
