/* A list of strings in an arena, and a map to their places. */
#include "ir/base/strings.h"

#include <stdlib.h>
#include <string.h>

#include "ir/base/heap.h"
#include "ir/base/list.h"
#include "ir/base/map.h"

typedef struct Span {
    const char *text;
    size_t len;
} Span;

struct Strings {
    Arena *arena;
    Span *spans;
    uint32_t count;
    size_t capacity;
    Map map;
};

typedef struct SpanKey {
    const Strings *strings;
    Span span;
} SpanKey;

Strings *strings_new(void)
{
    Strings *strings = HEAP_ARRAY(Strings, 1);
    strings->arena = arena_new();
    return strings;
}

void strings_free(Strings *strings)
{
    if (!strings)
        return;
    arena_free(strings->arena);
    free(strings->spans);
    map_free(&strings->map);
    free(strings);
}

static bool is_span(uint32_t number, const void *context)
{
    const SpanKey *key = context;
    const Span *known = &key->strings->spans[number];
    return known->len == key->span.len &&
           memcmp(known->text, key->span.text, known->len) == 0;
}

static uint32_t find(const Strings *strings, uint64_t hash, Span span)
{
    return map_find(&strings->map, hash, is_span, &(SpanKey){strings, span});
}

uint32_t strings_add(Strings *strings, const char *text, size_t len)
{
    uint64_t hash = hash_secret(text, len);
    uint32_t known = find(strings, hash, (Span){text, len});
    if (known != STRING_ABSENT)
        return known;
    if (strings->count == STRING_ABSENT)
        out_of_memory(SIZE_MAX);
    LIST_ROOM(strings->spans, (size_t)strings->count + 1, strings->capacity);
    strings->spans[strings->count] = (Span){arena_string(strings->arena, text, len), len};
    map_add(&strings->map, hash, strings->count);
    return strings->count++;
}

uint32_t strings_find(const Strings *strings, const char *text, size_t len)
{
    return find(strings, hash_secret(text, len), (Span){text, len});
}

uint32_t strings_count(const Strings *strings)
{
    return strings->count;
}

const char *strings_text(const Strings *strings, uint32_t number)
{
    return strings->spans[number].text;
}

size_t strings_length(const Strings *strings, uint32_t number)
{
    return strings->spans[number].len;
}
