/* Sums and searches at lengths around whole blocks: every place counts, none beyond. */
#include "runtime/exec/floats.h"

#include <math.h>

#include "tests/check.h"

enum { MOST = 200 };

static void check_finite(Check *check, int64_t count)
{
    static const float bad[] = {NAN, INFINITY, -INFINITY};
    float values[MOST + 1];
    for (int i = 0; i <= MOST; i++)
        values[i] = i % 2 ? -3.40282346e38F : 1e-45F;
    values[count] = NAN;
    CHECK(check, floats_are_finite(values, count), "%d finite numbers", (int)count);
    for (int64_t i = 0; i < count; i++)
        for (size_t b = 0; b < sizeof bad / sizeof *bad; b++) {
            float good = values[i];
            values[i] = bad[b];
            CHECK(check, !floats_are_finite(values, count), "%f at %d of %d",
                  (double)bad[b], (int)i, (int)count);
            values[i] = good;
        }
}

static void check_add(Check *check, int64_t count)
{
    float sums[MOST + 1], values[MOST + 1];
    for (int i = 0; i <= MOST; i++) {
        sums[i] = (float)i;
        values[i] = (float)(2 * i + 1);
    }
    floats_add(sums, values, count);
    for (int64_t i = 0; i <= MOST; i++) {
        double wanted = (double)(i < count ? 3 * i + 1 : i);
        CHECK(check, (double)sums[i] == wanted, "sum %d of %d: %g, not %g", (int)i,
              (int)count, (double)sums[i], wanted);
    }
}

int main(void)
{
    static const int64_t counts[] = {0, 1, 63, 64, 65, 128, 191};
    Check check = {0};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        check_finite(&check, counts[i]);
        check_add(&check, counts[i]);
    }
    return check_finish(&check);
}
