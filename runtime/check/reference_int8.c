/* Products of integers of 8 bits, number by number, as ir/int8.h defines them: the same
 * bits as kernels make. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ir/base/heap.h"
#include "ir/int8.h"
#include "runtime/check/reference.h"

/* The scale of a row, whose integers it writes. */
static float row_integers(const float *x, int64_t count, int32_t *out)
{
    float largest = 0;
    bool is_finite = true;
    for (int64_t i = 0; i < count; i++) {
        is_finite = is_finite && isfinite(x[i]);
        largest = fmaxf(largest, fabsf(x[i]));
    }
    bool counts = is_finite && largest >= INT8_LEAST;
    float inverse = counts ? (float)INT8_MOST / largest : 0;
    for (int64_t i = 0; i < count; i++)
        out[i] = counts ? (int32_t)lrintf(x[i] * inverse) : 0;
    return !is_finite ? NAN : counts ? largest / (float)INT8_MOST : 0;
}

/* The frozen matrix, as it lies. */
typedef struct Integers {
    float *scales;
    int32_t *numbers;
} Integers;

static Integers matrix_integers(const float *b, int64_t rows, int64_t columns)
{
    Integers m = {HEAP_ARRAY(float, rows + 1), HEAP_ARRAY(int32_t, rows *columns + 1)};
    for (int64_t row = 0; row < rows; row++)
        m.scales[row] =
            row_integers(b + row * columns, columns, m.numbers + row * columns);
    return m;
}

/* Numbers [first, first + depth) of k of a row of A, with all columns of C. */
static void add_run(const Integers *b, bool transposed, const float *a, int64_t first,
                    int64_t depth, int64_t k, int64_t n, float *c)
{
    float x[INT8_RUN];
    int32_t integers[INT8_RUN];
    for (int64_t i = 0; i < depth; i++)
        x[i] = transposed ? a[first + i] : a[first + i] * b->scales[first + i];
    float scale = row_integers(x, depth, integers);
    for (int64_t j = 0; j < n; j++) {
        int64_t sum = 0;
        for (int64_t i = 0; i < depth; i++)
            sum += (int64_t)integers[i] *
                   b->numbers[transposed ? j * k + first + i : (first + i) * n + j];
        c[j] += (float)sum * (transposed ? scale * b->scales[j] : scale);
    }
}

void reference_matmul_int8(const float *a, const float *b, bool transposed, int64_t m,
                           int64_t n, int64_t k, float *c)
{
    Integers integers = matrix_integers(b, transposed ? n : k, transposed ? k : n);
    memset(c, 0, (size_t)(m * n) * sizeof *c);
    for (int64_t row = 0; row < m; row++)
        for (int64_t first = 0; first < k; first += INT8_RUN)
            add_run(&integers, transposed, a + row * k, first,
                    k - first < INT8_RUN ? k - first : INT8_RUN, k, n, c + row * n);
    free(integers.scales);
    free(integers.numbers);
}
