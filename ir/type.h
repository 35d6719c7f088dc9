/* Types: an element type, a leading axis, and static widths.
 *
 *     f32[768]            one static dimension
 *     f32[192, 768]       static leading dimension: a weight
 *     f32[enc, 768]       one row per element of the ragged axis `enc`
 *     f32[enc, 1]         one number per row
 *     i32[text]           one index per row
 *     bit[enc, 3072]      one bit per element, rows padded to whole bytes
 *     packed[768, 192]    numbers as the processor's products read them (op pack): how
 *                         many bytes they take is known only where code is generated;
 *                         here they count as f32
 *
 * A ragged axis can only lead. Broadcasting aligns dimensions at the right, as NumPy
 * does; a dimension of 1 stretches. A type without dimensions does not exist: a scalar is
 * f32[1]. */
#ifndef VLG_IR_TYPE_H
#define VLG_IR_TYPE_H

#include <stdbool.h>
#include <stdint.h>

typedef enum DType { DTYPE_f32, DTYPE_i32, DTYPE_bit, DTYPE_packed, DTYPE_COUNT } DType;

enum {
    TYPE_MAX_RANK = 4,
    AXIS_STATIC = -1, /* Type.axis of a type whose leading dimension is a number */
    AXIS_BATCH = 0,   /* index of the axis with one row per sequence, in every graph */
};

typedef struct Type {
    DType dtype;
    int32_t axis; /* index into Graph.axes, or AXIS_STATIC */
    uint32_t rank;
    int64_t dims[TYPE_MAX_RANK]; /* dims[0] is 0 if the type is ragged */
} Type;

extern const char *const dtype_names[DTYPE_COUNT];

bool type_equal(Type a, Type b);
bool type_is_ragged(Type type);
/* Elements of one row: the product of the dimensions after a ragged axis, or the last
 * dimension of a static type; a static f32[w] is one row of w. */
int64_t type_width(Type type);
/* Static rows: the product of all dimensions but the last; 0 if ragged. f32[w] has 1. */
int64_t type_static_rows(Type type);
/* Bytes of one row (bit rows are padded to whole bytes), and of `rows` rows. */
int64_t type_row_bytes(Type type);
int64_t type_static_elements(Type type); /* of a static type */

Type type_vector(DType dtype, int64_t width);
Type type_matrix(DType dtype, int64_t rows, int64_t width);
Type type_rows(DType dtype, int32_t axis, int64_t width); /* ragged [axis, width] */
Type type_index(int32_t axis);                            /* i32[axis] */
#define TYPE_SCALAR type_vector(DTYPE_f32, 1)

#endif
