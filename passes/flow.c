/* Dinic's algorithm (1970): flow is pushed along shortest paths until none is left. Paths
 * are walked without recursion, so that long chains cannot overflow the stack. */
#include "passes/flow.h"

#include <assert.h>
#include <string.h>

#define NONE UINT32_MAX

/* Edge e and its reverse e ^ 1 stand side by side; capacity is what is left. */
typedef struct FlowEdge {
    uint32_t to, next;
    int64_t capacity;
} FlowEdge;

struct Flow {
    FlowEdge *edges;
    uint32_t edge_count, edge_capacity, vertex_count;
    uint32_t *first;   /* by vertex */
    uint32_t *current; /* by vertex: edges before it lead nowhere */
    uint32_t *level, *queue, *path;
};

Flow *flow_new(Arena *arena, uint32_t vertex_count, uint32_t edge_count)
{
    Flow *flow = ARENA_ARRAY(arena, Flow, 1);
    flow->vertex_count = vertex_count;
    flow->edge_capacity = 2 * edge_count;
    flow->edges = ARENA_ARRAY(arena, FlowEdge, 2 * (size_t)edge_count + 1);
    flow->first = ARENA_ARRAY(arena, uint32_t, vertex_count);
    flow->current = ARENA_ARRAY(arena, uint32_t, vertex_count);
    flow->level = ARENA_ARRAY(arena, uint32_t, vertex_count);
    flow->queue = ARENA_ARRAY(arena, uint32_t, vertex_count);
    flow->path = ARENA_ARRAY(arena, uint32_t, vertex_count);
    for (uint32_t i = 0; i < vertex_count; i++)
        flow->first[i] = NONE;
    return flow;
}

static void add_half(Flow *flow, uint32_t from, uint32_t to, int64_t capacity)
{
    assert(flow->edge_count < flow->edge_capacity);
    flow->edges[flow->edge_count] = (FlowEdge){to, flow->first[from], capacity};
    flow->first[from] = flow->edge_count++;
}

void flow_edge(Flow *flow, uint32_t from, uint32_t to, int64_t capacity)
{
    if (capacity != FLOW_INFINITE && capacity > FLOW_MOST)
        capacity = FLOW_MOST;
    add_half(flow, from, to, capacity);
    add_half(flow, to, from, 0);
}

/* Edges from the source by breadth first; false if the sink is out of reach. */
static bool find_levels(Flow *flow, uint32_t source, uint32_t sink)
{
    for (uint32_t i = 0; i < flow->vertex_count; i++)
        flow->level[i] = NONE;
    uint32_t head = 0, tail = 0;
    flow->level[source] = 0;
    flow->queue[tail++] = source;
    while (head < tail) {
        uint32_t from = flow->queue[head++];
        for (uint32_t e = flow->first[from]; e != NONE; e = flow->edges[e].next) {
            uint32_t to = flow->edges[e].to;
            if (flow->edges[e].capacity == 0 || flow->level[to] != NONE)
                continue;
            flow->level[to] = flow->level[from] + 1;
            flow->queue[tail++] = to;
        }
    }
    return flow->level[sink] != NONE;
}

/* Pushes what the path of `length` edges can carry; returns the index of the first that
 * is full. */
static uint32_t push(Flow *flow, uint32_t length, int64_t *total)
{
    int64_t amount = FLOW_INFINITE;
    uint32_t full = 0;
    for (uint32_t i = 0; i < length; i++) {
        int64_t capacity = flow->edges[flow->path[i]].capacity;
        if (capacity < amount) {
            amount = capacity;
            full = i;
        }
    }
    for (uint32_t i = 0; i < length; i++) {
        flow->edges[flow->path[i]].capacity -= amount;
        flow->edges[flow->path[i] ^ 1].capacity += amount;
    }
    *total += amount;
    return full;
}

/* All paths along levels. */
static int64_t saturate(Flow *flow, uint32_t source, uint32_t sink)
{
    int64_t total = 0;
    uint32_t length = 0, at = source;
    memcpy(flow->current, flow->first, flow->vertex_count * sizeof *flow->first);
    for (;;) {
        if (at == sink) {
            length = push(flow, length, &total);
            at = flow->edges[flow->path[length] ^ 1].to;
            continue;
        }
        uint32_t e = flow->current[at];
        while (e != NONE && (flow->edges[e].capacity == 0 ||
                             flow->level[flow->edges[e].to] != flow->level[at] + 1))
            e = flow->edges[e].next;
        flow->current[at] = e;
        if (e != NONE) {
            flow->path[length++] = e;
            at = flow->edges[e].to;
        } else if (length > 0) {
            at = flow->edges[flow->path[--length] ^ 1].to;
            flow->current[at] = flow->edges[flow->current[at]].next;
        } else {
            return total;
        }
    }
}

int64_t flow_cut(Flow *flow, uint32_t source, uint32_t sink, bool *out_sink_side)
{
    int64_t total = 0;
    while (find_levels(flow, source, sink))
        total += saturate(flow, source, sink);
    memset(out_sink_side, 0, flow->vertex_count * sizeof *out_sink_side);
    uint32_t count = 0;
    out_sink_side[sink] = true;
    flow->queue[count++] = sink;
    while (count > 0) {
        uint32_t to = flow->queue[--count];
        for (uint32_t e = flow->first[to]; e != NONE; e = flow->edges[e].next) {
            uint32_t from = flow->edges[e].to;
            if (flow->edges[e ^ 1].capacity == 0 || out_sink_side[from])
                continue;
            out_sink_side[from] = true;
            flow->queue[count++] = from;
        }
    }
    return total;
}
