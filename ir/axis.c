/* The axis algebra. An axis is made of earlier ones, so one walk in order serves. All
 * sums stop at MOST_LIMIT: axes come from files. */
#include "ir/axis.h"

#include <assert.h>

static const int64_t MOST_LIMIT = INT64_C(1) << 40;

static int64_t add_rows(int64_t a, int64_t b)
{
    return a + b < MOST_LIMIT ? a + b : MOST_LIMIT;
}

static int64_t multiply_rows(int64_t a, int64_t b)
{
    int64_t product;
    if (__builtin_mul_overflow(a, b, &product) || product > MOST_LIMIT)
        return MOST_LIMIT;
    return product;
}

uint32_t axis_part_count(const Axis *axis)
{
    return axis->kind == AXIS_KIND_join ? 2 : axis->kind == AXIS_KIND_pool ? 1 : 0;
}

int64_t axis_longest(const Axis *axes, const Axis *axis)
{
    switch (axis->kind) {
    case AXIS_KIND_batch:
        return 1;
    case AXIS_KIND_fixed:
        return axis->count;
    case AXIS_KIND_join:
        return add_rows(axes[axis->of[0]].longest, axes[axis->of[1]].longest);
    case AXIS_KIND_pool:
        return multiply_rows(axis->images, multiply_rows(axis->side, axis->side));
    case AXIS_KIND_primary:
    case AXIS_KIND_COUNT:
        break;
    }
    return axis->longest;
}

static bool is_pool_source(const Graph *graph, uint32_t axis)
{
    for (uint32_t i = 0; i < graph->axis_count; i++)
        if (graph->axes[i].kind == AXIS_KIND_pool &&
            graph->axes[i].of[0] == (int32_t)axis)
            return true;
    return false;
}

bool axis_ends_with(const Graph *graph, int32_t axis, int32_t part)
{
    return axis >= 0 && graph->axes[axis].kind == AXIS_KIND_join &&
           graph->axes[axis].of[1] == part;
}

/* Enough rows for a matrix product to be efficient, few enough to keep all lanes busy. */
enum { DECODE_SEQUENCES = 32 };

int64_t axes_widest(const Graph *graph)
{
    int64_t widest = 1;
    for (uint32_t i = 0; i < graph->axis_count; i++)
        if (i != AXIS_BATCH && graph->axes[i].longest > widest &&
            !is_pool_source(graph, i))
            widest = graph->axes[i].longest;
    return widest;
}

int64_t axes_widest_capacity(const Graph *graph)
{
    int64_t widest = axes_widest(graph), most = 0;
    for (uint32_t i = 0; i < graph->axis_count; i++)
        if (i != AXIS_BATCH && graph->axes[i].longest == widest &&
            !is_pool_source(graph, i) && graph->axes[i].capacity > most)
            most = graph->axes[i].capacity;
    return most;
}

void axes_make_room(Graph *graph, int64_t sequences)
{
    for (uint32_t i = 0; i < graph->axis_count; i++)
        graph->axes[i].capacity = multiply_rows(sequences, graph->axes[i].longest);
    graph->axes[AXIS_BATCH].capacity = sequences;
}

void axes_derive_limits(Graph *graph, int64_t tokens, int64_t sequences)
{
    for (uint32_t i = 0; i < graph->axis_count; i++)
        graph->axes[i].longest = axis_longest(graph->axes, &graph->axes[i]);
    int64_t widest = axes_widest(graph);
    if (graph->kind == GRAPH_decode) {
        axes_make_room(graph, DECODE_SEQUENCES);
        return;
    }
    for (uint32_t i = 0; i < graph->axis_count; i++) {
        Axis *axis = &graph->axes[i];
        int64_t share = multiply_rows(tokens, axis->longest) / widest;
        axis->capacity = share > axis->longest ? share : axis->longest;
    }
    graph->axes[AXIS_BATCH].capacity = sequences > 1 ? sequences : 1;
}

/* The side of a square of `cells`, or -1. */
static int64_t square_side(int64_t cells)
{
    int64_t low = 1, high = INT64_C(1) << 20;
    while (low < high) {
        int64_t side = (low + high) / 2;
        if (side * side < cells)
            low = side + 1;
        else
            high = side;
    }
    return low * low == cells ? low : -1;
}

int64_t axis_grid_side(const Axis *axis)
{
    return axis->kind == AXIS_KIND_fixed ? square_side(axis->count) : -1;
}

/* images side^2 if `source` rows are that many square grids, else -1 */
static int64_t pooled_rows(const Axis *axis, int64_t source)
{
    bool is_square =
        source % axis->images == 0 && square_side(source / axis->images) != -1;
    return is_square ? axis->images * axis->side * axis->side : -1;
}

int64_t axis_sequence_rows(const Graph *graph, int32_t axis, const int64_t *primary_rows)
{
    int64_t rows[MOST_AXES];
    assert(axis >= 0 && axis < MOST_AXES);
    for (int32_t i = 0; i <= axis; i++) {
        const Axis *now = &graph->axes[i];
        switch (now->kind) {
        case AXIS_KIND_batch:
            rows[i] = 1;
            break;
        case AXIS_KIND_fixed:
            rows[i] = now->count;
            break;
        case AXIS_KIND_join:
            rows[i] = rows[now->of[0]] < 0 || rows[now->of[1]] < 0
                          ? -1
                          : add_rows(rows[now->of[0]], rows[now->of[1]]);
            break;
        case AXIS_KIND_pool:
            rows[i] = pooled_rows(now, rows[now->of[0]]);
            break;
        case AXIS_KIND_primary:
        case AXIS_KIND_COUNT:
            rows[i] = primary_rows[i];
        }
    }
    return rows[axis];
}
