/* Open addressing with linear probing; at most three quarters of the slots are in use. */
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

static void grow(Map *map)
{
    const Map old = *map;
    map->slot_count = old.slot_count ? size_product(2, old.slot_count) : FIRST_SLOTS;
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

void map_add(Map *map, uint64_t hash, uint32_t number)
{
    if (4 * (map->used + 1) > 3 * map->slot_count)
        grow(map);
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
