/* Lists that double. */
#include "runtime/data/text/lists.h"

#include <stdlib.h>
#include <string.h>

#include "ir/base/arena.h"
#include "ir/base/heap.h"
#include "ir/base/list.h"
#include "runtime/data/text/unicode.h"

void token_list_add(TokenList *list, int32_t id)
{
    LIST_ROOM(list->ids, list->count + 1, list->capacity);
    list->ids[list->count++] = id;
}

void token_list_free(TokenList *list)
{
    free(list->ids);
    *list = (TokenList){0};
}

void text_buffer_add(TextBuffer *text, const char *bytes, size_t count)
{
    if (!count)
        return;
    LIST_ROOM(text->bytes, size_sum(text->count, count), text->capacity);
    memcpy(text->bytes + text->count, bytes, count);
    text->count += count;
}

void text_buffer_add_code(TextBuffer *text, uint32_t code)
{
    char bytes[UTF8_MAX];
    text_buffer_add(text, bytes, utf8_encode(code, bytes));
}

void text_buffer_free(TextBuffer *text)
{
    free(text->bytes);
    *text = (TextBuffer){0};
}
