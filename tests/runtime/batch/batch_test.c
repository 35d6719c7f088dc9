/* Batches against a graph: what is refused, how they are cut, and the axis tables of a
 * cut. */
#include <stdlib.h>
#include <string.h>

#include "tests/runtime/harness.h"
#include "ir/base/random.h"
#include "tests/check.h"

typedef struct Test {
    Check check;
    Module *module;
    Graph *graph;
    BatchLayout *layout;
} Test;

static const BuildSite HERE = {.loc = {.file = "test", .line = 1}};

/* A graph that reads a field on every kind of axis and looks rows up in a table of 11. */
static void build(Test *test)
{
    test->module = harness_module();
    test->graph = harness_graph(test->module, "t", GRAPH_train);
    Graph *graph = test->graph;
    const Node *table =
        harness_param(test->module, graph, "table", type_matrix(DTYPE_f32, 11, 3), true);
    const Node *args[] = {table, harness_input(graph, "ids", type_index(AXIS_text))};
    graph_node(graph, HERE, (NodeSpec){.op = OP_gather, .args = args, .arg_count = 2});
    harness_input(graph, "features", type_rows(DTYPE_f32, AXIS_grid, 4));
    harness_input(graph, "boxes", type_rows(DTYPE_f32, AXIS_image, 5));
    harness_input(graph, "scores", type_rows(DTYPE_f32, AXIS_BATCH, 1));
    test->layout = layout_new(graph);
}

static Batch *batch_of(const Test *test, int64_t sequences)
{
    RandomBatch wanted = {.sequences = sequences, .longest = 18, .seed = 4};
    return random_batch(test->graph, &wanted);
}

/* Whether layout_set accepts the batch; if not, it must have said why, with `words`. */
static bool is_accepted(Test *test, const Batch *batch, SplitOptions split,
                        const char *words)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    Diags *diags = diags_new(out);
    bool is_set = layout_set(test->layout, batch, &split, diags);
    diags_free(diags);
    fclose(out);
    CHECK(&test->check, is_set || (words && strstr(text, words)),
          "message is '%s', not '%s'", text, words ? words : "none");
    free(text);
    return is_set;
}

static BatchField *field_of(Batch *batch, const char *name)
{
    for (uint32_t i = 0; i < batch->field_count; i++)
        if (strcmp(batch->fields[i].name, name) == 0)
            return &batch->fields[i];
    return NULL;
}

static int32_t *lengths_of(Batch *batch, const char *name)
{
    for (uint32_t i = 0; i < batch->axis_count; i++)
        if (strcmp(batch->axes[i].name, name) == 0)
            return batch->axes[i].lengths;
    return NULL;
}

typedef enum Damage {
    DAMAGE_none,
    DAMAGE_no_sequences,
    DAMAGE_no_axis,
    DAMAGE_no_field,
    DAMAGE_dtype,
    DAMAGE_width,
    DAMAGE_axis,
    DAMAGE_index_high,
    DAMAGE_index_low,
    DAMAGE_too_long,
    DAMAGE_negative,
    DAMAGE_no_grid,
    DAMAGE_COUNT
} Damage;

/* What the message of each must say. */
static const char *const damage_words[DAMAGE_COUNT] = {
    [DAMAGE_no_sequences] = "0 sequences",
    [DAMAGE_no_axis] = "lengths of axis text",
    [DAMAGE_no_field] = "needs field scores",
    [DAMAGE_dtype] = "field ids is f32",
    [DAMAGE_width] = "width 6",
    [DAMAGE_axis] = "on axis text",
    [DAMAGE_index_high] = "a table of 11 rows",
    [DAMAGE_index_low] = "is -1",
    [DAMAGE_too_long] = "10 rows on axis text",
    [DAMAGE_negative] = "axis text has length -1",
    [DAMAGE_no_grid] = "square grids",
};

static void do_damage(Batch *batch, Damage damage)
{
    int32_t *ids = field_of(batch, "ids")->rows;
    switch (damage) {
    case DAMAGE_no_sequences:
        batch->sequences = 0;
        break;
    case DAMAGE_no_axis:
        for (uint32_t i = 0; i < batch->axis_count; i++)
            batch->axes[i].name = "elsewhere";
        break;
    case DAMAGE_no_field:
        field_of(batch, "scores")->name = "score";
        break;
    case DAMAGE_dtype:
        field_of(batch, "ids")->dtype = DTYPE_f32;
        break;
    case DAMAGE_width:
        field_of(batch, "boxes")->width = 6;
        break;
    case DAMAGE_axis:
        field_of(batch, "features")->axis = "text";
        break;
    case DAMAGE_index_high:
        ids[2] = 11;
        break;
    case DAMAGE_index_low:
        ids[0] = -1;
        break;
    case DAMAGE_too_long:
        lengths_of(batch, "text")[1] = 10;
        break;
    case DAMAGE_negative:
        lengths_of(batch, "text")[1] = -1;
        break;
    case DAMAGE_no_grid:
        lengths_of(batch, "grid")[1] = 6;
        break;
    default:
        break;
    }
}

static void check_damage(Test *test)
{
    for (Damage damage = DAMAGE_none; damage < DAMAGE_COUNT; damage++) {
        Batch *batch = batch_of(test, 4);
        do_damage(batch, damage);
        CHECK(&test->check,
              is_accepted(test, batch, (SplitOptions){0}, damage_words[damage]) ==
                  (damage == DAMAGE_none),
              "damage %d", damage);
        batch_free(batch);
    }
}

/* Micro-batches cover the batch and fit every axis. How they are cut: split_test. */
static void check_fit(Test *test)
{
    Batch *batch = batch_of(test, 60);
    const BatchLayout *layout = test->layout;
    const Graph *graph = test->graph;
    bool is_set = is_accepted(test, batch, (SplitOptions){0}, NULL);
    int64_t next = 0;
    for (int64_t m = 0; is_set && m < layout->range_count; m++) {
        SequenceRange range = layout->ranges[m];
        int64_t end = range.first + range.count;
        bool fits = true;
        for (uint32_t a = 0; a < graph->axis_count; a++) {
            const int64_t *starts = layout->starts[a];
            fits = fits && starts[end] - starts[range.first] <= graph->axes[a].capacity;
        }
        CHECK(&test->check, range.first == next && range.count > 0 && fits,
              "micro-batch %lld", (long long)m);
        next = end;
    }
    CHECK(&test->check, is_set && next == 60 && layout->range_count > 4, "all sequences");
    batch_free(batch);
}

static void check_explicit(Test *test)
{
    static const int64_t sizes[] = {2, 1};
    Batch *batch = batch_of(test, 5);
    const BatchLayout *layout = test->layout;
    CHECK(
        &test->check,
        is_accepted(test, batch, (SplitOptions){.sizes = sizes, .size_count = 2}, NULL) &&
            layout->range_count == 4 && layout->ranges[0].count == 2 &&
            layout->ranges[3].count == 1,
        "the last size repeats");
    CHECK(&test->check,
          is_accepted(test, batch, (SplitOptions){.max_sequences = 2}, NULL) &&
              layout->range_count == 3 && layout->ranges[0].count <= 2 &&
              layout->ranges[1].count <= 2 && layout->ranges[2].count <= 2,
          "at most two sequences");
    CHECK(&test->check,
          is_accepted(test, batch, (SplitOptions){.lanes = 4}, NULL) &&
              layout->range_count == 4,
          "as many as lanes");
    batch_free(batch);
    static const int64_t all[] = {60};
    batch = batch_of(test, 60);
    CHECK(&test->check,
          !is_accepted(test, batch, (SplitOptions){.sizes = all, .size_count = 1},
                       "do not fit"),
          "a split beyond capacity");
    batch_free(batch);
}

/* Offsets, sequences and keys of one micro-batch follow from the lengths. */
static void check_tables(Test *test)
{
    Batch *batch = batch_of(test, 6);
    bool is_set = is_accepted(test, batch, (SplitOptions){0}, NULL);
    AxisTables *tables = axis_tables_new(test->graph);
    SequenceRange range = {2, 3};
    if (is_set)
        axis_tables_set(tables, test->layout, range);
    const AxisView *text = &tables->views[AXIS_text], *both = &tables->views[AXIS_both];
    const int32_t *lengths = lengths_of(batch, "text");
    for (int64_t s = 0; is_set && s < range.count; s++) {
        int64_t rows = lengths[range.first + s];
        CHECK(&test->check, text->offsets[s + 1] - text->offsets[s] == rows, "text rows");
        CHECK(&test->check, both->offsets[s + 1] - both->offsets[s] == rows + 8,
              "joined rows");
        for (int64_t i = 0; i < rows + 8; i++) {
            int64_t row = both->offsets[s] + i;
            CHECK(&test->check, both->sequence[row] == s, "sequence of row %lld",
                  (long long)row);
            CHECK(&test->check,
                  both->row_key[row] ==
                      random_row_key((uint32_t)(range.first + s), (uint32_t)i),
                  "key of row %lld", (long long)row);
        }
    }
    int64_t total = 0;
    for (int64_t s = 0; s < batch->sequences; s++)
        total += lengths[s];
    CHECK(&test->check, is_set && text->total_rows == total, "rows of the whole batch");
    CHECK(&test->check, text->rows == text->offsets[range.count],
          "rows of the micro-batch");
    axis_tables_free(tables);
    batch_free(batch);
}

int main(void)
{
    Test test = {0};
    build(&test);
    check_damage(&test);
    check_fit(&test);
    check_explicit(&test);
    check_tables(&test);
    layout_free(test.layout);
    module_free(test.module);
    return check_finish(&test.check);
}
