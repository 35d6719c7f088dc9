/* Groups and memory plans: what fuse, schedule and memplan promise to whoever runs the
 * graph. */
#include "ir/verify_plan.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "ir/liveness.h"

/* -- groups ------------------------------------------------------------------------ */

static bool has_no_step(const Node *node)
{
    Lowering lowering = op_info(node->op)->lowering;
    return lowering == LOWER_source || lowering == LOWER_view;
}

static int compare_groups(const void *a, const void *b)
{
    int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
    return (x > y) - (x < y);
}

/* The distinct groups in rising order, in `out`. *out_runs counts maximal runs of one
 * group. */
static uint32_t sorted_groups(const Graph *graph, int32_t *out, uint32_t *out_runs)
{
    uint32_t runs = 0, count = 0;
    int32_t last = NO_GROUP;
    for (uint32_t i = 0; i < graph->node_count; i++) {
        int32_t group = graph->nodes[i]->group;
        if (group != NO_GROUP && group != last)
            out[runs++] = last = group;
    }
    if (runs)
        qsort(out, runs, sizeof *out, compare_groups);
    for (uint32_t i = 0; i < runs; i++)
        if (i == 0 || out[i] != out[count - 1])
            out[count++] = out[i];
    *out_runs = runs;
    return count;
}

static uint32_t group_index(const int32_t *groups, uint32_t count, int32_t group)
{
    const int32_t *at = bsearch(&group, groups, count, sizeof *groups, compare_groups);
    return (uint32_t)(at - groups);
}

/* An edge between groups: from needs to. */
typedef struct GroupEdge {
    uint32_t from, to;
} GroupEdge;

static int compare_edges(const void *a, const void *b)
{
    const GroupEdge *x = a, *y = b;
    return x->from != y->from ? (x->from > y->from) - (x->from < y->from)
                              : (x->to > y->to) - (x->to < y->to);
}

static uint32_t group_edges(const Graph *graph, const int32_t *groups, uint32_t count,
                            GroupEdge *out)
{
    uint32_t edges = 0;
    for (uint32_t i = 0; i < graph->node_count; i++) {
        const Node *node = graph->nodes[i];
        for (uint32_t j = 0; node->group != NO_GROUP && j < node->arg_count; j++) {
            int32_t group = storage_node(node->args[j])->group;
            if (group != NO_GROUP && group != node->group)
                out[edges++] = (GroupEdge){group_index(groups, count, group),
                                           group_index(groups, count, node->group)};
        }
    }
    if (edges)
        qsort(out, edges, sizeof *out, compare_edges);
    return edges;
}

/* Kahn: groups without open predecessors are taken away until none is left, or a
 * cycle. */
static bool groups_acyclic(const GroupEdge *edges, uint32_t edge_count, uint32_t count,
                           Arena *arena)
{
    uint32_t *open = ARENA_ARRAY(arena, uint32_t, count);
    uint32_t *first = ARENA_ARRAY(arena, uint32_t, count + 1);
    uint32_t *ready = ARENA_ARRAY(arena, uint32_t, count);
    uint32_t ready_count = 0;
    for (uint32_t i = 0; i < edge_count; i++) {
        open[edges[i].to]++;
        first[edges[i].from + 1]++;
    }
    for (uint32_t i = 0; i < count; i++) {
        first[i + 1] += first[i];
        if (open[i] == 0)
            ready[ready_count++] = i;
    }
    for (uint32_t done = 0; done < ready_count; done++)
        for (uint32_t i = first[ready[done]]; i < first[ready[done] + 1]; i++)
            if (--open[edges[i].to] == 0)
                ready[ready_count++] = edges[i].to;
    return ready_count == count;
}

static bool verify_group_order(const Graph *graph, Arena *arena, Diags *diags)
{
    int32_t *groups = ARENA_ARRAY(arena, int32_t, graph->node_count + 1);
    uint32_t runs, count = sorted_groups(graph, groups, &runs), args = 0;
    if (runs == count)
        return true;
    if (graph->planned)
        return verify_fault(graph, NULL, diags,
                            "the nodes of a group do not stand together");
    for (uint32_t i = 0; i < graph->node_count; i++)
        args += graph->nodes[i]->arg_count;
    GroupEdge *edges = ARENA_ARRAY(arena, GroupEdge, args + 1);
    uint32_t edge_count = group_edges(graph, groups, count, edges);
    return groups_acyclic(edges, edge_count, count, arena) ||
           verify_fault(graph, NULL, diags, "groups need each other in a circle");
}

bool verify_groups(const Graph *graph, Diags *diags)
{
    bool fine = true;
    for (uint32_t i = 0; i < graph->node_count; i++) {
        const Node *node = graph->nodes[i];
        bool wants = graph->fused && !has_no_step(node);
        if (wants != (node->group != NO_GROUP) || node->group < NO_GROUP)
            fine = verify_fault(graph, node, diags, "%s",
                                wants ? "has no group in a fused graph"
                                : has_no_step(node)
                                    ? "has a group, but makes no step"
                                    : "has a group, but the graph is not fused");
    }
    if (!fine || !graph->fused)
        return fine;
    Arena *arena = arena_new();
    fine = verify_group_order(graph, arena, diags);
    arena_free(arena);
    return fine;
}

/* -- the slab ---------------------------------------------------------------------- */

typedef struct Slab {
    const Graph *graph;
    const Liveness *live;
    Diags *diags;
    const Node **active; /* slots in use, by offset; they do not overlap */
    uint32_t active_count;
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
    return true;
}

static void close_slot(Slab *slab, const Node *node)
{
    uint32_t at = slot_after(slab, node->offset);
    slab->active_count--;
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
        if (node->op != OP_param && node->op != OP_weight && node->op != OP_state)
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
        if (slab->live->step_of[i] >= 0 &&
            op_info(slab->graph->nodes[i]->op)->lowering != LOWER_map)
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
    bool same_place = type_equal(arg->type, output->value->type) &&
                      type_static_elements(reader->type) ==
                          type_static_elements(arg->type);
    if (read == written && !same_place)
        return verify_fault(slab->graph, reader, slab->diags,
                            "reads '%s' in another order than it is written in place",
                            output->name);
    return true;
}

/* The old value is gone once its step has run: nobody may ask for it later, and an
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

/* A step other than a row kernel writes all its results, so each must have somebody who
 * wants it. */
static bool verify_wanted(const Slab *slab, Arena *arena)
{
    const Graph *graph = slab->graph;
    uint32_t *uses = graph_use_counts(graph, arena);
    for (uint32_t i = 0; i < graph->node_count; i++)
        if (slab->live->step_of[i] >= 0 && uses[i] == 0)
            return verify_fault(graph, graph->nodes[i], slab->diags,
                                "is dead: nobody reads it");
    return true;
}

bool verify_slab(const Graph *graph, Diags *diags)
{
    Arena *arena = arena_new();
    Liveness live = liveness_of(graph, arena);
    Slab slab = {.graph = graph, .live = &live, .diags = diags};
    bool fine = true;
    if (graph->slab_bytes < 0 || graph->slab_bound < 0 ||
        graph->slab_bound > graph->slab_bytes)
        fine = verify_fault(graph, NULL, diags,
                            "a slab of %" PRId64 " bytes, with a lower bound of %" PRId64,
                            graph->slab_bytes, graph->slab_bound);
    for (uint32_t i = 0; i < graph->node_count && fine; i++)
        fine = verify_slot(&slab, graph->nodes[i]);
    fine = fine && verify_wanted(&slab, arena) && verify_overlaps(&slab, arena) &&
           verify_assigns(&slab, arena);
    arena_free(arena);
    return fine;
}
