/* UTF-8 and the few character classes that texts need, the same on every system. */
#ifndef VLG_RUNTIME_DATA_TEXT_UNICODE_H
#define VLG_RUNTIME_DATA_TEXT_UNICODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { UNICODE_REPLACEMENT = 0xfffd, UTF8_MAX = 4 };

/* The code point at text[0, len), len > 0. Malformed bytes read as U+FFFD, one for each
 * longest start of a well-formed sequence, as Python's errors="replace" has it. */
uint32_t utf8_decode(const char *text, size_t len, size_t *out_bytes);
size_t utf8_encode(uint32_t code, char out[UTF8_MAX]);
bool utf8_is_valid(const char *text, size_t len);

bool unicode_is_space(uint32_t code); /* the property White_Space */
/* what Python's strip and split take: also U+001C..1F */
bool unicode_is_strip(uint32_t code);
bool unicode_is_digit(uint32_t code); /* general category Nd */
uint32_t unicode_lower(uint32_t code);

/* Take what unicode_is_strip holds for off one end of text[0, len). */
void utf8_strip_left(const char **start, size_t *len);
void utf8_strip_right(const char *start, size_t *len);

#endif
