/* How a group of map, reduce and rowsum nodes becomes loops over rows and columns.
 *
 * A group works in a space of R rows by W columns. A value of it is wide (one number per
 * column) or narrow (one per row); both may be the same in many rows, as a bias or a
 * scalar is. Per row:
 *
 *     for each phase p = 0, 1, ...
 *         narrow nodes of level p, in scalars
 *         a loop over the columns: reductions, outputs and sums over rows of level p
 *
 * where the level of a node is the greatest number of wide reductions on a path to it. A
 * wide value that a later phase needs again is read back from its output, computed again
 * if that is next to nothing, or else kept in a row buffer in the lane's scratch.
 *
 * A group that is element-wise throughout is flat: one row of all its elements. */
#ifndef VLG_CODEGEN_ROWS_LAYOUT_H
#define VLG_CODEGEN_ROWS_LAYOUT_H

#include "codegen/emit.h"

typedef enum RowKind { ROW_input, ROW_constant, ROW_node } RowKind;

/* A value with fewer rows than the group: at row r it is in its own row
 *     sum of (r / divide mod modulo) stride, where modulo 0 means none. */
typedef struct RowDim {
    int64_t divide, modulo, stride;
} RowDim;

typedef struct RowValue {
    RowKind kind;
    const Node *node; /* as it is read: an input may be a view */
    bool wide;
    RowDim dims[TYPE_MAX_RANK];
    uint32_t dim_count;
    uint32_t args[3]; /* indices of values */
    int32_t operand;  /* where it is read (input) or written; -1: nowhere */
    bool in_place;    /* written over a variable that the group may read */
    uint32_t salt;    /* dropout: which of the kernel's numbers is its salt */
    bool reduces;     /* reduces a wide value to a narrow one */
    uint32_t level;
    int32_t phase;  /* of a wide node: in which it is computed first; -1: never */
    int32_t buffer; /* row buffer, or -1 */
} RowValue;

typedef struct RowsLayout {
    int32_t axis;     /* of the rows, or AXIS_STATIC */
    int64_t rows;     /* if static */
    int64_t width;    /* columns */
    bool flat;        /* one row of rows * width columns */
    RowValue *values; /* inputs, constants and nodes, operands before users */
    uint32_t value_count;
    uint32_t phase_count; /* loops over columns in a row */
    uint32_t level_count;
    uint32_t buffer_count;
} RowsLayout;

/* KernelClass functions of kernel_rows. */
void rows_operands(KernelStep *step, Arena *arena);
void rows_describe(const KernelStep *step, FILE *out);

static inline bool row_value_has_dtype(const RowValue *value, DType dtype)
{
    return value->node->type.dtype == dtype;
}
/* Stored wide or narrow result, not a sum over rows. */
bool row_value_is_output(const RowValue *value);
bool row_value_is_rowsum(const RowValue *value);
/* The phase in which a wide output is written. */
uint32_t row_output_phase(const RowsLayout *layout, const RowValue *value);
/* Floats from one row buffer to the next. */
int64_t rows_buffer_stride(const RowsLayout *layout);

#endif
