/* Kernels of random row groups against plain loops: random operations over values of
 * every layout, random ones of them written, at widths that fill vectors and that do not,
 * for every kind of vector this processor can run. */
#include <string.h>

#include "ir/base/random.h"
#include "tests/codegen/plain_rows.h"

typedef struct Fuzz {
    Fixture *f;
    uint32_t key, drawn;
    const Node *values[64]; /* f32 */
    uint32_t count;
    const Node *masks[8];
} Fuzz;

static uint32_t draw(Fuzz *z, uint32_t below)
{
    return random_bits(z->key, z->drawn++) % below;
}

static const Node *pick(Fuzz *z)
{
    return z->values[draw(z, z->count)];
}

static const Node *random_op(Fuzz *z, int64_t width, Type wide)
{
    Fixture *f = z->f;
    static const OpKind plain[] = {OP_add, OP_sub, OP_maximum, OP_minimum};
    const Node *a = pick(z), *b = pick(z);
    OpAttr to = {0};
    to.shaped.to = wide;
    switch (draw(z, 12)) {
    case 0:
        return OP2(mul, OP1(tanh, a), b);
    case 1:
        return OP1(exp, OP1(tanh, a));
    case 2:
        return OP1(sqrt, OP2(add, OP2(mul, a, a), row_number(f, 1)));
    case 3:
        return OP1(rsqrt, OP2(add, OP2(mul, a, a), row_number(f, 1)));
    case 4:
        return row_select(f, z->masks[draw(z, 4)], a, b);
    case 5:
        return row_dropout(f, a, 0.5, 1 + draw(z, 100));
    case 6:
        return graph_node(
            f->graph, (BuildSite){0},
            (NodeSpec){.op = OP_expand, .attr = &to, .args = &a, .arg_count = 1});
    case 7:
        return OP2(mul, OP1(sum_width, a), row_number(f, 1 / (double)width));
    case 8:
        return OP1(max_width, a);
    default:
        return OP2(add, fixture_op(f, plain[draw(z, 4)], a, b), row_number(f, 0.5));
    }
}

static void build_random(Fuzz *z, Type wide, Type narrow, int64_t width)
{
    Fixture *f = z->f;
    const Node *a = fixture_input(f, "a", wide), *b = fixture_input(f, "b", wide);
    const Node *n = fixture_input(f, "n", narrow),
               *s = fixture_input(f, "s", TYPE_SCALAR);
    const Node *v = fixture_input(f, "v", type_vector(DTYPE_f32, width));
    const Node *inputs[] = {a, b, n, s, v};
    memcpy(z->values, inputs, sizeof inputs);
    z->count = 5;
    z->masks[0] = OP2(greater, a, b);
    z->masks[1] = OP2(greater, n, s);
    z->masks[2] = OP2(greater, a, v);
    Type bits = wide;
    bits.dtype = DTYPE_bit;
    z->masks[3] = fixture_input(f, "bits", bits);
    uint32_t ops = 3 + draw(z, 25);
    for (uint32_t i = 0; i < ops; i++) {
        z->values[z->count] = random_op(z, width, wide);
        z->count++;
    }
    for (uint32_t i = 5; i < z->count; i++) {
        const Node *value = z->values[i];
        if (draw(z, 4) == 0 || i + 1 == z->count)
            fixture_result(f, arena_format(f->arena, "v%u", i), value);
        bool all_rows = type_is_ragged(value->type) == type_is_ragged(wide) &&
                        type_static_rows(value->type) == type_static_rows(wide);
        if (value->type.rank == 2 && all_rows && draw(z, 6) == 0)
            fixture_result(f, arena_format(f->arena, "r%u", i), OP1(sum_rows, value));
    }
    if (draw(z, 2))
        fixture_result(f, "mask", z->masks[draw(z, 3)]);
}

static void test_random(Check *check, uint32_t seed)
{
    Fixture fixture;
    fixture_open(&fixture);
    int32_t lengths[] = {3, 1};
    int32_t axis = fixture_axis(&fixture, "text", lengths, 2);
    Fuzz z = {.f = &fixture, .key = random_mix32(seed)};
    static const int64_t widths[] = {2, 5, 16, 31, 48, 130};
    int64_t width = widths[draw(&z, 6)], rows = 1 + draw(&z, 4);
    if (draw(&z, 2))
        build_random(&z, type_rows(DTYPE_f32, axis, width), type_rows(DTYPE_f32, axis, 1),
                     width);
    else
        build_random(&z, type_matrix(DTYPE_f32, rows, width),
                     type_matrix(DTYPE_f32, rows, 1), width);
    fixture_group(&fixture);
    const char *processor = row_processors[seed % ROW_PROCESSORS];
    JitOptions options = {.processor = processor_can_run(processor) ? processor : NULL};
    bool ok = fixture_compile(&fixture, &options);
    CHECK(check, ok, "random group %u does not compile", seed);
    if (ok) {
        char what[48];
        snprintf(what, sizeof what, "random group %u", seed);
        plain_fill_inputs(&fixture, seed);
        plain_check_outputs(check, &fixture, what, 1e-4);
    }
    fixture_close(&fixture);
}

int main(void)
{
    Check check = {0};
    for (uint32_t seed = 0; seed < 150; seed++)
        test_random(&check, seed);
    return check_finish(&check);
}
