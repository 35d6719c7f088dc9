/* Distinct strings, numbered 0, 1, 2, ... in the order they were first added. */
#ifndef VLG_RUNTIME_DATA_TEXT_STRING_INDEX_H
#define VLG_RUNTIME_DATA_TEXT_STRING_INDEX_H

#include <stddef.h>
#include <stdint.h>

typedef struct StringIndex StringIndex;

#define STRING_ABSENT UINT32_MAX

StringIndex *string_index_new(void);
void string_index_free(StringIndex *index); /* NULL is allowed */

uint32_t string_index_add(StringIndex *index, const char *text, size_t len);
uint32_t string_index_find(const StringIndex *index, const char *text, size_t len);
uint32_t string_index_count(const StringIndex *index);
const char *string_index_text(const StringIndex *index, uint32_t number);
size_t string_index_length(const StringIndex *index, uint32_t number);

#endif
