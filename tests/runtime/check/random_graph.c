/* Grows a pool of ragged values by random steps; what nobody reads ends in the loss. Most
 * steps end in tanh or a norm, so that numbers stay near 1 however deep the graph. */
#include "tests/runtime/check/random_graph.h"

#include <stdlib.h>

static const BuildSite HERE = {.loc = {.file = "random", .line = 1}};

enum { MOST_VALUES = 64, WORDS = 13 };

typedef struct Grower {
    Module *module;
    Graph *graph;
    uint64_t seed, drawn;
    const Node *values[MOST_VALUES];
    bool is_read[MOST_VALUES];
    uint32_t count, params, inputs;
} Grower;

static uint32_t draw(Grower *g, uint32_t below)
{
    return (uint32_t)((random_unit(g->seed, g->drawn++) + 1) / 2 * below) % below;
}

static const Node *param(Grower *g, Type type)
{
    char name[64];
    snprintf(name, sizeof name, "%s.p%u", g->graph->task, g->params++);
    return harness_param(g->module, g->graph, name, type, true);
}

static const Node *input(Grower *g, Type type)
{
    char name[64];
    snprintf(name, sizeof name, "in%u", g->inputs++);
    return harness_input(g->graph, name, type);
}

static const Node *op(Grower *g, OpKind kind, OpAttr attr, const Node *a, const Node *b,
                      const Node *c)
{
    const Node *args[] = {a, b, c};
    uint32_t count = a ? b ? c ? 3 : 2 : 1 : 0;
    return graph_node(
        g->graph, HERE,
        (NodeSpec){.op = kind, .attr = &attr, .args = args, .arg_count = count});
}

#define PLAIN_OP(g, kind, a, b, c) op((g), (kind), (OpAttr){.none = {0}}, (a), (b), (c))

static uint32_t pick(Grower *g)
{
    uint32_t index = draw(g, g->count);
    g->is_read[index] = true;
    return index;
}

static void keep(Grower *g, const Node *value)
{
    if (g->count < MOST_VALUES)
        g->values[g->count++] = value;
}

/* A value on `axis` of width `width`; made from scratch if the pool has none. */
static const Node *find(Grower *g, int32_t axis, int64_t width)
{
    for (uint32_t tries = 0; tries < 8; tries++) {
        uint32_t index = draw(g, g->count);
        const Node *value = g->values[index];
        if (value->type.axis != axis || type_width(value->type) != width)
            continue;
        g->is_read[index] = true;
        return value;
    }
    const Node *fresh = input(g, type_rows(DTYPE_f32, axis, width));
    return PLAIN_OP(g, OP_mul, fresh, param(g, type_vector(DTYPE_f32, width)), NULL);
}

static const Node *normal(Grower *g, const Node *x)
{
    const Node *square = PLAIN_OP(g, OP_mul, x, x, NULL);
    const Node *mean =
        PLAIN_OP(g, OP_mul, PLAIN_OP(g, OP_sum_width, square, NULL, NULL),
                 graph_constant(g->graph, HERE, 1.0 / (double)type_width(x->type)), NULL);
    mean = PLAIN_OP(g, OP_add, mean, graph_constant(g->graph, HERE, 0.1), NULL);
    const Node *scale = PLAIN_OP(g, OP_rsqrt, mean, NULL, NULL);
    return PLAIN_OP(g, OP_mul, PLAIN_OP(g, OP_mul, x, scale, NULL),
                    param(g, type_vector(DTYPE_f32, type_width(x->type))), NULL);
}

static const Node *product(Grower *g, const Node *x)
{
    static const int64_t widths[] = {4, 6, 16, 18, 33};
    int64_t to = widths[draw(g, 5)], from = type_width(x->type);
    OpAttr attr = {.matmul = {.transpose_b = (int)draw(g, 2)}};
    const Node *weight =
        param(g, attr.matmul.transpose_b ? type_matrix(DTYPE_f32, to, from)
                                         : type_matrix(DTYPE_f32, from, to));
    const Node *y = op(g, OP_matmul, attr, x, weight, NULL);
    y = PLAIN_OP(g, OP_add, y, param(g, type_vector(DTYPE_f32, to)), NULL);
    return PLAIN_OP(g, OP_tanh, y, NULL, NULL);
}

static const Node *attend(Grower *g, const Node *x)
{
    static const int32_t axes[] = {AXIS_text, AXIS_both, AXIS_dec};
    int32_t keys = axes[draw(g, 3)];
    int64_t width = type_width(x->type);
    OpAttr attr = {.attention = {.heads = width % 2 == 0 ? 2 : 1,
                                 .causal = keys == x->type.axis && draw(g, 2),
                                 .dropout = draw(g, 2) ? 0.2 : 0,
                                 .salt = 100 + (int64_t)g->drawn}};
    const Node *k = find(g, keys, width);
    return op(g, OP_attention, attr, x, k, find(g, keys, width));
}

static const Node *combine(Grower *g, const Node *x)
{
    static const OpKind kinds[] = {OP_add, OP_sub, OP_mul, OP_maximum, OP_minimum};
    int64_t width = draw(g, 4) == 0 ? 1 : type_width(x->type);
    const Node *y = find(g, x->type.axis, width);
    return PLAIN_OP(g, kinds[draw(g, 5)], x, y, NULL);
}

static const Node *choose(Grower *g, const Node *x)
{
    const Node *y = find(g, x->type.axis, type_width(x->type));
    const Node *limit = input(g, type_rows(DTYPE_f32, x->type.axis, 1));
    const Node *fixed = input(g, x->type);
    return PLAIN_OP(g, OP_select, PLAIN_OP(g, OP_greater, fixed, limit, NULL), x, y);
}

static const Node *move(Grower *g, const Node *x)
{
    int64_t width = type_width(x->type);
    switch (x->type.axis) {
    case AXIS_text:
        return op(g, OP_join, (OpAttr){.join = {.axis = AXIS_both}}, x,
                  find(g, AXIS_image, width), NULL);
    case AXIS_both:
        return op(g, OP_part, (OpAttr){.part = {.axis = AXIS_text, .index = 0}}, x, NULL,
                  NULL);
    case AXIS_BATCH:
        return op(g, OP_spread, (OpAttr){.on_axis = {.axis = AXIS_dec}}, x, NULL, NULL);
    default:
        return PLAIN_OP(g, OP_tanh, PLAIN_OP(g, OP_sum_sequence, x, NULL, NULL), NULL,
                        NULL);
    }
}

static const Node *change(Grower *g, const Node *x)
{
    static const OpKind kinds[] = {OP_tanh, OP_erf, OP_exp, OP_sqrt, OP_log};
    OpKind kind = kinds[draw(g, 5)];
    if (kind == OP_tanh || kind == OP_erf)
        return PLAIN_OP(g, kind, x, NULL, NULL);
    const Node *y = PLAIN_OP(g, OP_exp, PLAIN_OP(g, OP_tanh, x, NULL, NULL), NULL, NULL);
    return kind == OP_exp ? y : PLAIN_OP(g, kind, y, NULL, NULL);
}

static const Node *drop(Grower *g, const Node *x)
{
    OpAttr attr = {.dropout = {.p = 0.25, .salt = 1 + (int64_t)g->drawn}};
    return op(g, OP_dropout, attr, x, NULL, NULL);
}

static const Node *look_up(Grower *g, const Node *x)
{
    OpAttr attr = {
        .position = {.axis = x->type.axis, .scale = 1, .quotient = 1, .modulus = 7}};
    const Node *index = draw(g, 2) ? op(g, OP_position, attr, NULL, NULL, NULL)
                                   : input(g, type_index(x->type.axis));
    const Node *table = param(g, type_matrix(DTYPE_f32, WORDS, type_width(x->type)));
    return PLAIN_OP(g, OP_add, x, PLAIN_OP(g, OP_gather, table, index, NULL), NULL);
}

typedef const Node *Growth(Grower *g, const Node *x);

static Growth *const growths[] = {normal, product, product, attend, combine, combine,
                                  choose, move,    change,  drop,   look_up};

/* The sum of x times fixed numbers, and on `dec` the cross-entropy of some labels too. */
static const Node *term(Grower *g, const Node *x)
{
    if (x->type.axis == AXIS_dec && type_width(x->type) > 1) {
        const Node *args[] = {
            x, param(g, type_matrix(DTYPE_f32, WORDS, type_width(x->type))),
            input(g, type_index(AXIS_dec))};
        OpAttr attr = {.chunked = {.chunk = 4}};
        x = graph_node(
            g->graph, HERE,
            (NodeSpec){
                .op = OP_cross_entropy, .attr = &attr, .args = args, .arg_count = 3});
    }
    x = PLAIN_OP(g, OP_mul, x, input(g, x->type), NULL);
    return PLAIN_OP(g, OP_sum_rows, PLAIN_OP(g, OP_sum_width, x, NULL, NULL), NULL, NULL);
}

Graph *random_graph(Module *module, const char *task, uint64_t seed, uint32_t ops)
{
    Grower grower = {.module = module,
                     .graph = harness_graph(module, task, GRAPH_train),
                     .seed = seed};
    Grower *g = &grower;
    keep(g, input(g, type_rows(DTYPE_f32, AXIS_text, 16)));
    keep(g, find(g, AXIS_dec, 16));
    for (uint32_t i = 0; i < ops; i++) {
        const Node *x = g->values[pick(g)];
        const Node *y = growths[draw(g, sizeof growths / sizeof *growths)](g, x);
        keep(g, y);
    }
    const Node *loss = NULL;
    for (uint32_t i = 0; i < g->count; i++) {
        if (g->is_read[i] && i + 1 < g->count)
            continue;
        const Node *x = term(g, g->values[i]);
        loss = loss ? PLAIN_OP(g, OP_add, loss, x, NULL) : x;
    }
    graph_output(g->graph, OUTPUT_loss, intern(module->interns, ""), loss, HERE.loc);
    return g->graph;
}
