/* Plain loops over floats. A block's length is a constant, for GCC's -O2 makes vectors
 * only of loops whose turns it knows, and without a look at whether pointers overlap. */
#include "runtime/exec/floats.h"

#include <string.h>

enum { BLOCK = 64 };

/* The bits of an infinity or NaN have every bit of the exponent set. */
static uint32_t has_full_exponent(float value)
{
    const uint32_t exponent = 0x7f800000U;
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return (bits & exponent) == exponent;
}

bool floats_are_finite(const float *values, int64_t count)
{
    uint32_t found = 0;
    for (; count >= BLOCK; count -= BLOCK, values += BLOCK)
        for (int i = 0; i < BLOCK; i++)
            found |= has_full_exponent(values[i]);
    for (int64_t i = 0; i < count; i++)
        found |= has_full_exponent(values[i]);
    return !found;
}

void floats_add(float *restrict sums, const float *restrict values, int64_t count)
{
    for (; count >= BLOCK; count -= BLOCK, sums += BLOCK, values += BLOCK)
        for (int i = 0; i < BLOCK; i++)
            sums[i] += values[i];
    for (int64_t i = 0; i < count; i++)
        sums[i] += values[i];
}
