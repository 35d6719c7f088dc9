/* Types: sizes and equality. */
#include "ir/type.h"

const char *const dtype_names[DTYPE_COUNT] = {"f32", "i32", "bit", "packed"};

bool type_equal(Type a, Type b)
{
    if (a.dtype != b.dtype || a.axis != b.axis || a.rank != b.rank)
        return false;
    for (uint32_t i = 0; i < a.rank; i++)
        if (a.dims[i] != b.dims[i])
            return false;
    return true;
}

bool type_is_ragged(Type type)
{
    return type.axis != AXIS_STATIC;
}

int64_t type_width(Type type)
{
    if (!type_is_ragged(type))
        return type.dims[type.rank - 1];
    int64_t width = 1;
    for (uint32_t i = 1; i < type.rank; i++)
        width *= type.dims[i];
    return width;
}

int64_t type_static_rows(Type type)
{
    if (type_is_ragged(type))
        return 0;
    int64_t rows = 1;
    for (uint32_t i = 0; i + 1 < type.rank; i++)
        rows *= type.dims[i];
    return rows;
}

int64_t type_row_bytes(Type type)
{
    int64_t width = type_width(type);
    return type.dtype == DTYPE_bit ? (width + 7) / 8 : 4 * width;
}

int64_t type_static_elements(Type type)
{
    int64_t elements = 1;
    for (uint32_t i = 0; i < type.rank; i++)
        elements *= type.dims[i];
    return elements;
}

Type type_vector(DType dtype, int64_t width)
{
    return (Type){.dtype = dtype, .axis = AXIS_STATIC, .rank = 1, .dims = {width}};
}

Type type_matrix(DType dtype, int64_t rows, int64_t width)
{
    return (Type){.dtype = dtype, .axis = AXIS_STATIC, .rank = 2, .dims = {rows, width}};
}

Type type_rows(DType dtype, int32_t axis, int64_t width)
{
    return (Type){.dtype = dtype, .axis = axis, .rank = 2, .dims = {0, width}};
}

Type type_index(int32_t axis)
{
    return (Type){.dtype = DTYPE_i32, .axis = axis, .rank = 1, .dims = {0}};
}
