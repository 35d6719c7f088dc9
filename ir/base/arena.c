/* Arena allocation: blocks of growing size in a list, bump pointer in the newest. */
#include "ir/base/arena.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ir/base/heap.h"

typedef struct Block {
    struct Block *older;
    size_t used, size;
    _Alignas(16) unsigned char bytes[];
} Block;

struct Arena {
    Block *newest;
    size_t total;
};

enum { FIRST_BLOCK = 4096, LARGEST_STEP = 1 << 20 };

Arena *arena_new(void)
{
    Arena *arena = heap_alloc(sizeof *arena);
    *arena = (Arena){0};
    return arena;
}

void arena_free(Arena *arena)
{
    if (!arena)
        return;
    for (Block *block = arena->newest, *older; block; block = older) {
        older = block->older;
        free(block);
    }
    free(arena);
}

static Block *block_for(Arena *arena, size_t bytes)
{
    Block *block = arena->newest;
    if (block && block->size - block->used >= bytes)
        return block;
    size_t size = block ? 2 * block->size : FIRST_BLOCK;
    if (size > LARGEST_STEP)
        size = LARGEST_STEP;
    if (size < bytes)
        size = bytes;
    Block *fresh = heap_alloc(size_sum(sizeof *fresh, size));
    fresh->older = block;
    fresh->used = 0;
    fresh->size = size;
    arena->newest = fresh;
    return fresh;
}

void *arena_alloc(Arena *arena, size_t bytes)
{
    size_t padded = size_sum(bytes, 15) & ~(size_t)15;
    if (padded == 0)
        padded = 16;
    Block *block = block_for(arena, padded);
    void *memory = block->bytes + block->used;
    block->used += padded;
    arena->total += padded;
    memset(memory, 0, padded);
    return memory;
}

void *arena_array(Arena *arena, size_t count, size_t element_bytes)
{
    return arena_alloc(arena, size_product(count, element_bytes));
}

void *arena_copy(Arena *arena, const void *src, size_t bytes)
{
    void *copy = arena_alloc(arena, bytes);
    if (bytes)
        memcpy(copy, src, bytes);
    return copy;
}

char *arena_string(Arena *arena, const char *src, size_t len)
{
    char *copy = arena_alloc(arena, len + 1);
    if (len)
        memcpy(copy, src, len);
    return copy;
}

char *arena_format(Arena *arena, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    char *text = arena_alloc(arena, (size_t)(len < 0 ? 0 : len) + 1);
    vsnprintf(text, (size_t)(len < 0 ? 0 : len) + 1, format, again);
    va_end(again);
    return text;
}

size_t arena_bytes(const Arena *arena)
{
    return arena->total;
}
