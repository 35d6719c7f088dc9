/* Open addressing with linear probing. */
#include "ir/base/map.h"

#include <stdlib.h>

#include "ir/base/heap.h"

enum { FIRST_SLOTS = 8 };

void map_free(Map *map)
{
    if (!map->arena)
        free(map->slots);
    *map = (Map){.arena = map->arena};
}

static size_t next_slot(const Map *map, size_t at)
{
    return (at + 1) & (map->slot_count - 1);
}

uint32_t map_find(const Map *map, uint64_t hash, MapMatch *match, const void *key)
{
    if (map->slot_count == 0)
        return MAP_ABSENT;
    for (size_t at = hash & (map->slot_count - 1);; at = next_slot(map, at)) {
        const MapSlot *slot = &map->slots[at];
        if (slot->number == MAP_ABSENT)
            return MAP_ABSENT;
        if (slot->hash == hash && (!match || match(slot->number, key)))
            return slot->number;
    }
}

static void put(Map *map, MapSlot slot)
{
    size_t at = slot.hash & (map->slot_count - 1);
    while (map->slots[at].number != MAP_ABSENT)
        at = next_slot(map, at);
    map->slots[at] = slot;
}

static void grow(Map *map, size_t slot_count)
{
    const Map old = *map;
    map->slot_count = slot_count;
    map->slots = map->arena ? ARENA_ARRAY(map->arena, MapSlot, map->slot_count)
                            : HEAP_ARRAY(MapSlot, map->slot_count);
    for (size_t i = 0; i < map->slot_count; i++)
        map->slots[i].number = MAP_ABSENT;
    for (size_t i = 0; i < old.slot_count; i++)
        if (old.slots[i].number != MAP_ABSENT)
            put(map, old.slots[i]);
    if (!map->arena)
        free(old.slots);
}

/* At most three quarters of the slots are in use. */
static bool has_room(size_t slot_count, size_t count)
{
    return size_product(4, count) <= 3 * slot_count;
}

void map_reserve(Map *map, size_t count)
{
    size_t slot_count = map->slot_count ? map->slot_count : FIRST_SLOTS;
    while (!has_room(slot_count, count))
        slot_count = size_product(2, slot_count);
    if (slot_count > map->slot_count)
        grow(map, slot_count);
}

void map_add(Map *map, uint64_t hash, uint32_t number)
{
    if (!has_room(map->slot_count, map->used + 1))
        map_reserve(map, map->used + 1);
    put(map, (MapSlot){hash, number});
    map->used++;
}

/* No two words have the same hash: xor, odd factor and shift can all be undone. */
static uint64_t word_hash(uint64_t key)
{
    return hash_word(HASH_START, key);
}

uint32_t map_find_word(const Map *map, uint64_t key)
{
    return map_find(map, word_hash(key), NULL, NULL);
}

void map_add_word(Map *map, uint64_t key, uint32_t number)
{
    map_add(map, word_hash(key), number);
}
