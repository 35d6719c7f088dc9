/* A run is announced by raising `started`, and over when `finished` has counted every
 * helper: two counters that only grow, so nothing has to be reset between runs. Helpers
 * that have waited for long sleep, and are woken by the next announcement. */
#include "runtime/lanes/lanes.h"

#include <pthread.h>
#include <stdlib.h>

#include "ir/base/arena.h"
#include "ir/base/heap.h"
#include "runtime/lanes/spin.h"

typedef struct Helper {
    Lanes *lanes;
    uint32_t lane;
    pthread_t thread;
} Helper;

struct Lanes {
    _Alignas(64) _Atomic int64_t started;  /* runs announced */
    _Alignas(64) _Atomic int64_t finished; /* helpers' returns, over all runs */
    _Alignas(64) _Atomic uint32_t sleepers;
    pthread_mutex_t lock; /* of those that sleep */
    pthread_cond_t woken;
    LaneFn *fn; /* NULL ends the helpers */
    void *state;
    uint32_t count;
    uint32_t helper_count; /* threads that exist; lane 0 is the caller */
    Helper *helpers;
};

static bool is_announced(Lanes *lanes, int64_t run)
{
    return atomic_load_explicit(&lanes->started, memory_order_acquire) >= run;
}

/* The thread that starts a run looks for sleepers after it has raised `started`, and a
 * sleeper counts itself before it looks at `started`: one of the two sees the other. */
static void sleep_until(Lanes *lanes, int64_t run)
{
    pthread_mutex_lock(&lanes->lock);
    atomic_fetch_add(&lanes->sleepers, 1);
    while (atomic_load(&lanes->started) < run)
        pthread_cond_wait(&lanes->woken, &lanes->lock);
    atomic_fetch_sub(&lanes->sleepers, 1);
    pthread_mutex_unlock(&lanes->lock);
}

/* Between steps a lane may wait for data for a long time: then it sleeps. */
static void wait_for_run(Lanes *lanes, int64_t run)
{
    for (uint32_t turn = 0; turn < SPINS_BEFORE_YIELD + YIELDS_BEFORE_SLEEP; turn++) {
        if (is_announced(lanes, run))
            return;
        if (turn < SPINS_BEFORE_YIELD)
            spin_pause();
        else
            sched_yield();
    }
    sleep_until(lanes, run);
}

static void *helper_main(void *arg)
{
    const Helper *helper = arg;
    Lanes *lanes = helper->lanes;
    for (int64_t run = 1;; run++) {
        wait_for_run(lanes, run);
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
    Lanes *lanes = heap_lines(sizeof *lanes);
    *lanes = (Lanes){.count = count, .helpers = heap_array(count, sizeof(Helper))};
    pthread_mutex_init(&lanes->lock, NULL);
    pthread_cond_init(&lanes->woken, NULL);
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
    atomic_fetch_add(&lanes->started, 1);
    if (atomic_load(&lanes->sleepers) == 0)
        return;
    pthread_mutex_lock(&lanes->lock);
    pthread_cond_broadcast(&lanes->woken);
    pthread_mutex_unlock(&lanes->lock);
}

void lanes_free(Lanes *lanes)
{
    if (!lanes)
        return;
    announce(lanes, NULL, NULL);
    for (uint32_t i = 0; i < lanes->helper_count; i++)
        pthread_join(lanes->helpers[i].thread, NULL);
    pthread_cond_destroy(&lanes->woken);
    pthread_mutex_destroy(&lanes->lock);
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
