/* run.json, by the rows of run_record.def, with Jansson. */
#include "runtime/run/run_record.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "ir/base/clock.h"
#include "ir/base/files.h"
#include "ir/base/hash.h"
#include "ir/base/heap.h"
#include "runtime/exec/blas.h"

static const char FORMAT[] = "vlgraph run 1";

enum { LARGEST = 1 << 24, HASH_TEXT = 17, NAME_TEXT = 256 };

/* -- writing ----------------------------------------------------------------------- */

static json_t *put_text(record_text value)
{
    return value ? json_string(value) : json_null();
}

static json_t *put_gemm(record_gemm value)
{
    return put_text(value);
}

static json_t *put_flag(record_flag value)
{
    return json_boolean(value);
}

static json_t *put_count(record_count value)
{
    return json_integer(value);
}

static json_t *put_later_text(record_text value)
{
    return put_text(value);
}

static json_t *put_later_flag(record_flag value)
{
    return put_flag(value);
}

static json_t *put_later_count(record_count value)
{
    return put_count(value);
}

static json_t *put_hash(record_hash value)
{
    char text[HASH_TEXT];
    snprintf(text, sizeof text, "%016" PRIx64, value);
    return json_string(text);
}

static json_t *put_sets(record_sets sets)
{
    json_t *object = json_object();
    for (uint32_t i = 0; i < sets.count; i++) {
        const char *equals = strchr(sets.items[i], '=');
        json_object_setn_new(object, sets.items[i], (size_t)(equals - sets.items[i]),
                             json_string(equals + 1));
    }
    return object;
}

static json_t *put_settings(const Settings *settings)
{
#define PUT_int(value) json_integer(value)
#define PUT_real(value) json_real(value)
#define PUT_name(value) json_string(value)
    json_t *object = json_object();
#define SETTING(kind, name, ...)                                                         \
    json_object_set_new(object, #name, PUT_##kind(settings->name));
#include "ir/settings.def"
    return object;
}

static json_t *put_later_hash(record_later_hash value)
{
    return put_hash(value);
}

static json_t *put_files(const DataFiles *files)
{
    json_t *object = json_object();
    for (uint32_t i = 0; i < files->count; i++)
        json_object_set_new(object, files->items[i].name, put_hash(files->items[i].hash));
    return object;
}

/* JSON is UTF-8: the one thing that it cannot hold is a path that is not. */
static bool put(json_t *object, const char *name, json_t *value, const char *path,
                Diags *diags)
{
    if (value && json_object_set_new(object, name, value) == 0)
        return true;
    diag_error(diags, (Loc){.file = path}, "cannot hold '%s': it is not UTF-8", name);
    return false;
}

bool run_record_write(const RunRecord *record, const char *path, Diags *diags)
{
    json_t *object = json_object();
    bool ok = put(object, "format", json_string(FORMAT), path, diags);
#define RECORD(kind, name, meaning)                                                      \
    ok = ok && put(object, #name, put_##kind(record->name), path, diags);
#include "runtime/run/run_record.def"
    ok = ok && put(object, "settings", put_settings(record->settings), path, diags);
    ok = ok && put(object, "files", put_files(&record->files), path, diags);
    size_t len = ok ? json_dumpb(object, NULL, 0, JSON_INDENT(2)) : 0;
    char *text = heap_alloc(len + 1);
    json_dumpb(object, text, len, JSON_INDENT(2));
    text[len] = '\n';
    ok = ok && file_replace(path, text, len + 1, diags);
    free(text);
    json_decref(object);
    return ok;
}

/* -- reading ----------------------------------------------------------------------- */

static bool get_text(const json_t *value, Arena *arena, record_text *out)
{
    if (json_is_string(value))
        *out = arena_string(arena, json_string_value(value), json_string_length(value));
    return json_is_string(value) || json_is_null(value);
}

/* Before there was a choice, all products were OpenBLAS's. */
static bool get_gemm(const json_t *value, Arena *arena, record_gemm *out)
{
    (void)arena;
    *out = value ? NULL : GEMM_OPENBLAS;
    for (const char *const *maker = gemm_makers; json_is_string(value) && *maker; maker++)
        if (strcmp(json_string_value(value), *maker) == 0)
            *out = *maker;
    return *out || json_is_null(value);
}

static bool get_flag(const json_t *value, Arena *arena, record_flag *out)
{
    (void)arena;
    *out = json_is_true(value);
    return json_is_boolean(value);
}

static bool get_count(const json_t *value, Arena *arena, record_count *out)
{
    (void)arena;
    *out = json_integer_value(value);
    return json_is_integer(value) && *out >= 0;
}

static bool get_later_text(const json_t *value, Arena *arena, record_later_text *out)
{
    return !value || get_text(value, arena, out);
}

static bool get_later_flag(const json_t *value, Arena *arena, record_later_flag *out)
{
    return !value || get_flag(value, arena, out);
}

static bool get_later_count(const json_t *value, Arena *arena, record_later_count *out)
{
    return !value || get_count(value, arena, out);
}

static bool get_hash(const json_t *value, Arena *arena, record_hash *out)
{
    (void)arena;
    const char *text = json_string_value(value);
    char *end;
    if (!text || strlen(text) != HASH_TEXT - 1)
        return false;
    *out = strtoull(text, &end, 16);
    return !*end;
}

/* A run of an earlier version has none. */
static bool get_sets(json_t *value, Arena *arena, record_sets *out)
{
    const char *name;
    json_t *text;
    *out = (TextList){.items = ARENA_ARRAY(arena, const char *, json_object_size(value))};
    json_object_foreach(value, name, text)
    {
        if (!json_is_string(text))
            return false;
        out->items[out->count++] =
            arena_format(arena, "%s=%s", name, json_string_value(text));
    }
    return !value || json_is_object(value);
}

static bool get_later_hash(const json_t *value, Arena *arena, record_later_hash *out)
{
    return !value || get_hash(value, arena, out);
}

static bool get_files(json_t *value, Arena *arena, DataFiles *out)
{
    const char *name;
    json_t *hash;
    if (!json_is_object(value))
        return false;
    out->items = ARENA_ARRAY(arena, DataFile, json_object_size(value));
    json_object_foreach(value, name, hash)
    {
        DataFile *file = &out->items[out->count++];
        file->name = arena_string(arena, name, strlen(name));
        if (!get_hash(hash, arena, &file->hash))
            return false;
    }
    return true;
}

static bool fault(bool ok, const json_t *object, const char *name, const char *path,
                  Diags *diags)
{
    if (ok)
        return true;
    bool is_there = json_object_get(object, name);
    diag_error(diags, (Loc){.file = path},
               is_there ? "\"%s\" is not what a run says there" : "has no \"%s\"", name);
    return false;
}

static bool read_members(RunRecord *out, json_t *object, const char *path, Arena *arena,
                         Diags *diags)
{
    const char *format = json_string_value(json_object_get(object, "format"));
    if (!format || strcmp(format, FORMAT) != 0) {
        diag_error(diags, (Loc){.file = path},
                   "is no run of this version of vlrun: \"format\" is '%s', not '%s'",
                   format ? format : "", FORMAT);
        return false;
    }
#define RECORD(kind, name, meaning)                                                      \
    if (!fault(get_##kind(json_object_get(object, #name), arena, &out->name), object,    \
               #name, path, diags))                                                      \
        return false;
#include "runtime/run/run_record.def"
    return fault(out->plan, object, "plan", path, diags) &&
           fault(out->data, object, "data", path, diags) &&
           fault(get_files(json_object_get(object, "files"), arena, &out->files), object,
                 "files", path, diags);
}

bool run_record_read(RunRecord *out, const char *path, Arena *arena, Diags *diags)
{
    size_t len;
    *out = (RunRecord){0};
    char *text = file_read(path, LARGEST, &len, diags);
    if (!text)
        return false;
    json_error_t error;
    json_t *object = json_loadb(text, len, JSON_REJECT_DUPLICATES, &error);
    free(text);
    if (!object)
        diag_error(diags,
                   (Loc){.file = arena_string(arena, path, strlen(path)),
                         .line = error.line > 0 ? (uint32_t)error.line : 0,
                         .column = error.column > 0 ? (uint32_t)error.column : 0},
                   "%s", error.text);
    bool ok = object && read_members(out, object, path, arena, diags);
    json_decref(object);
    return ok;
}

/* -- what it stands for ------------------------------------------------------------ */

uint64_t run_record_identity(const RunRecord *record)
{
    uint64_t hash = hash_word(HASH_START, record->plan_fingerprint);
    hash = hash_word(hash, record->weights_fingerprint);
    hash = hash_word(hash, (uint64_t)record->steps);
    hash = hash_word(hash, record->skip_bad);
    if (record->encoder_fingerprint)
        hash = hash_word(hash, record->encoder_fingerprint);
    for (uint32_t i = 0; i < record->files.count; i++) {
        const DataFile *file = &record->files.items[i];
        hash = hash_bytes(hash, file->name, strlen(file->name) + 1);
        hash = hash_word(hash, file->hash);
    }
    return hash;
}

void run_record_stamp(RunRecord *record, Arena *arena)
{
    char host[NAME_TEXT] = "", date[NAME_TEXT] = "";
    time_t now = clock_date();
    struct tm parts;
    if (gethostname(host, sizeof host - 1) != 0)
        host[0] = '\0';
    if (gmtime_r(&now, &parts))
        strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%SZ", &parts);
    record->host = arena_string(arena, host, strlen(host));
    record->started = arena_string(arena, date, strlen(date));
    record->version = "vlrun " VLG_VERSION ", LLVM " VLG_LLVM_VERSION;
}

const char *run_record_other_file(const RunRecord *record, const DataFiles *now, bool all,
                                  const char **out_how)
{
    for (uint32_t i = 0; i < record->files.count; i++) {
        const DataFile *then = &record->files.items[i];
        const DataFile *file = data_files_find(now, then->name);
        *out_how = file ? "differs" : "is missing";
        if (file ? file->hash != then->hash : all)
            return then->name;
    }
    *out_how = "was not there";
    for (uint32_t i = 0; all && i < now->count; i++)
        if (!data_files_find(&record->files, now->items[i].name))
            return now->items[i].name;
    return NULL;
}
