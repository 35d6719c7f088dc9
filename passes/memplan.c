/* Offsets in the slab. Requires a scheduled graph; the result has the same steps.
 *
 * A value that a step makes for others has a buffer from the step that makes it to the
 * last that reads it (ir/liveness.h); offsets.c gives buffers that live together disjoint
 * ranges.
 *
 * In an update graph a new value may be written straight over the old one. It is if
 *
 *   - its group is element-wise, so that an element is read before it is written;
 *   - each reader of the old value is in the same group, element by element, or in an
 *     earlier one;
 *   - no other step reads the new value, and it is no other output.
 *
 * Otherwise it has a buffer until the graph's end, and is copied then.
 *
 * Skipped, the pass gives every value bytes of its own, and writes none in place. */
#include <inttypes.h>
#include <stdlib.h>

#include "ir/liveness.h"
#include "ir/lowering.h"
#include "ir/text.h"
#include "passes/offsets.h"
#include "passes/pass.h"
#include "passes/reorder.h"

enum { MOST_LISTED = 16 };
static const uint64_t EFFORT = 20000000;           /* placed buffers looked at */
static const int64_t MOST_SLAB = INT64_C(1) << 56; /* beyond any address space */

typedef struct SlabPlanner {
    Graph *graph;
    Arena *arena;
    Liveness live;
    Buffer *buffers;
    uint32_t *buffer_node; /* by buffer: node id */
    uint32_t buffer_count;
    uint32_t in_place;
    const char *method;
} SlabPlanner;

/* -- in place ------------------------------------------------------------------------ */

/* Assigned outputs by variable, for bsearch. Names are interned. */
typedef struct Assigned {
    const char *name;
    const Node *value;
} Assigned;

static int compare_assigned(const void *a, const void *b)
{
    const char *x = ((const Assigned *)a)->name, *y = ((const Assigned *)b)->name;
    return (x > y) - (x < y);
}

/* By node id: the new value of the variable that the node reads, or NULL. */
static const Node **find_new_values(const SlabPlanner *p)
{
    const Graph *graph = p->graph;
    const Node **new_values = ARENA_ARRAY(p->arena, const Node *, graph->node_count);
    Assigned *assigned = ARENA_ARRAY(p->arena, Assigned, graph->output_count + 1);
    uint32_t count = 0;
    for (uint32_t i = 0; i < graph->output_count; i++)
        if (graph->outputs[i].role == OUTPUT_assign)
            assigned[count++] =
                (Assigned){graph->outputs[i].name, graph->outputs[i].value};
    qsort(assigned, count, sizeof *assigned, compare_assigned);
    for (uint32_t i = 0; i < graph->node_count; i++) {
        const Node *node = graph->nodes[i];
        if (!(op_info(node->op)->traits & TRAIT_STORED))
            continue;
        Assigned key = {node->attr.named.name, NULL};
        const Assigned *found =
            bsearch(&key, assigned, count, sizeof key, compare_assigned);
        new_values[i] = found ? found->value : NULL;
    }
    return new_values;
}

static bool same_elements(Type a, Type b)
{
    a.dtype = b.dtype;
    return type_equal(a, b);
}

/* Whether reading the old value as `arg` in `reader` is done before `value` is
 * written. */
static bool reads_in_time(const SlabPlanner *p, const Node *reader, const Node *arg,
                          const Node *value)
{
    int32_t read = p->live.step_of[reader->id], written = p->live.step_of[value->id];
    if (read != written)
        return read < written;
    return arg == storage_node(arg) && same_elements(arg->type, reader->type);
}

/* Clears the marks of values with a reader that is late, or in another step. */
static void mind_readers(const SlabPlanner *p, bool *ok)
{
    const Graph *graph = p->graph;
    const Node **new_values = find_new_values(p);
    for (uint32_t i = 0; i < graph->node_count; i++) {
        const Node *reader = graph->nodes[i];
        for (uint32_t j = 0; p->live.step_of[i] >= 0 && j < reader->arg_count; j++) {
            const Node *arg = storage_node(reader->args[j]);
            const Node *value = new_values[arg->id];
            if (value && !reads_in_time(p, reader, reader->args[j], value))
                ok[value->id] = false;
            if (p->live.step_of[arg->id] != p->live.step_of[i])
                ok[arg->id] = false;
        }
    }
    for (uint32_t i = 0; i < graph->output_count; i++) { /* read at the end */
        const Node *value = new_values[storage_node(graph->outputs[i].value)->id];
        if (value)
            ok[value->id] = false;
    }
}

/* By node id: values that are written straight to their variables. */
static bool *find_in_place(const SlabPlanner *p)
{
    const Graph *graph = p->graph;
    bool *ok = ARENA_ARRAY(p->arena, bool, graph->node_count);
    bool *map_step = ARENA_ARRAY(p->arena, bool, p->live.step_count);
    uint32_t *outputs = ARENA_ARRAY(p->arena, uint32_t, graph->node_count);
    for (uint32_t i = 0; i < p->live.step_count; i++)
        map_step[i] = true;
    for (uint32_t i = 0; i < graph->node_count; i++)
        if (p->live.step_of[i] >= 0 && !node_is_map(graph->nodes[i]))
            map_step[p->live.step_of[i]] = false;
    for (uint32_t i = 0; i < graph->output_count; i++)
        outputs[storage_node(graph->outputs[i].value)->id]++;
    for (uint32_t i = 0; i < graph->output_count; i++) {
        uint32_t id = graph->outputs[i].value->id;
        int32_t step = p->live.step_of[id];
        ok[id] = graph->outputs[i].role == OUTPUT_assign && step >= 0 && map_step[step] &&
                 outputs[id] == 1;
    }
    mind_readers(p, ok);
    return ok;
}

/* Gives every assigned value that is not written in place an offset, which liveness asks
 * for. */
static void decide_in_place(SlabPlanner *p, bool plain)
{
    const bool *in_place =
        plain ? ARENA_ARRAY(p->arena, bool, p->graph->node_count) : find_in_place(p);
    for (uint32_t i = 0; i < p->graph->output_count; i++) {
        const Output *output = &p->graph->outputs[i];
        if (output->role != OUTPUT_assign)
            continue;
        uint32_t id = storage_node(output->value)->id;
        if (in_place[id])
            p->in_place++;
        else if (p->live.step_of[id] >= 0)
            p->graph->nodes[id]->offset = 0;
    }
    p->graph->planned = true;
    p->live = liveness_of(p->graph, p->arena);
}

/* -- offsets ------------------------------------------------------------------------- */

static bool collect_buffers(SlabPlanner *p, PassContext *ctx)
{
    const Graph *graph = p->graph;
    int64_t total = 0;
    p->buffers = ARENA_ARRAY(p->arena, Buffer, graph->node_count);
    p->buffer_node = ARENA_ARRAY(p->arena, uint32_t, graph->node_count);
    for (uint32_t i = 0; i < graph->node_count; i++) {
        if (p->live.last_use[i] < 0)
            continue;
        graph->nodes[i]->offset = 0; /* right for values without bytes */
        int64_t bytes = p->live.bytes[i];
        if (bytes == 0)
            continue;
        if (bytes > MOST_SLAB - total) {
            diag_error(ctx->diags, graph->nodes[i]->loc,
                       "@%s needs more memory than any machine can address", graph->name);
            return false;
        }
        total += bytes;
        p->buffers[p->buffer_count] =
            (Buffer){p->live.step_of[i], p->live.last_use[i], bytes};
        p->buffer_node[p->buffer_count++] = i;
    }
    return true;
}

/* One after another; the bytes of all. */
static int64_t stack_buffers(SlabPlanner *p, int64_t *offsets)
{
    int64_t end = 0;
    p->method = "no sharing";
    for (uint32_t i = 0; i < p->buffer_count; i++) {
        offsets[i] = end;
        end += p->buffers[i].bytes;
    }
    return end;
}

static void assign_offsets(SlabPlanner *p, bool plain)
{
    int64_t *offsets = ARENA_ARRAY(p->arena, int64_t, p->buffer_count + 1);
    p->graph->slab_bytes = 0;
    if (p->buffer_count)
        p->graph->slab_bytes = plain ? stack_buffers(p, offsets)
                                     : offsets_assign(p->buffers, p->buffer_count, EFFORT,
                                                      offsets, &p->method);
    p->graph->slab_bound = offsets_bound(p->buffers, p->buffer_count);
    for (uint32_t i = 0; i < p->buffer_count; i++)
        p->graph->nodes[p->buffer_node[i]]->offset = offsets[i];
}

/* -- the report ---------------------------------------------------------------------- */

/* The first step at which as much is live as ever. */
static int32_t fullest_step(const SlabPlanner *p)
{
    int64_t *change = ARENA_ARRAY(p->arena, int64_t, p->live.step_count + 2);
    for (uint32_t i = 0; i < p->buffer_count; i++) {
        change[p->buffers[i].first] += p->buffers[i].bytes;
        change[p->buffers[i].last + 1] -= p->buffers[i].bytes;
    }
    int64_t live = 0, most = -1;
    int32_t fullest = 0;
    for (uint32_t i = 0; i < p->live.step_count; i++) {
        live += change[i];
        if (live > most) {
            most = live;
            fullest = (int32_t)i;
        }
    }
    return fullest;
}

static int compare_buffers(const void *a, const void *b)
{
    const Buffer *x = *(const Buffer *const *)a, *y = *(const Buffer *const *)b;
    if (x->bytes != y->bytes)
        return x->bytes < y->bytes ? 1 : -1;
    return (x > y) - (x < y);
}

static void report_value(FILE *out, const SlabPlanner *p, uint32_t buffer)
{
    const Node *node = p->graph->nodes[p->buffer_node[buffer]];
    char type[96];
    type_print(p->graph, node->type, type, sizeof type);
    fprintf(out, "  %14" PRId64 "  %5d..%-5d %-9s %%%u %s %s", p->buffers[buffer].bytes,
            p->buffers[buffer].first, p->buffers[buffer].last,
            node->stage == STAGE_forward ? "forward" : "backward", node->id,
            op_info(node->op)->name, type);
    if (node->loc.file)
        fprintf(out, "  %s:%u", node->loc.file, node->loc.line);
    if (node->name)
        fprintf(out, "  %s", node->name);
    fputc('\n', out);
}

static void report(FILE *out, const SlabPlanner *p)
{
    const Graph *graph = p->graph;
    double gap = graph->slab_bound
                     ? 100.0 * (double)(graph->slab_bytes - graph->slab_bound) /
                           (double)graph->slab_bound
                     : 0;
    fprintf(out, "memory of @%s\n", graph->name);
    fprintf(out, "  slab %" PRId64 " bytes, lower bound %" PRId64 ", gap %.2f %%\n",
            graph->slab_bytes, graph->slab_bound, gap);
    fprintf(out, "  %u values in %u steps, placed by %s; %u written in place\n",
            p->buffer_count, p->live.step_count, p->method, p->in_place);
    const Buffer **at_peak = ARENA_ARRAY(p->arena, const Buffer *, p->buffer_count + 1);
    int32_t step = fullest_step(p);
    uint32_t count = 0;
    for (uint32_t i = 0; i < p->buffer_count; i++)
        if (p->buffers[i].first <= step && step <= p->buffers[i].last)
            at_peak[count++] = &p->buffers[i];
    qsort(at_peak, count, sizeof *at_peak, compare_buffers);
    fprintf(out, "  %u values live in step %d, the fullest; the largest:\n", count, step);
    fprintf(out, "  %14s  %-12s %-9s %s\n", "bytes", "steps", "stage", "value");
    for (uint32_t i = 0; i < count && i < MOST_LISTED; i++)
        report_value(out, p, (uint32_t)(at_peak[i] - p->buffers));
    fputc('\n', out);
}

/* -- the pass ------------------------------------------------------------------------ */

static Graph *copy_steps(const Graph *in, Arena *arena)
{
    uint32_t *order = ARENA_ARRAY(arena, uint32_t, in->node_count), count = 0;
    for (uint32_t i = 0; i < in->node_count; i++)
        if (node_has_step(in->nodes[i]))
            order[count++] = i;
    Graph *out = graph_reorder(in, order, count, NULL);
    if (out) {
        out->planned = false;
        out->slab_bytes = out->slab_bound = 0;
    }
    return out;
}

Graph *pass_memplan(const Graph *in, PassContext *ctx)
{
    SlabPlanner p = {.arena = arena_new(), .method = "none"};
    p.graph = copy_steps(in, p.arena);
    if (p.graph) {
        p.live = liveness_of(p.graph, p.arena);
        decide_in_place(&p, ctx->plain);
        if (collect_buffers(&p, ctx)) {
            assign_offsets(&p, ctx->plain);
            if (ctx->report)
                report(ctx->report, &p);
        } else {
            graph_free(p.graph);
            p.graph = NULL;
        }
    }
    arena_free(p.arena);
    return p.graph;
}
