/* Words and numbers of expressions. */
#ifndef VLG_FRONTEND_SYNTAX_WORDS_H
#define VLG_FRONTEND_SYNTAX_WORDS_H

#include <stdbool.h>
#include <stddef.h>

#include "ir/base/attributes.h"

bool begins_name(char c);
bool continues_name(char c);
/* A letter or `_`, then letters, digits and `_ - . /`. */
bool is_bare_word(const char *text);
/* A letter or `_`, then letters, digits and `_`: of a constant or a value. */
bool is_name(const char *text);
/* Bytes of the name at `at`; of a value's, also with dots between names. */
size_t name_length(const char *at, bool dots);
/* `number` is the 0 that was read from `text`, which says another number, too small for
 * a double. */
bool number_vanished(const char *text, double number);
/* `text` is all of a finite number, sign included, and not too small for a double. */
NODISCARD bool number_parse(const char *text, double *out);

#endif
