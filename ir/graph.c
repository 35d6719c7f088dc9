/* Graphs: growth, node sharing, axes, outputs. Shape rules are in shape.c, modules in
 * module.c. */
#include "ir/graph.h"

#include <stdlib.h>
#include <string.h>

#include "ir/base/list.h"
#include "ir/base/map.h"
#include "ir/base/heap.h"
#include "ir/value_names.h"

struct GraphPrivate {
    size_t node_capacity, axis_capacity, output_capacity;
    Map nodes;           /* ids by content */
    ValueNames names;    /* of values and sources, if compares_names */
    bool compares_names; /* a name was given that others may have */
};

Graph *graph_new(Interns *interns, Diags *diags, GraphKind kind, const char *name,
                 const char *task)
{
    Arena *arena = arena_new();
    Graph *graph = arena_alloc(arena, sizeof *graph);
    graph->arena = arena;
    graph->interns = interns;
    graph->diags = diags;
    graph->kind = kind;
    graph->name = intern(interns, name);
    graph->task = intern(interns, task);
    graph->private_ = arena_alloc(arena, sizeof *graph->private_);
    graph_axis(graph,
               (Axis){.name = intern(interns, "batch"),
                      .kind = AXIS_KIND_batch,
                      .longest = 1,
                      .capacity = 1},
               (Loc){0});
    return graph;
}

Graph *graph_like(const Graph *graph)
{
    Graph *copy =
        graph_new(graph->interns, graph->diags, graph->kind, graph->name, graph->task);
    copy->host = graph->host;
    copy->site = graph->site;
    copy->axis_count = 0; /* batch comes with the rest, with its limits */
    for (uint32_t i = 0; i < graph->axis_count; i++)
        graph_axis(copy, graph->axes[i], (Loc){0});
    copy->fused = graph->fused;
    copy->planned = graph->planned;
    copy->slab_bytes = graph->slab_bytes;
    copy->slab_bound = graph->slab_bound;
    return copy;
}

void graph_free(Graph *graph)
{
    if (!graph)
        return;
    map_free(&graph->private_->nodes);
    value_names_free(&graph->private_->names);
    arena_free(graph->arena);
}

/* -- axes -------------------------------------------------------------------------- */

int32_t graph_find_axis(const Graph *graph, const char *name)
{
    for (uint32_t i = 0; i < graph->axis_count; i++)
        if (strcmp(graph->axes[i].name, name) == 0)
            return (int32_t)i;
    return AXIS_STATIC;
}

static bool axis_same(const Axis *a, const Axis *b)
{
    return a->kind == b->kind && a->of[0] == b->of[0] && a->of[1] == b->of[1] &&
           a->count == b->count && a->images == b->images && a->side == b->side &&
           (a->kind != AXIS_KIND_primary || a->longest == b->longest);
}

int32_t graph_axis(Graph *graph, Axis axis, Loc loc)
{
    int32_t known = graph_find_axis(graph, axis.name);
    if (known != AXIS_STATIC) {
        if (axis_same(&graph->axes[known], &axis))
            return known;
        if (graph->diags)
            diag_error(graph->diags, loc, "axis '%s' is defined twice, differently",
                       axis.name);
        return AXIS_STATIC;
    }
    struct GraphPrivate *own = graph->private_;
    ARENA_LIST_ROOM(graph->arena, graph->axes, graph->axis_count + 1, own->axis_capacity);
    graph->axes[graph->axis_count] = axis;
    return (int32_t)graph->axis_count++;
}

/* -- nodes ------------------------------------------------------------------------- */

bool op_attr_equal(OpKind op, const OpAttr *a, const OpAttr *b)
{
    uint32_t count;
    const AttrField *fields = op_fields(op, &count);
    for (uint32_t i = 0; i < count; i++) {
        const char *x = (const char *)a + fields[i].offset;
        const char *y = (const char *)b + fields[i].offset;
        switch (fields[i].kind) {
        case ATTR_flag:
        case ATTR_axis:
        case ATTR_precision:
        case ATTR_rule:
            if (memcmp(x, y, sizeof(int32_t)) != 0)
                return false;
            break;
        case ATTR_int:
        case ATTR_real: /* by bits, so that -0 and 0 stay apart */
        case ATTR_name:
            if (memcmp(x, y, sizeof(int64_t)) != 0)
                return false;
            break;
        case ATTR_type:
            if (!type_equal(*(const Type *)(const void *)x,
                            *(const Type *)(const void *)y))
                return false;
            break;
        }
    }
    return true;
}

static uint64_t type_hash(uint64_t hash, Type type)
{
    hash = hash_word(hash, (uint64_t)type.dtype << 32 | (uint32_t)type.axis);
    for (uint32_t i = 0; i < type.rank; i++)
        hash = hash_word(hash, (uint64_t)type.dims[i]);
    return hash;
}

static uint64_t attr_hash(uint64_t hash, OpKind op, const OpAttr *attr)
{
    uint32_t count;
    const AttrField *fields = op_fields(op, &count);
    for (uint32_t i = 0; i < count; i++) {
        const char *at = (const char *)attr + fields[i].offset;
        uint64_t word = 0;
        switch (fields[i].kind) {
        case ATTR_flag:
        case ATTR_axis:
        case ATTR_precision:
        case ATTR_rule:
            memcpy(&word, at, sizeof(int32_t));
            break;
        case ATTR_int:
        case ATTR_real:
        case ATTR_name:
            memcpy(&word, at, sizeof word);
            break;
        case ATTR_type:
            hash = type_hash(hash, *(const Type *)(const void *)at);
            break;
        }
        hash = hash_word(hash, word);
    }
    return hash;
}

NodeSpec node_spec(const Node *node, const Node *const *args)
{
    return (NodeSpec){node->op, &node->attr, args, node->arg_count, &node->type};
}

/* What nodes are equal by. */
typedef struct NodeKey {
    const Graph *graph;
    NodeSpec spec;
    Stage stage;
    Type type;
} NodeKey;

static uint64_t node_hash(const NodeKey *key)
{
    uint64_t hash =
        hash_word(HASH_START, (uint64_t)key->spec.op << 8 | (uint64_t)key->stage);
    for (uint32_t i = 0; i < key->spec.arg_count; i++)
        hash = hash_word(hash, key->spec.args[i]->id);
    return type_hash(attr_hash(hash, key->spec.op, key->spec.attr), key->type);
}

static bool is_node(uint32_t id, const void *context)
{
    const NodeKey *key = context;
    const Node *node = key->graph->nodes[id];
    if (node->op != key->spec.op || node->stage != key->stage ||
        node->arg_count != key->spec.arg_count || !type_equal(node->type, key->type))
        return false;
    for (uint32_t i = 0; i < key->spec.arg_count; i++)
        if (node->args[i] != key->spec.args[i])
            return false;
    return op_attr_equal(key->spec.op, &node->attr, key->spec.attr);
}

/* The id of the node equal to it, or MAP_ABSENT. */
static uint32_t find_equal(const NodeKey *key, uint64_t hash)
{
    return map_find(&key->graph->private_->nodes, hash, is_node, key);
}

/* The first of equal nodes stands for all of them: text may have any number, and looking
 * past them would take time in the square of it. */
static void enter_node(Graph *graph, const Node *node)
{
    const NodeKey key = {graph, node_spec(node, node->args), node->stage, node->type};
    uint64_t hash = node_hash(&key);
    if (find_equal(&key, hash) == MAP_ABSENT)
        map_add(&graph->private_->nodes, hash, node->id);
}

static Node *append(Graph *graph, BuildSite site, NodeSpec spec, Type type)
{
    struct GraphPrivate *own = graph->private_;
    Node *node =
        arena_alloc(graph->arena, sizeof *node + spec.arg_count * sizeof *spec.args);
    node->op = spec.op;
    node->id = graph->node_count;
    node->type = type;
    node->loc = site.loc;
    node->stage = site.stage;
    node->attr = *spec.attr;
    node->arg_count = spec.arg_count;
    node->group = NO_GROUP;
    node->offset = NO_OFFSET;
    if (spec.arg_count)
        memcpy(node->args, spec.args, spec.arg_count * sizeof *spec.args);
    ARENA_LIST_ROOM(graph->arena, graph->nodes, graph->node_count + 1,
                    own->node_capacity);
    graph->nodes[graph->node_count++] = node;
    enter_node(graph, node);
    if (own->compares_names && node_name(node))
        value_names_take(&own->names, node_name(node));
    return node;
}

static NodeSpec with_attr(NodeSpec spec)
{
    static const OpAttr no_attr;
    if (!spec.attr)
        spec.attr = &no_attr;
    return spec;
}

Node *graph_append(Graph *graph, BuildSite site, NodeSpec spec)
{
    Type type;
    spec = with_attr(spec);
    return shape_infer(graph, site.loc, spec, &type) ? append(graph, site, spec, type)
                                                     : NULL;
}

const Node *graph_node(Graph *graph, BuildSite site, NodeSpec spec)
{
    Type type;
    spec = with_attr(spec);
    if (!shape_infer(graph, site.loc, spec, &type))
        return NULL;
    const NodeKey key = {graph, spec, site.stage, type};
    uint32_t equal = find_equal(&key, node_hash(&key));
    return equal != MAP_ABSENT ? graph->nodes[equal] : append(graph, site, spec, type);
}

const Node *graph_unary(Graph *graph, BuildSite site, OpKind op, const Node *x)
{
    return graph_node(graph, site, (NodeSpec){.op = op, .args = &x, .arg_count = 1});
}

const Node *graph_binary(Graph *graph, BuildSite site, OpKind op, const Node *a,
                         const Node *b)
{
    return graph_node(
        graph, site,
        (NodeSpec){.op = op, .args = (const Node *const[]){a, b}, .arg_count = 2});
}

/* Sources belong to the forward stage wherever they are used, so that there is one of
 * each. */
const Node *graph_source(Graph *graph, BuildSite site, OpKind op, const char *name,
                         Type type)
{
    OpAttr attr = {.named.name = intern(graph->interns, name)};
    site.stage = STAGE_forward;
    return graph_node(graph, site, (NodeSpec){.op = op, .attr = &attr, .given = &type});
}

const Node *graph_constant(Graph *graph, BuildSite site, double value)
{
    OpAttr attr = {.constant.value = value};
    site.stage = STAGE_forward;
    return graph_node(graph, site, (NodeSpec){.op = OP_constant, .attr = &attr});
}

const Node *graph_expand(Graph *graph, BuildSite site, const Node *x, Type to)
{
    if (type_equal(x->type, to))
        return x;
    OpAttr attr = {.shaped.to = to};
    return graph_node(
        graph, site,
        (NodeSpec){.op = OP_expand, .attr = &attr, .args = &x, .arg_count = 1});
}

const char *node_param_name(const Node *node)
{
    while (node->arg_count == 1)
        node = node->args[0];
    return op_info(node->op)->traits & TRAIT_OF_PARAM ? node->attr.named.name : NULL;
}

/* -- names ------------------------------------------------------------------------- */

static void compare_names(Graph *graph)
{
    struct GraphPrivate *own = graph->private_;
    if (own->compares_names)
        return;
    own->compares_names = true;
    value_names_reserve(&own->names, graph->node_count);
    for (uint32_t i = 0; i < graph->node_count; i++)
        if (node_name(graph->nodes[i]))
            value_names_take(&own->names, node_name(graph->nodes[i]));
}

static bool takes_name(const Node *node)
{
    return !node->name && op_info(node->op)->lowering != LOWER_source;
}

void graph_name(Graph *graph, const Node *node, const char *name)
{
    if (!name || !takes_name(node))
        return;
    compare_names(graph);
    graph->nodes[node->id]->name =
        value_names_new(&graph->private_->names, graph->interns, name);
}

void graph_keep_name(Graph *graph, const Node *node, const Node *of)
{
    if (graph->private_->compares_names)
        graph_name(graph, node, of->name);
    else if (takes_name(node))
        graph->nodes[node->id]->name = of->name;
}

void graph_name_after(Graph *graph, const Node *node, const Node *of, const char *what)
{
    const char *name = node_name(of);
    if (name && takes_name(node))
        graph_name(
            graph, node,
            intern(graph->interns, arena_format(graph->arena, "%s:%s", name, what)));
}

/* -- outputs ----------------------------------------------------------------------- */

void graph_output(Graph *graph, OutputRole role, const char *name, const Node *value,
                  Loc loc)
{
    struct GraphPrivate *own = graph->private_;
    ARENA_LIST_ROOM(graph->arena, graph->outputs, graph->output_count + 1,
                    own->output_capacity);
    graph->outputs[graph->output_count++] =
        (Output){role, intern(graph->interns, name), value, loc};
}

const Output *graph_find_output(const Graph *graph, OutputRole role, const char *name)
{
    for (uint32_t i = 0; i < graph->output_count; i++)
        if (graph->outputs[i].role == role && strcmp(graph->outputs[i].name, name) == 0)
            return &graph->outputs[i];
    return NULL;
}

uint32_t *graph_use_counts(const Graph *graph, Arena *arena)
{
    uint32_t *uses = ARENA_ARRAY(arena, uint32_t, graph->node_count);
    for (uint32_t i = 0; i < graph->node_count; i++)
        for (uint32_t j = 0; j < graph->nodes[i]->arg_count; j++)
            uses[graph->nodes[i]->args[j]->id]++;
    for (uint32_t i = 0; i < graph->output_count; i++)
        uses[graph->outputs[i].value->id]++;
    return uses;
}
