/* Lists that double: items, how many there are, and how many there is room for.
 *
 *     Thing *things; size_t thing_capacity; ...
 *     LIST_ROOM(things, count + 1, thing_capacity);
 *     things[count++] = thing;
 *
 * All three start as zero. A heap list is freed by free(items). Where a list in an arena
 * grows, the old items stay behind. New room is not cleared. */
#ifndef VLG_IR_BASE_LIST_H
#define VLG_IR_BASE_LIST_H

#include "ir/base/arena.h"

/* Room for `count` items in all. */
#define LIST_ROOM(items, count, capacity)                                                \
    ((items) = list_room((items), (count), &(capacity), sizeof *(items)))
#define ARENA_LIST_ROOM(arena, items, count, capacity)                                   \
    ((items) = arena_list_room((arena), (items), (count), &(capacity), sizeof *(items)))

NODISCARD void *list_room(void *items, size_t count, size_t *capacity, size_t item_bytes);
NODISCARD void *arena_list_room(Arena *arena, void *items, size_t count, size_t *capacity,
                                size_t item_bytes);

#endif
