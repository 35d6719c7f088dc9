/* Sets of step nodes that are to run together: a partition of a graph whose quotient
 * stays acyclic, so that the sets can run one after another.
 *
 * Clusters are named by one of their members. Each has a place in a topological order of
 * the quotient, which merging maintains (after Pearce and Kelly, 2006): merging a before
 * b looks only at clusters between them. */
#ifndef VLG_PASSES_CLUSTERS_H
#define VLG_PASSES_CLUSTERS_H

#include "ir/graph.h"

#define NO_NODE UINT32_MAX

typedef struct Clusters {
    const Graph *graph;
    uint32_t *cluster;      /* by node id; NO_NODE for sources, views and dead nodes */
    uint32_t *next;         /* by node id: the next member by id, or NO_NODE */
    uint32_t *first, *size; /* by cluster */
    uint32_t *place;        /* by cluster */
    uint32_t *at;           /* by place: the cluster, or NO_NODE */
    uint32_t place_count;
    uint32_t *user_start;  /* by node id: its first entry in `users`, and the end */
    uint32_t *users;       /* live step nodes that read it, also through views */
    uint32_t *seen, stamp; /* of the search */
    uint32_t *stack, *moved;
} Clusters;

/* Every step node that an output depends on by itself, in `arena`. */
Clusters *clusters_new(const Graph *graph, Arena *arena);

/* Merges two clusters; false, and nothing changes, if a path leaves one and comes back to
 * the other. */
bool clusters_merge(Clusters *clusters, uint32_t a, uint32_t b);

/* The live step nodes, cluster by cluster in order; returns how many. `out_order` has
 * room for all nodes. */
uint32_t clusters_order(const Clusters *clusters, uint32_t *out_order);

#endif
