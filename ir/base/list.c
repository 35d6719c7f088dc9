/* Growth by doubling, so that adding n items copies at most 2 n. */
#include "ir/base/list.h"

#include <string.h>

#include "ir/base/heap.h"

enum { FIRST_CAPACITY = 8 };

static size_t doubled(size_t capacity, size_t count)
{
    if (capacity == 0)
        capacity = FIRST_CAPACITY;
    while (capacity < count)
        capacity = size_product(2, capacity);
    return capacity;
}

void *list_room(void *items, size_t count, size_t *capacity, size_t item_bytes)
{
    if (count <= *capacity)
        return items;
    *capacity = doubled(*capacity, count);
    return heap_grow(items, *capacity, item_bytes);
}

void *arena_list_room(Arena *arena, void *items, size_t count, size_t *capacity,
                      size_t item_bytes)
{
    if (count <= *capacity)
        return items;
    size_t had = *capacity;
    *capacity = doubled(had, count);
    void *larger = arena_array(arena, *capacity, item_bytes);
    if (had)
        memcpy(larger, items, had * item_bytes);
    return larger;
}
