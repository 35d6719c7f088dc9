/* The kernel is called as a program would, but with sides of its own. */
#include "tests/codegen/product_trial.h"

#include <stdlib.h>
#include <string.h>

#include "tests/codegen/numbers.h"

static Type matrix_of(bool transposed, int64_t rows, int64_t columns)
{
    return transposed ? type_matrix(DTYPE_f32, columns, rows)
                      : type_matrix(DTYPE_f32, rows, columns);
}

void trial_open(ProductTrial *t, ProductSize largest)
{
    fixture_open(&t->f);
    OpAttr attr;
    memset(&attr, 0, sizeof attr);
    attr.matmul.transpose_a = t->transpose_a;
    attr.matmul.transpose_b = t->transpose_b;
    attr.matmul.precision = t->precision;
    Type a = matrix_of(t->transpose_a, largest.m, largest.k),
         b = matrix_of(t->transpose_b, largest.k, largest.n);
    const Node *args[] = {fixture_input(&t->f, "a", a), fixture_input(&t->f, "b", b)};
    const Node *c = graph_node(
        t->f.graph, (BuildSite){0},
        (NodeSpec){.op = OP_matmul, .attr = &attr, .args = args, .arg_count = 2});
    fixture_result(&t->f, "c", c);
    fixture_group(&t->f);
    if (!fixture_compile(&t->f, &(JitOptions){.processor = t->processor})) {
        CHECK(t->check, false, "does not compile");
        exit(check_finish(t->check));
    }
}

void trial_close(ProductTrial *t)
{
    fixture_close(&t->f);
}

static size_t bytes_of(int64_t rows, int64_t columns)
{
    return (size_t)(rows * columns) * sizeof(float);
}

void trial_set_size(ProductTrial *t, ProductSize size)
{
    t->size = size;
    t->a = guarded_new(bytes_of(size.m, size.k));
    t->b = guarded_new(bytes_of(size.k, size.n));
    t->c = guarded_new(bytes_of(size.m, size.n));
    numbers_fill(t->a, size.m * size.k, 1, t->a_scale);
    numbers_fill(t->b, size.k * size.n, 2, t->b_scale);
    memset(t->c, 0xff, bytes_of(size.m, size.n));
}

void trial_drop_size(ProductTrial *t)
{
    guarded_free(t->a, bytes_of(t->size.m, t->size.k));
    guarded_free(t->b, bytes_of(t->size.k, t->size.n));
    guarded_free(t->c, bytes_of(t->size.m, t->size.n));
}

void trial_multiply(const ProductTrial *t)
{
    uint32_t m = (uint32_t)t->size.m, n = (uint32_t)t->size.n, k = (uint32_t)t->size.k;
    const uint32_t sides[] = {t->transpose_a ? k : m, t->transpose_a ? m : k,
                              t->transpose_b ? n : k, t->transpose_b ? k : n};
    void *operands[] = {t->a, t->b, t->c};
    t->f.program->calls[0].kernel(operands, NULL, &t->f.lane, sides);
}
