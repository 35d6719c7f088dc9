/* Grafts what methods add to a backbone into its sites.
 *
 * A site node is (in, out) -> out. Each graft of its name, in module order, is inlined
 * with `input "out"` and `input "in"` standing for the two values; its result is the
 * `out` of the next graft, and the last result takes the place of the site. A site
 * without grafts is its `out`.
 *
 * A graft may move the value to another axis: prompts go before a text by making the axis
 * join(prompt, text). Then everything downstream follows: nodes are inferred anew, axis
 * attributes that name the old axis name the new one, and axes derived from the old axis
 * (enc = join(text, image)) keep their names but are derived from the new one. Such axes
 * are therefore created late, when the first node needs them; all others come first, in
 * their old order.
 *
 * Other results of a graft (rows that generation caches) are results of the host.
 *
 * Axes of grafts are matched by name: one with the name of a host axis is that axis. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "ir/axis.h"
#include "ir/base/list.h"
#include "ir/base/map.h"
#include "passes/pass.h"
#include "passes/rewrite.h"

enum { MOST_ARGS = 8 };

/* A graft that goes into this graph. */
typedef struct PendingGraft {
    const Graph *graft;
    bool used;
    uint32_t next, last; /* of the same site; MAP_ABSENT: none. `last` is of its first */
} PendingGraft;

typedef struct Attaching {
    Diags *diags;
    PendingGraft *pending; /* in module order */
    size_t pending_count, pending_capacity;
    Map sites;     /* name of a site, to its first pending graft */
    int32_t *axes; /* host axis -> axis of the result, or AXIS_STATIC: not created yet */
    int32_t *follow;  /* host axis -> what it became downstream, or AXIS_STATIC */
    bool *downstream; /* by node id: depends on a value that changed its axis */
    bool axes_changed;
} Attaching;

/* -- axes ----------------------------------------------------------------- */

/* The axis of the result for a host axis. Parts of a derived axis that is only now
 * created are what they have become. */
static int32_t host_axis(Rewrite *rw, int32_t axis, bool downstream, Loc loc)
{
    Attaching *at = rw->state;
    if (downstream && at->follow[axis] != AXIS_STATIC)
        return at->follow[axis];
    if (at->axes[axis] != AXIS_STATIC)
        return at->axes[axis];
    const Axis *old = &rw->in->axes[axis];
    Axis changed = *old;
    for (uint32_t i = 0; i < axis_part_count(old); i++)
        changed.of[i] = host_axis(rw, old->of[i], true, loc);
    at->axes[axis] = graph_axis(rw->out, changed, loc);
    return at->axes[axis];
}

/* The axis of the result for an axis of a graft. `own` maps those the graft brings along,
 * and the axes of its two inputs. */
static int32_t graft_axis(Rewrite *rw, const Graph *graft, int32_t *own, int32_t axis,
                          Loc loc)
{
    if (own[axis] != AXIS_STATIC)
        return own[axis];
    const Axis *wanted = &graft->axes[axis];
    int32_t known = graph_find_axis(rw->in, wanted->name);
    if (known != AXIS_STATIC && rw->in->axes[known].kind == wanted->kind) {
        own[axis] = host_axis(rw, known, true, loc);
        return own[axis];
    }
    Axis brought = *wanted;
    for (uint32_t i = 0; i < axis_part_count(wanted); i++)
        brought.of[i] = graft_axis(rw, graft, own, wanted->of[i], loc);
    Attaching *at = rw->state;
    at->axes_changed = true;
    own[axis] = graph_axis(rw->out, brought, loc);
    return own[axis];
}

/* How axis indices of one graph become those of the result. */
typedef struct AxisMap {
    Rewrite *rw;
    const Graph *graft; /* NULL: the host */
    int32_t *own;       /* graft */
    bool downstream;    /* host */
} AxisMap;

static int32_t map_axis(const AxisMap *map, int32_t axis, Loc loc)
{
    if (axis == AXIS_STATIC)
        return AXIS_STATIC;
    return map->graft ? graft_axis(map->rw, map->graft, map->own, axis, loc)
                      : host_axis(map->rw, axis, map->downstream, loc);
}

static void map_attr_axes(const AxisMap *map, const Node *node, OpAttr *attr)
{
    uint32_t count;
    const AttrField *fields = op_fields(node->op, &count);
    for (uint32_t i = 0; i < count; i++) {
        char *at = (char *)attr + fields[i].offset;
        if (fields[i].kind == ATTR_axis) {
            int32_t *axis = (void *)at;
            *axis = map_axis(map, *axis, node->loc);
        } else if (fields[i].kind == ATTR_type) {
            Type *type = (void *)at;
            type->axis = map_axis(map, type->axis, node->loc);
        }
    }
}

/* `node` built into the result over `args`, on the axes that `map` gives. NULL after an
 * error. */
static const Node *copy_mapped(const AxisMap *map, const Node *node,
                               const Node *const *args)
{
    uint32_t errors = diags_error_count(((Attaching *)map->rw->state)->diags);
    OpAttr attr = node->attr;
    Type type = node->type;
    type.axis = map_axis(map, type.axis, node->loc);
    map_attr_axes(map, node, &attr);
    if (diags_error_count(((Attaching *)map->rw->state)->diags) != errors)
        return NULL;
    BuildSite site = {node->loc, node->stage};
    return graph_node(map->rw->out, site,
                      (NodeSpec){.op = node->op,
                                 .attr = &attr,
                                 .args = args,
                                 .arg_count = node->arg_count,
                                 .given = &type});
}

/* -- grafts --------------------------------------------------------------- */

static bool is_site_input(const Node *node, const char *which)
{
    return node->op == OP_input && strcmp(node->attr.named.name, which) == 0;
}

static const Output *graft_output(const Graph *graft)
{
    for (uint32_t i = 0; i < graft->output_count; i++)
        if (graft->outputs[i].role == OUTPUT_graft)
            return &graft->outputs[i];
    return NULL;
}

/* What stands for `node` of the graft if it is one of the two values of the site. */
static const Node *bind_input(const Graph *graft, const Node *node, int32_t *own,
                              const Node *in, const Node *out, Attaching *at)
{
    const Node *value = is_site_input(node, "out")  ? out
                        : is_site_input(node, "in") ? in
                                                    : NULL;
    if (!value)
        return NULL;
    Type expected = node->type;
    if (type_is_ragged(expected) && type_is_ragged(value->type)) {
        own[expected.axis] = value->type.axis;
        expected.axis = value->type.axis;
    }
    if (!type_equal(expected, value->type))
        diag_error(at->diags, node->loc,
                   "@%s does not fit site '%s': '%s' has another type there", graft->name,
                   graft->site, node->attr.named.name);
    return value;
}

/* The result of `graft` over the two values of its site. NULL after an error. */
static const Node *inline_graft(Rewrite *rw, const Graph *graft, const Node *in,
                                const Node *out)
{
    Attaching *at = rw->state;
    Arena *arena = rw->out->arena;
    const Output *result = graft_output(graft);
    if (!result) {
        diag_error(at->diags, (Loc){0}, "@%s has no output for its site", graft->name);
        return NULL;
    }
    uint32_t errors = diags_error_count(at->diags);
    int32_t *own = ARENA_ARRAY(arena, int32_t, graft->axis_count);
    for (uint32_t i = 0; i < graft->axis_count; i++)
        own[i] = i == AXIS_BATCH ? AXIS_BATCH : AXIS_STATIC;
    const Node **images = ARENA_ARRAY(arena, const Node *, graft->node_count);
    for (uint32_t i = 0; i < graft->node_count; i++)
        images[i] = bind_input(graft, graft->nodes[i], own, in, out, at);
    AxisMap map = {.rw = rw, .graft = graft, .own = own};
    for (uint32_t i = 0; i < graft->node_count; i++) {
        const Node *node = graft->nodes[i], *args[MOST_ARGS];
        assert(node->arg_count <= MOST_ARGS);
        for (uint32_t j = 0; j < node->arg_count; j++)
            args[j] = images[node->args[j]->id];
        if (!images[i])
            images[i] = copy_mapped(&map, node, args);
        if (!images[i] || diags_error_count(at->diags) != errors)
            return NULL;
        graph_name(rw->out, images[i], node->name);
    }
    for (uint32_t i = 0; i < graft->output_count; i++)
        if (&graft->outputs[i] != result)
            graph_output(rw->out, graft->outputs[i].role, graft->outputs[i].name,
                         images[graft->outputs[i].value->id], graft->outputs[i].loc);
    return images[result->value->id];
}

/* -- the walk ------------------------------------------------------------- */

static const Node *attach_site(Rewrite *rw, const Node *site)
{
    Attaching *at = rw->state;
    const Node *in = rewrite_image(rw, site->args[0]);
    const Node *value = rewrite_image(rw, site->args[1]);
    int32_t axis_before = value->type.axis;
    uint32_t i = map_find_word(&at->sites, (uintptr_t)site->attr.site.name);
    for (; i != MAP_ABSENT && value; i = at->pending[i].next) {
        value = inline_graft(rw, at->pending[i].graft, in, value);
        at->pending[i].used = true;
    }
    if (value && value->type.axis != axis_before && site->type.axis != AXIS_STATIC) {
        at->follow[site->type.axis] = value->type.axis;
        at->downstream[site->id] = true;
        at->axes_changed = true;
    }
    return value;
}

static const Node *attach_node(Rewrite *rw, const Node *node)
{
    Attaching *at = rw->state;
    const Node *args[MOST_ARGS];
    assert(node->arg_count <= MOST_ARGS);
    for (uint32_t i = 0; i < node->arg_count; i++) {
        args[i] = rewrite_image(rw, node->args[i]);
        at->downstream[node->id] |= at->downstream[node->args[i]->id];
    }
    if (node->op == OP_site)
        return attach_site(rw, node);
    AxisMap map = {.rw = rw, .downstream = at->downstream[node->id]};
    return copy_mapped(&map, node, args);
}

/* -- before and after ----------------------------------------------------- */

static void add_pending(Attaching *at, const Graph *graft)
{
    LIST_ROOM(at->pending, at->pending_count + 1, at->pending_capacity);
    uint32_t place = (uint32_t)at->pending_count++;
    at->pending[place] =
        (PendingGraft){.graft = graft, .next = MAP_ABSENT, .last = place};
    uint32_t first = map_find_word(&at->sites, (uintptr_t)graft->site);
    if (first == MAP_ABSENT) {
        map_add_word(&at->sites, (uintptr_t)graft->site, place);
    } else {
        at->pending[at->pending[first].last].next = place;
        at->pending[first].last = place;
    }
}

static void collect_pending(Attaching *at, const PassContext *ctx, const Graph *host)
{
    for (uint32_t i = 0; i < ctx->graft_count; i++)
        if (strcmp(ctx->grafts[i]->host, host->name) == 0)
            add_pending(at, ctx->grafts[i]);
}

/* The host axis that `graft` replaces by another, or AXIS_STATIC. */
static int32_t replaced_axis(const Graph *host, const Graph *graft)
{
    const Output *result = graft_output(graft);
    for (uint32_t i = 0; result && i < graft->node_count; i++) {
        const Node *node = graft->nodes[i];
        if (is_site_input(node, "out") && type_is_ragged(node->type) &&
            node->type.axis != result->value->type.axis)
            return graph_find_axis(host, graft->axes[node->type.axis].name);
    }
    return AXIS_STATIC;
}

/* Creates the axes that no graft can change, in their order. */
static void create_settled_axes(Rewrite *rw)
{
    Attaching *at = rw->state;
    const Graph *host = rw->in;
    bool *replaced = ARENA_ARRAY(rw->out->arena, bool, host->axis_count);
    bool *late = ARENA_ARRAY(rw->out->arena, bool, host->axis_count);
    for (uint32_t i = 0; i < host->axis_count; i++)
        at->axes[i] = at->follow[i] = AXIS_STATIC;
    for (size_t i = 0; i < at->pending_count; i++) {
        int32_t axis = replaced_axis(host, at->pending[i].graft);
        if (axis != AXIS_STATIC)
            replaced[axis] = true;
    }
    for (uint32_t i = 0; i < host->axis_count; i++) {
        const Axis *axis = &host->axes[i];
        for (uint32_t j = 0; j < axis_part_count(axis); j++)
            late[i] |= replaced[axis->of[j]] || late[axis->of[j]];
        if (!late[i])
            host_axis(rw, (int32_t)i, false, (Loc){0});
    }
}

static bool all_used(const Attaching *at)
{
    bool ok = true;
    for (size_t i = 0; i < at->pending_count; i++) {
        const Graph *graft = at->pending[i].graft;
        if (!at->pending[i].used)
            diag_error(at->diags, (Loc){0}, "@%s: @%s has no site '%s'", graft->name,
                       graft->host, graft->site);
        ok &= at->pending[i].used;
    }
    return ok;
}

/* Axes nothing needed so far, and the limits of all if any is new. */
static void finish_axes(Rewrite *rw, const Module *module)
{
    Attaching *at = rw->state;
    for (uint32_t i = 0; i < rw->in->axis_count; i++)
        host_axis(rw, (int32_t)i, false, (Loc){0});
    if (!at->axes_changed)
        return;
    axes_derive_limits(rw->out, module->settings.tokens, module->settings.sequences);
}

/* Whether a graft moves an axis of the encode graph. */
static bool is_moved(const Graph *encode, const PassContext *ctx)
{
    for (uint32_t i = 0; i < ctx->graft_count; i++)
        if (strcmp(ctx->grafts[i]->host, encode->name) == 0 &&
            replaced_axis(encode, ctx->grafts[i]) != AXIS_STATIC)
            return true;
    return false;
}

/* Values that the encode graph keeps may have got longer: so do the axes of the decode
 * graph that they come in on. */
static void lengthen_kept_axes(Graph *decode, const PassContext *ctx)
{
    const Graph *encode = ctx->encode;
    for (uint32_t i = 0; i < decode->node_count; i++) {
        const Node *node = decode->nodes[i];
        const Output *kept =
            node->op == OP_input
                ? graph_find_output(encode, OUTPUT_result, node->attr.named.name)
                : NULL;
        if (!kept || !type_is_ragged(kept->value->type) || !type_is_ragged(node->type))
            continue;
        const Axis *from = &encode->axes[kept->value->type.axis];
        Axis *to = &decode->axes[node->type.axis];
        if (to->kind == AXIS_KIND_primary && to->longest < from->longest)
            to->longest = from->longest;
    }
    axes_derive_limits(decode, ctx->module->settings.tokens,
                       ctx->module->settings.sequences);
}

Graph *pass_attach(const Graph *in, PassContext *ctx)
{
    Graph *out = graph_like(in);
    out->axis_count = 0;
    Attaching at = {.diags = ctx->diags};
    Rewrite rw = {
        .in = in, .out = out, .node = attach_node, .state = &at, .visit_dead = true};
    at.axes = ARENA_ARRAY(out->arena, int32_t, in->axis_count);
    at.follow = ARENA_ARRAY(out->arena, int32_t, in->axis_count);
    at.downstream = ARENA_ARRAY(out->arena, bool, in->node_count + 1);
    collect_pending(&at, ctx, in);
    create_settled_axes(&rw);
    bool ok = rewrite_into(&rw) && all_used(&at);
    if (ok)
        finish_axes(&rw, ctx->module);
    if (ok && ctx->encode && is_moved(ctx->encode_before, ctx))
        lengthen_kept_axes(out, ctx);
    free(at.pending);
    map_free(&at.sites);
    if (ok)
        return out;
    graph_free(out);
    return NULL;
}
