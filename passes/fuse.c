/* Steps that become one kernel.
 *
 * The row-local rule: nodes that read and write one row at a time (map, reduce, rowsum)
 * over the same rows share a kernel, and what only they read never leaves the row. In
 * such a group
 *
 *   - all nodes range over one row space: a ragged axis, or the leading dimensions of a
 *     static type without leading ones (f32[w] is one row);
 *   - all widths are 1 or one W; operands from outside may also be single rows or
 *     numbers;
 *   - no node in it reads a sum over rows, as that is complete only after the last row.
 *
 * Attention and vocabulary nodes over the same operands share a kernel, which computes
 * scores or logits once. Matrix products over one left operand share a kernel, which
 * packs it once; maps of its result are not part of it, since that saves no time
 * (docs/performance.md). Every other step is a group of its own. What follows from frozen
 * weights alone (ir/frozen.h) is never in one group with what does not.
 *
 * Pairs are judged greedily: first such siblings; then each reader with what it reads, in
 * program order; then readers of one value; then matrix products. The rules are
 * passes/fuse_rules.def. The law that a new rule must not break: groups are the clusters
 * of an acyclic quotient, because only clusters_merge joins them, and it refuses cycles.
 *
 * Skipped, the pass leaves every step a group of its own.
 *
 * A step that waits for another keeps its operands alive. So a pair does not fuse if many
 * products lie between in program order, nor across the turn from forward to backward,
 * except where no product lies between: at the turning point. */
#include <stdlib.h>

#include "ir/base/list.h"
#include "ir/frozen.h"
#include "ir/liveness.h"
#include "ir/lowering.h"
#include "passes/fuse_judge.h"
#include "passes/pass.h"
#include "passes/reorder.h"

enum { MOST_READERS = 64 }; /* of one value that are looked at as siblings */

/* -- pairs --------------------------------------------------------------------------- */

static void consider(Fuser *fuser, const Node *a, const Node *b, FuseRules rules)
{
    const Clusters *c = fuser->clusters;
    ClusterPair pair = {a, b, c->cluster[a->id], c->cluster[b->id]};
    FuseVerdict verdict = fuse_judge(fuser, &pair, rules);
    if (verdict == FUSE_FUSED) {
        int64_t x = fuser->width[pair.from], y = fuser->width[pair.to];
        fuser->width[c->cluster[b->id]] = x > y ? x : y;
    }
    LIST_ROOM(fuser->pairs, (size_t)fuser->pair_count + 1, fuser->pair_capacity);
    fuser->pairs[fuser->pair_count++] = (FusePair){a, b, verdict};
}

/* Each attention or vocabulary node with the nearest before it of its kind over its first
 * operand. */
static void fuse_kernels(Fuser *fuser)
{
    const Clusters *c = fuser->clusters;
    for (uint32_t value = 0; value < fuser->in->node_count; value++) {
        const Node *last = NULL;
        for (uint32_t i = c->user_start[value]; i < c->user_start[value + 1]; i++) {
            const Node *reader = fuser->in->nodes[c->users[i]];
            if (!node_has_fact(reader, LOWERING_SHARED) ||
                storage_node(reader->args[0])->id != value)
                continue;
            if (last && last != reader && node_kernel(last) == node_kernel(reader))
                consider(fuser, last, reader, FUSE_kernels);
            last = reader;
        }
    }
}

static void fuse_chains(Fuser *fuser)
{
    for (uint32_t i = 0; i < fuser->in->node_count; i++) {
        const Node *reader = fuser->in->nodes[i];
        bool is_step = fuser->clusters->cluster[i] != NO_NODE;
        for (uint32_t j = 0; is_step && j < reader->arg_count; j++) {
            const Node *value = storage_node(reader->args[j]);
            if (node_has_step(value) &&
                (node_is_row_local(value) || node_is_row_local(reader)))
                consider(fuser, value, reader, FUSE_rows);
        }
    }
}

/* Readers of one value, row by row, each with the one before it. Numbers and single rows
 * are no reason to meet: nothing would be saved. */
static void fuse_siblings(Fuser *fuser)
{
    const Clusters *c = fuser->clusters;
    for (uint32_t id = 0; id < fuser->in->node_count; id++) {
        const Node *value = fuser->in->nodes[id], *last = NULL;
        uint32_t start = c->user_start[id], end = c->user_start[id + 1];
        if (type_width(value->type) == 1 || end - start > MOST_READERS)
            continue;
        for (uint32_t i = start; i < end; i++) {
            const Node *reader = fuser->in->nodes[c->users[i]];
            if (!node_is_row_local(reader) ||
                !fuse_same_rows(node_row_space(reader), value->type))
                continue;
            if (last && last != reader)
                consider(fuser, last, reader, FUSE_rows);
            last = reader;
        }
    }
}

/* Each matrix product with the nearest before it that has the same left operand, lying
 * the same way, as has its right one. */
static void fuse_products(Fuser *fuser)
{
    const Clusters *c = fuser->clusters;
    for (uint32_t value = 0; value < fuser->in->node_count; value++) {
        const Node *last[2][2] = {{NULL}};
        for (uint32_t i = c->user_start[value]; i < c->user_start[value + 1]; i++) {
            const Node *reader = fuser->in->nodes[c->users[i]];
            if (reader->op != OP_matmul || storage_node(reader->args[0])->id != value)
                continue;
            const Node **before = &last[reader->attr.matmul.transpose_a != 0]
                                       [reader->attr.matmul.transpose_b != 0];
            if (*before && *before != reader && (*before)->args[0] == reader->args[0])
                consider(fuser, *before, reader, FUSE_products);
            *before = reader;
        }
    }
}

/* -- the pass ------------------------------------------------------------------------ */

static void fuser_init(Fuser *fuser, const Graph *in)
{
    uint32_t count = in->node_count, products = 0;
    *fuser = (Fuser){.in = in, .arena = arena_new()};
    fuser->clusters = clusters_new(in, fuser->arena);
    fuser->width = ARENA_ARRAY(fuser->arena, int64_t, count);
    fuser->products = ARENA_ARRAY(fuser->arena, uint32_t, count);
    fuser->is_output = ARENA_ARRAY(fuser->arena, bool, count);
    fuser->is_frozen = frozen_nodes(in, fuser->arena);
    fuser->mark = ARENA_ARRAY(fuser->arena, uint32_t, count);
    fuser->level = ARENA_ARRAY(fuser->arena, uint32_t, count);
    for (uint32_t i = 0; i < count; i++) {
        const Node *node = in->nodes[i];
        fuser->products[i] = products;
        products += node_has_fact(node, LOWERING_PRODUCT);
        if (node_is_row_local(node))
            fuser->width[i] = type_width(node_row_space(node));
    }
    for (uint32_t i = 0; i < in->output_count; i++)
        fuser->is_output[storage_node(in->outputs[i].value)->id] = true;
}

static Graph *write_groups(const Fuser *fuser)
{
    uint32_t *order = ARENA_ARRAY(fuser->arena, uint32_t, fuser->in->node_count);
    uint32_t count = clusters_order(fuser->clusters, order);
    Node **images;
    Graph *out = graph_reorder(fuser->in, order, count, &images);
    if (!out)
        return NULL;
    int32_t group = -1;
    uint32_t last = NO_NODE;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t cluster = fuser->clusters->cluster[order[i]];
        if (cluster != last)
            group++;
        last = cluster;
        images[order[i]]->group = group;
    }
    out->fused = true;
    out->planned = false;
    out->slab_bytes = out->slab_bound = 0;
    return out;
}

Graph *pass_fuse(const Graph *in, PassContext *ctx)
{
    Fuser fuser;
    fuser_init(&fuser, in);
    if (!ctx->plain) {
        fuse_kernels(&fuser);
        fuse_chains(&fuser);
        fuse_siblings(&fuser);
        fuse_products(&fuser);
    }
    Graph *out = write_groups(&fuser);
    if (out && ctx->report)
        fuse_report(ctx->report, in, fuser.pairs, fuser.pair_count, out, ctx->brief);
    free(fuser.pairs);
    arena_free(fuser.arena);
    return out;
}
