/* Memory's rate by a = b + s c, counted as two arrays read and one written. */
#include <stdlib.h>
#include <unistd.h>

#include "runtime/peaks/peak_units.h"

/* The arrays of all lanes: half as much again as the last cache, within these bounds, and
 * at most an eighth of what memory there is. */
enum { LEAST_MIB = 128, MOST_MIB = 512 };

typedef float FourFloats __attribute__((vector_size(16)));

static size_t all_bytes(void)
{
    const size_t mib = (size_t)1 << 20;
    size_t bytes = LEAST_MIB * mib;
#if defined(_SC_LEVEL3_CACHE_SIZE)
    long cache = sysconf(_SC_LEVEL3_CACHE_SIZE);
    if (cache > 0 && (size_t)cache + (size_t)cache / 2 > bytes)
        bytes = (size_t)cache + (size_t)cache / 2;
#endif
    if (bytes > MOST_MIB * mib)
        bytes = MOST_MIB * mib;
    long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
    size_t memory = pages > 0 && page > 0 ? (size_t)pages * (size_t)page : 0;
    return memory && memory / 8 < bytes ? memory / 8 : bytes;
}

size_t peak_memory_bytes(uint32_t shares)
{
    const size_t unit = 3 * sizeof(FourFloats);
    return all_bytes() / shares / unit * unit;
}

double peak_memory_run(void *memory, size_t bytes)
{
    size_t count = bytes / 3 / sizeof(FourFloats);
    FourFloats *restrict a = memory;
    const FourFloats *restrict b = a + count, *restrict c = b + count;
    for (size_t i = 0; i < count; i++)
        a[i] = b[i] + 0.5F * c[i];
    return (double)(3 * count * sizeof(FourFloats));
}
