/* Comparing config.json with the facts of a plan. Shapes of tensors tell much of what a
 * model is, but not how many heads share a width, nor that it has more layers than the
 * plan. */
#include "runtime/weights/model_config.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "ir/base/arena.h"

enum { LARGEST_CONFIG = 1 << 20 };

static const char NAME[] = "config.json", MARK[] = "config.", INDEX_END[] = ".json";

static const char *config_beside(Arena *arena, const char *path)
{
    const char *slash = strrchr(path, '/');
    int directory = slash ? (int)(slash + 1 - path) : 0;
    return arena_format(arena, "%.*s%s", directory, path, NAME);
}

/* The config.json that belongs to `path`; NULL if none can. */
static const char *config_path(Arena *arena, const char *path)
{
    struct stat status;
    if (stat(path, &status) != 0)
        return NULL;
    if (S_ISDIR(status.st_mode))
        return arena_format(arena, "%s/%s", path, NAME);
    size_t len = strlen(path), end = strlen(INDEX_END);
    if (len < end || strcmp(path + len - end, INDEX_END) != 0)
        return NULL;
    return config_beside(arena, path);
}

/* NULL without an error if there is no such file. */
static json_t *read_config(const char *path, Diags *diags)
{
    struct stat status;
    if (stat(path, &status) != 0) {
        if (errno != ENOENT)
            diag_error(diags, (Loc){.file = path}, "cannot open: %s", strerror(errno));
        return NULL;
    }
    if (!S_ISREG(status.st_mode) || status.st_size > LARGEST_CONFIG) {
        diag_error(diags, (Loc){.file = path}, "is no model configuration: %s",
                   S_ISREG(status.st_mode) ? "larger than 1 MiB" : "not a regular file");
        return NULL;
    }
    json_error_t fault;
    json_t *root = json_load_file(path, 0, &fault);
    if (!root)
        diag_error(diags, (Loc){.file = path, .line = (uint32_t)fault.line}, "%s",
                   fault.text);
    if (!root || json_is_object(root))
        return root;
    diag_error(diags, (Loc){.file = path}, "expected a JSON object");
    json_decref(root);
    return NULL;
}

static bool is_equal(const json_t *found, const char *expected)
{
    char *end;
    double number = strtod(expected, &end);
    bool is_number = end != expected && !*end;
    if (json_is_boolean(found))
        return is_number && (number != 0) == json_is_true(found);
    if (json_is_number(found))
        return is_number &&
               fabs(json_number_value(found) - number) <= 1e-9 * fabs(number);
    return json_is_string(found) && strcmp(json_string_value(found), expected) == 0;
}

/* Whether `found` is something a fact can be compared with. */
static bool is_scalar(const json_t *found)
{
    return json_is_boolean(found) || json_is_number(found) || json_is_string(found);
}

static bool check_fact(const DataSetting *fact, const json_t *config, const char *path,
                       const Task *task, Diags *diags)
{
    const char *key = fact->key + strlen(MARK);
    const json_t *found = json_object_get(config, key);
    if (!found || !is_scalar(found) || is_equal(found, fact->value))
        return true;
    char *text = json_dumps(found, JSON_ENCODE_ANY);
    diag_error(diags, (Loc){.file = path}, "'%s' is %s, the plan was compiled for %s",
               key, text ? text : "another value", fact->value);
    diag_note(diags, task->loc, "that is the fact '%s' of task '%s' and its backbone",
              fact->key, task->name);
    free(text);
    return false;
}

bool model_config_check(const Module *module, const char *path, Diags *diags)
{
    Arena *arena = arena_new();
    uint32_t errors = diags_error_count(diags);
    const char *file = config_path(arena, path);
    json_t *config = file && module->task_count ? read_config(file, diags) : NULL;
    bool ok = diags_error_count(diags) == errors;
    const Task *task = config ? &module->tasks[0] : NULL;
    for (uint32_t i = 0; task && i < task->data_count; i++)
        if (strncmp(task->data[i].key, MARK, strlen(MARK)) == 0)
            ok = check_fact(&task->data[i], config, file, task, diags) && ok;
    if (task && !ok)
        diag_note(diags, (Loc){0},
                  "to load it all the same, name its file of weights, not '%s'", path);
    json_decref(config);
    arena_free(arena);
    return ok;
}

bool model_config_kind(const char *path, char out[MODEL_CONFIG_KIND])
{
    Arena *arena = arena_new();
    Diags *diags = diags_new(NULL);
    const char *file = config_path(arena, path);
    json_t *config = read_config(file ? file : config_beside(arena, path), diags);
    const json_t *kinds = json_object_get(config, "architectures");
    const char *kind = json_string_value(json_array_get(kinds, 0));
    if (!kind)
        kind = json_string_value(json_object_get(config, "model_type"));
    if (kind)
        snprintf(out, MODEL_CONFIG_KIND, "%s", kind);
    json_decref(config);
    diags_free(diags);
    arena_free(arena);
    return kind;
}
