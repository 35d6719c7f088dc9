/* Made-up operands and errors of results. */
#include "tests/codegen/numbers.h"

#include <math.h>

#include "ir/base/random.h"

#ifdef __x86_64__
const char *const numbers_processors[] = {0, "x86-64-v3", "x86-64"};
const int numbers_processor_count = 3;
#else
const char *const numbers_processors[] = {0};
const int numbers_processor_count = 1;
#endif

void numbers_fill(float *out, int64_t count, uint32_t seed, double scale)
{
    for (int64_t i = 0; i < count; i++) {
        uint32_t bits = random_mix32(random_mix32(seed) + (uint32_t)i);
        out[i] = (float)(scale * ((double)bits / 2147483648.0 - 1));
    }
}

double numbers_error(const float *got, const double *want, int64_t count)
{
    double error = 0, largest = 0;
    for (int64_t i = 0; i < count; i++) {
        if (!isfinite(got[i]))
            return (double)INFINITY;
        error = fmax(error, fabs((double)got[i] - want[i]));
        largest = fmax(largest, fabs(want[i]));
    }
    return largest > 1e-6 ? error / largest : error;
}
