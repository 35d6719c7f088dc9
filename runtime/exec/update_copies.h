/* Copies that happen at once, one after another.
 *
 * All assignments of an update take place together: each variable gets what was computed
 * from the old values, even where that is the old value of another variable that is
 * assigned too. Done in order, a copy must not overwrite what a later one reads, and
 * variables that change places need one of them set aside. */
#ifndef VLG_RUNTIME_EXEC_UPDATE_COPIES_H
#define VLG_RUNTIME_EXEC_UPDATE_COPIES_H

#include <stdint.h>

#include "ir/base/arena.h"

typedef struct UpdateCopy {
    void *to;
    const void *from;
    int64_t bytes;
} UpdateCopy;

/* items[i] may be done once the first wait[i] of them are. */
typedef struct UpdateCopies {
    UpdateCopy *items;
    uint32_t *wait;
    uint32_t count;
} UpdateCopies;

/* The same effect as doing all `copies` at once, in `arena`. No two have the same `to`,
 * none has it as its `from`, and ranges are the same or apart. */
UpdateCopies update_copies_order(const UpdateCopy *copies, uint32_t count, Arena *arena);

#endif
