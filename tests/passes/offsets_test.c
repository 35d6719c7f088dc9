/* Offset assignment: no two buffers that live together overlap, sizes lie between the
 * bound and the sum, known instances are packed perfectly. */
#include <stdlib.h>

#include "passes/offsets.h"

#include <stdbool.h>

#include "ir/base/random.h"
#include "tests/check.h"

enum { MOST = 200, TRIALS = 200 };
static const uint64_t EFFORT = 200000;

static uint32_t draw(uint32_t *state, uint32_t below)
{
    return random_mix32(*state += 0x9e3779b9U) % below;
}

static bool disjoint(const Buffer *buffers, const int64_t *offsets, uint32_t a,
                     uint32_t b)
{
    return buffers[a].last < buffers[b].first || buffers[b].last < buffers[a].first ||
           offsets[a] + buffers[a].bytes <= offsets[b] ||
           offsets[b] + buffers[b].bytes <= offsets[a];
}

static void check_assignment(Check *check, const Buffer *buffers, uint32_t count,
                             const int64_t *offsets, int64_t size)
{
    int64_t end = 0, sum = 0;
    for (uint32_t i = 0; i < count; i++) {
        CHECK(check, offsets[i] >= 0, "buffer %u", i);
        if (end < offsets[i] + buffers[i].bytes)
            end = offsets[i] + buffers[i].bytes;
        sum += buffers[i].bytes;
        for (uint32_t j = 0; j < i; j++)
            CHECK(check, disjoint(buffers, offsets, i, j), "buffers %u and %u overlap", i,
                  j);
    }
    CHECK(check, size == end, "size %lld, end %lld", (long long)size, (long long)end);
    CHECK(check, size >= offsets_bound(buffers, count) && size <= sum, "size %lld",
          (long long)size);
}

/* By looking at every step. */
static int64_t plain_bound(const Buffer *buffers, uint32_t count, int32_t steps)
{
    int64_t most = 0;
    for (int32_t step = 0; step < steps; step++) {
        int64_t live = 0;
        for (uint32_t i = 0; i < count; i++)
            if (buffers[i].first <= step && step <= buffers[i].last)
                live += buffers[i].bytes;
        if (live > most)
            most = live;
    }
    return most;
}

static void test_random(Check *check)
{
    Buffer buffers[MOST];
    int64_t offsets[MOST], quick[MOST];
    uint32_t state = 1, improved = 0;
    for (int trial = 0; trial < TRIALS; trial++) {
        uint32_t count = draw(&state, trial < 100 ? 8 : MOST),
                 steps = 1 + draw(&state, 60);
        for (uint32_t i = 0; i < count; i++) {
            int32_t first = (int32_t)draw(&state, steps);
            int32_t last = first + (int32_t)draw(&state, steps - (uint32_t)first);
            buffers[i] = (Buffer){first, last, 64 * (1 + (int64_t)draw(&state, 40))};
        }
        int64_t bound = offsets_bound(buffers, count);
        CHECK(check, bound == plain_bound(buffers, count, (int32_t)steps), "trial %d",
              trial);
        if (count == 0)
            continue;
        int64_t best = offsets_assign(buffers, count, EFFORT, offsets, NULL);
        int64_t fast = offsets_quick(buffers, count, quick);
        check_assignment(check, buffers, count, offsets, best);
        check_assignment(check, buffers, count, quick, fast);
        CHECK(check, best <= fast, "trial %d: more effort gave %lld, not %lld", trial,
              (long long)best, (long long)fast);
        improved += best < fast;
    }
    CHECK(check, improved > TRIALS / 20, "the search helped %u times only", improved);
}

/* As activations live: born one by one going forward, dying one by one going back. */
static void test_stack(Check *check)
{
    Buffer buffers[MOST];
    int64_t offsets[MOST];
    for (int32_t i = 0; i < MOST; i++)
        buffers[i] = (Buffer){i, 2 * MOST - i, 64 * (1 + i % 7)};
    int64_t size = offsets_assign(buffers, MOST, EFFORT, offsets, NULL);
    CHECK(check, size == offsets_bound(buffers, MOST), "%lld", (long long)size);
}

static int compare_offsets(const void *a, const void *b)
{
    const int64_t *x = a, *y = b;
    return (x[0] > y[0]) - (x[0] < y[0]);
}

/* In one step: what lives in it lies apart. */
static void check_step(Check *check, const Buffer *buffers, uint32_t count,
                       const int64_t *offsets, int32_t step)
{
    int64_t(*live)[2] = malloc(count * sizeof *live), end = 0;
    uint32_t live_count = 0;
    for (uint32_t i = 0; i < count; i++)
        if (buffers[i].first <= step && step <= buffers[i].last) {
            live[live_count][0] = offsets[i];
            live[live_count++][1] = offsets[i] + buffers[i].bytes;
        }
    qsort(live, live_count, sizeof *live, compare_offsets);
    for (uint32_t i = 0; i < live_count; i++) {
        CHECK(check, live[i][0] >= end, "step %d: %lld lies below %lld", step,
              (long long)live[i][0], (long long)end);
        end = live[i][1];
    }
    free(live);
}

/* So many that no square of them is affordable: right, and not far from the bound. */
static void test_many(Check *check)
{
    enum { MANY = 100000, STEPS = 50000 };
    Buffer *buffers = malloc(MANY * sizeof *buffers);
    int64_t *offsets = malloc(MANY * sizeof *offsets);
    uint32_t state = 3;
    for (int32_t i = 0; i < MANY; i++)
        buffers[i] = (Buffer){i, 2 * MANY - i, 64 * (1 + i % 7)};
    int64_t stack = offsets_assign(buffers, MANY, EFFORT, offsets, NULL);
    CHECK(check, stack == offsets_bound(buffers, MANY), "a stack takes %lld",
          (long long)stack);
    for (int32_t i = 0; i < MANY; i++) {
        int32_t first = (int32_t)draw(&state, STEPS);
        int32_t last = first + (int32_t)draw(&state, draw(&state, 50) ? 30 : STEPS);
        buffers[i] = (Buffer){first, last, 64 * (1 + (int64_t)draw(&state, 40))};
    }
    int64_t size = offsets_assign(buffers, MANY, EFFORT, offsets, NULL);
    for (int32_t step = 0; step < STEPS; step += STEPS / 100)
        check_step(check, buffers, MANY, offsets, step);
    CHECK(check, size <= 2 * offsets_bound(buffers, MANY), "%lld of at least %lld",
          (long long)size, (long long)offsets_bound(buffers, MANY));
    free(offsets);
    free(buffers);
}

/* The example that comes with MiniMalloc (Moffitt, ASPLOS 2023): it fits 12 units. */
static void test_example(Check *check)
{
    static const Buffer buffers[] = {
        {0, 2, 4}, {3, 8, 4}, {0, 8, 4}, {9, 20, 4}, {0, 20, 4}};
    int64_t offsets[5];
    int64_t size = offsets_assign(buffers, 5, EFFORT, offsets, NULL);
    check_assignment(check, buffers, 5, offsets, size);
    CHECK(check, size == 12, "%lld", (long long)size);
}

int main(void)
{
    Check check = {0, 0};
    test_random(&check);
    test_stack(&check);
    test_many(&check);
    test_example(&check);
    return check_finish(&check);
}
