/* Layout, matrix products, rows by index, and what goes from axis to axis. */
#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ir/axis.h"
#include "ir/base/heap.h"
#include "runtime/check/reference.h"

void reference_reshape(const ReferenceContext *ctx, const Node *node,
                       const void *const *args, void *out)
{
    memcpy(out, args[0], (size_t)reference_bytes(ctx, node->type));
}

void reference_site(const ReferenceContext *ctx, const Node *node,
                    const void *const *args, void *out)
{
    memcpy(out, args[1], (size_t)reference_bytes(ctx, node->type));
}

void reference_permute(const ReferenceContext *ctx, const Node *node,
                       const void *const *args, void *out)
{
    const float *x = args[0];
    Type from = node->args[0]->type, to = node->type;
    int64_t stride[TYPE_MAX_RANK], order = node->attr.permute.order, count = 1;
    uint32_t source[TYPE_MAX_RANK];
    for (uint32_t i = to.rank; i-- > 0; order /= 10) {
        source[i] = (uint32_t)(order % 10);
        stride[i] = count;
        count *= from.dims[i];
    }
    for (int64_t flat = 0; flat < reference_elements(ctx, to); flat++) {
        int64_t rest = flat, index = 0;
        for (uint32_t i = to.rank; i-- > 0; rest /= to.dims[i])
            index += rest % to.dims[i] * stride[source[i]];
        ((float *)out)[flat] = x[index];
    }
}

void reference_slice(const ReferenceContext *ctx, const Node *node,
                     const void *const *args, void *out)
{
    int64_t wide = type_width(node->args[0]->type), count = node->attr.columns.count;
    const float *x = (const float *)args[0] + node->attr.columns.start;
    for (int64_t i = 0; i < reference_elements(ctx, node->type); i++)
        ((float *)out)[i] = x[i / count * wide + i % count];
}

void reference_pad(const ReferenceContext *ctx, const Node *node, const void *const *args,
                   void *out)
{
    int64_t narrow = type_width(node->args[0]->type), wide = node->attr.columns.count;
    for (int64_t i = 0; i < reference_elements(ctx, node->type); i++) {
        int64_t column = i % wide - node->attr.columns.start;
        ((float *)out)[i] = column >= 0 && column < narrow
                                ? ((const float *)args[0])[i / wide * narrow + column]
                                : 0;
    }
}

/* [rows, width] as doubles, transposed if asked to: so that the loops of a product run
 * along rows. */
static double *as_doubles(const float *x, int64_t rows, int64_t width, bool transpose)
{
    double *y = heap_array((size_t)(rows * width + 1), sizeof *y);
    for (int64_t row = 0; row < rows; row++)
        for (int64_t i = 0; i < width; i++)
            y[transpose ? i * rows + row : row * width + i] = (double)x[row * width + i];
    return y;
}

/* To the interpreter a packed matrix is a matrix. */
void reference_pack(const ReferenceContext *ctx, const Node *node,
                    const void *const *args, void *out)
{
    memcpy(out, args[0], (size_t)reference_bytes(ctx, node->type));
}

void reference_matmul(const ReferenceContext *ctx, const Node *node,
                      const void *const *args, void *out)
{
    Type a_type = node->args[0]->type, b_type = node->args[1]->type;
    bool ta = node->attr.matmul.transpose_a, tb = node->attr.matmul.transpose_b;
    int64_t a_rows = reference_rows(ctx, a_type), a_width = type_width(a_type);
    int64_t b_rows = reference_rows(ctx, b_type), b_width = type_width(b_type);
    int64_t m = ta ? a_width : a_rows, k = ta ? a_rows : a_width,
            n = tb ? b_rows : b_width;
    if (node->attr.matmul.precision == PRECISION_int8) {
        reference_matmul_int8(args[0], args[1], tb, m, n, k, out);
        return;
    }
    double *a = as_doubles(args[0], a_rows, a_width, ta); /* [m, k] */
    double *b = as_doubles(args[1], b_rows, b_width, tb); /* [k, n] */
    double *row = heap_array((size_t)n, sizeof *row);
    for (int64_t i = 0; i < m; i++) {
        memset(row, 0, (size_t)n * sizeof *row);
        for (int64_t p = 0; p < k; p++) {
            double x = a[i * k + p];
            const double *b_row = b + p * n;
            for (int64_t j = 0; j < n; j++)
                row[j] += x * b_row[j];
        }
        for (int64_t j = 0; j < n; j++)
            ((float *)out)[i * n + j] = (float)row[j];
    }
    free(a);
    free(b);
    free(row);
}

void reference_gather(const ReferenceContext *ctx, const Node *node,
                      const void *const *args, void *out)
{
    const float *table = args[0]; /* [table rows, width] */
    const int32_t *index = args[1];
    int64_t width = type_width(node->type);
    for (int64_t row = 0; row < reference_rows(ctx, node->type); row++) {
        assert(index[row] >= 0 && index[row] < type_static_rows(node->args[0]->type));
        memcpy((float *)out + row * width, table + index[row] * width,
               (size_t)width * sizeof *table);
    }
}

void reference_scatter_add(const ReferenceContext *ctx, const Node *node,
                           const void *const *args, void *out)
{
    const int32_t *index = args[0];
    const float *x = args[1]; /* [rows, width] */
    int64_t width = type_width(node->type),
            elements = reference_elements(ctx, node->type);
    double *sums = heap_array((size_t)elements, sizeof *sums);
    Type x_type = node->args[1]->type;
    for (int64_t row = 0; row < reference_rows(ctx, x_type); row++)
        for (int64_t i = 0; i < width; i++)
            sums[index[row] * width + i] += (double)x[row * width + i];
    for (int64_t i = 0; i < elements; i++)
        ((float *)out)[i] = (float)sums[i];
    free(sums);
}

/* -- axes --------------------------------------------------------------------------- */

static int64_t sequence_rows(const AxisView *view, int64_t sequence)
{
    return view->offsets[sequence + 1] - view->offsets[sequence];
}

void reference_position(const ReferenceContext *ctx, const Node *node,
                        const void *const *args, void *out)
{
    (void)args;
    const AxisView *view = &ctx->views[node->type.axis];
    int64_t quotient = node->attr.position.quotient,
            modulus = node->attr.position.modulus;
    for (int64_t row = 0; row < view->rows; row++) {
        int64_t number = (row - view->offsets[view->sequence[row]]) / quotient;
        if (modulus != 0)
            number %= modulus;
        ((int32_t *)out)[row] =
            (int32_t)(node->attr.position.offset + node->attr.position.scale * number);
    }
}

void reference_join(const ReferenceContext *ctx, const Node *node,
                    const void *const *args, void *out)
{
    int64_t row_bytes = reference_row_bytes(node->type);
    char *next = out;
    for (int64_t s = 0; s < ctx->sequences; s++)
        for (uint32_t i = 0; i < 2; i++) {
            const AxisView *view = &ctx->views[node->args[i]->type.axis];
            int64_t bytes = sequence_rows(view, s) * row_bytes;
            memcpy(next, (const char *)args[i] + view->offsets[s] * row_bytes,
                   (size_t)bytes);
            next += bytes;
        }
}

void reference_part(const ReferenceContext *ctx, const Node *node,
                    const void *const *args, void *out)
{
    const AxisView *joined = &ctx->views[node->args[0]->type.axis];
    const AxisView *own = &ctx->views[node->type.axis];
    int64_t row_bytes = reference_row_bytes(node->type);
    for (int64_t s = 0; s < ctx->sequences; s++) {
        int64_t rows = sequence_rows(own, s);
        int64_t first = node->attr.part.index == 0 ? joined->offsets[s]
                                                   : joined->offsets[s + 1] - rows;
        memcpy((char *)out + own->offsets[s] * row_bytes,
               (const char *)args[0] + first * row_bytes, (size_t)(rows * row_bytes));
    }
}

void reference_spread(const ReferenceContext *ctx, const Node *node,
                      const void *const *args, void *out)
{
    const AxisView *view = &ctx->views[node->type.axis];
    int64_t row_bytes = reference_row_bytes(node->type);
    for (int64_t row = 0; row < view->rows; row++)
        memcpy((char *)out + row * row_bytes,
               (const char *)args[0] + view->sequence[row] * row_bytes,
               (size_t)row_bytes);
}

void reference_sum_sequence(const ReferenceContext *ctx, const Node *node,
                            const void *const *args, void *out)
{
    const AxisView *view = &ctx->views[node->args[0]->type.axis];
    const float *x = args[0]; /* [rows, width] */
    int64_t width = type_width(node->type);
    for (int64_t s = 0; s < ctx->sequences; s++)
        for (int64_t i = 0; i < width; i++) {
            double sum = 0;
            for (int32_t row = view->offsets[s]; row < view->offsets[s + 1]; row++)
                sum += (double)x[row * width + i];
            ((float *)out)[s * width + i] = (float)sum;
        }
}

void reference_lengths(const ReferenceContext *ctx, const Node *node,
                       const void *const *args, void *out)
{
    (void)args;
    const AxisView *view = &ctx->views[node->attr.on_axis.axis];
    for (int64_t s = 0; s < ctx->sequences; s++)
        ((float *)out)[s] = (float)sequence_rows(view, s);
}

void reference_total(const ReferenceContext *ctx, const Node *node,
                     const void *const *args, void *out)
{
    (void)args;
    *(float *)out = (float)ctx->views[node->attr.on_axis.axis].total_rows;
}

/* One grid of grid x grid cells to side x side: the window of cell i begins at floor(i
 * grid / side) and ends before ceil((i + 1) grid / side). */
static void pool_grid(const float *x, int64_t grid, int64_t side, int64_t width, float *y)
{
    for (int64_t cell = 0; cell < side * side; cell++) {
        int64_t top = cell / side * grid / side, left = cell % side * grid / side;
        int64_t bottom = ((cell / side + 1) * grid + side - 1) / side;
        int64_t right = ((cell % side + 1) * grid + side - 1) / side;
        for (int64_t i = 0; i < width; i++) {
            float largest = x[(top * grid + left) * width + i];
            for (int64_t row = top; row < bottom; row++)
                for (int64_t column = left; column < right; column++) {
                    float value = x[(row * grid + column) * width + i];
                    largest = isnan(largest) || largest > value ? largest : value;
                }
            y[cell * width + i] = largest;
        }
    }
}

void reference_max_pool(const ReferenceContext *ctx, const Node *node,
                        const void *const *args, void *out)
{
    const AxisView *from = &ctx->views[node->args[0]->type.axis];
    const AxisView *to = &ctx->views[node->type.axis];
    const Axis *axis = &ctx->graph->axes[node->type.axis];
    int64_t width = type_width(node->type);
    for (int64_t s = 0; s < ctx->sequences; s++) {
        int64_t cells = sequence_rows(from, s) / axis->images;
        int64_t grid = llround(sqrt((double)cells));
        for (int64_t image = 0; image < axis->images; image++)
            pool_grid((const float *)args[0] + (from->offsets[s] + image * cells) * width,
                      grid, axis->side, width,
                      (float *)out +
                          (to->offsets[s] + image * axis->side * axis->side) * width);
    }
}

/* Calls `move` for every cell of every window that lies on the grid: with its row, the
 * window's, and its place in the window. */
typedef void MoveCell(const Node *node, const float *from, float *to, int64_t cell,
                      int64_t window, int64_t place);

static void each_cell(const Node *node, int64_t side, int64_t steps, int64_t first_cell,
                      int64_t first_window, MoveCell *move, const float *from, float *to)
{
    int64_t kernel = node->attr.window.kernel, stride = node->attr.window.stride,
            padding = node->attr.window.padding;
    for (int64_t window = 0; window < steps * steps; window++)
        for (int64_t place = 0; place < kernel * kernel; place++) {
            int64_t row = window / steps * stride + place / kernel - padding;
            int64_t column = window % steps * stride + place % kernel - padding;
            if (row >= 0 && row < side && column >= 0 && column < side)
                move(node, from, to, first_cell + row * side + column,
                     first_window + window, place);
        }
}

/* The column of channel i at a place of a window. */
static int64_t window_column(const Node *node, int64_t channels, int64_t i, int64_t place)
{
    int64_t places = node->attr.window.kernel * node->attr.window.kernel;
    return node->attr.window.by_place ? place * channels + i : i * places + place;
}

static void take_cell(const Node *node, const float *from, float *to, int64_t cell,
                      int64_t window, int64_t place)
{
    int64_t channels = type_width(node->args[0]->type), width = type_width(node->type);
    for (int64_t i = 0; i < channels; i++)
        to[window * width + window_column(node, channels, i, place)] =
            from[cell * channels + i];
}

static void add_cell(const Node *node, const float *from, float *to, int64_t cell,
                     int64_t window, int64_t place)
{
    int64_t channels = type_width(node->type), width = type_width(node->args[0]->type);
    for (int64_t i = 0; i < channels; i++)
        to[cell * channels + i] +=
            from[window * width + window_column(node, channels, i, place)];
}

static void move_windows(const ReferenceContext *ctx, const Node *node, int32_t grid,
                         int32_t windows, MoveCell *move, const float *from, float *to)
{
    memset(to, 0, (size_t)reference_bytes(ctx, node->type));
    for (int64_t s = 0; s < ctx->sequences; s++)
        each_cell(node, axis_grid_side(&ctx->graph->axes[grid]),
                  axis_grid_side(&ctx->graph->axes[windows]), ctx->views[grid].offsets[s],
                  ctx->views[windows].offsets[s], move, from, to);
}

void reference_patches(const ReferenceContext *ctx, const Node *node,
                       const void *const *args, void *out)
{
    move_windows(ctx, node, node->args[0]->type.axis, node->type.axis, take_cell, args[0],
                 out);
}

void reference_add_patches(const ReferenceContext *ctx, const Node *node,
                           const void *const *args, void *out)
{
    move_windows(ctx, node, node->type.axis, node->args[0]->type.axis, add_cell, args[0],
                 out);
}
