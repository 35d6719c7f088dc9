/* Probes on lanes of their own, which sleep while nothing is measured. What disturbs one
 * only makes it slower, so the fastest is nearest to the peak. A round has many short
 * ones: where other programs run, too, all lanes seldom have a processor for long. */
#include "runtime/peaks/peaks.h"

#include <stdlib.h>
#include <string.h>

#include "ir/base/clock.h"
#include "ir/base/heap.h"
#include "runtime/lanes/lanes.h"
#include "runtime/lanes/spin.h"
#include "runtime/peaks/peak_units.h"

enum { PROBES = 10 }; /* in a round */

struct PeakProbe {
    Lanes *lanes;
    const PeakUnit *unit; /* at work */
    const PeakUnit *fma, *amx;
    char **memory;     /* by lane: a part for each probe of a round; NULL: none */
    size_t part_bytes; /* of a lane */
    int part;          /* at work */
    double *moved;     /* by lane, in a probe */
    double begun;      /* when all lanes had come to work */
    PeakRates rates;
    _Alignas(64) _Atomic int64_t awake; /* lanes that have */
};

/* Each lane touches its own memory first, so that it lies near. */
static void take_memory(void *state, uint32_t lane)
{
    PeakProbe *probe = state;
    size_t bytes = PROBES * probe->part_bytes;
    probe->memory[lane] = aligned_alloc(64, (bytes + 63) / 64 * 64);
    if (probe->memory[lane])
        memset(probe->memory[lane], 0, bytes);
}

PeakProbe *peak_probe_new(uint32_t lanes, Diags *diags)
{
    PeakProbe *probe = heap_lines(sizeof *probe);
    probe->lanes = lanes_new(lanes, diags);
    if (!probe->lanes) {
        free(probe);
        return NULL;
    }
    uint32_t count = lanes_count(probe->lanes);
    probe->fma = peak_fma_unit();
    probe->amx = peak_amx_unit();
    probe->memory = HEAP_ARRAY(char *, count);
    probe->moved = HEAP_ARRAY(double, count);
    probe->part_bytes = peak_memory_bytes(PROBES * count);
    probe->rates.fma_width = probe->fma->width;
    lanes_run(probe->lanes, take_memory, probe);
    return probe;
}

void peak_probe_free(PeakProbe *probe)
{
    if (!probe)
        return;
    for (uint32_t lane = 0; lane < lanes_count(probe->lanes); lane++)
        free(probe->memory[lane]);
    lanes_free(probe->lanes);
    free(probe->memory);
    free(probe->moved);
    free(probe);
}

/* Waking up takes its time, which is not to be measured. */
static void begin_together(PeakProbe *probe, uint32_t lane)
{
    atomic_fetch_add(&probe->awake, 1);
    spin_until(&probe->awake, lanes_count(probe->lanes));
    if (lane == 0)
        probe->begun = clock_seconds();
}

static double run_together(PeakProbe *probe, LaneFn *run)
{
    atomic_store(&probe->awake, 0);
    lanes_run(probe->lanes, run, probe);
    return clock_seconds() - probe->begun;
}

static void run_unit(void *state, uint32_t lane)
{
    PeakProbe *probe = state;
    begin_together(probe, lane);
    probe->unit->run(probe->unit->turns);
}

static void move_memory(void *state, uint32_t lane)
{
    PeakProbe *probe = state;
    begin_together(probe, lane);
    char *memory = probe->memory[lane];
    size_t bytes = probe->part_bytes;
    if (memory)
        probe->moved[lane] = peak_memory_run(memory + (size_t)probe->part * bytes, bytes);
}

static void raise(double *rate, double work, double seconds)
{
    if (seconds > 0 && work / seconds > *rate)
        *rate = work / seconds;
}

static void measure_unit(PeakProbe *probe, const PeakUnit *unit, double *rate)
{
    if (!unit)
        return;
    probe->unit = unit;
    double seconds = run_together(probe, run_unit);
    double lanes = (double)lanes_count(probe->lanes);
    raise(rate, lanes * unit->turn * (double)unit->turns, seconds);
}

static void measure_memory(PeakProbe *probe)
{
    double seconds = run_together(probe, move_memory), bytes = 0;
    for (uint32_t lane = 0; lane < lanes_count(probe->lanes); lane++)
        bytes += probe->moved[lane];
    raise(&probe->rates.memory, bytes, seconds);
}

void peak_probe_round(PeakProbe *probe)
{
    for (int i = 0; i < PROBES; i++)
        measure_unit(probe, probe->fma, &probe->rates.fma);
    for (int i = 0; i < PROBES; i++)
        measure_unit(probe, probe->amx, &probe->rates.amx);
    for (probe->part = 0; probe->part < PROBES; probe->part++)
        measure_memory(probe);
}

PeakRates peak_probe_rates(const PeakProbe *probe)
{
    return probe->rates;
}
