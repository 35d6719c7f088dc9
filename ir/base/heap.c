/* malloc and its kin, with every size and every result checked. */
#include "ir/base/heap.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { CACHE_LINE = 64 };

void out_of_memory(size_t bytes)
{
    fprintf(stderr, "vlgraph: out of memory (asked for %zu bytes)\n", bytes);
    exit(1);
}

size_t size_product(size_t count, size_t bytes)
{
    size_t product;
    if (__builtin_mul_overflow(count, bytes, &product))
        out_of_memory(SIZE_MAX);
    return product;
}

size_t size_sum(size_t a, size_t b)
{
    size_t sum;
    if (__builtin_add_overflow(a, b, &sum))
        out_of_memory(SIZE_MAX);
    return sum;
}

void *heap_alloc(size_t bytes)
{
    return heap_grow(NULL, bytes, 1);
}

void *heap_grow(void *old, size_t count, size_t element_bytes)
{
    size_t bytes = size_product(count, element_bytes);
    void *memory = realloc(old, bytes ? bytes : 1);
    if (!memory)
        out_of_memory(bytes);
    return memory;
}

void *heap_array(size_t count, size_t element_bytes)
{
    size_t bytes = size_product(count, element_bytes);
    void *memory = calloc(bytes ? bytes : 1, 1);
    if (!memory)
        out_of_memory(bytes);
    return memory;
}

void *heap_lines(size_t bytes)
{
    size_t whole = size_sum(bytes, CACHE_LINE - 1) / CACHE_LINE * CACHE_LINE;
    void *memory = aligned_alloc(CACHE_LINE, whole);
    if (!memory)
        out_of_memory(bytes);
    return memset(memory, 0, whole);
}

char *heap_string(const char *text)
{
    size_t size = strlen(text) + 1;
    return memcpy(heap_alloc(size), text, size);
}

char *heap_format(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *text = heap_format_list(format, args);
    va_end(args);
    return text;
}

char *heap_format_list(const char *format, va_list args)
{
    char *text;
    if (vasprintf(&text, format, args) < 0)
        out_of_memory(strlen(format));
    return text;
}

FILE *heap_stream(char **out_text, size_t *out_len)
{
    FILE *stream = open_memstream(out_text, out_len);
    if (!stream)
        out_of_memory(BUFSIZ);
    return stream;
}
