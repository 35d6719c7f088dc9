/* The probes themselves. Each runs on one lane. */
#ifndef VLG_RUNTIME_PEAKS_PEAK_UNITS_H
#define VLG_RUNTIME_PEAKS_PEAK_UNITS_H

#include <stddef.h>
#include <stdint.h>

/* Arithmetic over what lies in registers. */
typedef struct PeakUnit {
    uint32_t width; /* f32 numbers in a vector; 0: tiles */
    double turn;    /* operations in a turn of its loop */
    int64_t turns;  /* that take about a thousandth of a second */
    void (*run)(int64_t turns);
} PeakUnit;

const PeakUnit *peak_fma_unit(void); /* the widest here */
const PeakUnit *peak_amx_unit(void); /* NULL: none, or not allowed */
/* The same whether or not it is here, for who emulates it; NULL: no such architecture. */
const PeakUnit *peak_amx_tiles(void);

/* Of so many shares of memory, the bytes of each, if all together are to be more than
 * caches hold. */
size_t peak_memory_bytes(uint32_t shares);
/* a = b + s c over thirds of `memory`; bytes that were read and written. */
double peak_memory_run(void *memory, size_t bytes);

#endif
