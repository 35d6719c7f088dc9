/* Plain loops over floats, made for speed. */
#ifndef VLG_RUNTIME_EXEC_FLOATS_H
#define VLG_RUNTIME_EXEC_FLOATS_H

#include <stdbool.h>
#include <stdint.h>

#include "ir/base/attributes.h"

/* Whether none is infinite or NaN; true of none at all. */
NODISCARD bool floats_are_finite(const float *values, int64_t count);
/* sums[i] += values[i]; the two do not overlap. */
void floats_add(float *restrict sums, const float *restrict values, int64_t count);

#endif
