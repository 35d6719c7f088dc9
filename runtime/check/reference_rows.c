/* Element-wise ops with broadcasting, and sums and maxima over rows and widths. */
#include <math.h>
#include <string.h>

#include "ir/base/random.h"
#include "runtime/check/reference.h"

/* The element of an operand that belongs to element `flat` of the result: dimensions are
 * aligned at the right, those of 1 do not move. */
static int64_t broadcast_index(const ReferenceContext *ctx, Type result, Type operand,
                               int64_t flat)
{
    int64_t index = 0, stride = 1;
    for (uint32_t i = 0; i < operand.rank; i++) {
        uint32_t at = operand.rank - 1 - i, result_at = result.rank - 1 - i;
        bool is_rows = at == 0 && type_is_ragged(operand);
        int64_t rows = type_is_ragged(result) ? ctx->views[result.axis].rows : 0;
        int64_t extent =
            result_at == 0 && type_is_ragged(result) ? rows : result.dims[result_at];
        int64_t place = flat % extent, own = is_rows ? rows : operand.dims[at];
        index += own == 1 && !is_rows ? 0 : place * stride;
        stride *= own;
        flat /= extent;
    }
    return index;
}

static double operand(const ReferenceContext *ctx, const Node *node,
                      const void *const *args, uint32_t i, int64_t flat)
{
    Type type = node->args[i]->type;
    int64_t index = broadcast_index(ctx, node->type, type, flat);
    return type.dtype == DTYPE_bit ? ((const uint8_t *)args[i])[index]
                                   : (double)((const float *)args[i])[index];
}

static void set_element(const Node *node, void *out, int64_t i, double value)
{
    if (node->type.dtype == DTYPE_bit)
        ((uint8_t *)out)[i] = value != 0;
    else
        ((float *)out)[i] = (float)value;
}

#define FOR_ELEMENTS(i)                                                                  \
    for (int64_t i = 0, count_ = reference_elements(ctx, node->type); i < count_; i++)

#define MAP(name, operands, formula)                                                     \
    void reference_##name(const ReferenceContext *ctx, const Node *node,                 \
                          const void *const *args, void *out)                            \
    {                                                                                    \
        FOR_ELEMENTS(i)                                                                  \
        {                                                                                \
            operands set_element(node, out, i, formula);                                 \
        }                                                                                \
    }
#define OPERAND(name, index) double name = operand(ctx, node, args, index, i);
#define UNARY(name, formula) MAP(name, OPERAND(x, 0), formula)
#define BINARY(name, formula) MAP(name, OPERAND(a, 0) OPERAND(b, 1), formula)
#define TERNARY(name, formula)                                                           \
    MAP(name, OPERAND(mask, 0) OPERAND(a, 1) OPERAND(b, 2), formula)
#define PLACED(name) /* below */
#include "ir/formulas.def"

static uint32_t row_key(const ReferenceContext *ctx, Type type, int64_t row)
{
    return type_is_ragged(type) ? ctx->views[type.axis].row_key[row]
                                : random_row_key(0xffffffffU, (uint32_t)row);
}

void reference_dropout(const ReferenceContext *ctx, const Node *node,
                       const void *const *args, void *out)
{
    const float *x = args[0];
    double p = node->attr.dropout.p;
    int64_t width = type_width(node->type);
    FOR_ELEMENTS(i)
    {
        uint32_t key = random_use_key(ctx->step_key, row_key(ctx, node->type, i / width),
                                      (uint32_t)node->attr.dropout.salt);
        bool is_dropped = random_bits(key, (uint32_t)(i % width)) < random_threshold(p);
        ((float *)out)[i] = (float)((double)x[i] * (is_dropped ? 0 : 1 / (1 - p)));
    }
}

void reference_sum_width(const ReferenceContext *ctx, const Node *node,
                         const void *const *args, void *out)
{
    const float *x = args[0]; /* [rows, width] */
    int64_t width = type_width(node->args[0]->type);
    FOR_ELEMENTS(row)
    {
        double sum = 0;
        for (int64_t i = 0; i < width; i++)
            sum += (double)x[row * width + i];
        ((float *)out)[row] = (float)sum;
    }
}

void reference_max_width(const ReferenceContext *ctx, const Node *node,
                         const void *const *args, void *out)
{
    const float *x = args[0]; /* [rows, width] */
    int64_t width = type_width(node->args[0]->type);
    FOR_ELEMENTS(row)
    {
        float largest = x[row * width];
        for (int64_t i = 1; i < width; i++)
            largest = isnan(largest) || largest > x[row * width + i] ? largest
                                                                     : x[row * width + i];
        ((float *)out)[row] = largest;
    }
}

void reference_sum_rows(const ReferenceContext *ctx, const Node *node,
                        const void *const *args, void *out)
{
    const float *x = args[0]; /* [rows, width] */
    int64_t rows = reference_rows(ctx, node->args[0]->type),
            width = type_width(node->type);
    for (int64_t i = 0; i < width; i++) {
        double sum = 0;
        for (int64_t row = 0; row < rows; row++)
            sum += (double)x[row * width + i];
        ((float *)out)[i] = (float)sum;
    }
}
