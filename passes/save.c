/* What the backward pass reads of the forward pass: kept, kept as bits, or computed
 * again. Requires a differentiated graph, best after freeze and simplify.
 *
 * Which values to keep is a minimum cut. Each forward value is an edge as wide as its
 * bytes. Flow comes from values that cannot be computed again (matrix products,
 * attention, moves, ...), runs along row-local ops to what they make, and ends in the
 * backward nodes. Keeping the values of a cut is enough to recompute everything behind
 * it, and a least cut keeps the fewest bytes. Among least cuts the one next to the
 * backward nodes recomputes least. A comparison that only the backward pass asks for
 * takes part: cutting at its bits costs a 32nd of its operands.
 *
 * A recomputed value must not outlive what it saves, so a value that is read beyond the
 * next product (the residual stream) is never recomputed. Copies belong to the backward
 * stage, so that builders do not share them with their originals, and stand before their
 * first reader. The copy of a named value is named after it, `h:again`.
 *
 * What follows from frozen weights alone is kept like them: it is computed once, for all
 * micro-batches (ir/frozen.h).
 *
 * With a memory budget that the cut exceeds, more may be recomputed: first reductions of
 * rows, then moves, products and attention, which is to keep little more than the
 * residual stream; and only for as much of the graph, from its front, as the budget asks
 * for. */
#include "passes/save.h"

#include "ir/frozen.h"
#include "ir/liveness.h"
#include "ir/lowering.h"
#include "passes/flow.h"
#include "passes/pass.h"
#include "passes/reorder.h"

#define NONE UINT32_MAX

typedef struct Saver {
    const Graph *in;
    Arena *arena;
    bool *live;      /* by node id: an output depends on it */
    bool *is_free;   /* by node id: a source, or computed once: kept anyway */
    bool *is_back;   /* by node id: of the backward pass */
    bool *is_early;  /* by node id: a comparison of forward values, asked for by the
                        backward pass */
    bool *is_far;    /* by node id: read beyond the next product */
    bool *is_turn;   /* by node id: read where forward turns into backward */
    bool *sink_side; /* by vertex of the cut */
    Again effort;    /* of nodes before `limit`; of the others, one less */
    uint32_t limit;
    Graph *out;
    const Node **images; /* by node id: the value in `out` */
    const Node **copies; /* by node id: its copy in the backward pass */
    uint32_t *stack;
} Saver;

/* -- facts about nodes --------------------------------------------------------------- */

static void find_free(Saver *s)
{
    s->is_free = frozen_nodes(s->in, s->arena);
    for (uint32_t i = 0; i < s->in->node_count; i++)
        s->is_free[i] = s->is_free[i] || node_is_source(s->in->nodes[i]);
}

/* A node of the backward stage, or one that depends on such a node. */
static void find_stages(Saver *s)
{
    const Graph *in = s->in;
    s->is_back = ARENA_ARRAY(s->arena, bool, in->node_count);
    s->is_early = ARENA_ARRAY(s->arena, bool, in->node_count);
    for (uint32_t i = 0; i < in->node_count; i++) {
        const Node *node = in->nodes[i];
        bool reads_back = false;
        for (uint32_t j = 0; j < node->arg_count; j++)
            reads_back |= s->is_back[node->args[j]->id];
        s->is_back[i] =
            !node_is_source(node) && (reads_back || node->stage == STAGE_backward);
        s->is_early[i] = s->is_back[i] && !reads_back && !s->is_free[i] &&
                         node->type.dtype == DTYPE_bit && node_is_map(node);
    }
    for (uint32_t i = 0; i < in->output_count; i++)
        s->is_early[in->outputs[i].value->id] = false;
}

/* How many anchors lie on a path to a node; a reader that is deeper for another reason
 * than being one itself waits for other products. */
static void find_far(Saver *s)
{
    const Graph *in = s->in;
    uint32_t *depth = ARENA_ARRAY(s->arena, uint32_t, in->node_count);
    s->is_far = ARENA_ARRAY(s->arena, bool, in->node_count);
    for (uint32_t i = 0; i < in->node_count; i++) {
        const Node *node = in->nodes[i];
        uint32_t deepest = 0;
        for (uint32_t j = 0; j < node->arg_count; j++)
            if (deepest < depth[node->args[j]->id])
                deepest = depth[node->args[j]->id];
        for (uint32_t j = 0; !s->is_back[i] && s->live[i] && j < node->arg_count; j++)
            if (depth[node->args[j]->id] < deepest)
                s->is_far[node->args[j]->id] = true;
        depth[i] = deepest + node_has_fact(node, LOWERING_ANCHOR);
    }
}

/* Logits are made once for the loss and its gradient, by one kernel that reads one
 * operand: a copy of it for the gradient would tear the two apart. */
static void find_turn(Saver *s)
{
    const Graph *in = s->in;
    s->is_turn = ARENA_ARRAY(s->arena, bool, in->node_count);
    for (uint32_t i = 0; i < in->node_count; i++)
        for (uint32_t j = 0; s->is_back[i] && j < in->nodes[i]->arg_count; j++)
            if (node_has_fact(in->nodes[i], LOWERING_MEETS_GRADIENTS))
                s->is_turn[in->nodes[i]->args[j]->id] = true;
}

/* A value that the cut decides on. */
static bool is_candidate(const Saver *s, uint32_t id)
{
    return s->live[id] && !s->is_free[id] && (!s->is_back[id] || s->is_early[id]);
}

static bool is_cheap(const Saver *s, const Node *node)
{
    bool stays = s->is_far[node->id] || s->is_turn[node->id];
    bool less = s->effort > AGAIN_maps && node->id >= s->limit;
    Again effort = less ? s->effort - 1 : s->effort, needed = node_lowering(node)->again;
    return needed == AGAIN_always || (!stays && needed <= effort);
}

/* -- the cut ------------------------------------------------------------------------- */

static uint32_t vertex_made(uint32_t id)
{
    return 2 * id;
}

static uint32_t vertex_read(uint32_t id)
{
    return 2 * id + 1;
}

static bool is_kept(const Saver *s, uint32_t id)
{
    return is_candidate(s, id) && !s->sink_side[vertex_made(id)] &&
           s->sink_side[vertex_read(id)];
}

static bool is_recomputed(const Saver *s, uint32_t id)
{
    return is_candidate(s, id) && s->sink_side[vertex_made(id)];
}

static int64_t cut(Saver *s)
{
    const Graph *in = s->in;
    uint32_t source = 2 * in->node_count, sink = source + 1, edges = 2 * in->node_count;
    for (uint32_t i = 0; i < in->node_count; i++)
        edges += in->nodes[i]->arg_count;
    Arena *arena = arena_new();
    Flow *flow = flow_new(arena, sink + 1, edges);
    for (uint32_t i = 0; i < in->node_count; i++) {
        const Node *node = in->nodes[i];
        bool decided = is_candidate(s, i), cheap = decided && is_cheap(s, node);
        if (!s->live[i] || s->is_free[i])
            continue;
        if (decided)
            flow_edge(flow, vertex_made(i), vertex_read(i),
                      node_is_view(node) ? FLOW_INFINITE : node_bytes(in, node));
        if (decided && !cheap)
            flow_edge(flow, source, vertex_made(i), FLOW_INFINITE);
        for (uint32_t j = 0; j < node->arg_count; j++) {
            uint32_t arg = node->args[j]->id;
            if (!is_candidate(s, arg) || (decided && !cheap))
                continue;
            flow_edge(flow, vertex_read(arg), decided ? vertex_made(i) : sink,
                      FLOW_INFINITE);
        }
    }
    int64_t bytes = flow_cut(flow, source, sink, s->sink_side);
    arena_free(arena);
    return bytes;
}

/* With effort enough for the budget: spends it on as few nodes as possible, from the
 * front. */
static void limit_effort(Saver *s, int64_t budget)
{
    uint32_t enough = s->in->node_count, too_few = 0;
    while (enough - too_few > 1) {
        s->limit = too_few + (enough - too_few) / 2;
        if (cut(s) <= budget)
            enough = s->limit;
        else
            too_few = s->limit;
    }
    s->limit = enough;
    cut(s);
}

/* Recomputes as little as the budget allows; false if all effort is not enough. */
static bool choose(Saver *s, PassContext *ctx)
{
    s->sink_side = ARENA_ARRAY(s->arena, bool, 2 * (size_t)s->in->node_count + 2);
    s->effort = AGAIN_maps;
    s->limit = s->in->node_count;
    int64_t bytes = cut(s), budget = ctx->memory_budget;
    while (budget > 0 && bytes > budget && s->effort + 1 < AGAIN_never) {
        s->effort++;
        bytes = cut(s);
    }
    if (budget > 0 && bytes > budget) {
        diag_error(ctx->diags, (Loc){0},
                   "@%s: a memory budget of %lld bytes is too small: its backward pass "
                   "needs %lld bytes of saved values, however much is recomputed",
                   s->in->name, (long long)budget, (long long)bytes);
        return false;
    }
    if (s->effort > AGAIN_maps)
        limit_effort(s, budget);
    return true;
}

/* -- the new graph ------------------------------------------------------------------- */

/* The node over `args`, in `stage`; NULL after an error. */
static const Node *build(Saver *s, const Node *node, Stage stage, const Node *const *args)
{
    return graph_node(s->out, (BuildSite){node->loc, stage}, node_spec(node, args));
}

static const Node *build_image(Saver *s, const Node *node, Stage stage)
{
    const Node **args = ARENA_ARRAY(s->arena, const Node *, node->arg_count + 1);
    for (uint32_t i = 0; i < node->arg_count; i++)
        args[i] = s->images[node->args[i]->id];
    const Node *image = build(s, node, stage, args);
    if (image)
        graph_keep_name(s->out, image, node);
    return s->images[node->id] = image;
}

/* Marks forward nodes that outputs, kept values or other forward nodes need. */
static bool *find_needed(const Saver *s)
{
    const Graph *in = s->in;
    bool *needed = ARENA_ARRAY(s->arena, bool, in->node_count);
    for (uint32_t i = 0; i < in->output_count; i++)
        needed[in->outputs[i].value->id] = true;
    for (uint32_t i = in->node_count; i-- > 0;) {
        const Node *node = in->nodes[i];
        needed[i] = needed[i] || is_kept(s, i) || (s->is_free[i] && s->live[i]);
        if (s->is_back[i] && !is_kept(s, i))
            continue;
        for (uint32_t j = 0; needed[i] && j < node->arg_count; j++)
            needed[node->args[j]->id] = true;
    }
    return needed;
}

/* Kept comparisons follow the last of their operands: lists by that operand. */
static uint32_t *find_hoisted(const Saver *s, uint32_t *next)
{
    uint32_t *first = ARENA_ARRAY(s->arena, uint32_t, s->in->node_count);
    for (uint32_t i = 0; i < s->in->node_count; i++)
        first[i] = NONE;
    for (uint32_t i = s->in->node_count; i-- > 0;) {
        const Node *node = s->in->nodes[i];
        if (!s->is_early[i] || !is_kept(s, i))
            continue;
        uint32_t last = 0;
        for (uint32_t j = 0; j < node->arg_count; j++)
            if (last < node->args[j]->id)
                last = node->args[j]->id;
        next[i] = first[last];
        first[last] = i;
    }
    return first;
}

static bool build_forward(Saver *s)
{
    const bool *needed = find_needed(s);
    uint32_t *next = ARENA_ARRAY(s->arena, uint32_t, s->in->node_count);
    const uint32_t *hoisted = find_hoisted(s, next);
    for (uint32_t i = 0; i < s->in->node_count; i++) {
        if (!needed[i] || s->is_back[i])
            continue;
        if (!build_image(s, s->in->nodes[i], STAGE_forward))
            return false;
        for (uint32_t j = hoisted[i]; j != NONE; j = next[j])
            if (!build_image(s, s->in->nodes[j], STAGE_forward))
                return false;
    }
    return true;
}

static const Node *backward_image(const Saver *s, const Node *node)
{
    return is_recomputed(s, node->id) ? s->copies[node->id] : s->images[node->id];
}

/* Builds the copy of `wanted`, after those that it follows from. */
static bool build_copy(Saver *s, const Node *wanted)
{
    uint32_t depth = 0;
    s->stack[depth++] = wanted->id;
    while (depth > 0) {
        const Node *node = s->in->nodes[s->stack[depth - 1]];
        const Node *missing = NULL;
        for (uint32_t i = 0; i < node->arg_count && !missing; i++)
            if (!backward_image(s, node->args[i]))
                missing = node->args[i];
        if (missing) {
            s->stack[depth++] = missing->id;
            continue;
        }
        const Node **args = ARENA_ARRAY(s->arena, const Node *, node->arg_count + 1);
        for (uint32_t i = 0; i < node->arg_count; i++)
            args[i] = backward_image(s, node->args[i]);
        s->copies[node->id] = build(s, node, STAGE_backward, args);
        if (!s->copies[node->id])
            return false;
        graph_name_after(s->out, s->copies[node->id], node, "again");
        depth--;
    }
    return true;
}

static bool build_backward(Saver *s)
{
    for (uint32_t i = 0; i < s->in->node_count; i++) {
        const Node *node = s->in->nodes[i];
        if (!s->live[i] || !s->is_back[i] || s->is_early[i])
            continue;
        const Node **args = ARENA_ARRAY(s->arena, const Node *, node->arg_count + 1);
        for (uint32_t j = 0; j < node->arg_count; j++) {
            if (!backward_image(s, node->args[j]) && !build_copy(s, node->args[j]))
                return false;
            args[j] = backward_image(s, node->args[j]);
        }
        s->images[i] = build(s, node, node->stage, args);
        if (!s->images[i])
            return false;
        graph_keep_name(s->out, s->images[i], node);
    }
    return true;
}

static Graph *rebuild(Saver *s)
{
    uint32_t count = s->in->node_count;
    s->out = graph_like(s->in);
    s->out->fused = s->out->planned = false;
    s->out->slab_bytes = s->out->slab_bound = 0;
    s->images = ARENA_ARRAY(s->arena, const Node *, count);
    s->copies = ARENA_ARRAY(s->arena, const Node *, count);
    s->stack = ARENA_ARRAY(s->arena, uint32_t, count);
    if (!build_forward(s) || !build_backward(s)) {
        graph_free(s->out);
        return NULL;
    }
    for (uint32_t i = 0; i < s->in->output_count; i++) {
        const Output *output = &s->in->outputs[i];
        graph_output(s->out, output->role, output->name, s->images[output->value->id],
                     output->loc);
    }
    return s->out;
}

/* -- the pass ------------------------------------------------------------------------ */

static SaveReason reason_of(const Saver *s, const Node *node)
{
    if (is_recomputed(s, node->id)) {
        for (uint32_t i = 0; i < node->arg_count; i++)
            if (!s->is_free[node->args[i]->id])
                return SAVE_KEPT;
        return SAVE_SOURCES;
    }
    if (!is_kept(s, node->id))
        return SAVE_COMPARED;
    if (node->type.dtype == DTYPE_bit)
        return SAVE_BITS;
    if (s->is_far[node->id])
        return SAVE_FAR;
    if (s->is_turn[node->id])
        return SAVE_TURN;
    return is_cheap(s, node) ? SAVE_LEAST : SAVE_PRODUCT;
}

/* A line for every value that is kept, or that the backward pass read before. */
static void report(const Saver *s, FILE *out, bool brief)
{
    const Graph *in = s->in;
    bool *is_read = ARENA_ARRAY(s->arena, bool, in->node_count);
    SaveLine *lines = ARENA_ARRAY(s->arena, SaveLine, in->node_count);
    uint32_t count = 0;
    for (uint32_t i = 0; i < in->node_count; i++)
        for (uint32_t j = 0; s->live[i] && s->is_back[i] && j < in->nodes[i]->arg_count;
             j++)
            is_read[storage_node(in->nodes[i]->args[j])->id] = true;
    for (uint32_t i = 0; i < in->node_count; i++) {
        const Node *node = in->nodes[i];
        bool was_read = is_read[i] && is_candidate(s, i) && !s->is_early[i];
        if (!node_is_view(node) && (is_kept(s, i) || was_read))
            lines[count++] =
                (SaveLine){node, reason_of(s, node), was_read, is_kept(s, i)};
    }
    save_report(out, in, lines, count, brief);
}

Graph *pass_save(const Graph *in, PassContext *ctx)
{
    Saver s = {.in = in, .arena = arena_new()};
    s.live = live_nodes(in, s.arena);
    find_free(&s);
    find_stages(&s);
    find_far(&s);
    find_turn(&s);
    Graph *out = choose(&s, ctx) ? rebuild(&s) : NULL;
    if (out && ctx->report)
        report(&s, ctx->report, ctx->brief);
    arena_free(s.arena);
    return out;
}
