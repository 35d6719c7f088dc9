/* Goes through the files of a split, record by record; each task's reader makes examples of
 * them. */
#include "runtime/data/dataset_load.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/data/string_index.h"

/* -- for the readers of records ---------------------------------------------------- */

const char *loader_path(const Loader *loader, const char *path)
{
    return arena_format(loader->arena, "%s/%s", loader->directory, path);
}

/* What an example is called in its file, for messages. */
static const char *record_name(const json_t *record, const char **out_key)
{
    static const char *const keys[] = {"question_id", "identifier", "qid", "clip_id",
                                       "filename", "vid_name"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        *out_key = keys[i];
        const char *name = json_string_value(json_object_get(record, keys[i]));
        if (name)
            return name;
    }
    return NULL;
}

bool loader_fault(Loader *loader, const json_t *record, const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    Diags *diags = skips_diags(loader->skips, loader->diags);
    Loc loc = json_stream_loc(loader->stream);
    int64_t number = json_stream_number(loader->stream);
    const char *key, *name = record_name(record, &key);
    const json_t *id = json_object_get(record, "question_id");
    if (!name && json_is_integer(id))
        diag_error(diags, loc, "record %" PRId64 " (question_id %lld): %s", number,
                   (long long)json_integer_value(id), text);
    else if (name)
        diag_error(diags, loc, "record %" PRId64 " (%s '%s'): %s", number, key, name, text);
    else
        diag_error(diags, loc, "record %" PRId64 ": %s", number, text);
    return false;
}

const char *loader_text(Loader *loader, const json_t *record, const char *key)
{
    const json_t *value = json_object_get(record, key);
    if (json_is_string(value))
        return arena_string(loader->arena, json_string_value(value),
                            json_string_length(value));
    if (json_is_integer(value))
        return arena_format(loader->arena, "%lld", (long long)json_integer_value(value));
    loader_fault(loader, record, value ? "\"%s\" is no string" : "has no \"%s\"", key);
    return NULL;
}

const char *loader_file_name(Loader *loader, const json_t *record, const char *key)
{
    const char *name = json_string_value(json_object_get(record, key));
    if (name && *name && !strchr(name, '/') && strcmp(name, ".") != 0 &&
        strcmp(name, "..") != 0)
        return intern(loader->interns, name);
    if (name)
        loader_fault(loader, record, "\"%s\" cannot be the name of a file: '%s'", key, name);
    else
        loader_fault(loader, record, "has no \"%s\" that is a string", key);
    return NULL;
}

static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

const char *loader_stripped(Loader *loader, const char *text)
{
    size_t len = strlen(text);
    while (len > 0 && is_blank(*text))
        text++, len--;
    if (len == 0 || !is_blank(text[len - 1]))
        return text;
    while (is_blank(text[len - 1]))
        len--;
    return arena_string(loader->arena, text, len);
}

void loader_add(Loader *loader, const DatasetExample *example)
{
    ExampleList *out = loader->out;
    if (out->count == out->room) {
        out->room = out->room ? 2 * out->room : 1024;
        out->items = heap_grow(out->items, (size_t)out->room * sizeof *out->items);
    }
    out->items[out->count++] = *example;
}

/* -- files ------------------------------------------------------------------------- */

static bool read_records(Loader *loader, bool (*read)(Loader *, const json_t *))
{
    json_t *record;
    JsonStep step;
    for (;;) {
        step = json_stream_next(loader->stream, &record,
                                skips_diags(loader->skips, loader->diags));
        if (step > JSON_STEP_bad)
            return step == JSON_STEP_end;
        bool is_good = record && read(loader, record);
        json_decref(record);
        if (is_good)
            continue;
        skips_count(loader->skips);
        if (!skips_allowed(loader->skips))
            return false;
    }
}

static bool read_file(Loader *loader, const char *path, const char *member,
                      bool (*read)(Loader *, const json_t *))
{
    loader->stream = json_stream_open(path, member, loader->diags);
    bool is_good = loader->stream && read_records(loader, read);
    json_stream_close(loader->stream);
    loader->stream = NULL;
    return is_good;
}

/* Videos speak: those of a folder are in the file that bears its name. */
static bool open_subtitles(Loader *loader)
{
    if (!loader->kind->is_video)
        return true;
    const char *name = strrchr(loader->file->folder, '/') + 1;
    const char *path = loader_path(
        loader, arena_format(loader->arena, "video/ann/%s_subtitles.jsonl", name));
    if (loader->subtitles && strcmp(subtitles_path(loader->subtitles), path) == 0)
        return true;
    subtitles_free(loader->subtitles);
    loader->subtitles = subtitles_read(path, loader->arena, loader->skips, loader->diags);
    return loader->subtitles;
}

static bool load_file(Loader *loader)
{
    const char *path = loader_path(loader, loader->file->path);
    int64_t before = loader->out->count;
    /* Of what is read here only captions are inside of a larger object. */
    const char *member = strstr(path, "/dataset_coco.json") ? "images" : NULL;
    if (!open_subtitles(loader) || !read_file(loader, path, member, loader->kind->read))
        return false;
    if (loader->out->count > before)
        return true;
    diag_error(loader->diags, (Loc){.file = path}, "has no example for task '%s'",
               loader->kind->task);
    return false;
}

bool loader_load(Loader *loader, Split split, bool leaderboard, ExampleList *out)
{
    bool is_hidden = leaderboard && split == SPLIT_test, is_found = false;
    if (out->is_loaded)
        return true;
    loader->out = out;
    for (uint32_t i = 0; i < task_file_count; i++) {
        const TaskFile *file = &task_files[i];
        if (strcmp(file->task, loader->kind->task) != 0 || file->split != split ||
            file->is_hidden != is_hidden)
            continue;
        loader->file = file;
        is_found = true;
        if (!load_file(loader))
            return false;
    }
    if (!is_found && leaderboard)
        return loader_load(loader, split, false, out);
    out->is_loaded = true;
    return split == SPLIT_train || strcmp(loader->kind->task, "vqa") != 0 ||
           loader_add_annotations(loader, out);
}

/* -- annotators' answers ------------------------------------------------------------- */

typedef struct Annotations {
    Loader loader;
    StringIndex *questions; /* numbered as the examples are */
    ExampleList *list;
} Annotations;

static bool read_annotation(Loader *loader, const json_t *record)
{
    Annotations *annotations = (Annotations *)(void *)loader; /* its first member */
    const json_t *id = json_object_get(record, "question_id");
    const json_t *answers = json_object_get(record, "answers"), *answer;
    char name[32];
    snprintf(name, sizeof name, "%lld", (long long)json_integer_value(id));
    if (!json_is_integer(id) || !json_is_array(answers))
        return loader_fault(loader, record, "has no question_id and answers");
    uint32_t number = string_index_find(annotations->questions, name, strlen(name));
    if (number == STRING_ABSENT)
        return true; /* of another split */
    size_t i;
    const char **texts = ARENA_ARRAY(loader->arena, const char *, json_array_size(answers));
    json_array_foreach(answers, i, answer)
    {
        const char *text = json_string_value(json_object_get(answer, "answer"));
        if (!text)
            return loader_fault(loader, record, "has an answer without \"answer\"");
        texts[i] = intern(loader->interns, text);
    }
    DatasetExample *example = &annotations->list->items[number];
    example->references = texts;
    example->reference_count = (uint32_t)json_array_size(answers);
    return true;
}

bool loader_add_annotations(Loader *loader, ExampleList *list)
{
    static const char *const files[] = {"vqa/v2_mscoco_train2014_annotations.json",
                                        "vqa/v2_mscoco_val2014_annotations.json"};
    Annotations annotations = {*loader, string_index_new(), list};
    bool is_good = true;
    for (int64_t i = 0; is_good && i < list->count; i++) {
        const char *id = list->items[i].id;
        uint32_t number = string_index_add(annotations.questions, id, strlen(id));
        is_good = number == (uint32_t)i;
        if (!is_good)
            diag_error(loader->diags, (Loc){0}, "two questions have the question_id %s", id);
    }
    for (int f = 0; is_good && f < 2; f++)
        is_good = read_file(&annotations.loader, loader_path(loader, files[f]),
                            "annotations", read_annotation);
    string_index_free(annotations.questions);
    return is_good;
}
