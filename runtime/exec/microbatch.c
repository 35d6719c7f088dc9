/* Checks a batch against a graph, derives where every sequence starts on every axis, cuts
 * the batch, and fills the axis tables of one micro-batch. */
#include "runtime/exec/microbatch.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ir/axis.h"
#include "ir/base/heap.h"
#include "ir/base/random.h"
#include "ir/lowering.h"
#include "ir/range.h"
#include "ir/roofline.h"
#include "runtime/weights/store.h"

int64_t value_rows(Type type, const AxisView *views)
{
    return type_is_ragged(type) ? views[type.axis].rows : type_static_rows(type);
}

/* -- layouts ------------------------------------------------------------------------ */

static int64_t nanoseconds(double seconds)
{
    return (int64_t)ceil(1e9 * seconds);
}

/* A micro-batch that capacities do not need computes at least as long as it reads. */
static void weigh_rows(BatchLayout *layout, Arena *arena)
{
    Roofline roofline = graph_roofline(layout->graph, arena);
    for (uint32_t a = 0; a < layout->graph->axis_count; a++)
        layout->row_work[a] = nanoseconds(roofline.row[a]);
    layout->least_work = nanoseconds(roofline.once);
}

BatchLayout *layout_new(const Graph *graph)
{
    BatchLayout *layout = heap_alloc(sizeof *layout);
    *layout = (BatchLayout){.graph = graph};
    layout->starts = heap_array(graph->axis_count, sizeof *layout->starts);
    layout->given = heap_array(graph->axis_count, sizeof *layout->given);
    layout->primary = heap_array(graph->axis_count, sizeof *layout->primary);
    layout->row_work = heap_array(graph->axis_count, sizeof *layout->row_work);
    layout->inputs = heap_array(graph->node_count + 1, sizeof *layout->inputs);
    Arena *arena = arena_new();
    const int64_t *limits = index_limits(graph, arena);
    weigh_rows(layout, arena);
    for (uint32_t i = 0; i < graph->node_count; i++) {
        const Node *node = graph->nodes[i];
        if (node_is_field(node))
            layout->inputs[layout->input_count++] =
                (LayoutInput){.node = node, .index_limit = limits[i]};
    }
    arena_free(arena);
    return layout;
}

void layout_free(BatchLayout *layout)
{
    if (!layout)
        return;
    for (uint32_t a = 0; a < layout->graph->axis_count; a++)
        free(layout->starts[a]);
    free(layout->starts);
    free(layout->given);
    free(layout->primary);
    free(layout->inputs);
    free(layout->row_work);
    free(layout->work);
    free(layout->latest);
    free(layout->ranges);
    free(layout);
}

static void make_room(BatchLayout *layout, int64_t sequences)
{
    if (sequences <= layout->sequence_room)
        return;
    size_t count = (size_t)sequences;
    for (uint32_t a = 0; a < layout->graph->axis_count; a++)
        layout->starts[a] = heap_grow(layout->starts[a], count + 1, sizeof(int64_t));
    layout->work = heap_grow(layout->work, count + 1, sizeof *layout->work);
    layout->latest = heap_grow(layout->latest, count + 1, sizeof *layout->latest);
    layout->ranges = heap_grow(layout->ranges, count, sizeof *layout->ranges);
    layout->sequence_room = sequences;
}

static const BatchAxis *find_axis(const Batch *batch, const char *name)
{
    for (uint32_t i = 0; i < batch->axis_count; i++)
        if (strcmp(batch->axes[i].name, name) == 0)
            return &batch->axes[i];
    return NULL;
}

static const BatchField *find_field(const Batch *batch, const char *name)
{
    for (uint32_t i = 0; i < batch->field_count; i++)
        if (strcmp(batch->fields[i].name, name) == 0)
            return &batch->fields[i];
    return NULL;
}

/* `length` is what the batch says of a primary axis, `rows` what any axis then has. */
static bool check_sequence(const Graph *graph, int64_t sequence, uint32_t a,
                           int64_t length, int64_t rows, Diags *diags)
{
    const Axis *axis = &graph->axes[a];
    if (length < 0) {
        diag_error(diags, (Loc){0},
                   "batch: task %s, sequence %lld: axis %s has length %lld", graph->task,
                   (long long)sequence, axis->name, (long long)length);
        return false;
    }
    if (rows < 0) {
        diag_error(
            diags, (Loc){0},
            "batch: task %s, sequence %lld: the rows of axis %s are not %lld square "
            "grids, as axis %s needs",
            graph->task, (long long)sequence, graph->axes[axis->of[0]].name,
            (long long)axis->images, axis->name);
        return false;
    }
    if (axis->kind != AXIS_KIND_batch && rows > axis->longest) {
        diag_error(
            diags, (Loc){0},
            "batch: task %s, sequence %lld: %lld rows on axis %s, which is declared with "
            "at most %lld",
            graph->task, (long long)sequence, (long long)rows, axis->name,
            (long long)axis->longest);
        return false;
    }
    return true;
}

/* Offsets of all axes follow from the primary lengths. */
static bool place_rows(BatchLayout *layout, const Batch *batch, Diags *diags)
{
    const Graph *graph = layout->graph;
    const BatchAxis **given = layout->given;
    int64_t *primary = layout->primary;
    for (uint32_t a = 0; a < graph->axis_count; a++) {
        layout->starts[a][0] = 0;
        given[a] = NULL;
        if (graph->axes[a].kind != AXIS_KIND_primary)
            continue;
        given[a] = find_axis(batch, graph->axes[a].name);
        if (!given[a]) {
            diag_error(diags, (Loc){0}, "batch: task %s needs lengths of axis %s",
                       graph->task, graph->axes[a].name);
            return false;
        }
    }
    for (int64_t s = 0; s < layout->sequences; s++) {
        for (uint32_t a = 0; a < graph->axis_count; a++)
            primary[a] = given[a] ? given[a]->lengths[s] : 0;
        for (uint32_t a = 0; a < graph->axis_count; a++) {
            int64_t rows = axis_sequence_rows(graph, (int32_t)a, primary);
            if (!check_sequence(graph, s, a, primary[a], rows, diags))
                return false;
            layout->starts[a][s + 1] = layout->starts[a][s] + rows;
        }
    }
    return true;
}

static bool check_indices(const LayoutInput *input, int64_t rows, Diags *diags)
{
    if (input->node->type.dtype != DTYPE_i32 || input->index_limit == INT64_MAX)
        return true;
    const int32_t *values = input->field->rows;
    int64_t count = rows * input->field->width;
    for (int64_t i = 0; i < count; i++)
        if (values[i] < 0 || values[i] >= input->index_limit) {
            diag_error(
                diags, input->node->loc,
                "batch: field %s: row %lld is %d, but it indexes a table of %lld rows",
                input->field->name, (long long)(i / input->field->width), values[i],
                (long long)input->index_limit);
            return false;
        }
    return true;
}

static bool check_field(BatchLayout *layout, LayoutInput *input, Diags *diags)
{
    const Graph *graph = layout->graph;
    const Type type = input->node->type;
    const char *name = input->node->attr.named.name;
    const char *axis = graph->axes[type.axis].name;
    const BatchField *field = input->field = find_field(layout->batch, name);
    if (!field) {
        diag_error(diags, input->node->loc, "batch: task %s needs field %s", graph->task,
                   name);
        return false;
    }
    if (field->dtype != type.dtype || field->width != type_width(type)) {
        diag_error(
            diags, input->node->loc,
            "batch: field %s is %s of width %lld, but the model has %s of width %lld",
            name, dtype_names[field->dtype], (long long)field->width,
            dtype_names[type.dtype], (long long)type_width(type));
        return false;
    }
    if (strcmp(field->axis, axis) != 0) {
        diag_error(diags, input->node->loc,
                   "batch: field %s has rows on axis %s, but the model has them on %s",
                   name, field->axis, axis);
        return false;
    }
    int64_t rows = layout->starts[type.axis][layout->sequences];
    if (field->is_counted && field->row_count != rows) {
        diag_error(diags, input->node->loc,
                   "batch: field %s has %lld rows, but axis %s has %lld", name,
                   (long long)field->row_count, axis, (long long)rows);
        return false;
    }
    return check_indices(input, rows, diags);
}

/* -- splitting ---------------------------------------------------------------------- */

/* Whole nanoseconds, so that sums are exact; one for the sequence itself. */
static void weigh_sequences(BatchLayout *layout)
{
    layout->work[0] = 0;
    for (int64_t s = 0; s < layout->sequences; s++) {
        int64_t work = 1;
        for (uint32_t a = 0; a < layout->graph->axis_count; a++)
            work +=
                (layout->starts[a][s + 1] - layout->starts[a][s]) * layout->row_work[a];
        layout->work[s + 1] = layout->work[s] + work;
    }
}

int64_t layout_group(const BatchLayout *layout)
{
    return layout->batch->group > 1 ? layout->batch->group : 1;
}

static void split_by_sizes(BatchLayout *layout, const SplitOptions *split)
{
    layout->range_count = 0;
    for (int64_t first = 0; first < layout->sequences;) {
        uint32_t last = split->size_count - 1;
        uint32_t at = layout->range_count < last ? (uint32_t)layout->range_count : last;
        int64_t group = layout_group(layout);
        int64_t count = (split->sizes[at] + group - 1) / group * group;
        if (count < 1 || count > layout->sequences - first)
            count = layout->sequences - first;
        layout->ranges[layout->range_count++] = (SequenceRange){first, count};
        first += count;
    }
}

/* Of a decode graph, whose micro-batches all lanes compute together: the fewest, of whole
 * groups. */
static void split_groups(BatchLayout *layout, int64_t most_sequences)
{
    int64_t group = layout_group(layout), groups = layout->sequences / group;
    int64_t most = layout->graph->axes[AXIS_BATCH].capacity;
    if (most_sequences > 0 && most_sequences < most)
        most = most_sequences;
    most = most < group ? 1 : most / group;
    layout->range_count = (groups + most - 1) / most;
    for (int64_t i = 0, first = 0; i < layout->range_count; i++) {
        int64_t end = groups * (i + 1) / layout->range_count * group;
        layout->ranges[i] = (SequenceRange){first, end - first};
        first = end;
    }
}

static bool split_batch(BatchLayout *layout, const SplitOptions *split, Diags *diags)
{
    SplitJob job = {.graph = layout->graph,
                    .sequences = layout->sequences,
                    .starts = layout->starts,
                    .work = layout->work,
                    .least_work = layout->least_work,
                    .max_sequences = split->max_sequences,
                    .lanes = split->lanes};
    weigh_sequences(layout);
    if (split->sizes && split->size_count > 0)
        split_by_sizes(layout, split);
    else if (layout->graph->kind == GRAPH_decode)
        split_groups(layout, split->max_sequences);
    else
        layout->range_count = split_evenly(&job, layout->latest, layout->ranges);
    for (int64_t i = 0; i < layout->range_count; i++) {
        SequenceRange range = layout->ranges[i];
        const Axis *axis = split_too_long(&job, range.first, range.first + range.count);
        if (!axis)
            continue;
        diag_error(diags, (Loc){0},
                   "batch: sequences %lld to %lld do not fit: a micro-batch has at most "
                   "%lld rows of axis %s (raise `tokens`)",
                   (long long)range.first, (long long)(range.first + range.count - 1),
                   (long long)axis->capacity, axis->name);
        return false;
    }
    return true;
}

bool layout_set(BatchLayout *layout, const Batch *batch, const SplitOptions *split,
                Diags *diags)
{
    if (batch->sequences < 1 || batch->sequences > INT32_MAX) {
        diag_error(diags, (Loc){0}, "batch: task %s: %lld sequences", layout->graph->task,
                   (long long)batch->sequences);
        return false;
    }
    make_room(layout, batch->sequences);
    layout->batch = batch;
    layout->sequences = batch->sequences;
    if (!place_rows(layout, batch, diags))
        return false;
    for (uint32_t i = 0; i < layout->input_count; i++)
        if (!check_field(layout, &layout->inputs[i], diags))
            return false;
    return split_batch(layout, split, diags);
}

/* -- axis tables -------------------------------------------------------------------- */

static int64_t padded(int64_t count)
{
    return (count * 4 + 63) / 64 * 64;
}

AxisTables *axis_tables_new(const Graph *graph)
{
    uint32_t count = graph->axis_count;
    AxisTables *tables = heap_alloc(sizeof *tables);
    *tables = (AxisTables){.axis_count = count};
    tables->views = heap_array(count, sizeof *tables->views);
    tables->offsets = heap_array(count, sizeof *tables->offsets);
    tables->sequence = heap_array(count, sizeof *tables->sequence);
    tables->row_key = heap_array(count, sizeof *tables->row_key);
    int64_t sequences = graph->axes[AXIS_BATCH].capacity;
    for (uint32_t a = 0; a < count; a++)
        tables->memory_bytes +=
            padded(sequences + 1) + 2 * padded(graph->axes[a].capacity);
    tables->memory = pages_new(tables->memory_bytes);
    char *next = tables->memory;
    for (uint32_t a = 0; a < count; a++) {
        int64_t rows = padded(graph->axes[a].capacity);
        tables->offsets[a] = (int32_t *)(void *)next;
        tables->sequence[a] = (int32_t *)(void *)(next += padded(sequences + 1));
        tables->row_key[a] = (uint32_t *)(void *)(next += rows);
        next += rows;
        tables->views[a] = (AxisView){.offsets = tables->offsets[a],
                                      .sequence = tables->sequence[a],
                                      .row_key = tables->row_key[a]};
    }
    return tables;
}

void axis_tables_free(AxisTables *tables)
{
    if (!tables)
        return;
    pages_free(tables->memory, tables->memory_bytes);
    free(tables->views);
    free(tables->offsets);
    free(tables->sequence);
    free(tables->row_key);
    free(tables);
}

void axis_tables_set(AxisTables *tables, const BatchLayout *layout, SequenceRange range)
{
    for (uint32_t a = 0; a < tables->axis_count; a++) {
        const int64_t *starts = layout->starts[a] + range.first;
        int32_t *offsets = tables->offsets[a];
        for (int64_t s = 0; s < range.count; s++) {
            int64_t begin = starts[s] - starts[0], rows = starts[s + 1] - starts[s];
            offsets[s] = (int32_t)begin;
            for (int64_t place = 0; place < rows; place++) {
                tables->sequence[a][begin + place] = (int32_t)s;
                tables->row_key[a][begin + place] =
                    random_row_key((uint32_t)(range.first + s), (uint32_t)place);
            }
        }
        offsets[range.count] = (int32_t)(starts[range.count] - starts[0]);
        tables->views[a].rows = offsets[range.count];
        tables->views[a].total_rows = layout->starts[a][layout->sequences];
    }
}
