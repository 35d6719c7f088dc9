/* Clusters of random graphs: the quotient stays acyclic, the order is one of it, and a
 * merge is refused only if there is a path that leaves and comes back. */
#include "passes/clusters.h"

#include <stdlib.h>

#include "ir/base/random.h"
#include "tests/check.h"

enum { NODES = 40, TRIALS = 60, MERGES = 60 };

static uint32_t draw(uint32_t *state, uint32_t below)
{
    return random_mix32(*state += 0x9e3779b9U) % below;
}

static Graph *random_graph(Interns *interns, uint32_t *state)
{
    Graph *graph = graph_new(interns, NULL, GRAPH_evaluate, "g", "t");
    BuildSite site = {0};
    graph_source(graph, site, OP_input, "x", type_vector(DTYPE_f32, 4));
    while (graph->node_count < NODES) {
        uint32_t near = graph->node_count < 6 ? graph->node_count : 6;
        const Node *args[2];
        for (int i = 0; i < 2; i++)
            args[i] = graph->nodes[graph->node_count - 1 - draw(state, near)];
        graph_append(graph, site, (NodeSpec){.op = OP_add, .args = args, .arg_count = 2});
    }
    for (uint32_t i = 1; i < graph->node_count; i++) {
        char name[16];
        snprintf(name, sizeof name, "y%u", i);
        graph_output(graph, OUTPUT_result, name, graph->nodes[i], (Loc){0});
    }
    return graph;
}

/* By Warshall: which clusters reach which; by the ids of all nodes. */
static void find_paths(const Clusters *c, bool path[NODES][NODES])
{
    for (uint32_t i = 0; i < NODES; i++)
        for (uint32_t j = 0; j < NODES; j++)
            path[i][j] = false;
    for (uint32_t i = 1; i < NODES; i++)
        for (uint32_t j = 0; j < 2; j++) {
            uint32_t from = c->graph->nodes[i]->args[j]->id;
            if (from != 0 && c->cluster[from] != c->cluster[i])
                path[c->cluster[from]][c->cluster[i]] = true;
        }
    for (uint32_t k = 0; k < NODES; k++)
        for (uint32_t i = 0; i < NODES; i++)
            for (uint32_t j = 0; j < NODES; j++)
                path[i][j] = path[i][j] || (path[i][k] && path[k][j]);
}

static bool comes_back(const Clusters *c, bool path[NODES][NODES], uint32_t a, uint32_t b)
{
    for (uint32_t i = 1; i < NODES; i++) {
        uint32_t middle = c->cluster[i];
        if (middle != a && middle != b &&
            ((path[a][middle] && path[middle][b]) ||
             (path[b][middle] && path[middle][a])))
            return true;
    }
    return false;
}

static void check_order(Check *check, const Clusters *c, bool path[NODES][NODES])
{
    uint32_t order[NODES], count = clusters_order(c, order);
    CHECK(check, count == NODES - 1, "%u nodes in order", count);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t cluster = c->cluster[order[i]];
        CHECK(check, !path[cluster][cluster], "a cycle at %u", cluster);
        for (uint32_t j = i + 1; j < count; j++) {
            uint32_t later = c->cluster[order[j]];
            CHECK(check, later == cluster || !path[later][cluster], "%u before %u",
                  order[i], order[j]);
            CHECK(check,
                  later != cluster || order[j] == order[i] + 1 || order[i] < order[j],
                  "members out of order");
        }
    }
}

int main(void)
{
    static bool path[NODES][NODES];
    Check check = {0, 0};
    uint32_t state = 3, merged = 0, refused = 0;
    for (int trial = 0; trial < TRIALS; trial++) {
        Interns *interns = interns_new();
        Arena *arena = arena_new();
        Graph *graph = random_graph(interns, &state);
        Clusters *c = clusters_new(graph, arena);
        for (int i = 0; i < MERGES; i++) {
            uint32_t a = c->cluster[1 + draw(&state, NODES - 1)];
            uint32_t b = c->cluster[1 + draw(&state, NODES - 1)];
            find_paths(c, path);
            bool should = a == b || !comes_back(c, path, a, b);
            bool did = clusters_merge(c, a, b);
            CHECK(&check, did == should, "trial %d: %u and %u", trial, a, b);
            merged += did;
            refused += !did;
        }
        find_paths(c, path);
        check_order(&check, c, path);
        graph_free(graph);
        arena_free(arena);
        interns_free(interns);
    }
    CHECK(&check, merged > TRIALS && refused > TRIALS, "%u merged, %u refused", merged,
          refused);
    return check_finish(&check);
}
