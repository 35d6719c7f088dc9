/* Members of records as the fields of texts: {choices.0} is the first of a list,
 * {who.name} a member of a member. */
#include <stdlib.h>
#include <string.h>

#include "ir/base/heap.h"
#include "runtime/data/dataset/dataset_load.h"

/* A member by that name, or else by the part of it before a point and the rest of it. */
const json_t *record_value(const json_t *holder, const char *name)
{
    const json_t *value = json_object_get(holder, name);
    const char *point = strchr(name, '.');
    if (value)
        return value;
    if (json_is_array(holder)) {
        const char *end = name + strspn(name, "0123456789");
        bool is_index = end > name && (!*end || *end == '.');
        value = is_index ? json_array_get(holder, strtoul(name, NULL, 10)) : NULL;
        return value && *end ? record_value(value, end + 1) : value;
    }
    if (!point)
        return NULL;
    char *first = heap_format("%.*s", (int)(point - name), name);
    value = json_object_get(holder, first);
    free(first);
    return value ? record_value(value, point + 1) : NULL;
}

/* Where the text that asks for what is wrong here was written. */
bool loader_name_place(Loader *loader, const Template *text)
{
    if (text->loc.file)
        diag_note(skips_diags(loader->skips, loader->diags), text->loc,
                  "task '%s' asks for it in '%.80s'", loader->texts->task->name,
                  text->source);
    return false;
}

bool loader_missing(Loader *loader, const json_t *record, const Template *text,
                    const char *name)
{
    enum { SHOWN = 12 };
    size_t count = json_object_size(record), at = 0;
    const char **keys = heap_array(count, sizeof *keys), *list = "", *key;
    json_t *value;
    Arena *arena = arena_new();
    json_object_foreach((json_t *)(uintptr_t)record, key, value)
    {
        if (at < SHOWN)
            list = arena_format(arena, "%s%s\"%s\"", list, at ? ", " : "", key);
        keys[at++] = key;
    }
    const char *near = nearest_name(name, keys, count);
    if (near)
        loader_fault(loader, record, "has no \"%s\"; did you mean \"%s\"?", name, near);
    else
        loader_fault(loader, record, "has no \"%s\"; it has %s%s", name, list,
                     count > SHOWN ? ", ..."
                     : count       ? ""
                                   : "nothing");
    free(keys);
    arena_free(arena);
    return loader_name_place(loader, text);
}

/* Text, a number or true or false, as text; NULL and a fault if it is none. */
const char *loader_scalar(Loader *loader, const json_t *record, const char *name,
                          const json_t *value)
{
    const char *text = json_string_value(value);
    if (json_is_boolean(value))
        return json_is_true(value) ? "true" : "false";
    if (json_is_number(value))
        return loader_number(loader, value);
    if (!text)
        loader_fault(loader, record, "\"%s\" is neither text nor a number", name);
    else if (!text[strspn(text, " \t\n\v\f\r")])
        loader_fault(loader, record, "\"%s\" is empty", name);
    else
        return arena_string(loader->arena, text, json_string_length(value));
    return NULL;
}

/* The same, and of a list all of it, with commas between. */
const char *loader_as_text(Loader *loader, const json_t *record, const char *name,
                           const json_t *value)
{
    if (!json_is_array(value))
        return loader_scalar(loader, record, name, value);
    TextBuffer list = {0};
    const json_t *item;
    size_t i;
    const char *text = "";
    json_array_foreach(value, i, item)
    {
        text = loader_scalar(loader, record, name, item);
        if (!text)
            break;
        text_buffer_add(&list, ", ", i ? 2 : 0);
        text_buffer_add(&list, text, strlen(text));
    }
    bool is_empty = json_array_size(value) == 0;
    if (is_empty)
        loader_fault(loader, record, "\"%s\" is empty", name);
    text = text && !is_empty ? arena_string(loader->arena, list.bytes, list.count) : NULL;
    text_buffer_free(&list);
    return text;
}

/* The values of a text's fields; false and a fault if one is not there. */
bool loader_fields(Loader *loader, const json_t *record, const Template *text,
                   const char **out)
{
    for (uint32_t i = 0; i < text->field_count; i++) {
        const char *name = text->fields[i];
        const json_t *value = record_value(record, name);
        if (!value || json_is_null(value))
            return loader_missing(loader, record, text, name);
        out[i] = loader_as_text(loader, record, name, value);
        if (!out[i])
            return loader_name_place(loader, text);
    }
    return true;
}

const char *loader_filled(Loader *loader, const json_t *record, const Template *text)
{
    const char **values = ARENA_ARRAY(loader->arena, const char *, text->field_count);
    return loader_fields(loader, record, text, values)
               ? template_fill(text, values, loader->arena)
               : NULL;
}
