/* Offset assignment (dynamic storage allocation, NP-hard) by list placement: buffers are
 * taken in some order, and each gets the lowest, or the tightest, gap among those placed
 * before it that live at the same time. What differs is the order:
 *
 *   size, area, lifetime   largest first
 *   load                   those that live in the fullest step first, larger first
 *   start                  by first step, which is optimal for nested lifetimes
 *
 * While the size is above the bound, a search takes turns between two ways to do better:
 *
 *   complaints (squeaky wheel optimization, Joslin and Clements 1999): a buffer that
 * ended up above the bound was placed too late, so it moves forward in the order in
 * proportion to its excess;
 *
 *   stacking: next comes the buffer that could lie lowest on top of those placed, where
 * long or large ones have an advantage of some weight, shaken a little each time.
 *
 * All this takes time in the square of the number of buffers. Of very many, only the
 * order of first steps is tried, which drops buffers when they end. */
#include "passes/offsets.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "ir/base/arena.h"
#include "ir/base/random.h"
#include "passes/free_ranges.h"

typedef struct Placed {
    int32_t first, last;
    int64_t offset, end;
} Placed;

enum { MOST_TRIED = 20000 }; /* buffers of which more than one order is tried */

typedef struct Ranked {
    double rank; /* higher is earlier */
    uint32_t buffer;
} Ranked;

typedef struct Packer {
    Arena *arena;
    const Buffer *buffers;
    uint32_t count;
    int64_t *load; /* by buffer: most bytes live in one of its steps */
    int64_t bound;
    Ranked *order;
    Placed *placed;  /* by offset */
    int64_t *trial;  /* offsets of the current attempt */
    int64_t *floor;  /* by buffer: end of the highest below it, while stacking */
    uint64_t looked; /* placed buffers looked at so far */
    int64_t best;
    int64_t *best_offsets;
    const char *method;
} Packer;

/* -- the bound ----------------------------------------------------------------------- */

static int compare_times(const void *a, const void *b)
{
    int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
    return (x > y) - (x < y);
}

static uint32_t time_index(const int32_t *times, uint32_t count, int32_t time)
{
    uint32_t low = 0, high = count;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (times[middle] < time)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Bytes live from each first step to the next: the load rises only at first steps. */
static int64_t *loads_at_births(Arena *arena, const Buffer *buffers, uint32_t count,
                                int32_t *births, uint32_t *out_births)
{
    for (uint32_t i = 0; i < count; i++)
        births[i] = buffers[i].first;
    qsort(births, count, sizeof *births, compare_times);
    uint32_t distinct = 0;
    for (uint32_t i = 0; i < count; i++)
        if (i == 0 || births[i] != births[distinct - 1])
            births[distinct++] = births[i];
    int64_t *load = ARENA_ARRAY(arena, int64_t, distinct + 1);
    for (uint32_t i = 0; i < count; i++) {
        load[time_index(births, distinct, buffers[i].first)] += buffers[i].bytes;
        load[time_index(births, distinct, buffers[i].last + 1)] -= buffers[i].bytes;
    }
    for (uint32_t i = 1; i < distinct; i++)
        load[i] += load[i - 1];
    *out_births = distinct;
    return load;
}

static int64_t largest(const int64_t *values, uint32_t count)
{
    int64_t most = 0;
    for (uint32_t i = 0; i < count; i++)
        if (values[i] > most)
            most = values[i];
    return most;
}

int64_t offsets_bound(const Buffer *buffers, uint32_t count)
{
    Arena *arena = arena_new();
    uint32_t births;
    int32_t *times = ARENA_ARRAY(arena, int32_t, count + 1);
    int64_t *load = loads_at_births(arena, buffers, count, times, &births);
    int64_t bound = largest(load, births);
    arena_free(arena);
    return bound;
}

/* -- placing ------------------------------------------------------------------------- */

static void packer_init(Packer *packer, const Buffer *buffers, uint32_t count,
                        int64_t *out_offsets)
{
    *packer = (Packer){.arena = arena_new(),
                       .buffers = buffers,
                       .count = count,
                       .best = INT64_MAX,
                       .best_offsets = out_offsets,
                       .method = "none"};
    packer->load = ARENA_ARRAY(packer->arena, int64_t, count + 1);
    packer->order = ARENA_ARRAY(packer->arena, Ranked, count + 1);
    packer->placed = ARENA_ARRAY(packer->arena, Placed, count + 1);
    packer->trial = ARENA_ARRAY(packer->arena, int64_t, count + 1);
    packer->floor = ARENA_ARRAY(packer->arena, int64_t, count + 1);
    int32_t *births = ARENA_ARRAY(packer->arena, int32_t, count + 1);
    uint32_t birth_count;
    int64_t *load = loads_at_births(packer->arena, buffers, count, births, &birth_count);
    packer->bound = largest(load, birth_count);
    for (uint32_t i = 0; i < count && count <= MOST_TRIED; i++) {
        uint32_t from = time_index(births, birth_count, buffers[i].first);
        uint32_t to = time_index(births, birth_count, buffers[i].last + 1);
        packer->load[i] = largest(load + from, to - from);
    }
}

/* The lowest or the tightest place for `buffer` among the first `count` placed. */
static int64_t find_gap(Packer *packer, const Buffer *buffer, uint32_t count, FitRule fit)
{
    int64_t top = 0, best = -1, best_gap = INT64_MAX;
    uint32_t i = 0;
    for (; i < count; i++) {
        const Placed *other = &packer->placed[i];
        if (other->first > buffer->last || other->last < buffer->first)
            continue;
        int64_t gap = other->offset - top;
        if (gap >= buffer->bytes && gap < best_gap) {
            best = top;
            best_gap = gap;
            if (fit == FIT_lowest)
                break;
        }
        if (other->end > top)
            top = other->end;
    }
    packer->looked += i;
    return best >= 0 ? best : top;
}

static void insert_placed(Packer *packer, uint32_t count, Placed placed)
{
    uint32_t low = 0, high = count;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (packer->placed[middle].offset <= placed.offset)
            low = middle + 1;
        else
            high = middle;
    }
    memmove(packer->placed + low + 1, packer->placed + low,
            (count - low) * sizeof *packer->placed);
    packer->placed[low] = placed;
}

static bool live_together(const Buffer *a, const Buffer *b)
{
    return a->first <= b->last && b->first <= a->last;
}

static void keep_if_best(Packer *packer, int64_t peak, const char *method)
{
    if (peak >= packer->best)
        return;
    packer->best = peak;
    packer->method = method;
    memcpy(packer->best_offsets, packer->trial, packer->count * sizeof *packer->trial);
}

/* Places all in `order`; keeps the result if it is the best so far. Returns its size. */
static int64_t pack(Packer *packer, FitRule fit, const char *method)
{
    int64_t peak = 0;
    for (uint32_t i = 0; i < packer->count; i++) {
        uint32_t id = packer->order[i].buffer;
        const Buffer *buffer = &packer->buffers[id];
        int64_t offset = find_gap(packer, buffer, i, fit);
        int64_t end = offset + buffer->bytes;
        insert_placed(packer, i, (Placed){buffer->first, buffer->last, offset, end});
        packer->trial[id] = offset;
        if (end > peak)
            peak = end;
    }
    keep_if_best(packer, peak, method);
    return peak;
}

/* -- orders -------------------------------------------------------------------------- */

typedef double RankFn(const Packer *packer, uint32_t buffer);

static double lifetime(const Buffer *buffer)
{
    return (double)buffer->last - (double)buffer->first + 1;
}

static double rank_size(const Packer *packer, uint32_t i)
{
    return (double)packer->buffers[i].bytes;
}

static double rank_area(const Packer *packer, uint32_t i)
{
    return (double)packer->buffers[i].bytes * lifetime(&packer->buffers[i]);
}

static double rank_lifetime(const Packer *packer, uint32_t i)
{
    return lifetime(&packer->buffers[i]);
}

static double rank_load(const Packer *packer, uint32_t i)
{
    return (double)packer->load[i] * 1e6 +
           1e6 * (double)packer->buffers[i].bytes / (double)(packer->bound + 1);
}

static double rank_load_lifetime(const Packer *packer, uint32_t i)
{
    return (double)packer->load[i] * 1e6 + lifetime(&packer->buffers[i]);
}

static double rank_start(const Packer *packer, uint32_t i)
{
    return -(double)packer->buffers[i].first;
}

static const struct {
    const char *name;
    RankFn *rank;
} rankings[] = {
    {"area", rank_area},
    {"size", rank_size},
    {"lifetime", rank_lifetime},
    {"load", rank_load},
    {"load, lifetime", rank_load_lifetime},
    {"start", rank_start},
};
enum { RANKING_COUNT = sizeof rankings / sizeof rankings[0] };

static int compare_ranked(const void *a, const void *b)
{
    const Ranked *x = a, *y = b;
    if (x->rank != y->rank)
        return x->rank < y->rank ? 1 : -1;
    return (x->buffer > y->buffer) - (x->buffer < y->buffer);
}

static void sort_by(Packer *packer, RankFn *rank)
{
    for (uint32_t i = 0; i < packer->count; i++)
        packer->order[i] = (Ranked){rank(packer, i), i};
    qsort(packer->order, packer->count, sizeof *packer->order, compare_ranked);
}

/* Rank becomes the place in the order; buffers that end above the bound move forward. */
static void complain(Packer *packer, int64_t peak)
{
    double excess = (double)(peak - packer->bound);
    for (uint32_t i = 0; i < packer->count; i++) {
        uint32_t id = packer->order[i].buffer;
        double over =
            (double)(packer->trial[id] + packer->buffers[id].bytes - packer->bound);
        double blame = over > 0 ? 1 + over / excess : 0;
        packer->order[i].rank = -(double)i + blame * (double)packer->count / 8;
    }
    qsort(packer->order, packer->count, sizeof *packer->order, compare_ranked);
}

/* Stacks all: the next has the least floor after its advantage, `order[i].rank`, by
 * buffer. */
static void stack(Packer *packer)
{
    int64_t peak = 0;
    for (uint32_t i = 0; i < packer->count; i++) {
        packer->floor[i] = 0;
        packer->trial[i] = -1;
    }
    for (uint32_t i = 0; i < packer->count; i++) {
        uint32_t next = 0;
        double least = 0;
        bool found = false;
        for (uint32_t j = 0; j < packer->count; j++) {
            double height = (double)packer->floor[j] - packer->order[j].rank;
            if (packer->trial[j] >= 0 || (found && height >= least))
                continue;
            found = true;
            least = height;
            next = j;
        }
        int64_t end = packer->floor[next] + packer->buffers[next].bytes;
        packer->trial[next] = packer->floor[next];
        if (end > peak)
            peak = end;
        for (uint32_t j = 0; j < packer->count; j++)
            if (packer->floor[j] < end &&
                live_together(&packer->buffers[j], &packer->buffers[next]))
                packer->floor[j] = end;
    }
    packer->looked += (uint64_t)packer->count * packer->count;
    keep_if_best(packer, peak, "stacking");
}

static void stack_shaken(Packer *packer, uint32_t round)
{
    static RankFn *const ranks[] = {rank_lifetime, rank_area};
    static const double weights[] = {0.001, 0.02, 0.1, 0.3, 1, 3}, shake = 0.3;
    RankFn *rank = ranks[round % 2];
    double weight = weights[round / 2 % 6] * (double)packer->bound, most = 0;
    for (uint32_t i = 0; i < packer->count; i++)
        if (most < rank(packer, i))
            most = rank(packer, i);
    for (uint32_t i = 0; i < packer->count; i++) {
        double noise = (double)random_bits(round, i) / 4294967296.0;
        packer->order[i].rank = weight * (rank(packer, i) / most + shake * noise);
    }
    stack(packer);
}

static void search(Packer *packer, RankFn *rank, uint64_t effort)
{
    Ranked *listed = ARENA_ARRAY(packer->arena, Ranked, packer->count + 1);
    Ranked *stacked = ARENA_ARRAY(packer->arena, Ranked, packer->count + 1);
    packer->order = listed;
    sort_by(packer, rank);
    for (uint32_t round = 0; packer->best > packer->bound && packer->looked < effort;
         round++) {
        packer->order = stacked;
        stack_shaken(packer, round);
        packer->order = listed;
        complain(packer, pack(packer, FIT_lowest, "complaints"));
    }
}

/* -- very many buffers --------------------------------------------------------------- */

static double rank_end(const Packer *packer, uint32_t i)
{
    return -(double)packer->buffers[i].last;
}

/* By first step, as an allocator would: in time in proportion to the buffers and to the
 * gaps between those that live at once. */
static void pack_by_birth(Packer *packer, FitRule fit)
{
    Arena *arena = packer->arena;
    FreeRanges free_ranges = {.ranges = ARENA_ARRAY(arena, FreeRange, packer->count + 1)};
    Ranked *births = packer->order;
    Ranked *deaths = ARENA_ARRAY(arena, Ranked, packer->count + 1);
    sort_by(packer, rank_start);
    packer->order = deaths;
    sort_by(packer, rank_end);
    packer->order = births;
    for (uint32_t i = 0, dead = 0; i < packer->count; i++) {
        uint32_t id = births[i].buffer;
        const Buffer *buffer = &packer->buffers[id];
        for (; packer->buffers[deaths[dead].buffer].last < buffer->first; dead++) {
            uint32_t gone = deaths[dead].buffer;
            free_give_back(&free_ranges, packer->trial[gone],
                           packer->trial[gone] + packer->buffers[gone].bytes);
        }
        packer->trial[id] = free_take(&free_ranges, buffer->bytes, fit);
    }
    keep_if_best(packer, free_ranges.top, "start");
}

int64_t offsets_quick(const Buffer *buffers, uint32_t count, int64_t *out_offsets)
{
    Packer packer;
    packer_init(&packer, buffers, count, out_offsets);
    if (count > MOST_TRIED)
        pack_by_birth(&packer, FIT_lowest);
    for (int i = 0;
         i < RANKING_COUNT && packer.best > packer.bound && count <= MOST_TRIED; i++) {
        sort_by(&packer, rankings[i].rank);
        pack(&packer, FIT_lowest, rankings[i].name);
    }
    arena_free(packer.arena);
    return packer.best;
}

/* Every order with either fit; returns the order that was best. */
static RankFn *try_rankings(Packer *packer)
{
    RankFn *best_rank = rankings[0].rank;
    for (int i = 0; i < RANKING_COUNT && packer->best > packer->bound; i++) {
        int64_t before = packer->best;
        sort_by(packer, rankings[i].rank);
        pack(packer, FIT_lowest, rankings[i].name);
        if (packer->best > packer->bound)
            pack(packer, FIT_tightest, rankings[i].name);
        if (packer->best < before)
            best_rank = rankings[i].rank;
    }
    return best_rank;
}

int64_t offsets_assign(const Buffer *buffers, uint32_t count, uint64_t effort,
                       int64_t *out_offsets, const char **out_method)
{
    Packer packer;
    packer_init(&packer, buffers, count, out_offsets);
    if (count > MOST_TRIED) {
        pack_by_birth(&packer, FIT_lowest);
        pack_by_birth(&packer, FIT_tightest);
    } else {
        search(&packer, try_rankings(&packer), effort);
    }
    if (out_method)
        *out_method = packer.method;
    arena_free(packer.arena);
    return packer.best;
}
