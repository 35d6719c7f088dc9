/* Steps of several products against the same operations each in a step of its own: the
 * same bits, for sizes about the edges of panels and blocks, and empty ones, on every
 * unit. Single products are held to plain loops by codegen/product_test. */
#include <stdio.h>
#include <string.h>

#include "ir/step_rules.h"
#include "tests/check.h"
#include "tests/codegen/fixture.h"
#include "tests/codegen/numbers.h"
#include "tests/support/amx_emulator.h"

enum { MOST_VALUES = MOST_PRODUCTS + 2 };

typedef struct Where {
    Check *check;
    const char *processor;
    Precision precision;
    bool is_emulated; /* which takes long */
} Where;

/* One graph, by which its values are made, and what was made of it. */
typedef struct Trial {
    Fixture f;
    Where where;
    int32_t axis;
    int64_t depth; /* columns of what has rows of the axis */
    const Node *inputs[MOST_VALUES], *results[MOST_VALUES];
    uint32_t input_count, result_count;
} Trial;

typedef void Build(Trial *t);

/* -- making graphs ------------------------------------------------------------------- */

static const Node *input(Trial *t, Type type)
{
    char name[16];
    snprintf(name, sizeof name, "in%u", t->input_count);
    return t->inputs[t->input_count++] = fixture_input(&t->f, name, type);
}

static const Node *result(Trial *t, const Node *value)
{
    char name[16];
    snprintf(name, sizeof name, "out%u", t->result_count);
    fixture_result(&t->f, name, value);
    return t->results[t->result_count++] = value;
}

static const Node *multiply(Trial *t, const Node *a, const Node *b, bool transpose_a,
                            bool transpose_b)
{
    OpAttr attr;
    memset(&attr, 0, sizeof attr);
    attr.matmul.transpose_a = transpose_a;
    attr.matmul.transpose_b = transpose_b;
    attr.matmul.precision = t->where.precision;
    const Node *args[] = {a, b};
    return graph_node(
        t->f.graph, (BuildSite){0},
        (NodeSpec){.op = OP_matmul, .attr = &attr, .args = args, .arg_count = 2});
}

/* x W^T for three W of different heights. */
static void build_siblings(Trial *t)
{
    static const int64_t heights[] = {35, 5, 64};
    const Node *x = input(t, type_rows(DTYPE_f32, t->axis, t->depth));
    for (size_t i = 0; i < sizeof heights / sizeof *heights; i++)
        result(t, multiply(t, x, input(t, type_matrix(DTYPE_f32, heights[i], t->depth)),
                           false, true));
}

/* x^T y for two y, summed over the rows. */
static void build_row_sums(Trial *t)
{
    const Node *x = input(t, type_rows(DTYPE_f32, t->axis, t->depth));
    for (int64_t width = 3; width < 40; width += 30)
        result(t, multiply(t, x, input(t, type_rows(DTYPE_f32, t->axis, width)), true,
                           false));
}

static void build_count(Trial *t, uint32_t count)
{
    const Node *x = input(t, type_matrix(DTYPE_f32, 7, t->depth));
    for (uint32_t i = 0; i < count; i++)
        result(t, multiply(t, x, input(t, type_matrix(DTYPE_f32, t->depth, 1 + i)), false,
                           false));
}

/* As many as there may be; sides are static. */
static void build_most(Trial *t)
{
    build_count(t, MOST_PRODUCTS);
}

/* -- running them -------------------------------------------------------------------- */

static int64_t floats_of(const Trial *t, const Node *node)
{
    return fixture_rows(&t->f, node->type) * type_width(node->type);
}

/* With all nodes in one step, or each in its own. */
static bool run(Trial *t, Build *build, const int32_t *lengths, bool together)
{
    fixture_open(&t->f);
    t->axis = fixture_axis(&t->f, "rows", lengths, 2);
    build(t);
    for (uint32_t i = 0; !together && i < t->f.graph->node_count; i++)
        if (t->f.graph->nodes[i]->op != OP_input)
            t->f.graph->nodes[i]->group = (int32_t)i;
    fixture_group(&t->f);
    if (!fixture_compile(&t->f, &(JitOptions){.processor = t->where.processor}))
        return false;
    for (uint32_t i = 0; i < t->input_count; i++)
        numbers_fill(fixture_floats(&t->f, t->inputs[i]), floats_of(t, t->inputs[i]), i,
                     1);
    fixture_run(&t->f);
    return true;
}

static void compare(const Trial *one, const Trial *apart, const char *name)
{
    for (uint32_t i = 0; i < one->result_count; i++) {
        const Node *a = one->results[i], *b = apart->results[i];
        size_t bytes = (size_t)floats_of(one, a) * sizeof(float);
        CHECK(one->where.check,
              memcmp(fixture_floats(&one->f, a), fixture_floats(&apart->f, b), bytes) ==
                  0,
              "%s, %s, %s: result %u differs from the one of a step of its own", name,
              one->where.processor ? one->where.processor : "native",
              precision_names[one->where.precision], i);
    }
}

static void test_build(Where where, Build *build, const char *name, int64_t depth)
{
    static const int32_t lengths[][2] = {{0, 0}, {3, 30}, {530, 31}};
    for (int i = 0; i < (where.is_emulated ? 2 : 3); i++) {
        Trial one = {.where = where, .depth = depth}, apart = one;
        bool ok =
            run(&one, build, lengths[i], true) && run(&apart, build, lengths[i], false);
        CHECK(where.check, ok, "%s does not compile", name);
        if (ok) {
            CHECK(where.check, one.f.program->call_count == 1, "%s is %u calls", name,
                  one.f.program->call_count);
            compare(&one, &apart, name);
        }
        fixture_close(&one.f);
        fixture_close(&apart.f);
    }
}

static void test_all(Where where)
{
    test_build(where, build_siblings, "siblings", 530);
    if (where.precision == PRECISION_int8)
        return;
    test_build(where, build_row_sums, "sums over rows", 20);
    test_build(where, build_most, "many", 33);
}

static void test_too_many(Check *check)
{
    Trial t = {.where.check = check, .depth = 4};
    fixture_open(&t.f);
    build_count(&t, MOST_PRODUCTS + 1);
    fixture_group(&t.f);
    CHECK(check, fixture_is_refused(&t.f, "too many matrix products"), "not refused");
    fixture_close(&t.f);
}

int main(void)
{
    Check check = {0};
    for (int p = 0; p < numbers_processor_count; p++)
        for (int integers = 0; integers < 2; integers++)
            test_all((Where){.check = &check,
                             .processor = numbers_processors[p],
                             .precision = integers ? PRECISION_int8 : PRECISION_highest});
    if (amx_can_be_emulated()) {
        amx_emulator_install();
        for (Precision precision = 0; precision < PRECISION_COUNT; precision++)
            test_all((Where){
                .check = &check, .processor = "sapphirerapids", .precision = precision});
    }
    test_too_many(&check);
    return check_finish(&check);
}
