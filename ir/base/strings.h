/* Distinct strings, numbered 0, 1, 2, ... in the order they were first added. Any bytes
 * may be in them; a 0 is added behind. */
#ifndef VLG_IR_BASE_STRINGS_H
#define VLG_IR_BASE_STRINGS_H

#include <stddef.h>
#include <stdint.h>

typedef struct Strings Strings;

#define STRING_ABSENT UINT32_MAX

Strings *strings_new(void);
void strings_free(Strings *strings); /* with every text; NULL is allowed */

uint32_t strings_add(Strings *strings, const char *text, size_t len);
uint32_t strings_find(const Strings *strings, const char *text, size_t len);
uint32_t strings_count(const Strings *strings);
/* These stay where they are until strings_free. */
const char *strings_text(const Strings *strings, uint32_t number);
size_t strings_length(const Strings *strings, uint32_t number);

#endif
