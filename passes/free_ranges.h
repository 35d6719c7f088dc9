/* What is free of a slab that grows: an allocator for buffers that come and go. */
#ifndef VLG_PASSES_FREE_RANGES_H
#define VLG_PASSES_FREE_RANGES_H

#include <stdint.h>

typedef enum FitRule { FIT_lowest, FIT_tightest } FitRule;

typedef struct FreeRange {
    int64_t offset, end;
} FreeRange;

/* What is free below `top`: ranges that do not touch, by offset. */
typedef struct FreeRanges {
    FreeRange *ranges; /* room for one per buffer, the caller's */
    uint32_t count;
    int64_t top;
} FreeRanges;

/* The offset of a range of so many bytes; `top` rises if there is none. */
int64_t free_take(FreeRanges *free, int64_t bytes, FitRule fit);
void free_give_back(FreeRanges *free, int64_t offset, int64_t end);

#endif
