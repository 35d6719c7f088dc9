/* Ranges of memory given out and taken back. */
#include "passes/free_ranges.h"

#include <stdbool.h>
#include <string.h>

int64_t free_take(FreeRanges *free, int64_t bytes, FitRule fit)
{
    uint32_t best = free->count;
    for (uint32_t i = 0; i < free->count; i++) {
        int64_t room = free->ranges[i].end - free->ranges[i].offset;
        if (room < bytes || (best < free->count &&
                             room >= free->ranges[best].end - free->ranges[best].offset))
            continue;
        best = i;
        if (fit == FIT_lowest)
            break;
    }
    if (best == free->count) {
        /* A last range that ends at the top is lengthened. */
        bool ends_at_top = best > 0 && free->ranges[best - 1].end == free->top;
        int64_t offset = ends_at_top ? free->ranges[best - 1].offset : free->top;
        free->count -= ends_at_top;
        free->top = offset + bytes;
        return offset;
    }
    FreeRange *range = &free->ranges[best];
    int64_t offset = range->offset;
    range->offset += bytes;
    if (range->offset == range->end)
        memmove(range, range + 1, (--free->count - best) * sizeof *range);
    return offset;
}

void free_give_back(FreeRanges *free, int64_t offset, int64_t end)
{
    uint32_t low = 0, high = free->count;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (free->ranges[middle].offset < offset)
            low = middle + 1;
        else
            high = middle;
    }
    FreeRange *after = free->ranges + low, *before = after - 1;
    bool joins_before = low > 0 && before->end == offset;
    bool joins_after = low < free->count && after->offset == end;
    if (joins_before && joins_after) {
        before->end = after->end;
        memmove(after, after + 1, (--free->count - low) * sizeof *after);
    } else if (joins_before) {
        before->end = end;
    } else if (joins_after) {
        after->offset = offset;
    } else {
        memmove(after + 1, after, (free->count++ - low) * sizeof *after);
        *after = (FreeRange){.offset = offset, .end = end};
    }
}
