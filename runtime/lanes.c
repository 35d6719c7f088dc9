/* A run is announced by raising `started`, and over when `finished` has counted every
 * helper: two counters that only grow, so nothing has to be reset between runs. */
#include "runtime/lanes.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "ir/base/arena.h"
#include "runtime/spin.h"

typedef struct Helper {
    Lanes *lanes;
    uint32_t lane;
    pthread_t thread;
} Helper;

struct Lanes {
    _Alignas(64) _Atomic int64_t started;  /* runs announced */
    _Alignas(64) _Atomic int64_t finished; /* helpers' returns, over all runs */
    LaneFn *fn;                            /* NULL ends the helpers */
    void *state;
    uint32_t count;
    uint32_t helper_count; /* threads that exist; lane 0 is the caller */
    Helper *helpers;
};

enum { YIELDS_BEFORE_NAP = 2000, NAP_NANOSECONDS = 100000 };

/* Between steps a lane may wait for data for a long time: it naps. */
static void wait_for_run(const _Atomic int64_t *started, int64_t run)
{
    uint32_t turns = 0;
    while (atomic_load_explicit(started, memory_order_acquire) < run) {
        turns++;
        if (turns < SPINS_BEFORE_YIELD)
            spin_pause();
        else if (turns < SPINS_BEFORE_YIELD + YIELDS_BEFORE_NAP)
            sched_yield();
        else
            nanosleep(&(struct timespec){.tv_nsec = NAP_NANOSECONDS}, NULL);
    }
}

static void *helper_main(void *arg)
{
    const Helper *helper = arg;
    Lanes *lanes = helper->lanes;
    for (int64_t run = 1;; run++) {
        wait_for_run(&lanes->started, run);
        if (!lanes->fn)
            return NULL;
        lanes->fn(lanes->state, helper->lane);
        atomic_fetch_add_explicit(&lanes->finished, 1, memory_order_release);
    }
}

Lanes *lanes_new(uint32_t count, Diags *diags)
{
    if (count == 0)
        count = lanes_default_count();
    if (count > LANES_MAX) {
        diag_error(diags, (Loc){0}, "%u lanes asked for; at most %d are possible", count,
                   LANES_MAX);
        return NULL;
    }
    Lanes *lanes = aligned_alloc(64, sizeof *lanes);
    if (!lanes) {
        diag_error(diags, (Loc){0}, "out of memory for lanes");
        return NULL;
    }
    *lanes = (Lanes){.count = count, .helpers = heap_alloc(count * sizeof(Helper))};
    while (lanes->helper_count + 1 < count) {
        Helper *helper = &lanes->helpers[lanes->helper_count];
        *helper = (Helper){.lanes = lanes, .lane = lanes->helper_count + 1};
        if (pthread_create(&helper->thread, NULL, helper_main, helper) != 0) {
            diag_error(diags, (Loc){0}, "cannot start thread %u of %u", helper->lane,
                       count);
            lanes_free(lanes);
            return NULL;
        }
        lanes->helper_count++;
    }
    return lanes;
}

static void announce(Lanes *lanes, LaneFn *fn, void *state)
{
    lanes->fn = fn;
    lanes->state = state;
    atomic_fetch_add_explicit(&lanes->started, 1, memory_order_release);
}

void lanes_free(Lanes *lanes)
{
    if (!lanes)
        return;
    announce(lanes, NULL, NULL);
    for (uint32_t i = 0; i < lanes->helper_count; i++)
        pthread_join(lanes->helpers[i].thread, NULL);
    free(lanes->helpers);
    free(lanes);
}

uint32_t lanes_count(const Lanes *lanes)
{
    return lanes->count;
}

uint32_t lanes_default_count(void)
{
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) != 0)
        return 1;
    int count = CPU_COUNT(&set);
    return count < 1 ? 1 : count > LANES_MAX ? LANES_MAX : (uint32_t)count;
}

void lanes_run(Lanes *lanes, LaneFn *fn, void *state)
{
    announce(lanes, fn, state);
    fn(state, 0);
    int64_t runs = atomic_load_explicit(&lanes->started, memory_order_relaxed);
    spin_until(&lanes->finished, runs * (int64_t)lanes->helper_count);
}
