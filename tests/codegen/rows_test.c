/* Kernels of row groups against plain loops: layers written by hand, every kind of
 * broadcasting, variables updated in place, what groups share and what they refuse. */
#include <math.h>
#include <string.h>

#include "tests/codegen/plain_rows.h"

/* -- layers -------------------------------------------------------------------- */

typedef void Layer(Fixture *f, Type rows, Type narrow, Type shared);

static void layer_norm(Fixture *f, Type rows, Type narrow, Type shared)
{
    (void)narrow;
    const Node *x = OP2(add, fixture_input(f, "x", rows), fixture_input(f, "y", rows));
    const Node *scale = row_number(f, 1.0 / (double)type_width(rows));
    const Node *mean = OP2(mul, OP1(sum_width, x), scale);
    const Node *centred = OP2(sub, x, mean);
    const Node *variance = OP2(mul, OP1(sum_width, OP2(mul, centred, centred)), scale);
    const Node *normal =
        OP2(mul, centred, OP1(rsqrt, OP2(add, variance, row_number(f, 1e-5))));
    const Node *y = OP2(add, OP2(mul, normal, fixture_input(f, "weight", shared)),
                        fixture_input(f, "bias", shared));
    fixture_result(f, "sum", x);
    fixture_result(f, "variance", variance);
    fixture_result(f, "y", row_dropout(f, y, 0.25, 5));
}

static void softmax(Fixture *f, Type rows, Type narrow, Type shared)
{
    (void)shared;
    const Node *x =
        OP2(mul, fixture_input(f, "x", rows), fixture_input(f, "scale", narrow));
    const Node *power = OP1(exp, OP2(sub, x, OP1(max_width, x)));
    fixture_result(f, "y", OP2(div, power, OP1(sum_width, power)));
}

static void gelu_backward(Fixture *f, Type rows, Type narrow, Type shared)
{
    const Node *x =
        OP2(add, fixture_input(f, "x", rows), fixture_input(f, "bias", shared));
    const Node *dy = row_dropout(f, fixture_input(f, "dy", rows), 0.1, 9);
    const Node *cdf =
        OP2(mul, row_number(f, 0.5),
            OP2(add, row_number(f, 1), OP1(erf, OP2(mul, x, row_number(f, 0.7071)))));
    const Node *pdf = OP1(exp, OP2(mul, OP2(mul, x, x), row_number(f, -0.5)));
    const Node *dx = OP2(mul, dy, OP2(add, cdf, OP2(mul, x, pdf)));
    fixture_result(f, "dx", dx);
    fixture_result(f, "dbias", OP1(sum_rows, dx));
    fixture_result(f, "dscale", OP1(sum_rows, fixture_input(f, "narrow", narrow)));
    fixture_result(f, "norm", OP1(sum_rows, OP1(sum_width, OP2(mul, dx, dx))));
}

static void relu_bits(Fixture *f, Type rows, Type narrow, Type shared)
{
    Type bits = rows;
    bits.dtype = DTYPE_bit;
    const Node *x =
        OP2(add, fixture_input(f, "x", rows), fixture_input(f, "bias", shared));
    const Node *mask =
        OP2(greater, x, row_number(f, -0.25)); /* holds for the 0 past the end */
    const Node *kept = row_select(f, mask, x, row_number(f, 0));
    const Node *mean = OP1(sum_width, kept);
    fixture_result(f, "mask", mask);
    fixture_result(f, "narrow_mask",
                   OP2(greater, fixture_input(f, "n", narrow), row_number(f, 0)));
    fixture_result(f, "later",
                   row_select(f, mask, OP2(add, kept, mean), row_number(f, -1)));
    fixture_result(f, "dx", row_select(f, fixture_input(f, "saved", bits), x, mean));
}

static void elements(Fixture *f, Type rows, Type narrow, Type shared)
{
    (void)narrow, (void)shared;
    const Node *x = fixture_input(f, "x", rows), *y = fixture_input(f, "y", rows);
    const Node *s = OP2(add, fixture_input(f, "s", TYPE_SCALAR), row_number(f, 3));
    fixture_result(f, "s", s);
    fixture_result(f, "z", OP2(maximum, OP2(mul, x, s), OP1(tanh, OP2(minimum, x, y))));
    fixture_result(f, "mask", OP2(greater, x, y));
}

static void narrow_only(Fixture *f, Type rows, Type narrow, Type shared)
{
    (void)rows, (void)shared;
    const Node *x = fixture_input(f, "x", narrow), *y = fixture_input(f, "y", narrow);
    fixture_result(f, "z", OP1(sum_width, OP2(add, OP2(mul, x, y), row_number(f, 1))));
}

static const struct {
    const char *name;
    Layer *build;
} layers[] = {{"layer norm", layer_norm}, {"softmax", softmax},
              {"gelu", gelu_backward},    {"relu", relu_bits},
              {"elements", elements},     {"narrow", narrow_only}};

static void test_layer(Check *check, size_t layer, int64_t width, bool ragged,
                       int64_t rows, const char *processor)
{
    Fixture fixture, *f = &fixture;
    fixture_open(f);
    int32_t lengths[] = {(int32_t)rows / 2, 0, (int32_t)(rows - rows / 2)};
    int32_t axis = fixture_axis(f, "text", lengths, 3);
    layers[layer].build(
        f,
        ragged ? type_rows(DTYPE_f32, axis, width) : type_matrix(DTYPE_f32, rows, width),
        ragged ? type_rows(DTYPE_f32, axis, 1) : type_matrix(DTYPE_f32, rows, 1),
        type_vector(DTYPE_f32, width));
    fixture_group(f);
    char what[96];
    snprintf(what, sizeof what, "%s, width %d, %d %s rows, %s", layers[layer].name,
             (int)width, (int)rows, ragged ? "ragged" : "static",
             processor ? processor : "host");
    bool ok = fixture_compile(f, &(JitOptions){.processor = processor});
    CHECK(check, ok, "%s does not compile", what);
    if (ok) {
        plain_fill_inputs(f, (uint32_t)width);
        plain_check_outputs(check, f, what, 2e-5);
    }
    fixture_close(f);
}

static void test_layers(Check *check)
{
    static const int64_t widths[] = {1, 2, 7, 16, 20, 33, 64, 200};
    for (size_t layer = 0; layer < sizeof layers / sizeof layers[0]; layer++)
        for (size_t i = 0; i < sizeof widths / sizeof widths[0]; i++)
            for (int p = 0; p < ROW_PROCESSORS; p++) {
                if (!processor_can_run(row_processors[p]))
                    continue;
                test_layer(check, layer, widths[i], true, 5, row_processors[p]);
                test_layer(check, layer, widths[i], false, 1 + (int64_t)i % 3,
                           row_processors[p]);
            }
    test_layer(check, 0, 24, true, 0, NULL);
    test_layer(check, 2, 24, true, 0, NULL);
}

/* -- broadcasting among static types ------------------------------------------- */

static Type static_type(uint32_t rank, int64_t a, int64_t b, int64_t c, int64_t d)
{
    return (Type){
        .dtype = DTYPE_f32, .axis = AXIS_STATIC, .rank = rank, .dims = {a, b, c, d}};
}

static void test_broadcast(Check *check)
{
    const Type pairs[][2] = {
        {static_type(4, 2, 1, 3, 1), static_type(4, 1, 4, 1, 5)},
        {static_type(4, 2, 4, 3, 5), static_type(3, 4, 1, 5, 0)},
        {static_type(3, 3, 1, 20, 0), static_type(3, 3, 4, 1, 0)},
        {static_type(3, 3, 4, 1, 0), static_type(2, 4, 6, 0, 0)},
        {static_type(4, 2, 3, 4, 1), static_type(4, 2, 3, 1, 1)},
        {static_type(1, 20, 0, 0, 0), static_type(2, 3, 1, 0, 0)},
        {static_type(2, 6, 4, 0, 0), static_type(1, 4, 0, 0, 0)},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        Fixture fixture, *f = &fixture;
        fixture_open(f);
        const Node *a = OP1(tanh, fixture_input(f, "a", pairs[i][0]));
        const Node *b = fixture_input(f, "b", pairs[i][1]);
        const Node *y = OP2(add, OP2(mul, a, b), b);
        fixture_result(f, "a", a);
        fixture_result(f, "y", y);
        fixture_result(f, "sum", OP1(sum_width, y));
        fixture_group(f);
        bool ok = fixture_compile(f, &(JitOptions){0});
        CHECK(check, ok, "pair %zu does not compile", i);
        if (ok) {
            char what[32];
            snprintf(what, sizeof what, "broadcast pair %zu", i);
            plain_fill_inputs(f, 1);
            plain_check_outputs(check, f, what, 2e-5);
        }
        fixture_close(f);
    }
}

static void test_views(Check *check)
{
    Fixture fixture, *f = &fixture;
    fixture_open(f);
    Type row = type_matrix(DTYPE_f32, 1, 24), vector = type_vector(DTYPE_f32, 24);
    OpAttr to_vector = {0};
    to_vector.shaped.to = vector;
    const Node *x = fixture_input(f, "x", row);
    const Node *y = OP1(tanh, x);
    const Node *same = graph_node(
        f->graph, (BuildSite){0},
        (NodeSpec){.op = OP_reshape, .attr = &to_vector, .args = &y, .arg_count = 1});
    fixture_result(f, "z", OP2(mul, same, fixture_input(f, "w", vector)));
    fixture_group(f);
    bool ok = fixture_compile(f, &(JitOptions){0});
    CHECK(check, ok, "a view inside a group does not compile");
    if (ok) {
        plain_fill_inputs(f, 1);
        plain_check_outputs(check, f, "view", 2e-5);
    }
    fixture_close(f);
}

/* -- variables in place -------------------------------------------------------- */

static void run_in_place(Check *check, Fixture *f, const Node *p, const Node *new_p,
                         const Node *m, const Node *new_m)
{
    fixture_group(f);
    bool ok = fixture_compile(f, &(JitOptions){0});
    CHECK(check, ok, "does not compile");
    if (ok) {
        void *kept[] = {f->values[new_p->id], f->values[new_m->id]};
        f->values[new_p->id] = f->values[p->id];
        f->values[new_m->id] = f->values[m->id];
        plain_fill_inputs(f, 1);
        plain_check_outputs(check, f, "in place", 2e-6);
        f->values[new_p->id] = kept[0];
        f->values[new_m->id] = kept[1];
    }
}

/* m = 0.9 m + 0.1 g, p = p - lr m / (|m| + 1), written where m and p are */
static void test_in_place(Check *check, int64_t rows, int64_t width)
{
    Fixture fixture, *f = &fixture;
    fixture_open(f);
    Type type =
        rows ? type_matrix(DTYPE_f32, rows, width) : type_vector(DTYPE_f32, width);
    BuildSite site = {0};
    const Node *p = graph_source(f->graph, site, OP_param, "p", type);
    const Node *m = graph_source(f->graph, site, OP_state, "p:m", type);
    const Node *g = graph_source(f->graph, site, OP_gradient, "p", type);
    const Node *lr = fixture_input(f, "lr", TYPE_SCALAR);
    const Node *new_m =
        OP2(add, OP2(mul, row_number(f, 0.9), m), OP2(mul, row_number(f, 0.1), g));
    const Node *step =
        OP2(div, new_m, OP2(add, OP1(sqrt, OP2(mul, new_m, new_m)), row_number(f, 1)));
    const Node *new_p = OP2(sub, p, OP2(mul, lr, step));
    graph_output(f->graph, OUTPUT_assign, "p", new_p, (Loc){0});
    graph_output(f->graph, OUTPUT_assign, "p:m", new_m, (Loc){0});
    run_in_place(check, f, p, new_p, m, new_m);
    fixture_close(f);
}

/* m = m + p, p = p sum(m), where the old m and p are read after the new m is known */
static void test_in_place_reduction(Check *check)
{
    Fixture fixture, *f = &fixture;
    fixture_open(f);
    Type type = type_matrix(DTYPE_f32, 3, 50);
    const Node *p = graph_source(f->graph, (BuildSite){0}, OP_param, "p", type);
    const Node *m = graph_source(f->graph, (BuildSite){0}, OP_state, "p:m", type);
    const Node *new_m = OP2(add, m, p);
    const Node *new_p = OP2(sub, OP2(mul, p, OP1(sum_width, new_m)), m);
    graph_output(f->graph, OUTPUT_assign, "p", new_p, (Loc){0});
    graph_output(f->graph, OUTPUT_assign, "p:m", new_m, (Loc){0});
    run_in_place(check, f, p, new_p, m, new_m);
    fixture_close(f);
}

/* -- what kernels share -------------------------------------------------------- */

/* Groups that differ in the salt of their dropout alone are one kernel. */
static void test_sharing(Check *check)
{
    Fixture fixture, *f = &fixture;
    fixture_open(f);
    int32_t length = 4;
    Type type = type_rows(DTYPE_f32, fixture_axis(f, "text", &length, 1), 40);
    const Node *x = fixture_input(f, "x", type);
    for (int32_t layer = 0; layer < 3; layer++) {
        x = OP1(tanh, row_dropout(f, x, 0.3, 11 + layer));
        fixture_result(f, arena_format(f->arena, "x%d", layer), x);
        f->graph->nodes[x->id]->group = f->graph->nodes[x->args[0]->id]->group = layer;
    }
    fixture_group(f);
    bool ok = fixture_compile(f, &(JitOptions){0});
    CHECK(check, ok, "does not compile");
    if (ok) {
        JitStats stats = jit_stats(f->jit);
        CHECK(check, stats.kernels == 3 && stats.distinct == 1, "%u kernels, %u distinct",
              stats.kernels, stats.distinct);
        plain_fill_inputs(f, 1);
        plain_check_outputs(check, f, "three layers", 1e-5);
    }
    fixture_close(f);
}

/* Results do not depend, to the bit, on what else is in their group. */
static void test_grouping(Check *check, int64_t width)
{
    Fixture fixture, *f = &fixture;
    fixture_open(f);
    Type type = type_matrix(DTYPE_f32, 3, width);
    const Node *a = fixture_input(f, "a", type), *b = fixture_input(f, "b", type);
    const Node *product = OP2(mul, a, b), *y = OP2(add, product, a);
    const Node *sum = OP1(sum_width, y), *column = OP1(sum_rows, y);
    const Node *results[] = {y, sum, column, OP1(sum_width, OP1(exp, y))};
    const Node *more = y;
    for (int32_t i = 0; i < 20; i++) /* so many that loops are unrolled less */
        more = OP1(sqrt, OP2(mul, more, more));
    fixture_result(f, "more", more);
    const Node *alone[4];
    for (int32_t i = 0; i < 4; i++)
        fixture_result(f, arena_format(f->arena, "together%d", i), results[i]);
    fixture_group(f);
    for (int32_t i = 0; i < 4; i++) {
        const Node *from = i == 3 ? results[3]->args[0] : results[i]->args[0];
        const Node *args[] = {from, i == 0 ? a : NULL};
        Node *copy = graph_append(
            f->graph, (BuildSite){0},
            (NodeSpec){.op = results[i]->op, .args = args, .arg_count = i == 0 ? 2 : 1});
        copy->group = 1 + i;
        alone[i] = copy;
        fixture_result(f, arena_format(f->arena, "alone%d", i), copy);
    }
    bool ok = fixture_compile(f, &(JitOptions){0});
    CHECK(check, ok, "does not compile");
    if (ok) {
        plain_fill_inputs(f, 1);
        fixture_run(f);
        for (int32_t i = 0; i < 4; i++)
            CHECK(check,
                  memcmp(f->values[results[i]->id], f->values[alone[i]->id],
                         (size_t)(4 * plain_elements(f, alone[i]->type))) == 0,
                  "width %d: %s differs between groups", (int)width,
                  op_info(alone[i]->op)->name);
    }
    fixture_close(f);
}

/* -- numbers that are not finite ------------------------------------------------ */

/* What IEEE 754 says of maximum and minimum, but for the sign of zeros. */
static float larger(float a, float b)
{
    return isnan(a) || isnan(b) ? NAN : a > b ? a : b;
}

static bool same_number(float a, float b)
{
    return isnan(a) ? isnan(b) : a == b;
}

enum { SPECIALS = 8 };

static const float specials[SPECIALS] = {NAN,   INFINITY, -INFINITY, 0,
                                         -0.0F, 1e-40F,   3e38F,     -2};

/* Every pair of them, in every element of a vector. */
static void test_special_pairs(Check *check, bool with_constant)
{
    enum { PAIRS = SPECIALS * SPECIALS };
    Fixture fixture, *f = &fixture;
    fixture_open(f);
    Type type = type_vector(DTYPE_f32, PAIRS + 5);
    const Node *a = fixture_input(f, "a", type);
    const Node *b = with_constant ? row_number(f, 0) : fixture_input(f, "b", type);
    const Node *most = OP2(maximum, a, b), *least = OP2(minimum, b, a);
    const Node *widest = OP1(max_width, a);
    fixture_result(f, "most", most);
    fixture_result(f, "least", least);
    fixture_result(f, "widest", widest);
    fixture_group(f);
    bool ok = fixture_compile(f, &(JitOptions){0});
    CHECK(check, ok, "does not compile");
    for (int shift = 0; ok && shift < 16; shift++) {
        float *x = fixture_floats(f, a), zeros[PAIRS + 5] = {0};
        float *y = with_constant ? zeros : fixture_floats(f, b);
        float wanted = -INFINITY;
        for (int i = 0; i < PAIRS + 5; i++) {
            int pair = (i + shift) % PAIRS;
            x[i] = specials[pair / SPECIALS];
            y[i] = with_constant ? 0 : specials[pair % SPECIALS];
            wanted = larger(wanted, x[i]);
        }
        fixture_run(f);
        for (int i = 0; i < PAIRS + 5; i++)
            CHECK(check,
                  same_number(fixture_floats(f, most)[i], larger(x[i], y[i])) &&
                      same_number(fixture_floats(f, least)[i], -larger(-x[i], -y[i])),
                  "of %g and %g: %g, %g", (double)x[i], (double)y[i],
                  (double)fixture_floats(f, most)[i],
                  (double)fixture_floats(f, least)[i]);
        CHECK(check, same_number(*fixture_floats(f, widest), wanted), "widest: %g",
              (double)*fixture_floats(f, widest));
    }
    fixture_close(f);
}

/* One NaN, wherever it stands, is the largest of its row. */
static void test_lone_nan(Check *check, int64_t width)
{
    Fixture fixture, *f = &fixture;
    fixture_open(f);
    const Node *x = fixture_input(f, "x", type_matrix(DTYPE_f32, width, width));
    const Node *y = OP1(max_width, x);
    fixture_result(f, "y", y);
    fixture_group(f);
    bool ok = fixture_compile(f, &(JitOptions){0});
    CHECK(check, ok, "does not compile");
    for (int64_t i = 0; ok && i < width * width; i++)
        fixture_floats(f, x)[i] = i / width == i % width ? NAN : (float)(i % 7) - 9;
    if (ok)
        fixture_run(f);
    for (int64_t i = 0; ok && i < width; i++)
        CHECK(check, isnan(fixture_floats(f, y)[i]), "NaN %d of %d is lost", (int)i,
              (int)width);
    fixture_close(f);
}

/* -- groups no kernel can run -------------------------------------------------- */

typedef void RefusedGroup(Fixture *f); /* beside an f32[4, 6] */

static void other_width(Fixture *f)
{
    fixture_result(f, "y", OP1(tanh, fixture_input(f, "y", type_vector(DTYPE_f32, 5))));
}

static void own_sum(Fixture *f)
{
    const Node *y = fixture_input(f, "y", type_matrix(DTYPE_f32, 4, 6));
    fixture_result(f, "y", OP2(add, y, OP1(sum_rows, y)));
}

static void repeated_update(Fixture *f)
{
    const Node *p =
        graph_source(f->graph, (BuildSite){0}, OP_param, "p", type_vector(DTYPE_f32, 6));
    graph_output(f->graph, OUTPUT_assign, "p", OP2(add, p, p), (Loc){0});
}

/* As many rows as before, but repeated along another dimension. */
static void moved_rows(Fixture *f)
{
    Type cube = {DTYPE_f32, AXIS_STATIC, 3, {4, 4, 6}};
    OpAttr attr = {.shaped.to = {DTYPE_f32, AXIS_STATIC, 3, {1, 4, 6}}};
    Type column = {DTYPE_f32, AXIS_STATIC, 3, {4, 1, 6}};
    const Node *y = OP1(exp, fixture_input(f, "y", column));
    y = graph_node(
        f->graph, (BuildSite){0},
        (NodeSpec){.op = OP_reshape, .attr = &attr, .args = &y, .arg_count = 1});
    fixture_result(f, "y", OP2(add, y, fixture_input(f, "z", cube)));
}

static void test_refusal(Check *check, RefusedGroup *refused_group, const char *reason)
{
    Fixture fixture, *f = &fixture;
    fixture_open(f);
    const Node *x = fixture_input(f, "x", type_matrix(DTYPE_f32, 4, 6));
    fixture_result(f, "x", OP1(exp, x));
    refused_group(f);
    fixture_group(f);
    CHECK(check, fixture_is_refused(f, reason), "not refused: %s", reason);
    fixture_close(f);
}

int main(void)
{
    Check check = {0};
    test_layers(&check);
    test_broadcast(&check);
    test_views(&check);
    test_in_place(&check, 0, 37);
    test_in_place(&check, 6, 50);
    test_in_place(&check, 0, 1);
    test_sharing(&check);
    test_grouping(&check, 200);
    test_grouping(&check, 768);
    test_in_place_reduction(&check);
    test_special_pairs(&check, false);
    test_special_pairs(&check, true);
    test_lone_nan(&check, 17);
    test_lone_nan(&check, 67);
    test_refusal(&check, other_width, "widths differ");
    test_refusal(&check, own_sum, "a sum over rows that it makes");
    test_refusal(&check, repeated_update, "once per row");
    test_refusal(&check, moved_rows, "a view changes the rows");
    return check_finish(&check);
}
