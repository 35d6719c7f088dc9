/* Growing lists of token ids and of bytes. A zeroed list is empty; the caller frees the
 * memory with token_list_free and text_buffer_free, and may empty and reuse a list by
 * count = 0. */
#ifndef VLG_RUNTIME_DATA_TEXT_LISTS_H
#define VLG_RUNTIME_DATA_TEXT_LISTS_H

#include <stddef.h>
#include <stdint.h>

typedef struct TokenList {
    int32_t *ids;
    size_t count, capacity;
} TokenList;

typedef struct TextBuffer {
    char *bytes; /* not ended by 0 */
    size_t count, capacity;
} TextBuffer;

void token_list_add(TokenList *list, int32_t id);
void token_list_free(TokenList *list);
void text_buffer_add(TextBuffer *text, const char *bytes, size_t count);
void text_buffer_add_code(TextBuffer *text, uint32_t code); /* as UTF-8 */
void text_buffer_free(TextBuffer *text);

#endif
