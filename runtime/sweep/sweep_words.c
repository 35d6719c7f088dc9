/* Options of programs as the file of a sweep gives them. */
#include "runtime/sweep/sweep_words.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ir/base/heap.h"

enum { DIGITS = 15 };

/* What the sweep itself says to vlrun train. */
static const char *const own[] = {"out", "resume", "overwrite"};

bool sweep_fault(const SweepReader *reader, const JsonPath *path, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *text = heap_format_list(format, args);
    va_end(args);
    diag_error(reader->diags, json_place(reader->path, reader->text, path), "%s", text);
    free(text);
    return false;
}

const char *sweep_path(const SweepReader *reader, const char *text)
{
    bool is_beside = strncmp(text, "./", 2) == 0 || strncmp(text, "../", 3) == 0;
    return is_beside ? arena_format(reader->sweep->arena, "%s%s", reader->folder, text)
                     : text;
}

const char *sweep_text(const SweepReader *reader, const json_t *value)
{
    Arena *arena = reader->sweep->arena;
    if (json_is_string(value))
        return arena_string(arena, json_string_value(value), json_string_length(value));
    if (json_is_integer(value))
        return arena_format(arena, "%" PRId64, (int64_t)json_integer_value(value));
    if (json_is_real(value))
        return arena_format(arena, "%.*g", DIGITS, json_real_value(value));
    if (json_is_boolean(value))
        return json_is_true(value) ? "1" : "0";
    return NULL;
}

/* -- vlrun train --------------------------------------------------------------------- */

static const Option *find_option(const Command *command, const char *name)
{
    for (uint32_t i = 0; i < command->option_count; i++)
        if (strcmp(command->options[i].name + strlen("--"), name) == 0)
            return &command->options[i];
    return NULL;
}

static bool unknown_option(const SweepReader *reader, const char *name,
                           const JsonPath *path)
{
    const Command *command = reader->options->train;
    const char **names =
        ARENA_ARRAY(reader->sweep->arena, const char *, command->option_count);
    for (uint32_t i = 0; i < command->option_count; i++)
        names[i] = command->options[i].name + strlen("--");
    const char *near = nearest_name(name, names, command->option_count);
    if (near)
        return sweep_fault(reader, path,
                           "vlrun train has no option '--%s'; did you mean '%s'?", name,
                           near);
    return sweep_fault(
        reader, path, "vlrun train has no option '--%s'; 'vlrun train --help' lists them",
        name);
}

static bool fits(const Option *option, const json_t *value)
{
    switch (option->kind) {
    case OPTION_flag:
        return json_is_boolean(value);
    case OPTION_count:
        return json_is_integer(value) && json_integer_value(value) >= option->least;
    case OPTION_number:
        return json_is_number(value) && json_number_value(value) > 0;
    case OPTION_text:
        return json_is_string(value) || json_is_number(value);
    default:
        return json_is_string(value);
    }
}

static const char *wanted(const Option *option)
{
    switch (option->kind) {
    case OPTION_flag:
        return "true or false";
    case OPTION_count:
        return "a whole number";
    case OPTION_number:
        return "a number above 0";
    default:
        return "a text";
    }
}

bool sweep_check_train(const SweepReader *reader, const char *name, const json_t *value,
                       const JsonPath *path)
{
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        if (strcmp(own[i], name) == 0)
            return sweep_fault(reader, path, "--%s is for the sweep to give", name);
    const Option *option = find_option(reader->options->train, name);
    if (!option)
        return unknown_option(reader, name, path);
    const json_t *item = value;
    if (option->kind == OPTION_list && json_is_array(value)) {
        size_t i;
        json_array_foreach((json_t *)value, i, item)
        {
            if (!json_is_string(item))
                return sweep_fault(reader, path, "%s: expected texts", name);
        }
        return true;
    }
    return fits(option, value) ||
           sweep_fault(reader, path, "%s: expected %s", name, wanted(option));
}

/* -- options for all rows ------------------------------------------------------------ */

/* A value as JSON would have it: numbers, true and false; anything else is a text. */
static json_t *value_of(const SweepReader *reader, const char *text)
{
    json_t *value = json_loads(text, JSON_DECODE_ANY, NULL);
    if (json_is_number(value) || json_is_boolean(value))
        return value;
    json_decref(value);
    bool is_beside = strncmp(text, "./", 2) == 0 || strncmp(text, "../", 3) == 0;
    char *here = is_beside ? getcwd(NULL, 0) : NULL;
    if (here)
        text = arena_format(reader->sweep->arena, "%s/%s", here, text);
    free(here);
    return json_string(text);
}

static bool take_list(const SweepReader *reader, const TextList *list, const char *option,
                      json_t *object)
{
    for (uint32_t i = 0; i < list->count; i++) {
        const char *text = list->items[i], *equals = strchr(text, '=');
        const char *name =
            equals ? arena_string(reader->sweep->arena, text, (size_t)(equals - text))
                   : "";
        json_t *value = *name ? value_of(reader, equals + 1) : NULL;
        if (!value || json_object_set_new(object, name, value) != 0) {
            diag_error(reader->diags, (Loc){0}, "%s %s: expected NAME=VALUE, in UTF-8",
                       option, text);
            return false;
        }
    }
    return true;
}

bool sweep_take_options(SweepReader *reader)
{
    const SweepOptions *options = reader->options;
    reader->set = json_object();
    reader->compile = json_object();
    reader->train = json_object();
    bool ok = take_list(reader, &options->set, "--set", reader->set) &&
              take_list(reader, &options->compile_with, "--compile", reader->compile) &&
              take_list(reader, &options->train_with, "--train", reader->train);
    const char *name;
    json_t *value;
    json_object_foreach(reader->train, name, value) ok =
        ok && sweep_check_train(reader, name, value, NULL);
    return ok;
}

/* -- words --------------------------------------------------------------------------- */

static void add_word(const SweepReader *reader, TextList *list, size_t *capacity,
                     const char *word)
{
    if (list->count == *capacity) {
        *capacity = *capacity ? 2 * *capacity : 8;
        const char **items = ARENA_ARRAY(reader->sweep->arena, const char *, *capacity);
        for (uint32_t i = 0; i < list->count; i++)
            items[i] = list->items[i];
        list->items = items;
    }
    list->items[list->count++] = word;
}

static void add_option(const SweepReader *reader, TextList *list, size_t *capacity,
                       const char *name, const json_t *value, bool is_path)
{
    const char *option = arena_format(reader->sweep->arena, "--%s", name);
    const char *text = sweep_text(reader, value);
    if (json_is_false(value))
        return;
    add_word(reader, list, capacity, option);
    if (!json_is_true(value))
        add_word(reader, list, capacity, is_path ? sweep_path(reader, text) : text);
}

TextList sweep_compile_words(const SweepReader *reader, json_t *object)
{
    TextList list = {0};
    size_t capacity = 0;
    const char *name;
    json_t *value;
    json_object_foreach(object, name, value)
        add_option(reader, &list, &capacity, name, value, false);
    return list;
}

void sweep_train_words(const SweepReader *reader, json_t *object, SweepRow *row)
{
    size_t capacity = 0, i;
    const char *name;
    json_t *value, *item;
    json_object_foreach(object, name, value)
    {
        const Option *option = find_option(reader->options->train, name);
        bool is_path = option->kind == OPTION_path;
        if (json_is_array(value)) {
            json_array_foreach(value, i, item)
                add_option(reader, &row->train, &capacity, name, item, is_path);
            continue;
        }
        add_option(reader, &row->train, &capacity, name, value, is_path);
        if (strcmp(name, "weights") == 0)
            row->weights = row->train.items[row->train.count - 1];
        row->has_threads |= strcmp(name, "threads") == 0;
    }
}
