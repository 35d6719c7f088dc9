/* The rules of passes/fuse_rules.def, and how they judge a pair. */
#include "passes/fuse_judge.h"

#include "ir/liveness.h"
#include "ir/lowering.h"
#include "ir/step_rules.h"

enum {
    MOST_PHASES = 8,
    MOST_OPERANDS = 40,
    MOST_PRODUCTS_BETWEEN = 4, /* between the two of a pair */
    MOST_BETWEEN = 1024,       /* nodes of any kind between the two of a pair */
};

bool fuse_same_rows(Type a, Type b)
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

static bool refuse_only_one_frozen(Fuser *fuser, const ClusterPair *pair)
{
    return fuser->is_frozen[pair->a->id] != fuser->is_frozen[pair->b->id];
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
    return !fuse_same_rows(node_row_space(pair->a), node_row_space(pair->b));
}

static bool refuse_width_differs(Fuser *fuser, const ClusterPair *pair)
{
    int64_t a = fuser->width[pair->from], b = fuser->width[pair->to];
    return a != b && a != 1 && b != 1;
}

static bool is_other_row(const Node *storage, const Node *arg)
{
    return storage != arg && (!fuse_same_rows(storage->type, arg->type) ||
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
    return products_between(fuser, pair) > MOST_PRODUCTS_BETWEEN ||
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

static bool refuse_precision_differs(Fuser *fuser, const ClusterPair *pair)
{
    (void)fuser;
    return pair->a->attr.matmul.precision != pair->b->attr.matmul.precision;
}

static bool refuse_packed_apart(Fuser *fuser, const ClusterPair *pair)
{
    (void)fuser;
    return !products_packed_alike(pair->a, pair->b);
}

static bool refuse_scaled_apart(Fuser *fuser, const ClusterPair *pair)
{
    (void)fuser;
    return !products_share_left(pair->b);
}

/* Whether the value lives on whatever happens to it here. */
static bool is_kept(const Fuser *fuser, const Node *value)
{
    const Clusters *c = fuser->clusters;
    for (uint32_t i = c->user_start[value->id]; i < c->user_start[value->id + 1]; i++)
        if (fuser->in->nodes[c->users[i]]->stage != value->stage)
            return true;
    return fuser->is_output[value->id];
}

/* What the backward pass reads lives from here to there: made earlier, it adds nothing
 * to what is live where most is. */
static bool refuse_waits_long(Fuser *fuser, const ClusterPair *pair)
{
    return !is_kept(fuser, pair->b) && refuse_far_apart(fuser, pair);
}

static bool refuse_too_many_products(Fuser *fuser, const ClusterPair *pair)
{
    const Clusters *c = fuser->clusters;
    return c->size[pair->from] + c->size[pair->to] > MOST_PRODUCTS;
}

/* -- judging ------------------------------------------------------------------------- */

typedef struct RuleRow {
    FuseVerdict verdict;
    Rule *refuses;
} RuleRow;

static const RuleRow row_rules[] = {
#define ROWS(code, rule, meaning) {FUSE_##code, refuse_##rule},
#define KERNEL(code, rule, meaning)
#define PRODUCT(code, rule, meaning)
#define VERDICT(code, meaning)
#include "passes/fuse_rules.def"
};

static const RuleRow kernel_rules[] = {
#define ROWS(code, rule, meaning)
#define KERNEL(code, rule, meaning) {FUSE_##code, refuse_##rule},
#define PRODUCT(code, rule, meaning)
#define VERDICT(code, meaning)
#include "passes/fuse_rules.def"
};

static const RuleRow product_rules[] = {
#define ROWS(code, rule, meaning)
#define KERNEL(code, rule, meaning)
#define PRODUCT(code, rule, meaning) {FUSE_##code, refuse_##rule},
#define VERDICT(code, meaning)
#include "passes/fuse_rules.def"
};

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

FuseVerdict fuse_judge(Fuser *fuser, const ClusterPair *pair, FuseRules rules)
{
    static const struct {
        const RuleRow *rows;
        size_t count;
    } sets[] = {
        [FUSE_rows] = {row_rules, sizeof row_rules / sizeof *row_rules},
        [FUSE_kernels] = {kernel_rules, sizeof kernel_rules / sizeof *kernel_rules},
        [FUSE_products] = {product_rules, sizeof product_rules / sizeof *product_rules},
    };
    return judge(fuser, pair, sets[rules].rows, sets[rules].count);
}
