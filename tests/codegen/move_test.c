/* Kernels that move rows against plain loops: exact, as they compute next to nothing. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tests/check.h"
#include "tests/codegen/fixture.h"
#include "tests/codegen/numbers.h"

enum { SEQUENCES = 4, TABLE_ROWS = 11 };

static const int32_t a_lengths[SEQUENCES] = {3, 0, 7, 1};
static const int32_t b_lengths[SEQUENCES] = {2, 5, 0, 4};
static const int32_t joined_lengths[SEQUENCES] = {5, 5, 7, 5};

typedef struct Trial {
    Check *check;
    Fixture f;
    int64_t width;
    int32_t a, b, joined;
    OpAttr attr;
} Trial;

static void open_trial(Trial *t, Check *check, int64_t width)
{
    *t = (Trial){.check = check, .width = width};
    memset(&t->attr, 0, sizeof t->attr);
    fixture_open(&t->f);
    t->a = fixture_axis(&t->f, "a", a_lengths, SEQUENCES);
    t->b = fixture_axis(&t->f, "b", b_lengths, SEQUENCES);
    Axis joined = {.name = intern(t->f.module->interns, "ab"),
                   .kind = AXIS_KIND_join,
                   .of = {t->a, t->b}};
    t->joined = fixture_axis_like(&t->f, joined, joined_lengths, SEQUENCES);
}

static const Node *floats_on(Trial *t, const char *name, int32_t axis)
{
    return fixture_input(&t->f, name, type_rows(DTYPE_f32, axis, t->width));
}

static const Node *node_of(Trial *t, OpKind op, const Node *a, const Node *b)
{
    const Node *args[] = {a, b};
    return graph_node(
        t->f.graph, (BuildSite){0},
        (NodeSpec){
            .op = op, .attr = &t->attr, .args = args, .arg_count = a ? b ? 2 : 1 : 0});
}

/* Compiles the graph of one node and fills its float inputs. False if it does not
 * compile. */
static bool prepare(Trial *t, const Node *node, const char *processor)
{
    fixture_result(&t->f, "result", node);
    fixture_group(&t->f);
    bool compiled = fixture_compile(&t->f, &(JitOptions){.processor = processor});
    CHECK(t->check, compiled, "%s does not compile", op_info(node->op)->name);
    for (uint32_t i = 0; compiled && i < node->arg_count; i++) {
        Type type = node->args[i]->type;
        int64_t count = fixture_rows(&t->f, type) * type_width(type);
        if (type.dtype == DTYPE_f32)
            numbers_fill(fixture_floats(&t->f, node->args[i]), count, i + 1, 1);
        else
            for (int64_t j = 0; j < count; j++)
                ((int32_t *)t->f.values[node->args[i]->id])[j] =
                    (int32_t)(j * 5 % TABLE_ROWS);
    }
    return compiled;
}

/* Row `row` of a value. */
static float *row_of(const Trial *t, const Node *node, int64_t row)
{
    return fixture_floats(&t->f, node) + row * t->width;
}

static void expect_row(const Trial *t, const Node *node, int64_t row, const float *want)
{
    bool same = memcmp(row_of(t, node, row), want, (size_t)t->width * sizeof *want) == 0;
    CHECK(t->check, same, "%s, width %d: row %d differs", op_info(node->op)->name,
          (int)t->width, (int)row);
}

static void expect_float(const Trial *t, const Node *node, int64_t at, float want)
{
    float got = fixture_floats(&t->f, node)[at];
    CHECK(t->check, got == want, "%s, width %d: element %d is %g, not %g",
          op_info(node->op)->name, (int)t->width, (int)at, (double)got, (double)want);
}

/* -- a test per op: builds, runs, compares ----------------------------------------- */

typedef void MoveTest(Trial *t, const char *processor);

static void test_gather(Trial *t, const char *processor)
{
    const Node *table =
        fixture_input(&t->f, "table", type_matrix(DTYPE_f32, TABLE_ROWS, t->width));
    const Node *index = fixture_input(&t->f, "index", type_index(t->a));
    const Node *y = node_of(t, OP_gather, table, index);
    if (!prepare(t, y, processor))
        return;
    fixture_run(&t->f);
    for (int64_t i = 0; i < t->f.views[t->a].rows; i++)
        expect_row(t, y, i, row_of(t, table, i * 5 % TABLE_ROWS));
}

static void test_gather_static(Trial *t, const char *processor)
{
    Type rows = {.dtype = DTYPE_i32, .axis = AXIS_STATIC, .rank = 1, .dims = {6}};
    const Node *table =
        fixture_input(&t->f, "table", type_matrix(DTYPE_f32, TABLE_ROWS, t->width));
    const Node *y = node_of(t, OP_gather, table, fixture_input(&t->f, "index", rows));
    if (!prepare(t, y, processor))
        return;
    fixture_run(&t->f);
    for (int64_t i = 0; i < 6; i++)
        expect_row(t, y, i, row_of(t, table, i * 5 % TABLE_ROWS));
}

static void test_scatter_add(Trial *t, const char *processor)
{
    const Node *x = floats_on(t, "x", t->joined);
    const Node *index = fixture_input(&t->f, "index", type_index(t->joined));
    t->attr.scatter.rows = TABLE_ROWS + 2;
    const Node *y = node_of(t, OP_scatter_add, index, x);
    if (!prepare(t, y, processor))
        return;
    fixture_run(&t->f);
    float *want = ARENA_ARRAY(t->f.arena, float, (TABLE_ROWS + 2) * t->width);
    for (int64_t i = 0; i < t->f.views[t->joined].rows; i++)
        for (int64_t j = 0; j < t->width; j++)
            want[i * 5 % TABLE_ROWS * t->width + j] += row_of(t, x, i)[j];
    for (int64_t i = 0; i < TABLE_ROWS + 2; i++)
        expect_row(t, y, i, &want[i * t->width]);
}

static void test_join(Trial *t, const char *processor)
{
    const Node *parts[] = {floats_on(t, "x", t->a), floats_on(t, "y", t->b)};
    t->attr.join.axis = t->joined;
    const Node *y = node_of(t, OP_join, parts[0], parts[1]);
    if (!prepare(t, y, processor))
        return;
    fixture_run(&t->f);
    int64_t row = 0;
    for (int64_t s = 0; s < SEQUENCES; s++)
        for (int i = 0; i < 2; i++) {
            const int32_t *offsets = t->f.views[i == 0 ? t->a : t->b].offsets;
            for (int64_t from = offsets[s]; from < offsets[s + 1]; from++)
                expect_row(t, y, row++, row_of(t, parts[i], from));
        }
}

static void test_part(Trial *t, const char *processor, int64_t index)
{
    const Node *x = floats_on(t, "x", t->joined);
    t->attr.part.axis = index == 0 ? t->a : t->b;
    t->attr.part.index = index;
    const Node *y = node_of(t, OP_part, x, NULL);
    if (!prepare(t, y, processor))
        return;
    fixture_run(&t->f);
    const int32_t *offsets = t->f.views[t->attr.part.axis].offsets;
    for (int64_t s = 0; s < SEQUENCES; s++) {
        int64_t from = t->f.views[t->joined].offsets[s] + (index == 0 ? 0 : a_lengths[s]);
        for (int64_t i = offsets[s]; i < offsets[s + 1]; i++)
            expect_row(t, y, i, row_of(t, x, from++));
    }
}

static void test_part_first(Trial *t, const char *processor)
{
    test_part(t, processor, 0);
}

static void test_part_second(Trial *t, const char *processor)
{
    test_part(t, processor, 1);
}

static void test_spread(Trial *t, const char *processor)
{
    const Node *x = floats_on(t, "x", AXIS_BATCH);
    t->attr.on_axis.axis = t->joined;
    const Node *y = node_of(t, OP_spread, x, NULL);
    if (!prepare(t, y, processor))
        return;
    fixture_run(&t->f);
    for (int64_t s = 0, row = 0; s < SEQUENCES; s++)
        for (int64_t i = 0; i < joined_lengths[s]; i++)
            expect_row(t, y, row++, row_of(t, x, s));
}

static void test_sum_sequence(Trial *t, const char *processor)
{
    const Node *x = floats_on(t, "x", t->a);
    const Node *y = node_of(t, OP_sum_sequence, x, NULL);
    if (!prepare(t, y, processor))
        return;
    fixture_run(&t->f);
    for (int64_t s = 0, row = 0; s < SEQUENCES; s++) {
        float *want = ARENA_ARRAY(t->f.arena, float, t->width);
        for (int64_t i = 0; i < a_lengths[s]; i++, row++)
            for (int64_t j = 0; j < t->width; j++)
                want[j] += row_of(t, x, row)[j];
        expect_row(t, y, s, want);
    }
}

static void test_position(Trial *t, const char *processor)
{
    t->attr.position.axis = t->a;
    t->attr.position.offset = 100;
    t->attr.position.scale = -3;
    t->attr.position.quotient = 2;
    t->attr.position.modulus = t->width % 3;
    const Node *y = node_of(t, OP_position, NULL, NULL);
    if (!prepare(t, y, processor))
        return;
    fixture_run(&t->f);
    const int32_t *got = t->f.values[y->id];
    for (int32_t s = 0; s < SEQUENCES; s++)
        for (int32_t place = 0; place < a_lengths[s]; place++, got++) {
            int32_t modulus = (int32_t)(t->width % 3), number = place / 2;
            int32_t want = 100 - 3 * (modulus ? number % modulus : number);
            CHECK(t->check, *got == want, "place %d is %d, not %d", place, *got, want);
        }
}

static void test_lengths(Trial *t, const char *processor)
{
    t->attr.on_axis.axis = t->b;
    const Node *y = node_of(t, OP_lengths, NULL, NULL);
    if (!prepare(t, y, processor))
        return;
    fixture_run(&t->f);
    for (int64_t s = 0; s < SEQUENCES; s++)
        expect_float(t, y, s, (float)b_lengths[s]);
}

static void test_total(Trial *t, const char *processor)
{
    t->attr.on_axis.axis = t->joined;
    const Node *y = node_of(t, OP_total, NULL, NULL);
    if (!prepare(t, y, processor))
        return;
    t->f.views[t->joined].total_rows = 12345;
    fixture_run(&t->f);
    expect_float(t, y, 0, 12345);
}

static void test_permute(Trial *t, const char *processor, Type from, int64_t order)
{
    const Node *x = fixture_input(&t->f, "x", from);
    t->attr.permute.order = order;
    const Node *y = node_of(t, OP_permute, x, NULL);
    if (!prepare(t, y, processor))
        return;
    fixture_run(&t->f);
    int64_t source[TYPE_MAX_RANK] = {0}, digits[TYPE_MAX_RANK] = {0};
    for (uint32_t i = from.rank; i-- > 0; order /= 10)
        source[i] = order % 10;
    for (int64_t at = 0; at < type_static_elements(y->type); at++) {
        int64_t rest = at, place = 0;
        for (uint32_t i = from.rank; i-- > 0; rest /= y->type.dims[i])
            digits[source[i]] = rest % y->type.dims[i];
        for (uint32_t i = 0; i < from.rank; i++)
            place = place * from.dims[i] + digits[i];
        expect_float(t, y, at, fixture_floats(&t->f, x)[place]);
    }
}

static void test_transpose(Trial *t, const char *processor)
{
    test_permute(t, processor, type_matrix(DTYPE_f32, 5, t->width), 10);
}

static void test_swap_middle(Trial *t, const char *processor)
{
    Type from = {
        .dtype = DTYPE_f32, .axis = AXIS_STATIC, .rank = 4, .dims = {2, 3, 5, t->width}};
    test_permute(t, processor, from, 213);
}

static void test_rotate(Trial *t, const char *processor)
{
    Type from = {
        .dtype = DTYPE_f32, .axis = AXIS_STATIC, .rank = 3, .dims = {3, 4, t->width}};
    test_permute(t, processor, from, 201);
}

/* Two grids per sequence: of sides 7, 3, 2 and 8, pooled to 3 x 3. */
static void test_max_pool(Trial *t, const char *processor)
{
    static const int32_t sides[SEQUENCES] = {7, 3, 2, 8};
    int32_t grids[SEQUENCES], pooled[SEQUENCES];
    for (int s = 0; s < SEQUENCES; s++) {
        grids[s] = 2 * sides[s] * sides[s];
        pooled[s] = 2 * 3 * 3;
    }
    int32_t grid = fixture_axis(&t->f, "grid", grids, SEQUENCES);
    Axis pool = {.name = intern(t->f.module->interns, "pool"),
                 .kind = AXIS_KIND_pool,
                 .of = {grid},
                 .images = 2,
                 .side = 3};
    t->attr.on_axis.axis = fixture_axis_like(&t->f, pool, pooled, SEQUENCES);
    const Node *x = floats_on(t, "x", grid);
    const Node *y = node_of(t, OP_max_pool, x, NULL);
    if (!prepare(t, y, processor))
        return;
    fixture_run(&t->f);
    float *want = ARENA_ARRAY(t->f.arena, float, t->width);
    int64_t first = 0, row = 0;
    for (int64_t image = 0; image < 2 * SEQUENCES; image++) {
        int64_t side = sides[image / 2];
        for (int64_t o = 0; o < 9; o++) {
            int64_t top = o / 3 * side / 3, bottom = ((o / 3 + 1) * side + 2) / 3;
            int64_t left = o % 3 * side / 3, right = ((o % 3 + 1) * side + 2) / 3;
            for (int64_t j = 0; j < t->width; j++) {
                want[j] = -INFINITY;
                for (int64_t i = top; i < bottom; i++)
                    for (int64_t k = left; k < right; k++)
                        want[j] = fmaxf(want[j], row_of(t, x, first + i * side + k)[j]);
            }
            expect_row(t, y, row++, want);
        }
        first += side * side;
    }
}

/* Windows of 3 x 3, every second cell, over grids of 5 x 5 with a cell of zeros around.
 */
enum { FIELD = 5, STEPS = 3, KERNEL = 3, PLACES = KERNEL * KERNEL };

static void windows_axes(Trial *t, int32_t *out_field, int32_t *out_windows)
{
    int32_t cells[SEQUENCES], windows[SEQUENCES];
    for (int s = 0; s < SEQUENCES; s++) {
        cells[s] = FIELD * FIELD;
        windows[s] = STEPS * STEPS;
    }
    Axis axis = {.name = intern(t->f.module->interns, "field"),
                 .kind = AXIS_KIND_fixed,
                 .count = FIELD * FIELD};
    *out_field = fixture_axis_like(&t->f, axis, cells, SEQUENCES);
    axis.name = intern(t->f.module->interns, "windows");
    axis.count = STEPS * STEPS;
    *out_windows = fixture_axis_like(&t->f, axis, windows, SEQUENCES);
    t->attr.window.kernel = KERNEL;
    t->attr.window.stride = 2;
    t->attr.window.padding = 1;
}

/* The cell of row `row` of the windows at a place, or -1. */
static int64_t cell_of(int64_t row, int64_t place)
{
    int64_t window = row % (STEPS * STEPS), sequence = row / (STEPS * STEPS);
    int64_t y = window / STEPS * 2 + place / KERNEL - 1;
    int64_t x = window % STEPS * 2 + place % KERNEL - 1;
    bool is_inside = y >= 0 && y < FIELD && x >= 0 && x < FIELD;
    return is_inside ? sequence * FIELD * FIELD + y * FIELD + x : -1;
}

static int64_t window_element(const Trial *t, int64_t row, int64_t channel, int64_t place)
{
    int64_t column =
        t->attr.window.by_place ? place * t->width + channel : channel * PLACES + place;
    return row * PLACES * t->width + column;
}

static void test_patches(Trial *t, const char *processor)
{
    int32_t field, windows;
    windows_axes(t, &field, &windows);
    t->attr.window.axis = windows;
    const Node *x = floats_on(t, "x", field);
    const Node *y = node_of(t, OP_patches, x, NULL);
    if (!prepare(t, y, processor))
        return;
    fixture_run(&t->f);
    for (int64_t row = 0; row < SEQUENCES * STEPS * STEPS; row++)
        for (int64_t place = 0; place < PLACES; place++)
            for (int64_t i = 0; i < t->width; i++) {
                int64_t cell = cell_of(row, place);
                expect_float(t, y, window_element(t, row, i, place),
                             cell < 0 ? 0 : row_of(t, x, cell)[i]);
            }
}

static void test_add_patches(Trial *t, const char *processor)
{
    int32_t field, windows;
    windows_axes(t, &field, &windows);
    t->attr.window.axis = field;
    const Node *x =
        fixture_input(&t->f, "x", type_rows(DTYPE_f32, windows, PLACES * t->width));
    const Node *y = node_of(t, OP_add_patches, x, NULL);
    if (!prepare(t, y, processor))
        return;
    fixture_run(&t->f);
    float *want = ARENA_ARRAY(t->f.arena, float, SEQUENCES *FIELD *FIELD * t->width);
    for (int64_t row = 0; row < SEQUENCES * STEPS * STEPS; row++)
        for (int64_t place = 0; place < PLACES; place++)
            for (int64_t i = 0; i < t->width && cell_of(row, place) >= 0; i++)
                want[cell_of(row, place) * t->width + i] +=
                    fixture_floats(&t->f, x)[window_element(t, row, i, place)];
    for (int64_t row = 0; row < SEQUENCES * FIELD * FIELD; row++)
        expect_row(t, y, row, want + row * t->width);
}

static void test_patches_by_place(Trial *t, const char *processor)
{
    t->attr.window.by_place = 1;
    test_patches(t, processor);
}

static void test_add_patches_by_place(Trial *t, const char *processor)
{
    t->attr.window.by_place = 1;
    test_add_patches(t, processor);
}

static MoveTest *const tests[] = {
    test_gather,
    test_gather_static,
    test_scatter_add,
    test_join,
    test_part_first,
    test_part_second,
    test_spread,
    test_sum_sequence,
    test_position,
    test_lengths,
    test_total,
    test_transpose,
    test_swap_middle,
    test_rotate,
    test_max_pool,
    test_patches,
    test_add_patches,
    test_patches_by_place,
    test_add_patches_by_place,
};

static void test_refusal(Check *check)
{
    Trial t;
    open_trial(&t, check, 4);
    fixture_result(&t.f, "x",
                   node_of(&t, OP_sum_sequence, floats_on(&t, "x", t.a), NULL));
    fixture_result(&t.f, "y",
                   node_of(&t, OP_sum_sequence, floats_on(&t, "y", t.b), NULL));
    fixture_group(&t.f);
    CHECK(check, fixture_is_refused(&t.f, "a group of its own"),
          "two moves in one group");
    fixture_close(&t.f);
}

int main(void)
{
    static const int64_t widths[] = {1, 7, 16, 37};
    Check check = {0};
    test_refusal(&check);
    for (int i = 0; i < numbers_processor_count; i++)
        for (size_t j = 0; j < sizeof widths / sizeof widths[0]; j++)
            for (size_t k = 0; k < sizeof tests / sizeof tests[0]; k++) {
                Trial t;
                open_trial(&t, &check, widths[j]);
                tests[k](&t, numbers_processors[i]);
                fixture_close(&t.f);
            }
    return check_finish(&check);
}
