/* Minimum cuts against trying every cut. */
#include "passes/flow.h"

#include "ir/base/random.h"
#include "tests/check.h"

enum { MOST_VERTICES = 8, MOST_EDGES = 24, TRIALS = 400 };

typedef struct Case {
    uint32_t vertices, edges;
    uint32_t from[MOST_EDGES], to[MOST_EDGES];
    int64_t capacity[MOST_EDGES];
} Case;

static uint32_t draw(uint32_t *state, uint32_t below)
{
    return random_mix32(*state += 0x9e3779b9U) % below;
}

static Case draw_case(uint32_t *state)
{
    Case c = {.vertices = 2 + draw(state, MOST_VERTICES - 1)};
    c.edges = draw(state, MOST_EDGES + 1);
    for (uint32_t i = 0; i < c.edges; i++) {
        c.from[i] = draw(state, c.vertices);
        c.to[i] = draw(state, c.vertices);
        c.capacity[i] = draw(state, 6) == 0 ? FLOW_INFINITE : (int64_t)draw(state, 10);
    }
    return c;
}

/* Of the cut whose sink side is the set `side`; -1 if an infinite edge is cut. */
static int64_t cut_cost(const Case *c, uint32_t side)
{
    int64_t cost = 0;
    for (uint32_t i = 0; i < c->edges; i++) {
        if ((side >> c->from[i] & 1) || !(side >> c->to[i] & 1))
            continue;
        if (c->capacity[i] == FLOW_INFINITE)
            return -1;
        cost += c->capacity[i];
    }
    return cost;
}

/* Source is vertex 0, sink vertex 1. Of the least cuts, the intersection of sink sides is
 * one too. */
static int64_t least_cut(const Case *c, uint32_t *out_side)
{
    int64_t least = -1;
    for (uint32_t side = 0; side < 1u << c->vertices; side++) {
        if ((side & 1) || !(side & 2))
            continue;
        int64_t cost = cut_cost(c, side);
        if (cost < 0 || (least >= 0 && cost > least))
            continue;
        *out_side = cost == least ? *out_side & side : side;
        least = cost;
    }
    return least;
}

int main(void)
{
    Check check = {0, 0};
    uint32_t state = 1, finite = 0;
    for (int trial = 0; trial < TRIALS; trial++) {
        Case c = draw_case(&state);
        uint32_t expected = 0, side = 0;
        int64_t least = least_cut(&c, &expected);
        if (least < 0)
            continue;
        finite++;
        Arena *arena = arena_new();
        Flow *flow = flow_new(arena, c.vertices, c.edges);
        for (uint32_t i = 0; i < c.edges; i++)
            flow_edge(flow, c.from[i], c.to[i], c.capacity[i]);
        bool marks[MOST_VERTICES + 1] = {false};
        int64_t found = flow_cut(flow, 0, 1, marks);
        for (uint32_t i = 0; i < c.vertices; i++)
            side |= (uint32_t)marks[i] << i;
        CHECK(&check, found == least, "trial %d: %lld, not %lld", trial, (long long)found,
              (long long)least);
        CHECK(&check, side == expected, "trial %d: sink side %x, not %x", trial, side,
              expected);
        arena_free(arena);
    }
    CHECK(&check, finite > TRIALS / 2, "only %u cases have a finite cut", finite);
    return check_finish(&check);
}
