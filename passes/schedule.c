/* The order of steps. Requires a fused graph; groups move as a whole, and end up
 * contiguous.
 *
 * Several list schedules are made, each is packed as memplan would (quickly), and the one
 * with the least packed size wins; program order wins ties.
 *
 *   program      as the passes before left it
 *   greedy       next the ready step that adds least to what is live
 *   greedy back  the same from the end: last the step whose absence frees most
 *   depth first  each output's needs just before it, outputs in program order
 *
 * Whatever the order, steps that are run once (ir/liveness.h) come first: they read
 * nothing else, and need no room.
 *
 * Update graphs keep program order: their values go over the old ones, which other orders
 * may read too late, and little else is stored.
 *
 * LIMIT: the greedy schedules look at the first 256 ready steps only, and never look
 * ahead. */
#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "ir/liveness.h"
#include "passes/clusters.h"
#include "passes/offsets.h"
#include "passes/pass.h"
#include "passes/reorder.h"

enum { MOST_READY = 256 };

/* Lists by key, end to end: items[start[key] .. start[key + 1]). */
typedef struct Lists {
    uint32_t *start, *items;
} Lists;

typedef struct Scheduler {
    const Graph *in;
    Arena *arena;
    Liveness live;
    uint32_t step_count;
    Lists nodes;   /* by step: node ids */
    Lists inputs;  /* by step: planned values that it reads, each once */
    Lists outputs; /* by step: planned values that it makes */
    Lists readers; /* by node id: steps that read it, planned or not, each once */
    Lists needs;   /* by step: steps that make what it reads */
} Scheduler;

typedef struct Schedule {
    const char *name;
    uint32_t *order; /* steps */
    int64_t bound, packed;
} Schedule;

/* -- who reads what ------------------------------------------------------------------ */

typedef struct QueueEntry {
    uint32_t key, item;
} QueueEntry;

static Lists lists_new(Arena *arena, uint32_t keys, const QueueEntry *entries,
                       uint32_t count)
{
    Lists lists = {ARENA_ARRAY(arena, uint32_t, keys + 2),
                   ARENA_ARRAY(arena, uint32_t, count + 1)};
    uint32_t *start = lists.start + 1; /* shifted, so that filling leaves it right */
    for (uint32_t i = 0; i < count; i++)
        start[entries[i].key + 1]++;
    for (uint32_t i = 0; i < keys; i++)
        start[i + 1] += start[i];
    for (uint32_t i = 0; i < count; i++)
        lists.items[start[entries[i].key]++] = entries[i].item;
    return lists;
}

static uint32_t count_args(const Graph *graph)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < graph->node_count; i++)
        count += graph->nodes[i]->arg_count;
    return count;
}

static void find_nodes(Scheduler *s)
{
    const Graph *in = s->in;
    QueueEntry *members = ARENA_ARRAY(s->arena, QueueEntry, in->node_count);
    QueueEntry *made = ARENA_ARRAY(s->arena, QueueEntry, in->node_count);
    uint32_t member_count = 0, made_count = 0;
    for (uint32_t i = 0; i < in->node_count; i++) {
        if (s->live.step_of[i] < 0)
            continue;
        members[member_count++] = (QueueEntry){(uint32_t)s->live.step_of[i], i};
        if (s->live.bytes[i] > 0)
            made[made_count++] = (QueueEntry){(uint32_t)s->live.step_of[i], i};
    }
    s->nodes = lists_new(s->arena, s->step_count, members, member_count);
    s->outputs = lists_new(s->arena, s->step_count, made, made_count);
}

static void find_edges(Scheduler *s)
{
    const Graph *in = s->in;
    uint32_t most = count_args(in), count = 0, planned = 0;
    QueueEntry *by_step = ARENA_ARRAY(s->arena, QueueEntry, most);
    QueueEntry *by_value = ARENA_ARRAY(s->arena, QueueEntry, most);
    QueueEntry *makers = ARENA_ARRAY(s->arena, QueueEntry, most);
    uint32_t *seen = ARENA_ARRAY(s->arena, uint32_t, in->node_count);
    for (uint32_t step = 0; step < s->step_count; step++) {
        for (uint32_t i = s->nodes.start[step]; i < s->nodes.start[step + 1]; i++) {
            const Node *node = in->nodes[s->nodes.items[i]];
            for (uint32_t j = 0; j < node->arg_count; j++) {
                uint32_t arg = storage_node(node->args[j])->id;
                int32_t maker = s->live.step_of[arg];
                if (maker < 0 || maker == (int32_t)step || seen[arg] == step + 1)
                    continue;
                seen[arg] = step + 1;
                by_value[count] = (QueueEntry){arg, step};
                makers[count++] = (QueueEntry){step, (uint32_t)maker};
                if (s->live.bytes[arg] > 0)
                    by_step[planned++] = (QueueEntry){step, arg};
            }
        }
    }
    s->inputs = lists_new(s->arena, s->step_count, by_step, planned);
    s->readers = lists_new(s->arena, in->node_count, by_value, count);
    s->needs = lists_new(s->arena, s->step_count, makers, count);
}

/* -- measuring ----------------------------------------------------------------------- */

static bool is_result(const Scheduler *s, uint32_t value)
{
    return s->live.last_use[value] == (int32_t)s->step_count;
}

/* Sets bound; packs too if that can still win. */
static void measure(const Scheduler *s, Schedule *schedule, int64_t best)
{
    Arena *arena = arena_new();
    uint32_t *time = ARENA_ARRAY(arena, uint32_t, s->step_count), count = 0;
    Buffer *buffers = ARENA_ARRAY(arena, Buffer, s->in->node_count);
    for (uint32_t i = 0; i < s->step_count; i++)
        time[schedule->order[i]] = i;
    for (uint32_t i = 0; i < s->in->node_count; i++) {
        if (s->live.bytes[i] == 0)
            continue;
        uint32_t first = time[s->live.step_of[i]],
                 last = is_result(s, i) ? s->step_count : first;
        for (uint32_t j = s->readers.start[i]; j < s->readers.start[i + 1]; j++)
            if (last < time[s->readers.items[j]])
                last = time[s->readers.items[j]];
        buffers[count++] = (Buffer){(int32_t)first, (int32_t)last, s->live.bytes[i]};
    }
    schedule->bound = offsets_bound(buffers, count);
    schedule->packed = INT64_MAX;
    if (schedule->bound < best)
        schedule->packed =
            offsets_quick(buffers, count, ARENA_ARRAY(arena, int64_t, count + 1));
    arena_free(arena);
}

/* -- schedules ----------------------------------------------------------------------- */

static void order_program(const Scheduler *s, uint32_t *order)
{
    for (uint32_t i = 0; i < s->step_count; i++)
        order[i] = i;
}

typedef struct Ready {
    uint32_t *steps; /* in the order in which they became ready */
    uint32_t count;
} Ready;

static uint32_t ready_take(Ready *ready, uint32_t index)
{
    uint32_t step = ready->steps[index];
    ready->count--;
    memmove(ready->steps + index, ready->steps + index + 1,
            (ready->count - index) * sizeof *ready->steps);
    return step;
}

/* Bytes that are live after `step` runs but were not before. */
static int64_t growth(const Scheduler *s, const uint32_t *unread, uint32_t step)
{
    int64_t bytes = 0;
    for (uint32_t i = s->outputs.start[step]; i < s->outputs.start[step + 1]; i++)
        bytes += s->live.bytes[s->outputs.items[i]];
    for (uint32_t i = s->inputs.start[step]; i < s->inputs.start[step + 1]; i++) {
        uint32_t value = s->inputs.items[i];
        if (unread[value] == 1 && !is_result(s, value))
            bytes -= s->live.bytes[value];
    }
    return bytes;
}

static void order_greedy(const Scheduler *s, uint32_t *order)
{
    uint32_t *unread = ARENA_ARRAY(s->arena, uint32_t, s->in->node_count);
    uint32_t *missing = ARENA_ARRAY(s->arena, uint32_t, s->step_count);
    Ready ready = {ARENA_ARRAY(s->arena, uint32_t, s->step_count), 0};
    for (uint32_t i = 0; i < s->in->node_count; i++)
        unread[i] = s->readers.start[i + 1] - s->readers.start[i];
    for (uint32_t i = 0; i < s->step_count; i++) {
        missing[i] = s->needs.start[i + 1] - s->needs.start[i];
        if (missing[i] == 0)
            ready.steps[ready.count++] = i;
    }
    for (uint32_t done = 0; done < s->step_count; done++) {
        uint32_t best = 0, looked = ready.count < MOST_READY ? ready.count : MOST_READY;
        int64_t least = INT64_MAX;
        for (uint32_t i = 0; i < looked; i++) {
            int64_t bytes = growth(s, unread, ready.steps[i]);
            if (bytes < least) {
                least = bytes;
                best = i;
            }
        }
        uint32_t step = order[done] = ready_take(&ready, best);
        for (uint32_t i = s->inputs.start[step]; i < s->inputs.start[step + 1]; i++)
            unread[s->inputs.items[i]]--;
        for (uint32_t i = s->nodes.start[step]; i < s->nodes.start[step + 1]; i++) {
            uint32_t value = s->nodes.items[i];
            for (uint32_t j = s->readers.start[value]; j < s->readers.start[value + 1];
                 j++)
                if (--missing[s->readers.items[j]] == 0)
                    ready.steps[ready.count++] = s->readers.items[j];
        }
    }
}

/* Bytes that are live before `step` but not after it, where `live` is what later steps
 * read. */
static int64_t growth_back(const Scheduler *s, const bool *live, uint32_t step)
{
    int64_t bytes = 0;
    for (uint32_t i = s->outputs.start[step]; i < s->outputs.start[step + 1]; i++)
        if (live[s->outputs.items[i]])
            bytes -= s->live.bytes[s->outputs.items[i]];
    for (uint32_t i = s->inputs.start[step]; i < s->inputs.start[step + 1]; i++)
        if (!live[s->inputs.items[i]])
            bytes += s->live.bytes[s->inputs.items[i]];
    return bytes;
}

static void order_greedy_back(const Scheduler *s, uint32_t *order)
{
    bool *live = ARENA_ARRAY(s->arena, bool, s->in->node_count);
    uint32_t *waiting = ARENA_ARRAY(s->arena, uint32_t, s->step_count);
    Ready ready = {ARENA_ARRAY(s->arena, uint32_t, s->step_count), 0};
    for (uint32_t i = 0; i < s->in->node_count; i++)
        live[i] = is_result(s, i);
    for (uint32_t i = 0; i < s->needs.start[s->step_count]; i++)
        waiting[s->needs.items[i]]++;
    for (uint32_t i = s->step_count; i-- > 0;)
        if (waiting[i] == 0)
            ready.steps[ready.count++] = i;
    for (uint32_t left = s->step_count; left-- > 0;) {
        uint32_t best = 0, looked = ready.count < MOST_READY ? ready.count : MOST_READY;
        int64_t least = INT64_MAX;
        for (uint32_t i = 0; i < looked; i++) {
            int64_t bytes = growth_back(s, live, ready.steps[i]);
            if (bytes < least || (bytes == least && ready.steps[i] > ready.steps[best])) {
                least = bytes;
                best = i;
            }
        }
        uint32_t step = order[left] = ready_take(&ready, best);
        for (uint32_t i = s->inputs.start[step]; i < s->inputs.start[step + 1]; i++)
            live[s->inputs.items[i]] = true;
        for (uint32_t i = s->needs.start[step]; i < s->needs.start[step + 1]; i++)
            if (--waiting[s->needs.items[i]] == 0)
                ready.steps[ready.count++] = s->needs.items[i];
    }
}

static void order_depth_first(const Scheduler *s, uint32_t *order)
{
    bool *done = ARENA_ARRAY(s->arena, bool, s->step_count);
    uint32_t *next = ARENA_ARRAY(s->arena, uint32_t, s->step_count); /* need to look at */
    uint32_t *stack = ARENA_ARRAY(s->arena, uint32_t, s->step_count + 1), count = 0;
    for (uint32_t root = 0; root < s->step_count; root++) {
        bool is_read = false;
        for (uint32_t i = s->nodes.start[root]; i < s->nodes.start[root + 1]; i++) {
            uint32_t value = s->nodes.items[i];
            is_read |= s->readers.start[value] < s->readers.start[value + 1];
        }
        if (is_read)
            continue;
        uint32_t depth = 0;
        stack[depth++] = root;
        while (depth > 0) {
            uint32_t step = stack[depth - 1];
            if (s->needs.start[step] + next[step] < s->needs.start[step + 1]) {
                uint32_t need = s->needs.items[s->needs.start[step] + next[step]++];
                if (!done[need])
                    stack[depth++] = need;
                continue;
            }
            depth--;
            if (!done[step])
                order[count++] = step;
            done[step] = true;
        }
    }
}

/* Moves the steps that are run once to the front, in their order. */
static void put_once_first(const Scheduler *s, uint32_t *order)
{
    uint32_t *others = ARENA_ARRAY(s->arena, uint32_t, s->step_count + 1);
    uint32_t count = 0, other_count = 0;
    for (uint32_t i = 0; i < s->step_count; i++)
        if (s->live.is_once[order[i]])
            order[count++] = order[i];
        else
            others[other_count++] = order[i];
    memcpy(order + count, others, other_count * sizeof *order);
}

/* -- choosing ------------------------------------------------------------------------ */

static const struct {
    const char *name;
    void (*fill)(const Scheduler *s, uint32_t *order);
} schedulers[] = {
    {"program", order_program},
    {"greedy", order_greedy},
    {"greedy back", order_greedy_back},
    {"depth first", order_depth_first},
};
enum { SCHEDULE_COUNT = sizeof schedulers / sizeof schedulers[0] };

static Graph *write_order(const Scheduler *s, const uint32_t *steps)
{
    uint32_t *order = ARENA_ARRAY(s->arena, uint32_t, s->in->node_count), count = 0;
    Node **images;
    for (uint32_t i = 0; i < s->step_count; i++)
        for (uint32_t j = s->nodes.start[steps[i]]; j < s->nodes.start[steps[i] + 1]; j++)
            order[count++] = s->nodes.items[j];
    Graph *out = graph_reorder(s->in, order, count, &images);
    if (!out)
        return NULL;
    for (uint32_t i = 0; i < s->step_count; i++)
        for (uint32_t j = s->nodes.start[steps[i]]; j < s->nodes.start[steps[i] + 1]; j++)
            images[s->nodes.items[j]]->group = (int32_t)i;
    out->planned = false;
    out->slab_bytes = out->slab_bound = 0;
    return out;
}

static void report(FILE *out, const Scheduler *s, const Schedule *all, uint32_t count,
                   uint32_t chosen)
{
    fprintf(out, "schedule of @%s: %u steps\n", s->in->name, s->step_count);
    fprintf(out, "  %-12s%16s%16s\n", "order", "most live", "packed");
    for (uint32_t i = 0; i < count; i++) {
        fprintf(out, "  %-12s%16" PRId64, all[i].name, all[i].bound);
        if (all[i].packed == INT64_MAX)
            fprintf(out, "%16s", "not tried");
        else
            fprintf(out, "%16" PRId64, all[i].packed);
        fprintf(out, "%s\n", i == chosen ? "  chosen" : "");
    }
    fputc('\n', out);
}

/* -- groups that stand apart --------------------------------------------------------- */

typedef struct GroupMember {
    int32_t group;
    uint32_t node;
} GroupMember;

static int compare_members(const void *a, const void *b)
{
    const GroupMember *x = a, *y = b;
    if (x->group != y->group)
        return x->group < y->group ? -1 : 1;
    return (x->node > y->node) - (x->node < y->node);
}

/* The graph with the nodes of every group together, NULL after an error. */
static Graph *gather_groups(const Graph *in, Arena *arena)
{
    GroupMember *members = ARENA_ARRAY(arena, GroupMember, in->node_count + 1);
    uint32_t *order = ARENA_ARRAY(arena, uint32_t, in->node_count), count = 0;
    Clusters *clusters = clusters_new(in, arena);
    for (uint32_t i = 0; i < in->node_count; i++)
        if (clusters->cluster[i] != NO_NODE)
            members[count++] = (GroupMember){in->nodes[i]->group, i};
    qsort(members, count, sizeof *members, compare_members);
    for (uint32_t i = 1; i < count; i++) {
        uint32_t a = clusters->cluster[members[i - 1].node];
        uint32_t b = clusters->cluster[members[i].node];
        bool fits =
            members[i - 1].group != members[i].group || clusters_merge(clusters, a, b);
        assert(fits && "the verifier lets no cycle of groups pass");
    }
    return graph_reorder(in, order, clusters_order(clusters, order), NULL);
}

/* -- the pass ------------------------------------------------------------------------ */

static Graph *schedule(const Graph *in, PassContext *ctx, Arena *arena)
{
    Scheduler s = {.in = in, .arena = arena, .live = liveness_of(in, arena)};
    s.step_count = s.live.step_count;
    find_nodes(&s);
    find_edges(&s);
    Schedule all[SCHEDULE_COUNT];
    uint32_t chosen = 0, count = in->kind == GRAPH_update ? 1 : SCHEDULE_COUNT;
    int64_t best = INT64_MAX;
    for (uint32_t i = 0; i < count; i++) {
        all[i] = (Schedule){.name = schedulers[i].name,
                            .order = ARENA_ARRAY(arena, uint32_t, s.step_count)};
        schedulers[i].fill(&s, all[i].order);
        put_once_first(&s, all[i].order);
        measure(&s, &all[i], best);
        if (all[i].packed < best) {
            best = all[i].packed;
            chosen = i;
        }
    }
    Graph *out = write_order(&s, all[chosen].order);
    if (out && ctx->report)
        report(ctx->report, &s, all, count, chosen);
    return out;
}

Graph *pass_schedule(const Graph *in, PassContext *ctx)
{
    Arena *arena = arena_new();
    Graph *gathered = gather_groups(in, arena);
    Graph *out = gathered ? schedule(gathered, ctx, arena) : NULL;
    graph_free(gathered);
    arena_free(arena);
    return out;
}
