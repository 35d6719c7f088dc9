/* Offset assignment: buffers that live together get disjoint ranges of one slab.
 * Independent of graphs. */
#ifndef VLG_PASSES_OFFSETS_H
#define VLG_PASSES_OFFSETS_H

#include <stdint.h>

typedef struct Buffer {
    int32_t first, last; /* lives in the steps first..last, both included */
    int64_t bytes;       /* more than 0 */
} Buffer;

/* The most bytes live in one step: no assignment can need less. */
int64_t offsets_bound(const Buffer *buffers, uint32_t count);

/* The best of a few cheap assignments, for comparing orders of steps. Returns the slab's
 * size. */
int64_t offsets_quick(const Buffer *buffers, uint32_t count, int64_t *out_offsets);

/* The best of several assignments, improved by search while the size is above the bound
 * and fewer than `effort` placed buffers have been looked at. Deterministic. Names the
 * method that won in `out_method` (static string), which may be NULL. */
int64_t offsets_assign(const Buffer *buffers, uint32_t count, uint64_t effort,
                       int64_t *out_offsets, const char **out_method);

#endif
