/* Random lengths, then random rows. Everything is a hash of the seed and a count. */
#include "runtime/check/random_batch.h"

#include <math.h>
#include <string.h>

#include "ir/axis.h"
#include "ir/base/random.h"
#include "ir/lowering.h"
#include "ir/range.h"
#include "runtime/exec/microbatch.h"

typedef struct RandomMaker {
    const Graph *graph;
    const RandomBatch *wanted;
    Batch *batch;
    uint64_t drawn;
} RandomMaker;

double random_unit(uint64_t seed, uint64_t index)
{
    return (double)random_step_key(seed, index) / 2147483648.0 - 1;
}

static int64_t draw_int(RandomMaker *maker, int64_t below)
{
    double unit = (random_unit(maker->wanted->seed, maker->drawn++) + 1) / 2;
    int64_t value = (int64_t)(unit * (double)below);
    return value < below ? value : below - 1;
}

/* Rows of a sequence come as this many equal square grids; 0 if no pool reads the
 * axis. */
static int64_t grids_of(const Graph *graph, uint32_t a)
{
    for (uint32_t i = 0; i < graph->axis_count; i++)
        if (graph->axes[i].kind == AXIS_KIND_pool && graph->axes[i].of[0] == (int32_t)a)
            return graph->axes[i].images;
    return 0;
}

static int32_t draw_length(RandomMaker *maker, uint32_t a)
{
    for (uint32_t i = 0; i < maker->wanted->fixed_count; i++)
        if (strcmp(maker->wanted->fixed[i].axis, maker->graph->axes[a].name) == 0)
            return (int32_t)maker->wanted->fixed[i].rows;
    int64_t longest = maker->graph->axes[a].longest, grids = grids_of(maker->graph, a);
    if (longest > maker->wanted->longest && maker->wanted->longest > 0)
        longest = maker->wanted->longest;
    if (grids == 0)
        return (int32_t)(1 + draw_int(maker, longest));
    int64_t side = 1, most = maker->graph->axes[a].longest;
    while (grids * (side + 1) * (side + 1) <= (longest > grids ? longest : grids))
        side++;
    side = 1 + draw_int(maker, side);
    return (int32_t)(grids * side * side <= most ? grids * side * side : grids);
}

static void draw_axes(RandomMaker *maker)
{
    Batch *batch = maker->batch;
    const Graph *graph = maker->graph;
    batch->axes = ARENA_ARRAY(batch->arena, BatchAxis, graph->axis_count);
    for (uint32_t a = 0; a < graph->axis_count; a++) {
        if (graph->axes[a].kind != AXIS_KIND_primary)
            continue;
        BatchAxis *axis = &batch->axes[batch->axis_count++];
        axis->name = graph->axes[a].name;
        axis->lengths = ARENA_ARRAY(batch->arena, int32_t, batch->sequences);
        for (int64_t s = 0; s < batch->sequences; s++)
            axis->lengths[s] = draw_length(maker, a);
    }
}

int64_t random_batch_rows(const Graph *graph, const Batch *batch, int32_t axis)
{
    int64_t rows = 0, *primary = ARENA_ARRAY(batch->arena, int64_t, graph->axis_count);
    for (int64_t s = 0; s < batch->sequences; s++) {
        uint32_t next = 0;
        for (uint32_t a = 0; a < graph->axis_count; a++)
            if (graph->axes[a].kind == AXIS_KIND_primary)
                primary[a] = batch->axes[next++].lengths[s];
        int64_t more = axis_sequence_rows(graph, axis, primary);
        bool fits = more <= graph->axes[axis].longest;
        rows += more > 0 && (fits || axis == AXIS_BATCH) ? more : 0;
    }
    return rows;
}

static void draw_field(RandomMaker *maker, const Node *node, int64_t limit)
{
    Batch *batch = maker->batch;
    BatchField *field = &batch->fields[batch->field_count++];
    field->name = node->attr.named.name;
    field->axis = maker->graph->axes[node->type.axis].name;
    field->dtype = node->type.dtype;
    field->width = type_width(node->type);
    int64_t count =
        random_batch_rows(maker->graph, batch, node->type.axis) * field->width;
    int32_t *integers = field->rows = ARENA_ARRAY(batch->arena, int32_t, count + 1);
    float *numbers = field->rows;
    for (int64_t i = 0; i < count; i++) {
        if (field->dtype == DTYPE_i32)
            integers[i] = (int32_t)draw_int(maker, limit < 100 ? limit : 100);
        else
            numbers[i] = (float)(1.7 * random_unit(maker->wanted->seed, maker->drawn++));
    }
}

Batch *random_batch(const Graph *graph, const RandomBatch *wanted)
{
    Arena *arena = arena_new();
    Batch *batch = arena_alloc(arena, sizeof *batch);
    *batch = (Batch){.task = graph->task, .sequences = wanted->sequences, .arena = arena};
    RandomMaker maker = {.graph = graph, .wanted = wanted, .batch = batch};
    draw_axes(&maker);
    const int64_t *limits = index_limits(graph, arena);
    batch->fields = ARENA_ARRAY(arena, BatchField, graph->node_count + 1);
    for (uint32_t i = 0; i < graph->node_count; i++)
        if (node_is_field(graph->nodes[i]))
            draw_field(&maker, graph->nodes[i], limits[i]);
    return batch;
}
