/* Graphs: growth, node sharing, axes, outputs. Shape rules are in shape.c, modules in
 * module.c. */
#include "ir/graph.h"

#include <stdlib.h>
#include <string.h>

#include "ir/base/hash.h"
#include "ir/base/heap.h"

const char *const axis_kind_names[AXIS_KIND_COUNT] = {"batch", "primary", "fixed", "join",
                                                      "pool"};
const char *const output_role_names[OUTPUT_ROLE_COUNT] = {"result", "loss", "gradient",
                                                          "assign", "graft"};
const char *const graph_kind_names[GRAPH_KIND_COUNT] = {"train", "evaluate", "update",
                                                        "graft", "encode",   "decode"};
const char *const init_kind_names[INIT_KIND_COUNT] = {"zeros", "ones", "constant",
                                                      "normal", "uniform"};

/* Nodes by content: open addressing over the graph's own nodes; size is a power of
 * two. */
struct GraphPrivate {
    uint32_t node_capacity, axis_capacity, output_capacity;
    uint32_t *table; /* node id + 1, or 0 */
    uint32_t table_size, table_used;
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
    free(graph->private_->table);
    arena_free(graph->arena);
}

/* Room for one more in an arena array of `count`; old arrays stay behind in the arena. */
static void *grown(Arena *arena, void *array, uint32_t count, uint32_t *capacity,
                   size_t bytes)
{
    if (count < *capacity)
        return array;
    *capacity = *capacity ? 2 * *capacity : 16;
    void *larger = arena_array(arena, *capacity, bytes);
    if (count)
        memcpy(larger, array, count * bytes);
    return larger;
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
    graph->axes = grown(graph->arena, graph->axes, graph->axis_count, &own->axis_capacity,
                        sizeof *graph->axes);
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

static uint64_t node_hash(OpKind op, Stage stage, const OpAttr *attr,
                          const Node *const *args, uint32_t arg_count, Type type)
{
    uint64_t hash = hash_word(HASH_START, (uint64_t)op << 8 | (uint64_t)stage);
    for (uint32_t i = 0; i < arg_count; i++)
        hash = hash_word(hash, args[i]->id);
    return type_hash(attr_hash(hash, op, attr), type);
}

static bool node_matches(const Node *node, OpKind op, Stage stage, const OpAttr *attr,
                         const Node *const *args, uint32_t arg_count, Type type)
{
    if (node->op != op || node->stage != stage || node->arg_count != arg_count ||
        !type_equal(node->type, type))
        return false;
    for (uint32_t i = 0; i < arg_count; i++)
        if (node->args[i] != args[i])
            return false;
    return op_attr_equal(op, &node->attr, attr);
}

static uint64_t hash_of(const Node *node)
{
    return node_hash(node->op, node->stage, &node->attr, node->args, node->arg_count,
                     node->type);
}

/* The first of equal nodes stands for all of them: text may have any number, and looking
 * past them would take time in the square of it. */
static void table_insert(Graph *graph, const Node *node)
{
    struct GraphPrivate *own = graph->private_;
    uint32_t i = (uint32_t)hash_of(node) & (own->table_size - 1);
    for (; own->table[i]; i = (i + 1) & (own->table_size - 1))
        if (node_matches(graph->nodes[own->table[i] - 1], node->op, node->stage,
                         &node->attr, node->args, node->arg_count, node->type))
            return;
    own->table[i] = node->id + 1;
    own->table_used++;
}

static void table_grow(Graph *graph)
{
    struct GraphPrivate *own = graph->private_;
    own->table_size = own->table_size ? 2 * own->table_size : 256;
    own->table_used = 0;
    free(own->table);
    own->table = heap_alloc(own->table_size * sizeof *own->table);
    memset(own->table, 0, own->table_size * sizeof *own->table);
    for (uint32_t i = 0; i < graph->node_count; i++)
        table_insert(graph, graph->nodes[i]);
}

static const Node *find_equal(const Graph *graph, uint64_t hash, OpKind op, Stage stage,
                              const OpAttr *attr, const Node *const *args,
                              uint32_t arg_count, Type type)
{
    const struct GraphPrivate *own = graph->private_;
    if (!own->table)
        return NULL;
    for (uint32_t i = (uint32_t)hash & (own->table_size - 1); own->table[i];
         i = (i + 1) & (own->table_size - 1)) {
        const Node *node = graph->nodes[own->table[i] - 1];
        if (node_matches(node, op, stage, attr, args, arg_count, type))
            return node;
    }
    return NULL;
}

static Node *append(Graph *graph, BuildSite site, OpKind op, const OpAttr *attr,
                    const Node *const *args, uint32_t arg_count, Type type)
{
    struct GraphPrivate *own = graph->private_;
    Node *node = arena_alloc(graph->arena, sizeof *node + arg_count * sizeof *args);
    node->op = op;
    node->id = graph->node_count;
    node->type = type;
    node->loc = site.loc;
    node->stage = site.stage;
    node->attr = *attr;
    node->arg_count = arg_count;
    node->group = NO_GROUP;
    node->offset = NO_OFFSET;
    if (arg_count)
        memcpy(node->args, args, arg_count * sizeof *args);
    graph->nodes = grown(graph->arena, graph->nodes, graph->node_count,
                         &own->node_capacity, sizeof(Node *));
    graph->nodes[graph->node_count++] = node;
    if (own->table && 2 * own->table_used < own->table_size)
        table_insert(graph, node);
    else
        table_grow(graph);
    return node;
}

static const OpAttr no_attr;

Node *graph_append(Graph *graph, BuildSite site, OpKind op, const OpAttr *attr,
                   const Node *const *args, uint32_t arg_count, const Type *given)
{
    Type type;
    if (!attr)
        attr = &no_attr;
    if (!shape_infer(graph, site.loc, op, attr, args, arg_count, given, &type))
        return NULL;
    return append(graph, site, op, attr, args, arg_count, type);
}

const Node *graph_node(Graph *graph, BuildSite site, OpKind op, const OpAttr *attr,
                       const Node *const *args, uint32_t arg_count, const Type *given)
{
    Type type;
    if (!attr)
        attr = &no_attr;
    if (!shape_infer(graph, site.loc, op, attr, args, arg_count, given, &type))
        return NULL;
    uint64_t hash = node_hash(op, site.stage, attr, args, arg_count, type);
    const Node *equal =
        find_equal(graph, hash, op, site.stage, attr, args, arg_count, type);
    return equal ? equal : append(graph, site, op, attr, args, arg_count, type);
}

const Node *graph_unary(Graph *graph, BuildSite site, OpKind op, const Node *x)
{
    return graph_node(graph, site, op, NULL, &x, 1, NULL);
}

const Node *graph_binary(Graph *graph, BuildSite site, OpKind op, const Node *a,
                         const Node *b)
{
    return graph_node(graph, site, op, NULL, (const Node *const[]){a, b}, 2, NULL);
}

/* Sources belong to the forward stage whoever asks for them, so that there is one of
 * each. */
const Node *graph_source(Graph *graph, BuildSite site, OpKind op, const char *name,
                         Type type)
{
    OpAttr attr = {.named.name = intern(graph->interns, name)};
    site.stage = STAGE_forward;
    return graph_node(graph, site, op, &attr, NULL, 0, &type);
}

const Node *graph_constant(Graph *graph, BuildSite site, double value)
{
    OpAttr attr = {.constant.value = value};
    site.stage = STAGE_forward;
    return graph_node(graph, site, OP_constant, &attr, NULL, 0, NULL);
}

const Node *graph_expand(Graph *graph, BuildSite site, const Node *x, Type to)
{
    if (type_equal(x->type, to))
        return x;
    OpAttr attr = {.shaped.to = to};
    return graph_node(graph, site, OP_expand, &attr, &x, 1, NULL);
}

const Node *graph_matmul(Graph *graph, BuildSite site, const Node *a, bool transpose_a,
                         const Node *b, bool transpose_b)
{
    OpAttr attr = {.matmul = {.transpose_a = transpose_a, .transpose_b = transpose_b}};
    return graph_node(graph, site, OP_matmul, &attr, (const Node *const[]){a, b}, 2,
                      NULL);
}

/* -- outputs ----------------------------------------------------------------------- */

void graph_output(Graph *graph, OutputRole role, const char *name, const Node *value,
                  Loc loc)
{
    struct GraphPrivate *own = graph->private_;
    graph->outputs = grown(graph->arena, graph->outputs, graph->output_count,
                           &own->output_capacity, sizeof *graph->outputs);
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
