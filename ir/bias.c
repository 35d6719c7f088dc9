/* Relative attention bias: distance to bucket.
 *
 *     n = buckets of one direction, e = n / 2, a = distance
 *     bucket = a                                              if a < e
 *              min(n - 1, e + ln(a / e) / ln(max / e) (n - e))  rounded down, otherwise
 *
 * The logarithms are taken in float, because that is how checkpoints were trained: at
 * distances where the quotient is a whole number the rounding decides the bucket. */
#include "ir/bias.h"

#include <math.h>

int64_t relative_bucket(int64_t relative, bool bidirectional, int64_t buckets,
                        int64_t max_distance)
{
    int64_t n = bidirectional ? buckets / 2 : buckets;
    int64_t base = bidirectional && relative > 0 ? n : 0;
    int64_t exact = n / 2;
    int64_t distance = relative < 0 ? -relative : bidirectional ? relative : 0;
    if (distance < exact)
        return base + distance;
    if (distance >= max_distance || max_distance <= exact)
        return base + n - 1;
    float far = logf((float)distance / (float)exact) /
                (float)log((double)max_distance / (double)exact) * (float)(n - exact);
    int64_t bucket = exact + (int64_t)far;
    return base + (bucket < n ? bucket : n - 1);
}
