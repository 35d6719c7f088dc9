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
 * scores or logits once. Every other step is a group of its own.
 *
 * Pairs are judged greedily: first such siblings; then each reader with what it reads, in
 * program order; then readers of one value. The rules are passes/fuse_rules.def. The law
 * that a new rule must not break: groups are the clusters of an acyclic quotient, because
 * only clusters_merge joins them, and it refuses cycles.
 *
 * Skipped, the pass leaves every step a group of its own.
 *
 * A step that waits for another keeps its operands alive. So a pair does not fuse if many
 * products lie between in program order, nor across the turn from forward to backward,
 * except where no product lies between: at the turning point. */
#include "passes/fuse.h"

#include <stdlib.h>
#include <string.h>

#include "ir/base/list.h"
#include "ir/liveness.h"
#include "ir/lowering.h"
#include "ir/step_rules.h"
#include "passes/pass.h"
#include "passes/reorder.h"

enum {
    MOST_PHASES = 8,
    MOST_OPERANDS = 40,
    MOST_PRODUCTS = 4,   /* between the two of a pair */
    MOST_BETWEEN = 1024, /* nodes of any kind between the two of a pair */
    MOST_READERS = 64,   /* of one value that are looked at as siblings */
};

typedef struct Fuser {
    const Graph *in;
    Arena *arena;
    Clusters *clusters;
    int64_t *width;        /* by cluster: W, or 1 */
    uint32_t *products;    /* by node id: matrix products and the like before it */
    bool *is_output;       /* by node id */
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

static bool same_rows(Type a, Type b)
{
    if (type_is_ragged(a) || type_is_ragged(b))
        return a.axis == b.axis;
    uint32_t i = 0, j = 0;
    while (i + 1 < a.rank && a.dims[i] == 1)
        i++;
    while (j + 1 < b.rank && b.dims[j] == 1)
        j++;
    if (a.rank - i != b.rank - j)
        return false;
    for (; i + 1 < a.rank; i++, j++)
        if (a.dims[i] != b.dims[j])
            return false;
    return true;
}

/* -- the rules: true refuses --------------------------------------------------------- */

typedef bool Rule(Fuser *fuser, const ClusterPair *pair);

static bool refuse_not_row_local(Fuser *fuser, const ClusterPair *pair)
{
    (void)fuser;
    return !node_is_row_local(pair->a) || !node_is_row_local(pair->b);
}

/* Whether a member of `reader` reads one of `made` in a way that `refuses` refuses. */
static bool any_edge(const Fuser *fuser, uint32_t made, uint32_t reader,
                     bool (*refuses)(const Node *storage, const Node *arg))
{
    const Clusters *c = fuser->clusters;
    for (uint32_t i = c->first[reader]; i != NO_NODE; i = c->next[i]) {
        const Node *node = fuser->in->nodes[i];
        for (uint32_t j = 0; j < node->arg_count; j++) {
            const Node *storage = storage_node(node->args[j]);
            if (c->cluster[storage->id] == made && refuses(storage, node->args[j]))
                return true;
        }
    }
    return false;
}

static bool is_rowsum_read(const Node *storage, const Node *arg)
{
    (void)arg;
    return node_has_fact(storage, LOWERING_COMPLETE_LAST);
}

static bool refuse_rowsum_read(Fuser *fuser, const ClusterPair *pair)
{
    return any_edge(fuser, pair->from, pair->to, is_rowsum_read) ||
           any_edge(fuser, pair->to, pair->from, is_rowsum_read);
}

static bool refuse_rows_differ(Fuser *fuser, const ClusterPair *pair)
{
    (void)fuser;
    return !same_rows(node_row_space(pair->a), node_row_space(pair->b));
}

static bool refuse_width_differs(Fuser *fuser, const ClusterPair *pair)
{
    int64_t a = fuser->width[pair->from], b = fuser->width[pair->to];
    return a != b && a != 1 && b != 1;
}

static bool is_other_row(const Node *storage, const Node *arg)
{
    return storage != arg && (!same_rows(storage->type, arg->type) ||
                              type_width(storage->type) != type_width(arg->type));
}

static bool refuse_view_between(Fuser *fuser, const ClusterPair *pair)
{
    return any_edge(fuser, pair->from, pair->to, is_other_row) ||
           any_edge(fuser, pair->to, pair->from, is_other_row);
}

static uint32_t products_between(const Fuser *fuser, const ClusterPair *pair)
{
    return fuser->products[pair->b->id] - fuser->products[pair->a->id];
}

static bool refuse_stage_distance(Fuser *fuser, const ClusterPair *pair)
{
    return pair->a->stage != pair->b->stage && products_between(fuser, pair) > 0;
}

static bool refuse_far_apart(Fuser *fuser, const ClusterPair *pair)
{
    return products_between(fuser, pair) > MOST_PRODUCTS ||
           pair->b->id - pair->a->id > MOST_BETWEEN;
}

static bool refuse_too_many_nodes(Fuser *fuser, const ClusterPair *pair)
{
    const Clusters *c = fuser->clusters;
    return c->size[pair->from] + c->size[pair->to] > MOST_ROW_NODES;
}

/* The members of both clusters, by id. */
static uint32_t both_members(const Fuser *fuser, const ClusterPair *pair,
                             uint32_t *out_members)
{
    const Clusters *c = fuser->clusters;
    uint32_t count = 0, i = c->first[pair->from], j = c->first[pair->to];
    while (i != NO_NODE || j != NO_NODE) {
        bool from_first = i < j;
        uint32_t *at = from_first ? &i : &j;
        out_members[count++] = *at;
        *at = c->next[*at];
    }
    return count;
}

static bool refuse_too_many_phases(Fuser *fuser, const ClusterPair *pair)
{
    uint32_t members[MOST_ROW_NODES], count = both_members(fuser, pair, members);
    uint32_t most = 0;
    const Clusters *c = fuser->clusters;
    for (uint32_t i = 0; i < count; i++) {
        const Node *node = fuser->in->nodes[members[i]];
        uint32_t level = 0;
        for (uint32_t j = 0; j < node->arg_count; j++) {
            uint32_t arg = storage_node(node->args[j])->id, cluster = c->cluster[arg];
            bool inside = cluster == pair->from || cluster == pair->to;
            if (inside && level < fuser->level[arg])
                level = fuser->level[arg];
        }
        fuser->level[members[i]] = level + (op_info(node->op)->lowering == LOWER_reduce);
        if (most < fuser->level[members[i]])
            most = fuser->level[members[i]];
    }
    return most + 1 > MOST_PHASES;
}

static bool is_read_outside(const Fuser *fuser, const ClusterPair *pair, uint32_t id)
{
    const Clusters *c = fuser->clusters;
    for (uint32_t i = c->user_start[id]; i < c->user_start[id + 1]; i++) {
        uint32_t cluster = c->cluster[c->users[i]];
        if (cluster != pair->from && cluster != pair->to)
            return true;
    }
    return fuser->is_output[id];
}

static bool refuse_too_many_operands(Fuser *fuser, const ClusterPair *pair)
{
    uint32_t members[MOST_ROW_NODES], count = both_members(fuser, pair, members);
    uint32_t operands = 0;
    const Clusters *c = fuser->clusters;
    fuser->stamp++;
    for (uint32_t i = 0; i < count; i++) {
        const Node *node = fuser->in->nodes[members[i]];
        operands += is_read_outside(fuser, pair, members[i]);
        for (uint32_t j = 0; j < node->arg_count; j++) {
            const Node *arg = storage_node(node->args[j]);
            uint32_t cluster = c->cluster[arg->id];
            bool inside = cluster == pair->from || cluster == pair->to;
            if (inside || arg->op == OP_constant || fuser->mark[arg->id] == fuser->stamp)
                continue;
            fuser->mark[arg->id] = fuser->stamp;
            operands++;
        }
    }
    return operands > MOST_OPERANDS;
}

static const Node *operand(const Node *node, uint32_t i)
{
    return i < node->arg_count ? node->args[i] : NULL;
}

/* What both ops may take is the same, or is absent from both. */
static bool operands_agree(const Node *a, const Node *b)
{
    const OpInfo *info = op_info(a->op);
    for (uint32_t i = 0; i < info->max_args; i++) {
        uint32_t j = op_find_arg(b->op, info->arg_names[i]);
        if (j != NO_ARG && operand(a, i) != operand(b, j))
            return false;
    }
    return true;
}

/* All members must agree: two that agree with a third need not with each other. */
static bool refuse_operands_differ(Fuser *fuser, const ClusterPair *pair)
{
    const Clusters *c = fuser->clusters;
    for (uint32_t i = c->first[pair->from]; i != NO_NODE; i = c->next[i])
        for (uint32_t j = c->first[pair->to]; j != NO_NODE; j = c->next[j])
            if (!operands_agree(fuser->in->nodes[i], fuser->in->nodes[j]))
                return true;
    return false;
}

static bool refuse_attributes_differ(Fuser *fuser, const ClusterPair *pair)
{
    (void)fuser;
    return !op_attr_equal(pair->a->op, &pair->a->attr, &pair->b->attr);
}

/* A forward node waits for no gradient: scores are cheaper than keeping all operands
 * until the backward pass. Logits are not. */
static bool refuse_operand_missing(Fuser *fuser, const ClusterPair *pair)
{
    (void)fuser;
    return !node_has_fact(pair->a, LOWERING_MEETS_GRADIENTS) &&
           op_info(pair->a->op)->max_args != op_info(pair->b->op)->max_args;
}

static bool has_reader(const Fuser *fuser, uint32_t made, uint32_t read)
{
    const Clusters *c = fuser->clusters;
    for (uint32_t i = c->first[read]; i != NO_NODE; i = c->next[i]) {
        const Node *node = fuser->in->nodes[i];
        for (uint32_t j = 0; j < node->arg_count; j++)
            if (c->cluster[storage_node(node->args[j])->id] == made)
                return true;
    }
    return false;
}

static bool refuse_operand_inside(Fuser *fuser, const ClusterPair *pair)
{
    return has_reader(fuser, pair->from, pair->to) ||
           has_reader(fuser, pair->to, pair->from);
}

static bool refuse_made_twice(Fuser *fuser, const ClusterPair *pair)
{
    const Clusters *c = fuser->clusters;
    for (uint32_t i = c->first[pair->from]; i != NO_NODE; i = c->next[i])
        for (uint32_t j = c->first[pair->to]; j != NO_NODE; j = c->next[j])
            if (fuser->in->nodes[i]->op == fuser->in->nodes[j]->op)
                return true;
    return false;
}

typedef struct RuleRow {
    FuseVerdict verdict;
    Rule *refuses;
} RuleRow;

static const RuleRow row_rules[] = {
#define ROWS(code, rule, meaning) {FUSE_##code, refuse_##rule},
#define KERNEL(code, rule, meaning)
#define VERDICT(code, meaning)
#include "passes/fuse_rules.def"
};

static const RuleRow kernel_rules[] = {
#define ROWS(code, rule, meaning)
#define KERNEL(code, rule, meaning) {FUSE_##code, refuse_##rule},
#define VERDICT(code, meaning)
#include "passes/fuse_rules.def"
};

/* -- judging ------------------------------------------------------------------------- */

static FuseVerdict judge(Fuser *fuser, const ClusterPair *pair, const RuleRow *rules,
                         size_t count)
{
    if (pair->from == pair->to)
        return FUSE_TOGETHER;
    for (size_t i = 0; i < count; i++)
        if (rules[i].refuses(fuser, pair))
            return rules[i].verdict;
    return clusters_merge(fuser->clusters, pair->from, pair->to) ? FUSE_FUSED
                                                                 : FUSE_WOULD_CYCLE;
}

static void consider(Fuser *fuser, const Node *a, const Node *b, const RuleRow *rules,
                     size_t count)
{
    const Clusters *c = fuser->clusters;
    ClusterPair pair = {a, b, c->cluster[a->id], c->cluster[b->id]};
    FuseVerdict verdict = judge(fuser, &pair, rules, count);
    if (verdict == FUSE_FUSED) {
        int64_t x = fuser->width[pair.from], y = fuser->width[pair.to];
        fuser->width[c->cluster[b->id]] = x > y ? x : y;
    }
    LIST_ROOM(fuser->pairs, (size_t)fuser->pair_count + 1, fuser->pair_capacity);
    fuser->pairs[fuser->pair_count++] = (FusePair){a, b, verdict};
}

#define CONSIDER(fuser, a, b, rules)                                                     \
    consider((fuser), (a), (b), (rules), sizeof(rules) / sizeof((rules)[0]))

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
                CONSIDER(fuser, last, reader, kernel_rules);
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
                CONSIDER(fuser, value, reader, row_rules);
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
                !same_rows(node_row_space(reader), value->type))
                continue;
            if (last && last != reader)
                CONSIDER(fuser, last, reader, row_rules);
            last = reader;
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
    }
    Graph *out = write_groups(&fuser);
    if (out && ctx->report)
        fuse_report(ctx->report, in, fuser.pairs, fuser.pair_count, out, ctx->brief);
    free(fuser.pairs);
    arena_free(fuser.arena);
    return out;
}
