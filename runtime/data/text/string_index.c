/* Open addressing over FNV-1a hashes; at most half of the slots are in use. */
#include "runtime/data/text/string_index.h"

#include <stdlib.h>
#include <string.h>

#include "ir/base/arena.h"

typedef struct Entry {
    const char *text;
    size_t len;
    uint64_t hash;
} Entry;

struct StringIndex {
    Arena *arena; /* of the strings */
    Entry *entries;
    uint32_t *slots; /* number + 1; 0 is free */
    uint32_t count, capacity, slot_count;
};

StringIndex *string_index_new(void)
{
    StringIndex *index = heap_alloc(sizeof *index);
    *index = (StringIndex){.arena = arena_new()};
    return index;
}

void string_index_free(StringIndex *index)
{
    if (!index)
        return;
    arena_free(index->arena);
    free(index->entries);
    free(index->slots);
    free(index);
}

static uint64_t hash_bytes(const char *text, size_t len)
{
    uint64_t hash = 14695981039346656037u;
    for (size_t i = 0; i < len; i++)
        hash = (hash ^ (unsigned char)text[i]) * 1099511628211u;
    return hash;
}

/* The slot that holds the string, or the free one where it belongs. */
static uint32_t *slot_of(const StringIndex *index, const char *text, size_t len,
                         uint64_t hash)
{
    uint32_t mask = index->slot_count - 1, at = (uint32_t)(hash >> 32) & mask;
    for (;; at = (at + 1) & mask) {
        uint32_t *slot = &index->slots[at];
        if (!*slot)
            return slot;
        const Entry *entry = &index->entries[*slot - 1];
        if (entry->hash == hash && entry->len == len &&
            memcmp(entry->text, text, len) == 0)
            return slot;
    }
}

static void grow(StringIndex *index)
{
    index->capacity = index->capacity ? 2 * index->capacity : 64;
    index->entries = heap_grow(index->entries, index->capacity * sizeof *index->entries);
    index->slot_count = 2 * index->capacity;
    free(index->slots);
    index->slots = heap_alloc(index->slot_count * sizeof *index->slots);
    memset(index->slots, 0, index->slot_count * sizeof *index->slots);
    for (uint32_t i = 0; i < index->count; i++) {
        const Entry *entry = &index->entries[i];
        *slot_of(index, entry->text, entry->len, entry->hash) = i + 1;
    }
}

uint32_t string_index_add(StringIndex *index, const char *text, size_t len)
{
    if (index->count == index->capacity)
        grow(index);
    uint64_t hash = hash_bytes(text, len);
    uint32_t *slot = slot_of(index, text, len, hash);
    if (!*slot) {
        index->entries[index->count] =
            (Entry){arena_string(index->arena, text, len), len, hash};
        *slot = ++index->count;
    }
    return *slot - 1;
}

uint32_t string_index_find(const StringIndex *index, const char *text, size_t len)
{
    if (!index->slot_count)
        return STRING_ABSENT;
    uint32_t slot = *slot_of(index, text, len, hash_bytes(text, len));
    return slot ? slot - 1 : STRING_ABSENT;
}

uint32_t string_index_count(const StringIndex *index)
{
    return index->count;
}

const char *string_index_text(const StringIndex *index, uint32_t number)
{
    return index->entries[number].text;
}

size_t string_index_length(const StringIndex *index, uint32_t number)
{
    return index->entries[number].len;
}
