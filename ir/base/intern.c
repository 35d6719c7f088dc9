/* Interned strings: an open-addressed table of pointers into an arena. */
#include "ir/base/intern.h"

#include <stdlib.h>
#include <string.h>

#include "ir/base/arena.h"
#include "ir/base/hash.h"

typedef struct Entry {
    const char *text;
    size_t len;
    uint64_t hash;
} Entry;

struct Interns {
    Arena *arena;
    Entry *table;
    size_t size, count; /* size is a power of two */
};

Interns *interns_new(void)
{
    Interns *interns = heap_alloc(sizeof *interns);
    interns->arena = arena_new();
    interns->size = 1024;
    interns->count = 0;
    interns->table = heap_alloc(interns->size * sizeof *interns->table);
    memset(interns->table, 0, interns->size * sizeof *interns->table);
    return interns;
}

void interns_free(Interns *interns)
{
    if (!interns)
        return;
    arena_free(interns->arena);
    free(interns->table);
    free(interns);
}

static Entry *find_entry(Entry *table, size_t size, uint64_t hash, const char *text,
                         size_t len)
{
    size_t i = (size_t)hash & (size - 1);
    while (table[i].text && (table[i].hash != hash || table[i].len != len ||
                             memcmp(table[i].text, text, len) != 0))
        i = (i + 1) & (size - 1);
    return &table[i];
}

static void grow(Interns *interns)
{
    size_t size = 2 * interns->size;
    Entry *table = heap_alloc(size * sizeof *table);
    memset(table, 0, size * sizeof *table);
    for (size_t i = 0; i < interns->size; i++) {
        const Entry *old = &interns->table[i];
        if (old->text)
            *find_entry(table, size, old->hash, old->text, old->len) = *old;
    }
    free(interns->table);
    interns->table = table;
    interns->size = size;
}

const char *intern_span(Interns *interns, const char *text, size_t len)
{
    if (2 * interns->count >= interns->size)
        grow(interns);
    uint64_t hash = hash_word(hash_bytes(HASH_START, text, len), len);
    Entry *entry = find_entry(interns->table, interns->size, hash, text, len);
    if (!entry->text) {
        *entry = (Entry){arena_string(interns->arena, text, len), len, hash};
        interns->count++;
    }
    return entry->text;
}

const char *intern(Interns *interns, const char *text)
{
    return intern_span(interns, text, strlen(text));
}
