/* Walks one graph into another, node by node in execution order, so that a pass only says
 * what becomes of a node. Nodes that no kept output depends on are never visited and so
 * vanish; equal nodes become one, because builders share. Groups and offsets are not
 * carried over: the result is neither fused nor planned. Names are: the first image that
 * stands for a named value, and has no name, takes that. */
#ifndef VLG_PASSES_REWRITE_H
#define VLG_PASSES_REWRITE_H

#include "ir/graph.h"

typedef struct Rewrite Rewrite;

/* The image of `node`; those of its operands are known. NULL after an error. */
typedef const Node *RewriteNode(Rewrite *rw, const Node *node);
/* Whether an output is kept. */
typedef bool RewriteKeep(const Rewrite *rw, const Output *output);

struct Rewrite {
    const Graph *in;
    Graph *out;
    const Node **images; /* by id in `in`; NULL: not visited */
    RewriteNode *node;
    RewriteKeep *keep; /* NULL: all */
    void *state;       /* of the pass */
    bool visit_dead;   /* visit nodes that no output depends on, too */
};

/* `in` rewritten, with the kept outputs; NULL after an error. */
Graph *rewrite_graph(const Graph *in, RewriteNode *node, RewriteKeep *keep, void *state);
/* As above into a graph that exists, `rw->out`; `rw->images` is set, in the arena of
 * `out`. */
NODISCARD bool rewrite_into(Rewrite *rw);

const Node *rewrite_image(const Rewrite *rw, const Node *node);
/* The same node over the images of its operands. */
const Node *rewrite_copy(Rewrite *rw, const Node *node);
/* The same with other attributes. */
const Node *rewrite_copy_with(Rewrite *rw, const Node *node, const OpAttr *attr,
                              Type given);

/* Marks by id of the nodes that the kept outputs depend on, in `arena`. */
bool *rewrite_live(const Rewrite *rw, Arena *arena);

#endif
