/* Sizes of the values of the interpreter. */
#include "runtime/check/reference.h"

int64_t reference_rows(const ReferenceContext *ctx, Type type)
{
    return type_is_ragged(type) ? ctx->views[type.axis].rows : type_static_rows(type);
}

int64_t reference_elements(const ReferenceContext *ctx, Type type)
{
    return reference_rows(ctx, type) * type_width(type);
}

int64_t reference_row_bytes(Type type)
{
    return type_width(type) * (type.dtype == DTYPE_bit ? 1 : 4);
}

int64_t reference_bytes(const ReferenceContext *ctx, Type type)
{
    return reference_rows(ctx, type) * reference_row_bytes(type);
}
