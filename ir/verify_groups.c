/* Groups: what the executor relies on fuse and schedule for. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "ir/liveness.h"
#include "ir/lowering.h"
#include "ir/step_rules.h"
#include "ir/verify_fault.h"
#include "ir/verify_plan.h"

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

/* The nodes of groups, each group's in order, one group after the other; *out_first are
 * where groups begin, and where the last ends. */
static const Node **nodes_by_group(const Graph *graph, const int32_t *groups,
                                   uint32_t count, Arena *arena, uint32_t **out_first)
{
    uint32_t *first = ARENA_ARRAY(arena, uint32_t, count + 2);
    const Node **nodes = ARENA_ARRAY(arena, const Node *, graph->node_count + 1);
    for (uint32_t i = 0; i < graph->node_count; i++)
        if (graph->nodes[i]->group != NO_GROUP)
            first[group_index(groups, count, graph->nodes[i]->group) + 2]++;
    for (uint32_t i = 2; i <= count; i++)
        first[i] += first[i - 1];
    for (uint32_t i = 0; i < graph->node_count; i++)
        if (graph->nodes[i]->group != NO_GROUP)
            nodes[first[group_index(groups, count, graph->nodes[i]->group) + 1]++] =
                graph->nodes[i];
    *out_first = first;
    return nodes;
}

/* Each group is one that some kernel runs. */
static bool verify_kernels(const Graph *graph, Arena *arena, Diags *diags)
{
    int32_t *groups = ARENA_ARRAY(arena, int32_t, graph->node_count + 1);
    uint32_t runs, count = sorted_groups(graph, groups, &runs), *first;
    const Node **nodes = nodes_by_group(graph, groups, count, arena, &first);
    const bool *in_place = graph->planned ? values_in_place(graph, arena) : NULL;
    bool ok = true;
    for (uint32_t i = 0; i < count; i++) {
        const Node *node;
        const char *reason =
            step_refuse(nodes + first[i], first[i + 1] - first[i], in_place, &node);
        if (reason)
            ok = verify_fault(graph, node, diags, "no kernel runs group %" PRId32 ": %s",
                              groups[i], reason);
    }
    return ok;
}

bool verify_groups(const Graph *graph, Diags *diags)
{
    bool ok = true;
    for (uint32_t i = 0; i < graph->node_count; i++) {
        const Node *node = graph->nodes[i];
        bool wants = graph->fused && !!node_has_step(node);
        if (wants != (node->group != NO_GROUP) || node->group < NO_GROUP)
            ok = verify_fault(graph, node, diags, "%s",
                              wants ? "has no group in a fused graph"
                              : !node_has_step(node)
                                  ? "has a group, but makes no step"
                                  : "has a group, but the graph is not fused");
    }
    if (!ok || !graph->fused)
        return ok;
    Arena *arena = arena_new();
    ok = verify_group_order(graph, arena, diags) && verify_kernels(graph, arena, diags);
    arena_free(arena);
    return ok;
}
