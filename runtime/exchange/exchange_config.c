/* Configurations: facts of a task as one JSON object, and a file's object against
 * them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ir/base/files.h"
#include "ir/base/heap.h"
#include "runtime/exchange/exchange_parts.h"

/* jansson fails only without memory or on text that is not UTF-8. */
static void must(int failed)
{
    if (failed) {
        fprintf(stderr, "vlgraph: out of memory\n");
        exit(1);
    }
}

/* The member's name, if the fact is one of the kind; NULL if not. */
static const char *member_of(const DataSetting *fact, const char *kind,
                             ExchangeFormat format)
{
    const char *name = exchange_name(format), *at = fact->key;
    size_t kind_len = strlen(kind), name_len = strlen(name);
    if (strncmp(at, kind, kind_len) != 0 || at[kind_len] != '.')
        return NULL;
    at += kind_len + 1;
    return strncmp(at, name, name_len) == 0 && at[name_len] == '.' ? at + name_len + 1
                                                                   : NULL;
}

/* A new reference; a text that is a star is the name, and a map, which has something for
 * all modules, nothing for one. NULL if it is no JSON. */
static json_t *value_of(const DataSetting *fact, const char *name)
{
    json_t *value = json_loads(fact->value, JSON_DECODE_ANY, NULL);
    const char *text = json_string_value(value);
    if (name && text && strcmp(text, "*") == 0) {
        json_decref(value);
        value = json_string(name);
    }
    if (name && json_is_object(value))
        json_object_clear(value);
    return value;
}

/* Sets a.b of the object; takes the value. */
static void set_member(json_t *object, const char *path, json_t *value)
{
    const char *dot = strchr(path, '.');
    if (!dot) {
        must(json_object_set_new(object, path, value));
        return;
    }
    char *outer = heap_format("%.*s", (int)(dot - path), path);
    json_t *inner = json_object_get(object, outer);
    if (!json_is_object(inner)) {
        inner = json_object();
        must(!inner || json_object_set_new(object, outer, inner));
    }
    free(outer);
    set_member(inner, dot + 1, value);
}

/* A borrowed reference, or NULL. */
static json_t *get_member(const json_t *object, const char *path)
{
    const char *dot = strchr(path, '.');
    if (!dot)
        return json_object_get(object, path);
    char *outer = heap_format("%.*s", (int)(dot - path), path);
    json_t *inner = json_object_get(object, outer);
    free(outer);
    return inner ? get_member(inner, dot + 1) : NULL;
}

json_t *exchange_config(const Task *task, ExchangeFormat format, const char *name)
{
    json_t *config = json_object();
    must(!config);
    for (uint32_t i = 0; i < task->data_count; i++) {
        const DataSetting *fact = &task->data[i];
        const char *member = member_of(fact, "exchange", format);
        if (!member)
            member = member_of(fact, "note", format);
        json_t *value = member ? value_of(fact, name) : NULL;
        if (value)
            set_member(config, member, value);
    }
    return config;
}

bool exchange_config_write(const json_t *config, ExchangeFormat format,
                           const char *directory, Diags *diags)
{
    enum { INDENT = 2 };
    char *text = json_dumps(config, JSON_INDENT(INDENT) | JSON_SORT_KEYS);
    must(!text);
    char *path = heap_format("%s/%s", directory, exchange_info(format)->config);
    char *line = heap_format("%s\n", text);
    bool ok = file_replace(path, line, strlen(line), diags);
    free(line);
    free(path);
    free(text);
    return ok;
}

/* -- against a file ------------------------------------------------------------------ */

static bool has_item(const json_t *list, const json_t *wanted)
{
    for (size_t i = 0; i < json_array_size(list); i++)
        if (json_equal(json_array_get(list, i), wanted))
            return true;
    return false;
}

/* The same items, in whatever order. */
static bool same_list(const json_t *a, const json_t *b)
{
    bool same = json_array_size(a) == json_array_size(b);
    for (size_t i = 0; same && i < json_array_size(a); i++)
        same = has_item(b, json_array_get(a, i));
    return same;
}

bool exchange_config_same(const json_t *found, const json_t *wanted)
{
    if (json_is_number(found) && json_is_number(wanted))
        return json_number_value(found) == json_number_value(wanted);
    if (json_is_array(found) && json_is_array(wanted))
        return same_list(found, wanted);
    return json_equal(found, wanted);
}

/* A pattern in place of a list of modules says nothing that the tensors' names do not. */
static bool is_pattern(const json_t *found, const json_t *wanted)
{
    return json_is_array(wanted) && json_is_string(found);
}

/* What some modules have is what all of the plan have. */
static bool same_map(json_t *found, const json_t *wanted)
{
    const json_t *value, *all = json_object_get(wanted, "*");
    const char *module;
    bool same = json_is_object(found);
    json_object_foreach(found, module, value)
    {
        same = same && (json_is_number(value) && json_is_number(all)
                            ? json_number_value(value) == json_number_value(all)
                            : json_equal(value, all));
    }
    return same;
}

static bool is_same(json_t *found, const json_t *wanted)
{
    return json_is_object(wanted) ? same_map(found, wanted)
                                  : exchange_config_same(found, wanted);
}

/* The member that a name may be a slip of; or NULL. */
static const char *near_member(const json_t *config, const char *member)
{
    const char *key, **names = HEAP_ARRAY(const char *, json_object_size(config) + 1);
    const json_t *value;
    size_t count = 0;
    json_object_foreach((json_t *)config, key, value) names[count++] = key;
    const char *near = nearest_name(member, names, count);
    free(names);
    return near;
}

static void no_member(const DataSetting *fact, const char *member, const json_t *config,
                      const char *path, Diags *diags)
{
    const char *near = near_member(config, member);
    diag_error(diags, (Loc){.file = path}, "has no \"%s\", which is %s in the plan%s%s%s",
               member, fact->value, near ? "; it has \"" : "", near ? near : "",
               near ? "\"" : "");
}

/* What is missing has the library's default, which is known of flags, not set, and of
 * maps, empty. */
static bool check_member(const DataSetting *fact, const char *member,
                         const json_t *config, const char *path, Diags *diags)
{
    json_t *found = get_member(config, member);
    json_t *wanted = value_of(fact, NULL);
    bool is_missing = !found || json_is_null(found);
    bool ok = is_missing ? json_is_false(wanted) || json_is_object(wanted)
                         : is_same(found, wanted) || is_pattern(found, wanted);
    if (!ok && is_missing) {
        no_member(fact, member, config, path, diags);
    } else if (!ok) {
        char *text = json_dumps(found, JSON_ENCODE_ANY | JSON_COMPACT);
        diag_error(diags, (Loc){.file = path}, "\"%s\" is %s, the plan's is %s", member,
                   text ? text : "?", fact->value);
        free(text);
    }
    json_decref(wanted);
    return ok;
}

/* Whether a member of that name is the plan's, or holds some that are. */
static bool is_declared(const Task *task, ExchangeFormat format, const char *name)
{
    size_t len = strlen(name);
    for (uint32_t i = 0; i < task->data_count; i++) {
        const char *member = member_of(&task->data[i], "exchange", format);
        if (!member)
            member = member_of(&task->data[i], "note", format);
        if (member && strncmp(member, name, len) == 0 &&
            (member[len] == 0 || member[len] == '.'))
            return true;
    }
    return false;
}

static bool says_nothing(const json_t *value)
{
    return json_is_null(value) || json_is_false(value) ||
           (json_is_string(value) && !json_string_length(value)) ||
           (json_is_array(value) && !json_array_size(value)) ||
           (json_is_object(value) && !json_object_size(value));
}

/* Members of which the plan knows nothing may change what the adapter computes. */
static void warn_of_unknown(const Task *task, ExchangeFormat format, const json_t *config,
                            const char *path, Diags *diags)
{
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)config, name, value)
    {
        if (says_nothing(value) || is_declared(task, format, name))
            continue;
        char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
        diag_warning(diags, (Loc){.file = path},
                     "\"%s\" is %s: not compared, as the plan knows nothing of it", name,
                     text ? text : "?");
        free(text);
    }
}

bool exchange_config_check(const Task *task, ExchangeFormat format, const json_t *config,
                           const char *path, Diags *diags)
{
    bool ok = true;
    for (uint32_t i = 0; i < task->data_count; i++) {
        const char *member = member_of(&task->data[i], "exchange", format);
        if (member)
            ok &= check_member(&task->data[i], member, config, path, diags);
    }
    if (ok)
        warn_of_unknown(task, format, config, path, diags);
    return ok;
}
