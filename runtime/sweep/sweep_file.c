/* Reads the tree with Jansson and walks over it: settings are objects, and what a node
 * says is put over what those above it say. */
#include "runtime/sweep/sweep_file.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "ir/base/files.h"
#include "ir/base/hash.h"
#include "ir/base/list.h"
#include "ir/base/strings.h"
#include "runtime/sweep/sweep_words.h"

enum { LARGEST_FILE = 1 << 24, MOST_ROWS = 100000, DEEPEST = 32, SLUG = 60 };

/* The objects that nodes inherit, member by member. */
#define SETTINGS SETTING(label) SETTING(set) SETTING(compile) SETTING(train)

static const char *const node_members[] = {
#define SETTING(name) #name,
    SETTINGS
#undef SETTING
    "model",
    "rows", "grid"};
static const char *const top_members[] = {"about", "scale"};

enum {
    NODE_MEMBERS = sizeof node_members / sizeof *node_members,
    TOP_MEMBERS = sizeof top_members / sizeof *top_members,
    MEMBERS = NODE_MEMBERS + TOP_MEMBERS,
};

typedef struct NodeSettings {
#define SETTING(name) json_t *name;
    SETTINGS
#undef SETTING
    const char *model;
    int depth;
} NodeSettings;

/* -- what a node says ---------------------------------------------------------------- */

static bool check_members(const SweepReader *reader, json_t *node, const JsonPath *path)
{
    const char *known[MEMBERS], *name;
    memcpy(known, node_members, sizeof node_members);
    memcpy(known + NODE_MEMBERS, top_members, sizeof top_members);
    size_t count = path ? NODE_MEMBERS : MEMBERS;
    json_t *value;
    json_object_foreach(node, name, value)
    {
        const JsonPath at = {.up = path, .member = name};
        size_t i = 0;
        while (i < count && strcmp(known[i], name) != 0)
            i++;
        const char *near = i == count ? nearest_name(name, known, count) : NULL;
        if (near)
            return sweep_fault(reader, &at, "unknown member \"%s\"; did you mean \"%s\"?",
                               name, near);
        if (i == count)
            return sweep_fault(reader, &at,
                               "unknown member \"%s\"; expected label, model, set, "
                               "compile, train, grid or rows%s",
                               name, path ? "" : ", and here about or scale");
    }
    return true;
}

static bool check_setting(const SweepReader *reader, const char *kind, const char *name,
                          const json_t *value, const JsonPath *path)
{
    if (json_is_null(value))
        return true;
    if (strcmp(kind, "train") == 0)
        return sweep_check_train(reader, name, value, path);
    if (strcmp(kind, "compile") == 0 &&
        (strcmp(name, "set") == 0 || strcmp(name, "output") == 0))
        return sweep_fault(reader, path, "--%s is for the sweep to give%s", name,
                           *name == 's' ? ": constants are members of \"set\"" : "");
    return sweep_text(reader, value) ||
           sweep_fault(reader, path, "%s: expected a number, a text, true or false",
                       name);
}

/* What `node` has over what is inherited; null takes a member away. */
static bool put_over(const SweepReader *reader, json_t **settings, json_t *node,
                     const char *kind, const JsonPath *path)
{
    json_t *object = json_object_get(node, kind), *value;
    const JsonPath at = {.up = path, .member = kind};
    const char *name;
    *settings = json_copy(*settings);
    if (!object)
        return true;
    if (!json_is_object(object))
        return sweep_fault(reader, &at, "expected an object");
    json_object_foreach(object, name, value)
    {
        const JsonPath below = {.up = &at, .member = name};
        if (!check_setting(reader, kind, name, value, &below))
            return false;
        if (json_is_null(value))
            json_object_del(*settings, name);
        else
            json_object_set(*settings, name, value);
    }
    return true;
}

static bool take_model(const SweepReader *reader, NodeSettings *settings, json_t *node,
                       const JsonPath *path)
{
    json_t *model = json_object_get(node, "model");
    const JsonPath at = {.up = path, .member = "model"};
    if (!model)
        return true;
    if (!json_is_string(model) || json_string_length(model) == 0)
        return sweep_fault(reader, &at,
                           "expected a recipe: ./ or ../ and its path from "
                           "this file, or another path or name");
    settings->model = sweep_path(reader, sweep_text(reader, model));
    return true;
}

/* -- a row --------------------------------------------------------------------------- */

static const char *name_row(const SweepReader *reader, const SweepRow *row)
{
    const char *label, *name = NULL;
    json_t *value;
    json_object_foreach(row->labels, label, value)
    {
        const char *text = json_string_value(value);
        name = name ? arena_format(reader->sweep->arena, "%s, %s", name, text) : text;
    }
    const char *slash = strrchr(row->model, '/');
    return name ? name : slash ? slash + 1 : row->model;
}

static uint64_t hash_text(uint64_t hash, const char *text)
{
    return hash_bytes(hash, text, strlen(text) + 1);
}

static uint64_t hash_words(uint64_t hash, const TextList *words)
{
    for (uint32_t i = 0; i < words->count; i++)
        hash = hash_text(hash, words->items[i]);
    return hash_word(hash, words->count);
}

/* Letters and digits of its name, and a hash of all that decides what it computes. */
static const char *identify_row(const SweepReader *reader, const SweepRow *row)
{
    char slug[SLUG + 1];
    size_t len = 0;
    for (const char *at = row->name; *at && len < SLUG; at++)
        if (isalnum((unsigned char)*at))
            slug[len++] = *at;
        else if (len > 0 && slug[len - 1] != '_')
            slug[len++] = '_';
    slug[len] = '\0';
    char *set = json_dumps(row->set, JSON_SORT_KEYS | JSON_COMPACT);
    uint64_t hash = hash_text(hash_text(HASH_START, row->model), set ? set : "");
    hash = hash_words(hash_words(hash, &row->compile), &row->train);
    free(set);
    return arena_format(reader->sweep->arena, "%s-%08" PRIx32, slug,
                        (uint32_t)(hash ^ hash >> 32));
}

/* Numbers become texts, as the programs take them and pages show them. */
static void make_texts(const SweepReader *reader, json_t *object)
{
    const char *name;
    json_t *value;
    void *next;
    json_object_foreach_safe(object, next, name, value)
        json_object_set_new(object, name, json_string(sweep_text(reader, value)));
}

/* Fewer steps than a row has by itself are left as they are: a row of none trains
 * nothing. */
static void bound_steps(const SweepReader *reader, json_t *train)
{
    int64_t most = reader->options->most_steps;
    const json_t *steps = json_object_get(train, "steps");
    if (most != COUNT_NOT_GIVEN && !(steps && json_integer_value(steps) < most))
        json_object_set_new(train, "steps", json_integer(most));
}

static bool add_row(SweepReader *reader, const NodeSettings *settings,
                    const JsonPath *path)
{
    SweepFile *sweep = reader->sweep;
    if (!settings->model)
        return sweep_fault(reader, path, "the row has no \"model\"");
    if (sweep->count == MOST_ROWS)
        return sweep_fault(reader, path, "more than %d rows", MOST_ROWS);
    SweepRow row = {.number = sweep->count + 1,
                    .model = settings->model,
                    .labels = json_deep_copy(settings->label),
                    .set = json_deep_copy(settings->set)};
    json_object_update(row.set, reader->set);
    json_object_update(settings->compile, reader->compile);
    json_object_update(settings->train, reader->train);
    make_texts(reader, row.labels);
    make_texts(reader, row.set);
    row.compile = sweep_compile_words(reader, settings->compile);
    bound_steps(reader, settings->train);
    sweep_train_words(reader, settings->train, &row);
    row.name = name_row(reader, &row);
    row.id = identify_row(reader, &row);
    LIST_ROOM(sweep->rows, sweep->count + 1, reader->row_capacity);
    sweep->rows[sweep->count++] = row;
    return true;
}

/* -- the tree ------------------------------------------------------------------------ */

static bool walk(SweepReader *reader, const NodeSettings *above, json_t *node,
                 const JsonPath *path);

static bool walk_rows(SweepReader *reader, const NodeSettings *settings, json_t *node,
                      const JsonPath *path)
{
    json_t *rows = json_object_get(node, "rows"), *row;
    const JsonPath at = {.up = path, .member = "rows"};
    size_t i;
    if (!rows)
        return add_row(reader, settings, path);
    if (!json_is_array(rows) || json_array_size(rows) == 0)
        return sweep_fault(reader, &at, "expected an array of rows");
    json_array_foreach(rows, i, row)
    {
        const JsonPath below = {.up = &at, .index = i};
        if (!walk(reader, settings, row, &below))
            return false;
    }
    return true;
}

/* All values of the constant from `iterator` on, the last constant the fastest. */
static bool walk_grid(SweepReader *reader, const NodeSettings *settings, json_t *node,
                      json_t *grid, void *iterator, const JsonPath *path)
{
    if (!iterator)
        return walk_rows(reader, settings, node, path);
    const JsonPath at = {.up = path, .member = "grid"},
                   constant = {.up = &at, .member = json_object_iter_key(iterator)};
    json_t *values = json_object_iter_value(iterator), *value;
    size_t i;
    if (!json_is_array(values) || json_array_size(values) == 0)
        return sweep_fault(reader, &constant, "%s: expected an array of values",
                           constant.member);
    json_array_foreach(values, i, value)
    {
        const JsonPath below = {.up = &constant, .index = i};
        if (!sweep_text(reader, value))
            return sweep_fault(reader, &below,
                               "%s: expected a number, a text, true or false",
                               constant.member);
        json_object_set(settings->set, constant.member, value);
        json_object_set(settings->label, constant.member, value);
        if (!walk_grid(reader, settings, node, grid,
                       json_object_iter_next(grid, iterator), path))
            return false;
    }
    return true;
}

static bool walk(SweepReader *reader, const NodeSettings *above, json_t *node,
                 const JsonPath *path)
{
    json_t *grid = json_object_get(node, "grid");
    const JsonPath at = {.up = path, .member = "grid"};
    if (!json_is_object(node) || above->depth == DEEPEST)
        return sweep_fault(reader, path,
                           json_is_object(node) ? "rows below rows are too deep"
                                                : "expected an object");
    NodeSettings settings = *above;
    settings.depth++;
    bool ok = check_members(reader, node, path);
#define SETTING(name) ok = put_over(reader, &settings.name, node, #name, path) && ok;
    SETTINGS
#undef SETTING
    ok = ok && take_model(reader, &settings, node, path);
    if (ok && grid && !json_is_object(grid))
        ok = sweep_fault(reader, &at, "expected an object of constants");
    ok = ok && walk_grid(reader, &settings, node, grid, json_object_iter(grid), path);
#define SETTING(name) json_decref(settings.name);
    SETTINGS
#undef SETTING
    return ok;
}

/* -- the file ------------------------------------------------------------------------ */

static bool check_top(SweepReader *reader, json_t *top)
{
    const JsonPath about_at = {.member = "about"}, scale_at = {.member = "scale"};
    json_t *about = json_object_get(top, "about"), *scale = json_object_get(top, "scale"),
           *value;
    const char *task;
    if (about && !json_is_string(about))
        return sweep_fault(reader, &about_at, "expected a text");
    if (scale && !json_is_object(scale))
        return sweep_fault(reader, &scale_at, "expected an object of numbers");
    json_object_foreach(scale, task, value)
    {
        const JsonPath at = {.up = &scale_at, .member = task};
        if (!json_is_number(value))
            return sweep_fault(reader, &at, "%s: expected a number", task);
    }
    reader->sweep->about = about ? sweep_text(reader, about) : NULL;
    reader->sweep->scale = json_incref(scale);
    return true;
}

/* Two rows of the same settings would be one directory. */
static bool check_distinct(const SweepReader *reader)
{
    Strings *ids = strings_new();
    const SweepFile *sweep = reader->sweep;
    bool ok = true;
    for (uint32_t i = 0; ok && i < sweep->count; i++) {
        const char *id = sweep->rows[i].id;
        uint32_t number = strings_add(ids, id, strlen(id));
        ok = number == i;
        if (!ok)
            diag_error(reader->diags, (Loc){.file = reader->path},
                       "rows %" PRIu32 " and %" PRIu32 " are the same: %s", number + 1,
                       i + 1, sweep->rows[i].name);
    }
    strings_free(ids);
    return ok;
}

static bool read_tree(SweepReader *reader, json_t *top)
{
    NodeSettings settings = {0};
#define SETTING(name) settings.name = json_object();
    SETTINGS
#undef SETTING
    bool ok = sweep_take_options(reader) && check_top(reader, top) &&
              walk(reader, &settings, top, NULL) && check_distinct(reader);
    json_decref(reader->set);
    json_decref(reader->compile);
    json_decref(reader->train);
#define SETTING(name) json_decref(settings.name);
    SETTINGS
#undef SETTING
    return ok;
}

static json_t *parse(const SweepReader *reader, size_t len)
{
    json_error_t error;
    json_t *top = json_loadb(reader->text, len, JSON_REJECT_DUPLICATES, &error);
    if (!top)
        diag_error(reader->diags,
                   (Loc){.file = reader->path,
                         .line = error.line > 0 ? (uint32_t)error.line : 0,
                         .column = error.column > 0 ? (uint32_t)error.column : 0},
                   "%s", error.text);
    return top;
}

bool sweep_read(SweepFile *out, const char *path, const SweepOptions *options,
                Diags *diags)
{
    *out = (SweepFile){.arena = arena_new()};
    size_t len;
    char *text = file_read(path, LARGEST_FILE, &len, diags);
    if (!text)
        return false;
    const char *slash = strrchr(path, '/');
    SweepReader reader = {
        .sweep = out,
        .path = arena_string(out->arena, path, strlen(path)),
        .text = text,
        .folder = slash ? arena_string(out->arena, path, (size_t)(slash - path) + 1) : "",
        .options = options,
        .diags = diags};
    diags_add_source(diags, reader.path, text, len);
    json_t *top = parse(&reader, len);
    bool ok = top && read_tree(&reader, top);
    json_decref(top);
    free(text);
    return ok;
}

void sweep_free(SweepFile *sweep)
{
    for (uint32_t i = 0; i < sweep->count; i++) {
        json_decref(sweep->rows[i].labels);
        json_decref(sweep->rows[i].set);
    }
    free(sweep->rows);
    json_decref(sweep->scale);
    arena_free(sweep->arena);
    *sweep = (SweepFile){0};
}
