/* The one map: from keys to numbers.
 *
 * A map holds no keys, only their hashes, and with each the number that the caller gave:
 * most often the place in a list that does hold the keys. To walk over what is in the
 * map, walk over that list; so no result depends on hashes or addresses.
 *
 * Keys that are strings have ir/base/strings.h, which holds them too. */
#ifndef VLG_IR_BASE_MAP_H
#define VLG_IR_BASE_MAP_H

#include <stdbool.h>

#include "ir/base/arena.h"
#include "ir/base/hash.h"

#define MAP_ABSENT UINT32_MAX

typedef struct MapSlot {
    uint64_t hash;
    uint32_t number; /* MAP_ABSENT: the slot is free */
} MapSlot;

/* Zeroed, or with nothing but an arena, it is empty. */
typedef struct Map {
    Arena *arena; /* where the slots are, which are left there as the map grows; NULL: on
                   * the heap, until map_free */
    MapSlot *slots;
    size_t slot_count, used; /* slot_count is 0 or a power of two */
} Map;

void map_free(Map *map); /* empties it, too */
/* Makes room for `count` keys in all, so that it need not grow step by step. */
void map_reserve(Map *map, size_t count);

/* Whether `key` is the key with that number; its hash is. */
typedef bool MapMatch(uint32_t number, const void *key);

/* The number of the key, or MAP_ABSENT. */
uint32_t map_find(const Map *map, uint64_t hash, MapMatch *match, const void *key);
/* Enters a key that is not in the map. */
void map_add(Map *map, uint64_t hash, uint32_t number);

/* The same for keys of 64 bits, such as addresses of interned names. */
uint32_t map_find_word(const Map *map, uint64_t key);
void map_add_word(Map *map, uint64_t key, uint32_t number);

#endif
