/* Buckets of relative bias against the runs that checkpoints were trained with: 32
 * buckets, distances to 128. */
#include "ir/bias.h"

#include "tests/check.h"

typedef struct Run {
    int64_t first; /* distance at which the bucket begins */
    int64_t bucket;
} Run;

static const Run both_ways[] = {
    {0, 0},   {1, 1},   {2, 2},   {3, 3},   {4, 4},    {5, 5},
    {6, 6},   {7, 7},   {8, 8},   {12, 9},  {16, 10},  {23, 11},
    {32, 12}, {46, 13}, {64, 14}, {91, 15}, {400, 15},
};

static const Run backwards[] = {
    {15, 15}, {16, 16}, {19, 17}, {21, 18}, {24, 19},  {27, 20},
    {31, 21}, {35, 22}, {40, 23}, {46, 24}, {52, 25},  {59, 26},
    {67, 27}, {77, 28}, {87, 29}, {99, 30}, {113, 31}, {400, 31},
};

static void expect(Check *check, int64_t relative, bool bidirectional, int64_t want)
{
    int64_t got = relative_bucket(relative, bidirectional, 32, 128);
    CHECK(check, got == want, "bucket of %d is %d, not %d", (int)relative, (int)got,
          (int)want);
}

int main(void)
{
    Check check = {0};
    for (size_t i = 0; i + 1 < sizeof both_ways / sizeof both_ways[0]; i++)
        for (int64_t a = both_ways[i].first; a < both_ways[i + 1].first; a++) {
            expect(&check, -a, true, both_ways[i].bucket);
            expect(&check, a, true, both_ways[i].bucket + (a > 0 ? 16 : 0));
        }
    for (size_t i = 0; i + 1 < sizeof backwards / sizeof backwards[0]; i++)
        for (int64_t a = backwards[i].first; a < backwards[i + 1].first; a++)
            expect(&check, -a, false, backwards[i].bucket);
    for (int64_t a = 0; a < 16; a++) {
        expect(&check, -a, false, a);
        expect(&check, a, false, 0);
    }
    for (int64_t a = 0; a < 300; a++)
        for (int64_t buckets = 4; buckets < 12; buckets++)
            for (int64_t most = 1; most < 9; most++) {
                int64_t bucket = relative_bucket(a, true, buckets, most);
                CHECK(&check, bucket >= 0 && bucket < buckets, "bucket %d of %d",
                      (int)bucket, (int)buckets);
            }
    return check_finish(&check);
}
