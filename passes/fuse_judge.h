/* Whether two clusters of steps become one: what passes/fuse.c asks of its rules. */
#ifndef VLG_PASSES_FUSE_JUDGE_H
#define VLG_PASSES_FUSE_JUDGE_H

#include "passes/fuse.h"

typedef struct Fuser {
    const Graph *in;
    Arena *arena;
    Clusters *clusters;
    int64_t *width;        /* by cluster: W, or 1 */
    uint32_t *products;    /* by node id: matrix products and the like before it */
    bool *is_output;       /* by node id */
    bool *is_frozen;       /* by node id: ir/frozen.h */
    uint32_t *mark, stamp; /* by node id: operands counted */
    uint32_t *level;       /* by node id: reductions on a path to it, in its group */
    FusePair *pairs;
    uint32_t pair_count;
    size_t pair_capacity;
} Fuser;

typedef struct ClusterPair {
    const Node *a, *b; /* a before b */
    uint32_t from, to; /* their clusters */
} ClusterPair;

typedef enum FuseRules { FUSE_rows, FUSE_kernels, FUSE_products } FuseRules;

/* The verdict of those rules, after merging the two if none refuses. */
FuseVerdict fuse_judge(Fuser *fuser, const ClusterPair *pair, FuseRules rules);
/* Whether two types have the same rows: an axis, or all dimensions but the last. */
bool fuse_same_rows(Type a, Type b);

#endif
