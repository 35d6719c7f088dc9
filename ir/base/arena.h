/* Many allocations, one free.
 *
 * Memory from an arena is zeroed, aligned to 16 bytes and lives until arena_free.
 * Running out of memory ends the program with a message: no caller can do better. */
#ifndef VLG_IR_BASE_ARENA_H
#define VLG_IR_BASE_ARENA_H

#include <stdarg.h>
#include <stddef.h>

#include "ir/base/attributes.h"

typedef struct Arena Arena;

Arena *arena_new(void);
void arena_free(Arena *arena); /* NULL is allowed */

void *arena_alloc(Arena *arena, size_t bytes);
void *arena_copy(Arena *arena, const void *src, size_t bytes);
char *arena_string(Arena *arena, const char *src, size_t len); /* adds the final 0 */
char *arena_format(Arena *arena, const char *format, ...) PRINTF_LIKE(2, 3);
size_t arena_bytes(const Arena *arena); /* handed out so far */

/* An array of `count` zeroed elements; stops the program if the size overflows. */
void *arena_array(Arena *arena, size_t count, size_t element_bytes);
#define ARENA_ARRAY(arena, type, count)                                                  \
    ((type *)arena_array((arena), (size_t)(count), sizeof(type)))

#endif
