/* Memory from the heap, for what outgrows an arena; the caller frees it.
 *
 * Running out of memory ends the program with a message, and so does a size that does not
 * fit in size_t: no caller can do better. Nothing here returns NULL. */
#ifndef VLG_IR_BASE_HEAP_H
#define VLG_IR_BASE_HEAP_H

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include "ir/base/attributes.h"

_Noreturn void out_of_memory(size_t bytes); /* asked for */

/* The product and the sum of sizes in memory. */
size_t size_product(size_t count, size_t bytes);
size_t size_sum(size_t a, size_t b);

void *heap_alloc(size_t bytes); /* not cleared */
/* `old`, or NULL, with room for `count` elements; what is new is not cleared. */
void *heap_grow(void *old, size_t count, size_t element_bytes);
char *heap_string(const char *text); /* a copy */
char *heap_format(const char *format, ...) PRINTF_LIKE(1, 2);
char *heap_format_list(const char *format, va_list args) PRINTF_LIKE(1, 0);
/* A stream into memory: *out_text and *out_len are set, and a 0 added, by fclose. */
FILE *heap_stream(char **out_text, size_t *out_len);

void *heap_lines(size_t bytes); /* zeroed, on cache lines of its own */

/* `count` zeroed elements. */
void *heap_array(size_t count, size_t element_bytes);
#define HEAP_ARRAY(type, count) ((type *)heap_array((size_t)(count), sizeof(type)))

#endif
