/* Clusters: members are lists sorted by id, places an array with holes where merging left
 * some. */
#include "passes/clusters.h"

#include "ir/lowering.h"
#include "ir/liveness.h"
#include "passes/reorder.h"

static void find_users(Clusters *c, Arena *arena)
{
    const Graph *graph = c->graph;
    uint32_t count = graph->node_count, total = 0;
    c->user_start = ARENA_ARRAY(arena, uint32_t, count + 2);
    uint32_t *start = c->user_start + 1; /* shifted, so that filling leaves it right */
    for (uint32_t i = 0; i < count; i++)
        for (uint32_t j = 0; c->cluster[i] != NO_NODE && j < graph->nodes[i]->arg_count;
             j++) {
            start[storage_node(graph->nodes[i]->args[j])->id + 1]++;
            total++;
        }
    for (uint32_t i = 0; i < count; i++)
        start[i + 1] += start[i];
    c->users = ARENA_ARRAY(arena, uint32_t, total + 1);
    for (uint32_t i = 0; i < count; i++)
        for (uint32_t j = 0; c->cluster[i] != NO_NODE && j < graph->nodes[i]->arg_count;
             j++)
            c->users[start[storage_node(graph->nodes[i]->args[j])->id]++] = i;
}

Clusters *clusters_new(const Graph *graph, Arena *arena)
{
    Clusters *c = ARENA_ARRAY(arena, Clusters, 1);
    uint32_t count = graph->node_count;
    c->graph = graph;
    c->cluster = ARENA_ARRAY(arena, uint32_t, count);
    c->next = ARENA_ARRAY(arena, uint32_t, count);
    c->first = ARENA_ARRAY(arena, uint32_t, count);
    c->size = ARENA_ARRAY(arena, uint32_t, count);
    c->place = ARENA_ARRAY(arena, uint32_t, count);
    c->at = ARENA_ARRAY(arena, uint32_t, count);
    c->seen = ARENA_ARRAY(arena, uint32_t, count);
    c->stack = ARENA_ARRAY(arena, uint32_t, count);
    c->moved = ARENA_ARRAY(arena, uint32_t, count);
    const bool *live = live_nodes(graph, arena);
    for (uint32_t i = 0; i < count; i++) {
        c->cluster[i] = c->next[i] = NO_NODE;
        if (!live[i] || !node_has_step(graph->nodes[i]))
            continue;
        c->cluster[i] = c->first[i] = i;
        c->size[i] = 1;
        c->place[i] = c->place_count;
        c->at[c->place_count++] = i;
    }
    find_users(c, arena);
    return c;
}

/* Marks what is reachable from `a` before `b` in the order; true if a path through a
 * third cluster reaches `b`. */
static bool reaches(Clusters *c, uint32_t a, uint32_t b)
{
    uint32_t depth = 0;
    c->stamp++;
    c->seen[a] = c->stamp;
    c->stack[depth++] = a;
    while (depth > 0) {
        uint32_t from = c->stack[--depth];
        for (uint32_t i = c->first[from]; i != NO_NODE; i = c->next[i]) {
            for (uint32_t j = c->user_start[i]; j < c->user_start[i + 1]; j++) {
                uint32_t to = c->cluster[c->users[j]];
                if (to == b && from != a)
                    return true;
                if (to == b || c->place[to] > c->place[b] || c->seen[to] == c->stamp)
                    continue;
                c->seen[to] = c->stamp;
                c->stack[depth++] = to;
            }
        }
    }
    return false;
}

/* Between a and b: what `a` does not reach, then a place for both in one, then what it
 * reaches. */
static void reorder_between(Clusters *c, uint32_t a, uint32_t b)
{
    uint32_t to = c->place[a], last = c->place[b], moved = 0;
    for (uint32_t i = to; i <= last; i++) {
        uint32_t cluster = c->at[i];
        if (cluster == NO_NODE || cluster == a)
            continue;
        if (c->seen[cluster] == c->stamp) {
            c->moved[moved++] = cluster;
            continue;
        }
        c->at[to] = cluster; /* b is the last of these */
        c->place[cluster] = to++;
    }
    for (uint32_t i = 0; i < moved; i++) {
        c->at[to] = c->moved[i];
        c->place[c->moved[i]] = to++;
    }
    while (to <= last)
        c->at[to++] = NO_NODE;
}

static uint32_t merge_lists(Clusters *c, uint32_t x, uint32_t y)
{
    uint32_t first = NO_NODE, *link = &first;
    while (x != NO_NODE && y != NO_NODE) {
        uint32_t *least = x < y ? &x : &y;
        *link = *least;
        link = &c->next[*least];
        *least = *link;
    }
    *link = x != NO_NODE ? x : y;
    return first;
}

bool clusters_merge(Clusters *c, uint32_t a, uint32_t b)
{
    if (a == b)
        return true;
    if (c->place[a] > c->place[b]) {
        uint32_t swap = a;
        a = b;
        b = swap;
    }
    if (reaches(c, a, b))
        return false;
    reorder_between(c, a, b);
    for (uint32_t i = c->first[a]; i != NO_NODE; i = c->next[i])
        c->cluster[i] = b;
    c->first[b] = merge_lists(c, c->first[a], c->first[b]);
    c->size[b] += c->size[a];
    return true;
}

uint32_t clusters_order(const Clusters *c, uint32_t *out_order)
{
    uint32_t count = 0;
    for (uint32_t place = 0; place < c->place_count; place++)
        if (c->at[place] != NO_NODE)
            for (uint32_t i = c->first[c->at[place]]; i != NO_NODE; i = c->next[i])
                out_order[count++] = i;
    return count;
}
