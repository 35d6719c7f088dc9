/* Members of a record, each of which is there and what it should be, or said not to be.
 *
 * What is missing may be there under a name that is misspelt: an unknown name near to a
 * known one is never passed over. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "ir/base/list.h"
#include "runtime/data/dataset/dataset_load.h"

/* -- faults ------------------------------------------------------------------------ */

/* What an example is called in its file, for messages. */
static const char *record_name(const json_t *record, const char **out_key)
{
    static const char *const keys[] = {"question_id", "identifier", "qid",
                                       "clip_id",     "filename",   "vid_name"};
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
    if (!loader->stream) {
        diag_error(diags, loader->asked, "%s", text);
        return false;
    }
    Loc loc = json_stream_loc(loader->stream);
    int64_t number = json_stream_number(loader->stream);
    const char *key, *name = record_name(record, &key);
    const json_t *id = json_object_get(record, "question_id");
    if (!name && json_is_integer(id))
        diag_error(diags, loc, "record %" PRId64 " (question_id %lld): %s", number,
                   (long long)json_integer_value(id), text);
    else if (name)
        diag_error(diags, loc, "record %" PRId64 " (%s '%s'): %s", number, key, name,
                   text);
    else
        diag_error(diags, loc, "record %" PRId64 ": %s", number, text);
    return false;
}

/* -- members ----------------------------------------------------------------------- */

/* All that the published files are known to hold. */
static bool is_known(const char *key)
{
    static const char keys[] =
        " img_id sent question question_id question_type answer_type label answers "
        "answer "
        "is_topk_optimal identifier uid img0 img1 filename split sentences raw vid_name "
        "show_name qid q a0 a1 a2 a3 a4 answer_idx ts duration clip_id descs desc "
        "desc_id "
        "type imgid sentids sentid cocoid filepath tokens synset directory writer "
        "validation sub text start end ";
    char name[64];
    int len = snprintf(name, sizeof name, " %s ", key);
    return len < (int)sizeof name && strstr(keys, name);
}

const char *record_misspelt(const json_t *record, const char *key)
{
    const char *near = NULL;
    void *at = json_object_iter((json_t *)(uintptr_t)record);
    for (; at && !near; at = json_object_iter_next((json_t *)(uintptr_t)record, at)) {
        const char *other = json_object_iter_key(at);
        if (!is_known(other))
            near = strcasecmp(other, key) == 0 ? other : nearest_name(key, &other, 1);
    }
    return near;
}

static bool missing(Loader *loader, const json_t *record, const char *key)
{
    const char *near = record_misspelt(record, key);
    if (near)
        return loader_fault(loader, record, "has no \"%s\"; did you mean that by \"%s\"?",
                            key, near);
    return loader_fault(loader, record, "has no \"%s\"", key);
}

const json_t *loader_member(Loader *loader, const json_t *record, const char *key)
{
    const json_t *value = json_object_get(record, key);
    if (value && !json_is_null(value))
        return value;
    missing(loader, record, key);
    return NULL;
}

bool loader_optional(Loader *loader, const json_t *record, const char *key,
                     const json_t **out)
{
    *out = json_object_get(record, key);
    if (json_is_null(*out))
        *out = NULL;
    return *out || !record_misspelt(record, key) || missing(loader, record, key);
}

bool loader_answer(Loader *loader, const json_t *record, const char *key,
                   const json_t **out)
{
    if (loader->file->split == SPLIT_train)
        *out = loader_member(loader, record, key);
    else if (!loader_optional(loader, record, key, out))
        return false;
    return *out || loader->file->split != SPLIT_train;
}

/* -- members of one kind ----------------------------------------------------------- */

const char *loader_name(Loader *loader, const json_t *record, const char *key)
{
    const json_t *value = loader_member(loader, record, key);
    if (json_is_string(value) && json_string_length(value) > 0)
        return arena_string(loader->arena, json_string_value(value),
                            json_string_length(value));
    if (json_is_integer(value))
        return arena_format(loader->arena, "%lld", (long long)json_integer_value(value));
    if (json_is_string(value))
        loader_fault(loader, record, "\"%s\" is empty", key);
    else if (value)
        loader_fault(loader, record, "\"%s\" is no string or whole number", key);
    return NULL;
}

const char *loader_text(Loader *loader, const json_t *record, const char *key)
{
    const json_t *value = loader_member(loader, record, key);
    const char *text = json_string_value(value);
    if (value && !text)
        loader_fault(loader, record, "\"%s\" is no string", key);
    if (!text)
        return NULL;
    if (text[strspn(text, " \t\n\v\f\r")])
        return arena_string(loader->arena, text, json_string_length(value));
    loader_fault(loader, record, "\"%s\" is empty", key);
    return NULL;
}

bool loader_group(Loader *loader, const json_t *record, const char *key, const char **out)
{
    const json_t *value;
    if (!loader_optional(loader, record, key, &value))
        return false;
    if (value && !json_is_string(value))
        return loader_fault(loader, record, "\"%s\" is no string", key);
    *out = value ? intern(loader->interns, json_string_value(value)) : NULL;
    return true;
}

const char *loader_checked_name(Loader *loader, const json_t *record, const char *what,
                                const char *name)
{
    if (*name && !strchr(name, '/') && strcmp(name, ".") != 0 && strcmp(name, "..") != 0)
        return intern(loader->interns, name);
    loader_fault(loader, record, "\"%s\" cannot be the name of a file: '%s'", what, name);
    return NULL;
}

const char *loader_file_name(Loader *loader, const json_t *record, const char *key)
{
    const json_t *value = loader_member(loader, record, key);
    const char *name = json_string_value(value);
    if (name)
        return loader_checked_name(loader, record, key, name);
    if (value)
        loader_fault(loader, record, "\"%s\" is no string", key);
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

const char *loader_without_ending(Loader *loader, const char *name)
{
    static const char *const endings[] = {".jpg", ".jpeg", ".png", ".mp4", ".mov",
                                          ".mkv", ".webm", ".avi", ".npz", ".h5"};
    const char *point = strrchr(name, '.');
    for (size_t i = 0; point && point > name && i < sizeof endings / sizeof *endings; i++)
        if (strcasecmp(point, endings[i]) == 0)
            return arena_string(loader->arena, name, (size_t)(point - name));
    return name;
}

bool loader_has_score(const DatasetExample *example)
{
    for (uint32_t i = 0; i < example->answer_count; i++)
        if (example->answers[i].score > 0)
            return true;
    return false;
}

const char *loader_number(Loader *loader, const json_t *value)
{
    enum { DIGITS_MAX = 17 };
    if (json_is_integer(value))
        return arena_format(loader->arena, "%lld", (long long)json_integer_value(value));
    double number = json_real_value(value);
    char text[48];
    for (int digits = 1; digits <= DIGITS_MAX; digits++) {
        snprintf(text, sizeof text, "%.*e", digits - 1, number);
        if (strtod(text, NULL) != number)
            continue;
        int exponent = (int)strtol(strchr(text, 'e') + 1, NULL, 10);
        if (exponent >= -4 && exponent < 16) {
            int decimals = digits - 1 - exponent;
            snprintf(text, sizeof text, "%.*f", decimals > 1 ? decimals : 1, number);
        }
        break;
    }
    return arena_format(loader->arena, "%s", text);
}

/* -- examples ------------------------------------------------------------------------ */

DatasetExample loader_example(Loader *loader)
{
    const TaskTexts *texts = loader->texts;
    return (DatasetExample){
        .folder = texts->folder ? texts->folder : loader->file->folder,
        .fields = ARENA_ARRAY(loader->arena, const char *, texts->prompt.field_count)};
}

void loader_field(const Loader *loader, DatasetExample *example, const char *field,
                  const char *value)
{
    uint32_t at = template_field(&loader->texts->prompt, field);
    if (at != UINT32_MAX)
        example->fields[at] = value;
}

const char *loader_said(Loader *loader, const char *text)
{
    const Template *answer = &loader->texts->answer;
    if (template_is_field(answer))
        return text;
    Arena *arena = arena_new();
    const char *said = intern(loader->interns, template_fill(answer, &text, arena));
    arena_free(arena);
    return said;
}

void loader_answer_is(Loader *loader, DatasetExample *example, const char *text)
{
    DatasetAnswer *answer = arena_alloc(loader->arena, sizeof *answer);
    *answer = (DatasetAnswer){loader_said(loader, text), 1};
    example->answers = answer;
    example->answer_count = 1;
    example->is_told = true;
}

bool loader_add(Loader *loader, const json_t *record, const DatasetExample *example)
{
    ExampleList *out = loader->out;
    const Template *prompt = &loader->texts->prompt;
    for (uint32_t i = 0; i < prompt->field_count; i++)
        if (!example->fields[i])
            return loader_fault(loader, record, "has no \"%s\", which is read",
                                prompt->fields[i]);
    LIST_ROOM(out->items, (size_t)out->count + 1, out->capacity);
    out->items[out->count++] = *example;
    loader->untold += !example->is_told;
    return true;
}

bool loader_add_captions(Loader *loader, const json_t *record, DatasetExample *example,
                         const DatasetAnswer *answers, const char **texts, uint32_t count)
{
    example->answers = answers;
    example->answer_count = count;
    example->references = texts;
    example->reference_count = count;
    example->is_told = count > 0;
    if (loader->file->split != SPLIT_train)
        return loader_add(loader, record, example);
    example->answer_count = 1;
    for (uint32_t i = 0; i < count; i++) {
        example->answers = answers + i;
        if (!loader_add(loader, record, example))
            return false;
    }
    return true;
}
