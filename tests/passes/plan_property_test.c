/* Random graphs through save, fuse, schedule and memplan: after each pass the graph
 * verifies and its outputs are the same expressions of the same sources; groups keep the
 * row-local rule; and when the plan is run with names instead of numbers, every operand
 * is still in its place when it is read. */
#include <stdlib.h>
#include <string.h>

#include "ir/base/hash.h"
#include "ir/liveness.h"
#include "ir/base/random.h"
#include "ir/verify.h"
#include "passes/pass.h"
#include "tests/check.h"

enum { TRIALS = 240, MOST_NODES = 160, SLOT = 64 };

static uint32_t draw(uint32_t *state, uint32_t below)
{
    return random_mix32(*state += 0x9e3779b9U) % below;
}

/* -- graphs -------------------------------------------------------------------------- */

static void add_axis(Graph *graph, const char *name, int64_t capacity)
{
    graph_axis(graph,
               (Axis){.name = intern(graph->interns, name),
                      .kind = AXIS_KIND_primary,
                      .longest = 4,
                      .capacity = capacity},
               (Loc){0});
}

static void add_sources(Graph *graph)
{
    BuildSite site = {0};
    int32_t text = graph_find_axis(graph, "text"), dec = graph_find_axis(graph, "dec");
    const Type cube = {
        .dtype = DTYPE_f32, .axis = AXIS_STATIC, .rank = 3, .dims = {2, 4, 8}};
    const Type types[] = {type_rows(DTYPE_f32, text, 8),
                          type_rows(DTYPE_f32, text, 4),
                          type_rows(DTYPE_f32, dec, 8),
                          type_rows(DTYPE_f32, text, 1),
                          type_vector(DTYPE_f32, 8),
                          type_matrix(DTYPE_f32, 8, 8),
                          type_matrix(DTYPE_f32, 4, 8),
                          TYPE_SCALAR,
                          type_index(text),
                          cube};
    for (uint32_t i = 0; i < sizeof types / sizeof *types; i++) {
        char name[8];
        snprintf(name, sizeof name, "x%u", i);
        bool variable = graph->kind == GRAPH_update && types[i].dtype == DTYPE_f32 &&
                        !type_is_ragged(types[i]);
        graph_source(graph, site, variable ? OP_param : OP_input, name, types[i]);
    }
    graph_constant(graph, site, 0.5);
}

static void add_node(Graph *graph, uint32_t *state, Stage stage)
{
    static const OpKind ops[] = {
        OP_add,
        OP_add,
        OP_mul,
        OP_mul,
        OP_maximum,
        OP_greater,
        OP_select,
        OP_tanh,
        OP_dropout,
        OP_expand,
        OP_sum_width,
        OP_sum_rows,
        OP_matmul,
        OP_matmul,
        OP_reshape,
        OP_gather,
        OP_permute,
        OP_sum_sequence,
        OP_attention,
        OP_attention_dq,
        OP_attention_dv,
        OP_cross_entropy,
        OP_cross_entropy_dx,
    };
    OpKind op = ops[draw(state, sizeof ops / sizeof *ops)];
    const OpInfo *info = op_info(op);
    const Node *args[8];
    for (uint32_t i = 0; i < info->min_args; i++) {
        uint32_t recent = draw(state, 3) ? 16 : graph->node_count;
        if (recent > graph->node_count)
            recent = graph->node_count;
        args[i] = graph->nodes[graph->node_count - 1 - draw(state, recent)];
    }
    OpAttr attr;
    memset(&attr, 0, sizeof attr);
    if (info->attrs == ATTRS_dropout)
        attr.dropout = (__typeof__(attr.dropout)){.p = 0.5, .salt = 1 + draw(state, 99)};
    else if (info->attrs == ATTRS_matmul)
        attr.matmul = (__typeof__(attr.matmul)){.transpose_a = (int)draw(state, 2),
                                                .transpose_b = (int)draw(state, 2)};
    else if (info->attrs == ATTRS_shaped)
        attr.shaped.to = graph->nodes[draw(state, graph->node_count)]->type;
    else if (info->attrs == ATTRS_permute)
        attr.permute.order = draw(state, 2) ? 10 : 210;
    else if (info->attrs == ATTRS_attention)
        attr.attention =
            (__typeof__(attr.attention)){.heads = 1, .salt = 1, .max_distance = 128};
    else if (info->attrs == ATTRS_chunked)
        attr.chunked.chunk = 64;
    graph_node(
        graph, (BuildSite){.stage = stage},
        (NodeSpec){.op = op, .attr = &attr, .args = args, .arg_count = info->min_args});
}

/* Whatever nobody reads is a result; update graphs assign to variables of that type. */
static void add_outputs(Graph *graph, uint32_t *state)
{
    Arena *arena = arena_new();
    uint32_t *uses = graph_use_counts(graph, arena);
    uint32_t sources = 0;
    while (op_info(graph->nodes[sources]->op)->lowering == LOWER_source)
        sources++;
    bool *assigned = ARENA_ARRAY(arena, bool, sources);
    for (uint32_t i = graph->node_count; i-- > sources;) {
        const Node *value = graph->nodes[i];
        for (uint32_t j = 0; j < sources && graph->kind == GRAPH_update; j++) {
            const Node *source = graph->nodes[j];
            if (source->op != OP_param || assigned[j] ||
                !type_equal(source->type, value->type))
                continue;
            assigned[j] = true;
            graph_output(graph, OUTPUT_assign, source->attr.named.name, value, (Loc){0});
            uses[i]++;
            break;
        }
        char name[16];
        snprintf(name, sizeof name, "y%u", i);
        bool is_number = value->type.dtype == DTYPE_f32; /* results are */
        if (is_number && (uses[i] == 0 || draw(state, 30) == 0))
            graph_output(graph, OUTPUT_result, name, value, (Loc){0});
    }
    arena_free(arena);
}

static Graph *random_graph(Interns *interns, GraphKind kind, uint32_t *state)
{
    Graph *graph = graph_new(interns, NULL, kind, "g", "t");
    graph->axes[AXIS_BATCH].capacity = 3;
    add_axis(graph, "text", 4 + draw(state, 60));
    add_axis(graph, "dec", 4 + draw(state, 60));
    add_sources(graph);
    uint32_t tries = 10 + draw(state, 6 * MOST_NODES);
    for (uint32_t i = 0; i < tries && graph->node_count < MOST_NODES; i++) {
        bool back = kind == GRAPH_train && graph->node_count > MOST_NODES / 2;
        add_node(graph, state, back ? STAGE_backward : STAGE_forward);
    }
    add_outputs(graph, state);
    return graph;
}

/* -- what must not change ------------------------------------------------------------ */

/* By output: a hash of the expression; stages and places do not count. */
static uint64_t *expressions(const Graph *graph, Arena *arena)
{
    uint64_t *hash = ARENA_ARRAY(arena, uint64_t, graph->node_count);
    for (uint32_t i = 0; i < graph->node_count; i++) {
        const Node *node = graph->nodes[i];
        uint32_t fields;
        const AttrField *field = op_fields(node->op, &fields);
        hash[i] = hash_word(HASH_START, node->op);
        for (uint32_t j = 0; j < node->arg_count; j++)
            hash[i] = hash_word(hash[i], hash[node->args[j]->id]);
        for (uint32_t j = 0; j < fields; j++) {
            const char *at = (const char *)&node->attr + field[j].offset;
            size_t bytes = field[j].kind == ATTR_type ? 0
                           : field[j].kind == ATTR_flag || field[j].kind == ATTR_axis ||
                                   field[j].kind == ATTR_precision ||
                                   field[j].kind == ATTR_rule
                               ? 4
                               : 8;
            hash[i] = hash_bytes(hash[i], at, bytes);
        }
        hash[i] = hash_word(hash[i],
                            (uint64_t)node->type.axis << 32 | (uint64_t)node->type.rank);
        for (uint32_t j = 0; j < node->type.rank; j++)
            hash[i] = hash_word(hash[i], (uint64_t)node->type.dims[j]);
    }
    uint64_t *result = ARENA_ARRAY(arena, uint64_t, graph->output_count + 1);
    for (uint32_t i = 0; i < graph->output_count; i++)
        result[i] = hash[graph->outputs[i].value->id];
    return result;
}

static void check_same(Check *check, const Graph *before, const Graph *after,
                       const char *pass, int trial)
{
    Arena *arena = arena_new();
    uint64_t *a = expressions(before, arena), *b = expressions(after, arena);
    CHECK(check, before->output_count == after->output_count, "%s, trial %d", pass,
          trial);
    for (uint32_t i = 0; i < before->output_count && i < after->output_count; i++)
        CHECK(check, a[i] == b[i], "%s, trial %d: output %s is another expression", pass,
              trial, before->outputs[i].name);
    arena_free(arena);
}

static bool is_row_local(const Node *node)
{
    Lowering lowering = op_info(node->op)->lowering;
    return lowering == LOWER_map || lowering == LOWER_reduce || lowering == LOWER_rowsum;
}

/* Inside a group: one width besides 1, and no sum over rows is read. */
static void check_groups(Check *check, const Graph *graph, int trial)
{
    int64_t *width = calloc(graph->node_count + 1, sizeof *width);
    for (uint32_t i = 0; i < graph->node_count; i++) {
        const Node *node = graph->nodes[i];
        if (node->group == NO_GROUP || !is_row_local(node))
            continue;
        const Node *space =
            op_info(node->op)->lowering == LOWER_map ? node : node->args[0];
        int64_t own = type_width(space->type), *known = &width[node->group];
        CHECK(check, own == 1 || *known <= 1 || *known == own, "trial %d, group %d",
              trial, node->group);
        if (*known < own)
            *known = own;
        for (uint32_t j = 0; j < node->arg_count; j++) {
            const Node *arg = storage_node(node->args[j]);
            CHECK(check,
                  arg->group != node->group || op_info(arg->op)->lowering != LOWER_rowsum,
                  "trial %d, group %d reads its own sum over rows", trial, node->group);
        }
    }
    free(width);
}

/* -- running the plan with names ----------------------------------------------------- */

typedef struct Machine {
    const Graph *graph;
    Liveness live;
    uint32_t *owner;   /* by 64 bytes of the slab: node id + 1 */
    bool *overwritten; /* by node id of a variable */
} Machine;

static void store(Machine *m, uint32_t id)
{
    int64_t first = m->graph->nodes[id]->offset / SLOT;
    for (int64_t i = 0; i < m->live.bytes[id] / SLOT; i++)
        m->owner[first + i] = id + 1;
}

static bool is_there(const Machine *m, const Node *value)
{
    const Node *node = storage_node(value);
    if (op_info(node->op)->lowering == LOWER_source)
        return !m->overwritten[node->id];
    if (m->live.is_once[m->live.step_of[node->id]])
        return true; /* in memory of its own */
    if (m->live.bytes[node->id] == 0)
        return false; /* it never left its step */
    int64_t first = node->offset / SLOT;
    for (int64_t i = 0; i < m->live.bytes[node->id] / SLOT; i++)
        if (m->owner[first + i] != node->id + 1)
            return false;
    return true;
}

static void overwrite(Machine *m, const char *name)
{
    for (uint32_t i = 0; i < m->graph->node_count; i++)
        if (m->graph->nodes[i]->op == OP_param &&
            m->graph->nodes[i]->attr.named.name == name)
            m->overwritten[i] = true;
}

static void run_step(Machine *m, Check *check, int32_t step, int trial)
{
    const Graph *graph = m->graph;
    for (uint32_t i = 0; i < graph->node_count; i++)
        if (m->live.step_of[i] == step && m->live.bytes[i] > 0)
            store(m, i);
    for (uint32_t i = 0; i < graph->node_count; i++) {
        const Node *node = graph->nodes[i];
        if (m->live.step_of[i] != step)
            continue;
        if (m->live.bytes[i] > 0)
            CHECK(check, is_there(m, node), "trial %d: %%%u is overwritten at once",
                  trial, i);
        for (uint32_t j = 0; j < node->arg_count; j++)
            if (m->live.step_of[storage_node(node->args[j])->id] != step)
                CHECK(check, is_there(m, node->args[j]),
                      "trial %d: %%%u reads a lost %%%u", trial, i, node->args[j]->id);
    }
    for (uint32_t i = 0; i < graph->output_count; i++) {
        const Output *output = &graph->outputs[i];
        if (output->role == OUTPUT_assign && m->live.step_of[output->value->id] == step &&
            output->value->offset == NO_OFFSET)
            overwrite(m, output->name);
    }
}

static uint32_t run_plan(Check *check, const Graph *graph, int trial)
{
    Arena *arena = arena_new();
    Machine m = {.graph = graph, .live = liveness_of(graph, arena)};
    m.owner = ARENA_ARRAY(arena, uint32_t, graph->slab_bytes / SLOT + 1);
    m.overwritten = ARENA_ARRAY(arena, bool, graph->node_count + 1);
    for (uint32_t step = 0; step < m.live.step_count; step++)
        run_step(&m, check, (int32_t)step, trial);
    uint32_t in_place = 0;
    for (uint32_t i = 0; i < graph->output_count; i++) {
        const Node *value = storage_node(graph->outputs[i].value);
        bool placed = graph->outputs[i].role == OUTPUT_assign &&
                      value->offset == NO_OFFSET && m.live.step_of[value->id] >= 0;
        in_place += placed;
        CHECK(check, placed || is_there(&m, value), "trial %d: output %s is lost", trial,
              graph->outputs[i].name);
    }
    arena_free(arena);
    return in_place;
}

/* -- the test ------------------------------------------------------------------------ */

static Graph *step(Check *check, Graph *in, PassFn *pass, const char *name,
                   PassContext *ctx, int trial)
{
    Graph *out = pass(in, ctx);
    CHECK(check, out != NULL, "%s, trial %d", name, trial);
    if (!out)
        return in;
    CHECK(check, graph_verify(out, NULL, ctx->diags), "%s, trial %d", name, trial);
    check_same(check, in, out, name, trial);
    graph_free(in);
    return out;
}

int main(void)
{
    Check check = {0, 0};
    uint32_t state = 7, in_place = 0, grouped = 0;
    static const GraphKind kinds[] = {GRAPH_train, GRAPH_evaluate, GRAPH_update};
    FILE *nowhere = fopen("/dev/null", "w");
    Diags *diags = diags_new(stderr);
    for (int trial = 0; trial < TRIALS; trial++) {
        Interns *interns = interns_new();
        PassContext ctx = {.diags = diags, .report = nowhere};
        Graph *graph = random_graph(interns, kinds[trial % 3], &state);
        CHECK(&check, graph_verify(graph, NULL, diags), "trial %d", trial);
        if (graph->kind == GRAPH_train)
            graph = step(&check, graph, pass_save, "save", &ctx, trial);
        graph = step(&check, graph, pass_fuse, "fuse", &ctx, trial);
        for (uint32_t i = 1; i < graph->node_count; i++)
            grouped += graph->nodes[i]->group != NO_GROUP &&
                       graph->nodes[i]->group == graph->nodes[i - 1]->group;
        check_groups(&check, graph, trial);
        graph = step(&check, graph, pass_schedule, "schedule", &ctx, trial);
        graph = step(&check, graph, pass_memplan, "memplan", &ctx, trial);
        in_place += run_plan(&check, graph, trial);
        graph_free(graph);
        interns_free(interns);
    }
    CHECK(&check, grouped > TRIALS && in_place > TRIALS / 10,
          "the graphs are too tame: %u nodes in groups, %u values in place", grouped,
          in_place);
    diags_free(diags);
    fclose(nowhere);
    return check_finish(&check);
}
