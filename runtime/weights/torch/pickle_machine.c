/* The machine: a stack, marks in it, and a memo. */
#include "runtime/weights/torch/pickle_machine.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "ir/base/heap.h"
#include "ir/base/list.h"

bool pickle_fault(Pickle *pickle, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *text = heap_format_list(format, args);
    va_end(args);
    diag_error(pickle->diags, (Loc){.file = pickle->source->path}, "%s, byte %td: %s",
               pickle->source->name, pickle->op - pickle->source->bytes, text);
    free(text);
    return false;
}

PickleValue *pickle_value(Pickle *pickle, PickleKind kind)
{
    PickleValue *value = arena_alloc(pickle->source->arena, sizeof *value);
    value->kind = kind;
    return value;
}

bool pickle_push(Pickle *pickle, PickleValue *value)
{
    if (!value)
        return false;
    LIST_ROOM(pickle->stack, pickle->depth + 1, pickle->stack_capacity);
    pickle->stack[pickle->depth++] = value;
    return true;
}

PickleValue *pickle_pop(Pickle *pickle)
{
    size_t floor = pickle->mark_count ? pickle->marks[pickle->mark_count - 1] : 0;
    if (pickle->depth > floor)
        return pickle->stack[--pickle->depth];
    (void)pickle_fault(pickle, "takes from an empty stack");
    return NULL;
}

void pickle_append(Pickle *pickle, PickleValue *list, PickleValue *const *items,
                   size_t count)
{
    ARENA_LIST_ROOM(pickle->source->arena, list->items, list->count + count,
                    list->capacity);
    if (count)
        memcpy(list->items + list->count, items, count * sizeof(PickleValue *));
    list->count += count;
}
