/* What this processor and its memory do at most, measured by small probes: what the rates
 * of a profile are compared with, in the same run and on as many lanes, since a shared
 * machine is not as fast at all times. */
#ifndef VLG_RUNTIME_PEAKS_PEAKS_H
#define VLG_RUNTIME_PEAKS_PEAKS_H

#include "ir/base/diag.h"

/* Of all lanes together, a second. A product and a sum are two operations. */
typedef struct PeakRates {
    double fma;         /* operations on f32 in the widest vectors, from registers */
    uint32_t fma_width; /* numbers in such a vector */
    double amx;         /* operations of AMX on tiles of bf16; 0: this processor has none,
                           or the system does not allow them */
    double memory;      /* bytes of a = b + s c, over more than the caches hold; 0: there
                           is no memory for the arrays */
} PeakRates;

typedef struct PeakProbe PeakProbe;

/* Probes for so many lanes, 0: one per processor. NULL and an error if the threads cannot
 * be had. */
PeakProbe *peak_probe_new(uint32_t lanes, Diags *diags);
void peak_probe_free(PeakProbe *probe); /* NULL is allowed */

/* Measures all once more, in some hundredths of a second. */
void peak_probe_round(PeakProbe *probe);
/* The largest of the rounds so far; all 0 before the first. */
PeakRates peak_probe_rates(const PeakProbe *probe);

#endif
